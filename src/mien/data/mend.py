"""A clean manifest from a checked one: what is dropped, merged and moved, each with its reason."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mien.data.check import Check, Finding, Kind, Rows, contradictions, tasks_of
from mien.data.groups import label_of
from mien.data.join import most_guarded
from mien.data.labels import PREDICTED, task_of
from mien.data.manifest import Manifest, Sample, absolute
from mien.data.sources.reading import Skipped
from mien.errors import DataError

YEARS: Final = 5.0
"""Numbers of one picture that lie farther apart contradict each other."""


@dataclass(frozen=True)
class Mended:
    """A clean manifest, and what became of the rest.

    Attributes:
        manifest: The clean manifest.
        dropped: Reason -> what was dropped for it.
        averaged: How many pictures got the mean of their differing numbers.
        renewed: How many got a new fingerprint, as their pixels had changed.
        moved: How many went to another part.
    """

    manifest: Manifest
    dropped: Skipped
    averaged: int
    renewed: int
    moved: int


def mend(found: Check, *, near: bool = False, years: float = YEARS) -> Mended:
    """Make a clean manifest: checked again in the same way, it has no problems.

    Pictures that cannot be read are dropped. Of identical pictures the first is kept, with the
    labels of all. If their labels contradict each other none is kept, as nobody knows which is
    right; numbers that lie at most `years` apart do not, and their mean is kept. Pictures that look
    alike then go to the most guarded part that one of them lies in: test, validation, train.

    Args:
        found: What was found in the manifest.
        near: Whether pictures that look almost alike are treated as identical.
        years: How far numbers of one picture may lie apart.

    Raises:
        DataError: Nothing would be left.
    """
    manifest, dropped = found.manifest, Skipped()
    for finding in found.of(Kind.UNREADABLE):
        name = absolute(manifest.samples[finding.rows[0]].path)
        dropped.add("unreadable picture", f"{name} ({finding.reason})")
    tasks = tasks_of(manifest)
    kept: dict[int, Sample] = {}
    averaged = 0
    for rows in found.near if near else found.same:
        differing = contradictions(manifest, rows, Kind.CONTRADICTIONS, tasks)
        if _drop(manifest, rows, differing, tasks, years, dropped):
            continue
        averaged += bool(differing)
        kept[rows[0]] = _merge([manifest.samples[row] for row in rows], tasks)
    if not kept:
        raise DataError("no picture would be left; see what is wrong with them without --fix")
    clean, moved = _part(found, kept)
    renewed = sum(row in kept for finding in found.of(Kind.CHANGED) for row in finding.rows)
    return Mended(clean, dropped, averaged, renewed, moved)


def _drop(
    manifest: Manifest,
    rows: Rows,
    differing: Sequence[Finding],
    tasks: Mapping[str, bool],
    years: float,
    dropped: Skipped,
) -> bool:
    """Note what of one picture is dropped; tell whether nothing is left of it."""
    wrong = [f for f in differing if not (tasks[f.task] and f.apart <= years)]
    for finding in wrong[:1]:
        reason = f"the same picture with different labels of {finding.task}"
        for row in rows:
            dropped.add(reason, f"{absolute(manifest.samples[row].path)} ({finding.reason})")
    for row in () if wrong else rows[1:]:
        first, again = manifest.samples[rows[0]].path, absolute(manifest.samples[row].path)
        dropped.add("the same picture once more", f"{again} (as {first.name})")
    return bool(wrong)


def _part(found: Check, kept: Mapping[int, Sample]) -> tuple[Manifest, int]:
    """Give pictures that look alike one part, and each its own fingerprint."""
    part_of: dict[int, str] = {}
    for rows in found.near:
        left = [row for row in rows if row in kept]
        part_of |= dict.fromkeys(left, most_guarded([kept[row].split for row in left] or [""]))
    samples = [
        replace(kept[row], split=part_of[row], content=found.seen[row].content)
        for row in sorted(kept)
    ]
    moved = sum(found.manifest.samples[row].split != part_of[row] for row in kept)
    return Manifest(tuple(samples)), moved


def _merge(samples: Sequence[Sample], tasks: Mapping[str, bool]) -> Sample:
    """Return the first sample with the labels of all."""
    if len(samples) == 1:
        return samples[0]
    intervals = {task for task, numbers in tasks.items() if numbers}
    labels: dict[str, str] = {}
    for task, numbers in tasks.items():
        truths = [sample.known for sample in samples]
        having = _having(truths, task, numbers) or _having(samples, task, numbers)
        if numbers and len({sample.interval(task) for sample in having}) > 1:
            labels |= _mean(having, task)
        elif having:
            first = having[0].labels
            labels |= {n: value for n, value in first.items() if task_of(n, intervals) == task}
    split = most_guarded(sample.split for sample in samples)
    return replace(samples[0], labels=labels, split=split)


def _having(samples: Sequence[Sample], task: str, numbers: bool) -> list[Sample]:
    return [s for s in samples if (_is_known(s, task) if numbers else label_of(s, task))]


def _is_known(sample: Sample, task: str) -> bool:
    return not math.isnan(sample.interval(task)[0])


def _mean(samples: Sequence[Sample], task: str) -> dict[str, str]:
    """Return the mean of the numbers that are known; without any, what the intervals share.

    Of predictions alone it is a prediction, too.
    """
    name = task + PREDICTED
    marked = all(name in sample.labels for sample in samples)
    marks = {name: samples[0].labels[name]} if marked else {}
    exact = [sample.number(task) for sample in samples]
    values = [value for value in exact if not math.isnan(value)]
    if values:
        return {task: _text(float(np.mean(values)))} | marks
    ends = [sample.interval(task) for sample in samples]
    low, high = max(low for low, _ in ends), min(high for _, high in ends)
    if low > high:
        low, high = (float(end) for end in np.mean(ends, axis=0))
    return {f"{task}_low": _text(low), f"{task}_high": _text(high)} | marks


def _text(value: float) -> str:
    return f"{value:.6g}"
