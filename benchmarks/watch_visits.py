"""How right totals of age groups are: days of stored predictions, with ages mixed anew each day.

    python benchmarks/watch_visits.py face.csv --csv results/watch-visits.csv

A day draws how many come, which ages they are of, and then, for each, a face of the manifest's test
part of that age: label shift, and nothing else. Its truth is known exactly. With the mix "groups"
all shares of the age groups are equally likely, and ages within a group are those of the test part;
with "bins" the shares of 5-year bins are drawn, most of them small, so that a group may hold other
ages than the calibration's. (Bins of few faces are left out: a day of one face is no day.)

The correction knows only the packaged calibration, which was measured on other pictures; nothing in
it was chosen by looking at this benchmark. The error of a day is the share of its visits that stand
in a wrong group: half the sum of absolute differences over its visits.

Rows that name a bias are of cameras that read otherwise: everybody six years older or younger, or
all ages drawn together by a quarter. Before each such day a tally is taken on another day of
another mix: 30 to 120 people are tapped, of whom fewer children than adults face the camera.
"untold" is the error without what the tally says of ages, "told" with it; "as calibrated" has no
bias.

The rows "warned" say how often the test of the assumption speaks: on days as above, where it holds,
and on days on which every face is read as if it were 15 years nearer to 30, where it does not.
"""

import argparse
import csv
import os
import platform
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mien.ages import GROUPS
from mien.data import manifest as manifests
from mien.files import atomic_write
from mien.watch.calibration import Calibration, packaged
from mien.watch.correction import Corrector
from mien.watch.tally import Door, Tally, door
from mien.watch.totals import UNIT, Totals, bin_of
from mien.watch.visit import BIN, BINS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from face_calibration import measured

_FEWEST, _MOST = 50, 800
_PULL: Final = 15.0
_MIXES: Final = ("groups", "bins")
_FACES: Final = 20
_UNEVEN: Final = 0.5
_PIVOT: Final = 35.0
_BIASES: Final = {
    "as calibrated": (0.0, 1.0),
    "6 years older": (6.0, 1.0),
    "6 years younger": (-6.0, 1.0),
    "drawn together": (0.0, 0.75),
}
_TAPPED: Final = (30, 120)
# Of each group so many face the camera.
_FACING: Final = (0.6, 0.75, 0.85, 0.85, 0.8)
Row = dict[str, str]


@dataclass
class Errors:
    """What was found on the days so far."""

    raw: list[float] = field(default_factory=list)
    corrected: list[float] = field(default_factory=list)
    adjusted: list[float] = field(default_factory=list)
    held: list[NDArray[np.bool_]] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    warned: list[bool] = field(default_factory=list)
    odd: list[bool] = field(default_factory=list)


