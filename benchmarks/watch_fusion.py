"""How far crops of one face tell the same: the temperings of `mien.watch.fusion`.

    python benchmarks/watch_fusion.py manifest.csv --csv results/watch-fusion.csv

Each face of the manifest's test part whose age is known is put before a plain background and seen
several times as a camera would see somebody who comes by: at one distance and in one light, each
time turned, shifted, blurred and compressed otherwise. It is looked for in each of these pictures
as in any frame, cropped and read. The temperings are chosen on one half of the faces, by the
likelihood of the true ages and labels; the table is of the other half.
"""

import argparse
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import ages
from mien.data import manifest as manifests
from mien.data.manifest import Manifest, Sample
from mien.model import Model
from mien.watch.fusion import Tempering, effective, fuse, fuse_probability
from tables import Row, show, write

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import passing
from passing import CROPS

_SCALES: Final = np.arange(0.4, 1.21, 0.05)
_GROWTHS: Final = np.arange(0, 0.61, 0.05)


@dataclass
class Seen:
    """One face: its true age and gender, and what was read from its crops."""

    age: float
    female: bool
    half: int
    ages: NDArray[np.float32]
    gender: NDArray[np.float32]
    quality: list[float]


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifest", type=Path, help="a manifest with ages and genders")
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--split", default="test", help="the part whose faces are taken")
    parser.add_argument("--faces", type=int, default=2000, help="at most so many faces")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    options = parser.parse_args()
    model = Model.open(options.model)
    samples = chosen(manifests.read(options.manifest), options.split, options.faces, options.seed)
    seen = [one for sample in samples if (one := look(sample, model, options.seed)) is not None]
    rows = table(seen, model)
    show(rows, f"{len(seen)} faces, {CROPS} crops each")
    if options.csv:
        write(rows, options.csv, options.seed)


def chosen(manifest: Manifest, split: str, most: int, seed: int) -> list[Sample]:
    """Return samples of a part with an age in years and a gender."""
    found = [
        sample
        for sample in manifest.samples
        if sample.split == split and {"age", "gender"} <= sample.known.labels.keys()
    ]
    order = np.random.default_rng(seed).permutation(len(found))[:most]
    return [found[index] for index in np.sort(order).tolist()]


def look(face: Sample, model: Model, seed: int) -> Seen | None:
    """See a face several times, and read it; None if it is hardly found."""
    found = passing.look(face, model, seed)
    if found is None:
        return None
    out = model.run(found.crops, ["age", "gender"])
    column = model.card.task("gender").labels.index("female")
    return Seen(
        float(str(face.labels["age"])),
        face.labels["gender"] == "female",
        zlib.crc32(face.content.encode()) % 2,
        out["age"],
        out["gender"][:, column],
        found.quality,
    )


def fused(seen: Sequence[Seen], tempering: Tempering, crops: int = CROPS) -> NDArray[np.float64]:
    """Return the faces' fused age distributions."""
    return np.stack([fuse(one.ages[:crops], one.quality[:crops], tempering) for one in seen])


def loss(distributions: NDArray[np.float64], seen: Sequence[Seen]) -> float:
    """Return the mean negative logarithm of the true age's probability."""
    true = np.array([min(int(one.age), distributions.shape[1] - 1) for one in seen])
    return float(-np.log(np.maximum(distributions[np.arange(len(seen)), true], 1e-9)).mean())


def gender_loss(seen: Sequence[Seen], tempering: Tempering, crops: int = CROPS) -> float:
    """Return the mean negative logarithm of the true label's probability."""
    total = 0.0
    for one in seen:
        female = fuse_probability(one.gender[:crops].tolist(), one.quality[:crops], tempering)
        total -= np.log(max(female if one.female else 1 - female, 1e-9))
    return total / len(seen)


def best(error: Callable[[Tempering, int], float]) -> Tempering:
    """Return the tempering with the least error over visits of one, two and all crops."""
    tried = [Tempering(float(s), float(g)) for s in _SCALES for g in _GROWTHS]
    return min(tried, key=lambda t: sum(error(t, crops) for crops in (1, 2, CROPS)))


def table(seen: Sequence[Seen], model: Model) -> list[Row]:
    """Choose the temperings on one half; return how good they are on the other."""
    fit, test = ([one for one in seen if one.half == half] for half in (0, 1))
    age = best(lambda t, crops: loss(fused(fit, t, crops), fit))
    gender = best(lambda t, crops: gender_loss(fit, t, crops))
    rows = [
        _row("age: scale", "", f"{age.scale:.2f}"),
        _row("age: growth", "", f"{age.growth:.2f}"),
        _row("gender: scale", "", f"{gender.scale:.2f}"),
        _row("gender: growth", "", f"{gender.growth:.2f}"),
        _row("faces measured", "", str(len(test))),
        _row("effective crops", "", f"{np.mean([effective(o.quality) for o in test]):.2f}"),
    ]
    for name, tempering, crops in (
        ("one crop, as the network says", Tempering(1, 0), 1),
        ("one crop", age, 1),
        ("two crops", age, 2),
        ("all crops", age, CROPS),
        ("all crops, mean of logarithms", Tempering(1, 0), CROPS),
        ("all crops, product", Tempering(1, 1), CROPS),
    ):
        rows += _figures(name, fused(test, tempering, crops), test, model)
    for crops in (1, CROPS):
        name = "one crop" if crops == 1 else "all crops"
        right = [
            (fuse_probability(o.gender[:crops].tolist(), o.quality[:crops], gender) > 0.5)
            == o.female
            for o in test
        ]
        rows.append(_row(f"{name}: gender right", "", f"{np.mean(right):.3f}"))
        rows.append(_row(f"{name}: gender log loss", "", f"{gender_loss(test, gender, crops):.3f}"))
    return rows


def _row(measure: str, unit: str, value: str) -> Row:
    return {"measure": measure, "unit": unit, "value": value}


def _figures(
    name: str, found: NDArray[np.float64], seen: Sequence[Seen], model: Model
) -> list[Row]:
    true = np.array([one.age for one in seen])
    low, high = ages.intervals(found, model.card.task("age").intervals)
    inside = (low <= true) & (true <= high)
    return [
        _row(f"{name}: mean error", "years", f"{np.abs(ages.expected(found) - true).mean():.2f}"),
        _row(f"{name}: log loss", "", f"{loss(found, seen):.3f}"),
        _row(f"{name}: 90 % intervals hold", "", f"{inside.mean():.3f}"),
        _row(f"{name}: interval width", "years", f"{(high - low).mean():.1f}"),
    ]


if __name__ == "__main__":
    main()
