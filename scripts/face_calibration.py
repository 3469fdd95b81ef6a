"""Write what the packaged model makes of held-out faces: the file that corrected totals rest on.

    python scripts/face_calibration.py face.csv

The rows are the manifest's validation part: pictures that the network did not learn from. Its test
part stays untouched, for benchmarks/watch_visits.py to measure on. Parts are drawn by content, so
no picture is on both sides. The file holds numbers alone.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np

from mien.analyzer import Analyzer
from mien.data import manifest as manifests
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError
from mien.model import Model
from mien.watch.calibration import PACKAGED, Calibration, fingerprint
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


def measured(manifest: Manifest, part: str, name: str) -> Calibration:
    """Read the faces of known age in one part; each content once.

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
    paths = [sample.path for sample in samples]
    whole = Analyzer(model, tasks=["age"], faces="whole").read(paths)
    ages = np.array([reading.faces[0].age.distribution for reading in whole], np.float64)
    seen = Analyzer(model, tasks=["age"]).read(paths)
    return Calibration(
        truth=np.array([round(sample.number("age")) for sample in samples]),
        years=ages @ np.arange(ages.shape[1]),
        ages=binned(ages),
        found=np.array([len(reading.faces) > 0 for reading in seen]),
        prior=binned(np.array(model.card.priors["age"])),
        about={
            "model": model.card.name,
            "version": model.card.version,
            "network": fingerprint(name),
            "manifest": manifest.fingerprint,
            "split": manifest.split_hash,
            "part": part,
            "terms": "; ".join(
                f"{data.name}: {data.terms}"
                for data in model.card.data
                if data.name in {sample.source for sample in samples}
            ),
        },
    )


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
