"""Labels put into groups, to count pictures by them and to part data evenly."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.data.labels import AGE, finite
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError

_DECADE: Final = 10
_BINS: Final = 10
_FEW: Final = 20
_REPEATS: Final = 10


@dataclass(frozen=True)
class Grouping:
    """How the labels of one task fall into groups.

    Attributes:
        task: The task.
        names: The groups that hold pictures, in the order to show them.
        of: Gives a sample's group; "" where it has no label.
    """

    task: str
    names: tuple[str, ...]
    of: Callable[[Sample], str]


def groupings(manifest: Manifest, tasks: Sequence[str] = ()) -> list[Grouping]:
    """Return how the labels of tasks fall into groups.

    A class is a group. Ages fall into decades, an interval by its lower end. Other numbers, as
    against classes that are named by numbers, have more than 20 values with fewer than 10 pictures
    each on average; they fall into ten groups of about equal size.

    Args:
        manifest: The labelled pictures.
        tasks: The tasks; none for all.

    Raises:
        DataError: The manifest has no labels of such a task.
    """
    known = manifest.tasks
    for task in tasks:
        if task not in known:
            raise DataError(
                f"the manifest has no labels {task!r}; it has {', '.join(known) or 'none at all'}"
            )
    return [_grouping(manifest, task) for task in tasks or known]


def is_number(manifest: Manifest, task: str) -> bool:
    """Tell whether a task's labels are numbers by their columns: ages, or in intervals."""
    return task == AGE or task in manifest.intervals


def is_measure(manifest: Manifest, task: str) -> bool:
    """Tell whether a task's labels are measured numbers, as against classes named by numbers."""
    values = Counter(sample.labels[task] for sample in manifest.samples if task in sample.labels)
    # A class that is named by a number has many pictures; of most measured values there is one.
    many = len(values) > max(_FEW, values.total() / _REPEATS)
    return many and not any(math.isnan(finite(value)) for value in values)


def label_of(sample: Sample, task: str) -> str:
    """Return a sample's class: its label, or else the one with most votes; "" without either."""
    if task in sample.labels:
        return sample.labels[task]
    prefix = f"{task}/"
    votes = {
        name.removeprefix(prefix): sample.number(name)
        for name in sample.labels
        if name.startswith(prefix)
    }
    most = max(votes.values(), default=0.0)
    return min((name for name, count in votes.items() if count == most > 0), default="")


def _grouping(manifest: Manifest, task: str) -> Grouping:
    of: Callable[[Sample], str]
    if task == AGE:
        of = _decade
    elif is_number(manifest, task) or is_measure(manifest, task):
        of = _by_quantiles(manifest, task)
    else:

        def of(sample: Sample) -> str:
            return label_of(sample, task)

    found = {of(sample) for sample in manifest.samples} - {""}
    return Grouping(task, tuple(sorted(found, key=_by_number)), of)


def _decade(sample: Sample) -> str:
    low, _ = sample.interval(AGE)
    if math.isnan(low):
        return ""
    first = int(low) // _DECADE * _DECADE
    return f"{first}–{first + _DECADE - 1}"


def _by_quantiles(manifest: Manifest, task: str) -> Callable[[Sample], str]:
    lows = [sample.interval(task)[0] for sample in manifest.samples]
    values = np.array([low for low in lows if not math.isnan(low)])
    edges = np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS))
    names = [f"below {edges[0]:g}", *(f"from {edge:g}" for edge in edges)]

    def of(sample: Sample) -> str:
        low, _ = sample.interval(task)
        return "" if math.isnan(low) else names[int(np.searchsorted(edges, low, side="right"))]

    return of


def _by_number(name: str) -> tuple[float, str]:
    """Order groups by the number that they begin with, all others by name."""
    number = finite(name.split("–")[0].removeprefix("from "))
    if name.startswith("below "):
        number = -math.inf
    return (math.inf if math.isnan(number) else number), name
