"""What is learnt from stored features: the labels of each part, and how they are made even."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien import ages
from mien.card import Task
from mien.classic.estimators import Kind
from mien.classic.store import Features
from mien.data.groups import is_measure, is_number, label_of
from mien.data.labels import AGE
from mien.data.manifest import SPLITS, Manifest, Sample
from mien.errors import DataError

AGE_GROUP: Final = "age_group"
"""A task that is made of ages where the manifest has them, but not itself."""

_BINS: Final = 10
_YEARS: Final = 10


@dataclass(frozen=True, eq=False)
class Part:
    """The pictures of one part that have features and a label.

    Attributes:
        samples: N samples.
        rows: N x width features.
        values: N classes by index, or numbers.
        classes: N, the classes; of numbers the groups that balancing and folds go by.
        tens: N, of ages the decades; else the same as `classes`. Balanced figures go by them.
        known: N, whether the label is known, and not predicted by a model.
    """

    samples: tuple[Sample, ...]
    rows: NDArray[np.float32]
    values: NDArray[Any]
    classes: NDArray[np.int64]
    tens: NDArray[np.int64]
    known: NDArray[np.bool_]

    def some(self, rows: NDArray[np.int64]) -> "Part":
        """Return the part of some of its rows."""
        samples = tuple(self.samples[row] for row in rows.tolist())
        return Part(
            samples,
            self.rows[rows],
            self.values[rows],
            self.classes[rows],
            self.tens[rows],
            self.known[rows],
        )

    @property
    def units(self) -> NDArray[np.int64]:
        """N numbers, equal for identical pictures."""
        _, units = np.unique([sample.content for sample in self.samples], return_inverse=True)
        return units


@dataclass(frozen=True, eq=False)
class Material:
    """Features with what is to be learnt from them.

    Attributes:
        task: What is learnt.
        manifest: The pictures with features and a label of the task.
        train: Learnt from, and chosen by.
        validation: Calibrated on.
        test: Measured on.
        unlabelled: How many pictures have features but no label.
        data_fingerprint: The whole manifest's.
        split_hash: The whole manifest's.
    """

    task: Task
    manifest: Manifest
    train: Part
    validation: Part
    test: Part
    unlabelled: int
    data_fingerprint: str
    split_hash: str

    @property
    def kind(self) -> Kind:
        """Whether classes or numbers are learnt."""
        return "classification" if self.task.kind == "classification" else "regression"


def material(features: Features, task: str) -> Material:
    """Return what is to be learnt of one task.

    Ages and measured numbers are learnt as numbers, all else as classes.

    Raises:
        DataError: There is no such task, a part has no picture with a label of it, all training
            pictures have the same, or other parts have one that the training part lacks.
    """
    places = np.flatnonzero(features.done)
    found = [features.manifest.samples[place] for place in places]
    # Predicted labels may be learnt, but nothing is chosen, calibrated or measured by them.
    honest = [sample if sample.split == "train" else sample.known for sample in found]
    samples = [_labelled(sample, task) for sample in honest]
    whole = Manifest(tuple(samples))
    if task not in whole.tasks:
        have = ", ".join(whole.tasks) or "none at all"
        raise DataError(f"the features have no labels {task!r}; they have {have}")
    described, values = _described(whole, task)
    known = np.flatnonzero(~np.isnan(values))
    manifest = Manifest(tuple(samples[row] for row in known))
    values, places = values[known], places[known]
    origins = {task, AGE} if task == AGE_GROUP else {task}
    classes, tens = _classes(described, values, [s.split == "train" for s in manifest.samples])

    def part(name: str) -> Part:
        found = manifest.part(name).samples
        rows = np.flatnonzero([sample.split == name for sample in manifest.samples])
        kind = np.int64 if described.kind == "classification" else np.float64
        own = np.ascontiguousarray(features.rows[places[rows]])
        sure = np.array([not origins & set(sample.predicted) for sample in found], bool)
        return Part(found, own, values[rows].astype(kind), classes[rows], tens[rows], sure)

    train, validation, test = map(part, SPLITS)
    if len(np.unique(train.values)) < 2:
        raise DataError(f"all training pictures have the same {task}: there is nothing to learn")
    return Material(
        described,
        manifest,
        train,
        validation,
        test,
        len(samples) - len(known),
        features.data_fingerprint,
        features.split_hash,
    )


def _described(manifest: Manifest, task: str) -> tuple[Task, NDArray[np.float64]]:
    """Return what the task is, and the class or number of each picture, nan where unknown."""
    samples = manifest.samples
    if is_number(manifest, task) or is_measure(manifest, task):
        values = np.array([_number(sample, task) for sample in samples])
        return Task(name=task, kind="regression", unit="years" if task == AGE else ""), values
    labels = _labels(manifest, task)
    order = {label: float(place) for place, label in enumerate(labels)}
    values = np.array([order.get(label_of(sample, task), np.nan) for sample in samples])
    return Task(name=task, kind="classification", labels=labels), values


def _labelled(sample: Sample, task: str) -> Sample:
    """Return a sample with the label of its age group, where that is the task."""
    if task != AGE_GROUP or task in sample.labels:
        return sample
    low, high = sample.interval(AGE)
    if np.isnan(low) or ages.group_of(low) != ages.group_of(high):
        return sample
    return replace(sample, labels=sample.labels | {AGE_GROUP: ages.group_of(low)})


def _number(sample: Sample, task: str) -> float:
    low, high = sample.interval(task)
    return low if low == high else float("nan")


def _labels(manifest: Manifest, task: str) -> tuple[str, ...]:
    """Return the labels of the training part, the groups of ages as they rise.

    Raises:
        DataError: Another part has more.
    """
    found = {label_of(s, task) for s in manifest.samples if s.split == "train"} - {""}
    beyond = {label_of(s, task) for s in manifest.samples if s.split} - found - {""}
    if found and beyond:
        raise DataError(
            f"no training picture has the {task} {min(beyond)!r}, which other parts have; "
            "part the manifest anew by `mien data split`"
        )
    if len(found) < 2:
        raise DataError(
            f"the training part has {'no' if not found else 'only one'} {task}: there is nothing "
            "to learn"
        )
    rising = [name for name, _ in ages.GROUPS]
    if task == AGE_GROUP and found <= set(rising):
        return tuple(name for name in rising if name in found)
    return tuple(sorted(found))


def _classes(
    task: Task, values: NDArray[np.float64], train: Sequence[bool]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the group of each value by which classes are balanced, and by which figures are.

    Those of ages are their age groups, and decades; of other numbers the tenths of the training
    part's range.
    """
    if task.kind == "classification":
        classes = values.astype(np.int64)
        return classes, classes
    if task.name == AGE:
        names = [name for name, _ in ages.GROUPS]
        groups = np.array([names.index(ages.group_of(years)) for years in values], np.int64)
        return groups, (np.maximum(values, 0) // _YEARS).astype(np.int64)
    inside = values[np.array(train)]
    edges = np.linspace(inside.min(), inside.max(), _BINS + 1)[1:-1]
    tenths = np.asarray(np.searchsorted(edges, values, side="right"), np.int64)
    return tenths, tenths
