"""Write what the packaged model makes of held-out faces: the file that corrected totals rest on.

    python scripts/face_calibration.py face.csv

The rows are the manifest's validation part: pictures that the network did not learn from. Its test
part stays untouched, for benchmarks/watch_visits.py to measure on. Parts are drawn by content, so
no picture is on both sides. Each face stands for a visit: it is seen several times as a camera
would see it (`passing.py`), and what is read of its crops is fused as a visit's is. The file holds
numbers alone.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from passing import CROPS, look

from mien.analyzer import Analyzer
from mien.data import manifest as manifests
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError
from mien.model import Model
from mien.watch.calibration import PACKAGED, Calibration, fingerprint
from mien.watch.fusion import fuse
from mien.watch.visit import binned

OUT: Final = Path(__file__).resolve().parent.parent / "src" / "mien" / "watch" / PACKAGED


def main() -> None:
    """Take the options, read the faces, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifest", type=Path, help="the manifest that the model was trained on")
    parser.add_argument("--part", default="validation", help="validation, or test")
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write")
    options = parser.parse_args()
    found = measured(manifests.read(options.manifest), options.part, options.model)
    found.write(options.out)
    print(f"{options.out}: {len(found.truth):,} faces, {found.found.mean():.1%} found")


def measured(manifest: Manifest, part: str, name: str, seed: int = 0) -> Calibration:
    """Read the faces of known age in one part as visits; each content once.

    Raises:
        DataError: The model was trained on another split, so its held-out faces are unknown.
    """
    model = Model.open(name)
    if model.card.split_hash != manifest.split_hash:
        raise DataError(
            f"{name} was trained on the split {model.card.split_hash}, the manifest has "
            f"{manifest.split_hash}: give the manifest that it was trained on"
        )
    samples = _chosen(manifest.part(part))
    visits = [_visit(one, model, seed) for one in samples]
    missed = [number for number, visit in enumerate(visits) if visit is None]
    whole = Analyzer(model, tasks=["age"], faces="whole").read(
        [samples[number].path for number in missed]
    )
    # Of a face that no camera would find, all that can be said is how it is read from the picture.
    rest = {
        number: fuse(np.array([reading.faces[0].age.distribution], np.float64), [1.0])
        for number, reading in zip(missed, whole, strict=True)
    }
    ages = np.stack([rest[n] if visit is None else visit for n, visit in enumerate(visits)])
    return Calibration(
        truth=np.array([round(sample.number("age")) for sample in samples]),
        years=ages @ np.arange(ages.shape[1]),
        ages=binned(ages),
        found=np.array([visit is not None for visit in visits]),
        prior=binned(np.array(model.card.priors["age"])),
        about={
            "model": model.card.name,
            "version": model.card.version,
            "network": fingerprint(name),
            "manifest": manifest.fingerprint,
            "split": manifest.split_hash,
            "part": part,
            "visits": f"fused over at most {CROPS} crops",
            "terms": "; ".join(
                f"{data.name}: {data.terms}"
                for data in model.card.data
                if data.name in {sample.source for sample in samples}
            ),
        },
    )


def _visit(one: Sample, model: Model, seed: int) -> NDArray[np.float64] | None:
    """Return a face's fused ages; None if it is hardly found."""
    seen = look(one, model, seed)
    return None if seen is None else fuse(model.run(seen.crops, ["age"])["age"], seen.quality)


def _chosen(manifest: Manifest) -> list[Sample]:
    """Return the samples of one known age, the first of each content."""
    known = {
        sample.content: sample
        for sample in reversed(manifest.samples)
        if not np.isnan(sample.known.number("age"))
    }
    return sorted(known.values(), key=lambda sample: sample.content)


if __name__ == "__main__":
    main()