def main() -> None:
    """Take the options, simulate, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifest", type=Path, help="the manifest that the model was trained on")
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--days", type=int, default=500, help="how many days of each mix")
    parser.add_argument("--tallies", type=int, default=100, help="how many days with each bias")
    parser.add_argument("--seed", type=int, default=0, help="of the days")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    options = parser.parse_args()
    known = packaged()
    if problem := known.mismatch(options.model):
        raise SystemExit(f"{problem}; run scripts/face_calibration.py")
    faces = measured(manifests.read(options.manifest), "test", options.model)
    rows = [
        {"mix": mix, **row}
        for mix in _MIXES
        for row in (
            *figures(simulate(faces, known, options.days, options.seed, mix)),
            *tallied(faces, known, options.tallies, options.seed, mix),
        )
    ]
    show(rows, f"{options.days} days of {_FEWEST} to {_MOST} visits, {len(faces.truth):,} faces")
    if options.csv:
        write(rows, options.csv, options.seed, faces)


def simulate(faces: Calibration, known: Calibration, days: int, seed: int, mix: str) -> Errors:
    """Draw days and compare."""
    rng, errors, correct = np.random.default_rng(seed), Errors(), Corrector(known)
    for _ in range(days):
        chosen = day(faces, rng, mix)
        truth = counted(faces.truth[chosen])
        found = correct(totals(faces, chosen))
        everyone = truth.sum()
        ends = np.array(list(found.corrected.values()))
        adjusted = found.adjusted or found.raw
        errors.raw.append(wrong(np.array(list(found.raw.values())), truth))
        errors.corrected.append(wrong(ends[:, 0], truth))
        errors.adjusted.append(wrong(np.array(list(adjusted.values())), truth))
        # Truth is a whole number: an end is rounded to the nearest.
        errors.held.append((np.rint(ends[:, 1]) <= truth) & (truth <= np.rint(ends[:, 2])))
        errors.width.append(float(np.mean(ends[:, 2] - ends[:, 1]) / everyone))
        errors.warned.append(bool(found.warning))
        errors.odd.append(bool(correct(totals(faces, chosen, pull=_PULL)).warning))
    return errors


def day(faces: Calibration, rng: np.random.Generator, mix: str) -> NDArray[np.int64]:
    """Draw the faces that come on one day."""
    number = int(np.exp(rng.uniform(np.log(_FEWEST), np.log(_MOST))))
    of = groups_of(faces.truth) if mix == "groups" else faces.bins
    there = np.flatnonzero(np.bincount(of) >= _FACES)
    likely = rng.dirichlet(np.full(len(there), 1 if mix == "groups" else _UNEVEN))
    coming = rng.multinomial(number, likely)
    drawn = [rng.choice(np.flatnonzero(of == g), n) for g, n in zip(there, coming, strict=True)]
    return np.concatenate(drawn)


def tallied(faces: Calibration, known: Calibration, days: int, seed: int, mix: str) -> list[Row]:
    """Draw days at cameras that read otherwise, each after a tally."""
    correct, rows = Corrector(known), []
    for name, bias in _BIASES.items():
        rng = np.random.default_rng(seed)
        untold: list[float] = []
        told: list[float] = []
        held: list[float] = []
        for _ in range(days):
            known_door = tally(faces, bias, rng, mix, correct)
            chosen = day(faces, rng, mix)
            truth, seen = counted(faces.truth[chosen]), totals(biased(faces, bias), chosen)
            plain = correct(seen, test=False)
            found = correct(seen, biased=[(seen, known_door.reading)], test=False)
            for errors, one in ((untold, plain), (told, found)):
                errors.append(wrong(np.array(list(one.corrected.values()))[:, 0], truth))
            ends = np.array(list(found.corrected.values()))
            inside = (np.rint(ends[:, 1]) <= truth) & (truth <= np.rint(ends[:, 2]))
            held.append(float(inside.mean()))
        rows += [
            _row("error, untold", name, untold),
            _row("error, told", name, told),
            _row("interval holds, told", name, held),
        ]
    return rows


def tally(
    faces: Calibration,
    bias: tuple[float, float],
    rng: np.random.Generator,
    mix: str,
    correct: Corrector,
) -> Door:
    """Return what a tally of people of some day says."""
    chosen = rng.permutation(day(faces, rng, mix))[: rng.integers(*_TAPPED)]
    of = groups_of(faces.truth[chosen])
    seen = chosen[rng.random(len(chosen)) < np.array(_FACING)[of]]
    taps = np.bincount(of, minlength=len(GROUPS)).tolist()
    names = [name for name, _ in GROUPS]
    begun = datetime(2026, 3, 2, 12, tzinfo=UTC)
    visits = totals(biased(faces, bias), seen)
    counts = dict(zip(names, taps, strict=True))
    return door([Tally("a", "b", begun, begun + timedelta(minutes=30), counts, visits)], correct)


@cache
def biased(faces: Calibration, bias: tuple[float, float]) -> Calibration:
    """Return the faces as a camera reads them that is off by some years, and by a slope."""
    offset, slope = bias
    ends = np.arange(BINS + 1) * float(BIN)
    moved = _PIVOT + offset + slope * (ends - _PIVOT)
    below = np.concatenate([np.zeros((len(faces.ages), 1)), faces.ages.cumsum(axis=1)], axis=1)
    inner = np.stack([np.interp(ends[1:-1], moved, row) for row in below])
    first, last = np.zeros((len(inner), 1)), below[:, -1:]
    return replace(
        faces,
        years=np.maximum(_PIVOT + offset + slope * (faces.years - _PIVOT), 0),
        ages=np.diff(np.concatenate([first, inner, last], axis=1), axis=1),
    )


def totals(faces: Calibration, chosen: NDArray[np.int64], pull: float = 0) -> Totals:
    """Return what would be stored of these visits.

    Args:
        faces: The faces.
        chosen: Which of them came.
        pull: By how many years each reading is drawn towards 30, its distribution with it.
    """
    found = Totals(count=len(chosen))
    for face in chosen:
        years, ages = faces.years[face], faces.ages[face]
        if pull:
            step = np.clip(30 - years, -pull, pull)
            years, ages = years + step, np.roll(ages, round(step / 5))
        found.read[int(years)] = found.read.get(int(years), 0) + 1
        place = bin_of(years)
        sums = found.sums.get(place, [0] * len(ages))
        found.sums[place] = [a + round(b * UNIT) for a, b in zip(sums, ages, strict=True)]
    return found


def groups_of(ages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the group of each age."""
    return np.searchsorted([first for _, first in GROUPS], ages, side="right") - 1


def counted(ages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many are of each group."""
    return np.bincount(groups_of(ages), minlength=len(GROUPS))


def wrong(found: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the share of visits in a wrong group."""
    return float(np.abs(found - truth).sum() / 2 / truth.sum())


def figures(errors: Errors) -> list[Row]:
    """Return the table, with the standard error of each figure over days."""
    held = np.array(errors.held)
    return [
        _row("error", "raw", errors.raw),
        _row("error", "corrected", errors.corrected),
        _row("error", "adjusted", errors.adjusted),
        _row("nearer", "corrected", _nearer(errors.raw, errors.corrected)),
        _row("nearer", "adjusted", _nearer(errors.raw, errors.adjusted)),
        _row("interval holds", "all", held.mean(axis=1).tolist()),
        *(_row("interval holds", name, held[:, g].tolist()) for g, (name, _) in enumerate(GROUPS)),
        _row("interval width", "all", errors.width),
        _row("warned", "label shift", errors.warned),
        _row("warned", "read nearer to 30", errors.odd),
    ]


def _nearer(raw: list[float], other: list[float]) -> list[float]:
    """Return values whose mean is by how much the mean error shrank, as a share."""
    return [(r - o) / float(np.mean(raw)) for r, o in zip(raw, other, strict=True)]


def _row(figure: str, of: str, values: list[float] | list[bool]) -> Row:
    spread = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return {
        "figure": figure,
        "of": of,
        "value": f"{np.mean(values):.4f}",
        "standard error": f"{spread:.4f}",
        "days": str(len(values)),
    }


def show(rows: list[Row], title: str) -> None:
    """Print the table."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)


def write(rows: list[Row], path: Path, seed: int, faces: Calibration) -> None:
    """Write the table with seed, split, model, machine and versions."""
    about = {
        "seed": str(seed),
        "split": faces.about["split"],
        "network": faces.about["network"][:16],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "scipy")),
    }
    with atomic_write(path, newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *about], lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | about for row in rows)


if __name__ == "__main__":
    main()
