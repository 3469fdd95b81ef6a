"""What a manifest knows of a model's tasks, and the groups that its pictures fall into."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien import ages
from mien.card import Card, Task
from mien.data.groups import label_of
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError, printable, shortened
from mien.evaluation.metrics import Classes, Numbers


@dataclass(frozen=True, eq=False)
class Labels:
    """What N samples say of one task.

    Attributes:
        task: The task.
        low: N true numbers, or true classes by index; nan where unknown. Of an age, or another
            number, that is known by an interval: its lower end.
        high: The same, but for the upper ends.
    """

    task: Task
    low: Numbers
    high: Numbers

    @property
    def exact(self) -> Classes:
        """The indices of the samples whose truth is known itself."""
        return np.flatnonzero(self.low == self.high)

    @property
    def by_interval(self) -> Classes:
        """The indices of the samples whose truth is known by an interval only."""
        return np.flatnonzero(self.low < self.high)

    @property
    def classes(self) -> Classes:
        """The true classes of the samples in `exact`."""
        return self.low[self.exact].astype(np.int64)

    def told(self, index: int) -> str:
        """Return what is known of one labelled sample, as text."""
        if self.task.kind == "classification":
            return self.task.labels[int(self.low[index])]
        ends = dict.fromkeys(f"{end:g}" for end in (self.low[index], self.high[index]))
        return "-".join(ends)


def labels_of(card: Card, part: Manifest) -> list[Labels]:
    """Return what a part knows of those of a model's tasks that it has labels for.

    Raises:
        DataError: There is no such task, or a label is wrong.
    """
    found = [_labels(task, part.samples) for task in card.tasks]
    found = [labels for labels in found if not np.isnan(labels.low).all()]
    if not found:
        raise DataError(
            f"the manifest has no label for the model's tasks, "
            f"{', '.join(task.name for task in card.tasks)}; "
            f"its columns are {', '.join(part.columns) or 'none'}"
        )
    return found


def groups_of(labels: Labels, samples: Sequence[Sample], by: str) -> list[str]:
    """Return the group that each sample falls into; "" where it is not known.

    What is known by an interval counts where all of the interval lies in one group.

    Args:
        labels: What is known of the samples; decades are those of its task.
        samples: The samples.
        by: "gender", "race", "age_group", "decade" or "source".
    """
    if by == "decade":
        return [_shared(decade_of, *ends) for ends in zip(labels.low, labels.high, strict=True)]
    if by == "age_group":
        return [_shared(ages.group_of, *sample.interval("age")) for sample in samples]
    texts = (s.source if by == "source" else s.labels.get(by, "") for s in samples)
    return [shortened(printable(text)) for text in texts]


def decade_of(years: float) -> str:
    """Return the name of an age's decade.

    Example:
        >>> decade_of(34.5)
        '30-39'
    """
    first = int(years // 10 * 10)
    return f"{first}-{first + 9}"


def in_order(groups: set[str], by: str) -> list[str]:
    """Return the names of groups as they are listed: ages rising, all else by the alphabet."""
    if by == "age_group":
        return [name for name, _ in ages.GROUPS if name in groups]
    if by == "decade":
        return sorted(groups, key=lambda name: int(name.partition("-")[0]))
    return sorted(groups)


def _shared(name: Callable[[float], str], low: float, high: float) -> str:
    return name(low) if not np.isnan(low) and name(low) == name(high) else ""


def _labels(task: Task, samples: Sequence[Sample]) -> Labels:
    if task.kind == "classification":
        indices = _indices(task, samples)
        return Labels(task, indices, indices)
    ends = np.array([sample.interval(task.name) for sample in samples], np.float64)
    return Labels(task, ends[:, 0], ends[:, 1])


def _indices(task: Task, samples: Sequence[Sample]) -> NDArray[np.float64]:
    order = {label: index for index, label in enumerate(task.labels)}
    known = [label_of(sample, task.name) for sample in samples]
    for sample, label in zip(samples, known, strict=True):
        if label and label not in order:
            raise DataError(
                f"{sample.path}: {task.name} is {label!r}; the model's labels are "
                f"{', '.join(task.labels)}"
            )
    return np.array([order.get(label, np.nan) for label in known], np.float64)
