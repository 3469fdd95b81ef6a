"""Manifests joined into one: no picture twice, none on two sides of the split."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mien.data.labels import describes
from mien.data.manifest import SPLITS, Manifest, Sample, absolute
from mien.errors import DataError

_GUARD: Final = {name: rank for rank, name in enumerate(("", *SPLITS))}


@dataclass(frozen=True)
class Joined:
    """What manifests make together.

    Attributes:
        manifest: The joined manifest.
        moved: How many samples had to change their part.
        repeated: How many rows listed a file once more; they are no samples of their own.
    """

    manifest: Manifest
    moved: int
    repeated: int


def most_guarded(splits: Iterable[str]) -> str:
    """Return the part to which identical pictures go that lie in several.

    Test comes before validation before train: a picture that was tested on stays unseen.
    """
    return max(splits, key=_GUARD.__getitem__)


def join(manifests: Iterable[Manifest]) -> Joined:
    """Join manifests.

    A file that is listed more than once becomes one sample with the labels of all its rows, and
    the source of the first; a predicted label gives way to a known one. Identical pictures must
    not lie on two sides of a split: where rows place the same pixels in different parts, all copies
    go to the most guarded one.

    Raises:
        DataError: Rows of one file contradict each other in a label or in the picture's content.
    """
    rows = [sample for manifest in manifests for sample in manifest.samples]
    files: dict[Path, Sample] = {}
    splits: dict[str, str] = {}
    for row in rows:
        place = absolute(row.path)
        files[place] = _merge(files[place], row) if place in files else row
        splits[row.content] = most_guarded((splits.get(row.content, ""), row.split))
    samples = tuple(replace(sample, split=splits[sample.content]) for sample in files.values())
    moved = {absolute(row.path) for row in rows if row.split != splits[row.content]}
    return Joined(Manifest(samples), len(moved), len(rows) - len(samples))


def _merge(first: Sample, second: Sample) -> Sample:
    if first.content != second.content:
        raise DataError(
            f"{first.path}: listed with the content {first.content} and with {second.content}, so "
            "the file was changed since one of the manifests was made; import that one again"
        )
    second = _without(second, [task for task in second.predicted if first.tells(task)])
    first = _without(first, [task for task in first.predicted if second.tells(task)])
    for name in first.labels.keys() & second.labels.keys():
        values = first.labels[name], second.labels[name]
        if values[0] != values[1]:
            raise DataError(
                f"{first.path}: its {name} is {values[0]!r} in one row and {values[1]!r} in "
                "another; correct one of them"
            )
    return replace(first, labels=first.labels | second.labels)


def _without(sample: Sample, tasks: Iterable[str]) -> Sample:
    """Return a sample without what is predicted of some tasks, as another row knows them."""
    left = {
        name: value
        for name, value in sample.labels.items()
        if not any(describes(name, task) for task in tasks)
    }
    return replace(sample, labels=left)
