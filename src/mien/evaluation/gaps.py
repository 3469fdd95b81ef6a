"""How far apart the best and the worst group lie: one figure a task and grouping."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mien.card import Metric
from mien.errors import shortened
from mien.evaluation import wording
from mien.evaluation.result import Gap

GROUPINGS: Final = ("gender", "race", "age_group")
"""The groups of people; data sets differ for other reasons too."""

FIGURES: Final = ("accuracy", "mae", "in_interval")
"""The figures that are compared."""


def gaps(metrics: Iterable[Metric]) -> tuple[Gap, ...]:
    """Return the gaps between groups of people, by task, grouping and figure.

    Groups of fewer than `wording.FEW` pictures are left out, and so is a grouping without two
    others.

    Args:
        metrics: The figures over all pictures and by group.
    """
    return tuple(_gaps(list(metrics)))


def as_metric(gap: Gap) -> Metric:
    """Return a gap as a figure, whose group is that of the best and of the worst: "a to b"."""
    return Metric(
        task=gap.task,
        name=f"{gap.name}_gap",
        value=gap.value,
        pictures=gap.pictures,
        by=gap.by,
        group=shortened(f"{gap.best} to {gap.worst}"),
        low=gap.low,
        high=gap.high,
    )


def _gaps(metrics: Sequence[Metric]) -> Iterator[Gap]:
    for task in dict.fromkeys(metric.task for metric in metrics):
        for by in GROUPINGS:
            for name in FIGURES:
                ends = wording.extremes(
                    [m for m in metrics if (m.task, m.by, m.name) == (task, by, name)]
                )
                if ends is not None:
                    yield _gap(*ends)


def _gap(best: Metric, worst: Metric) -> Gap:
    value = abs(best.value - worst.value)
    low, high = _interval(value, *sorted((best, worst), key=lambda metric: metric.value))
    return Gap(
        task=best.task,
        name=best.name,
        by=best.by,
        best=best.group,
        worst=worst.group,
        value=value,
        low=low,
        high=high,
        pictures=best.pictures + worst.pictures,
    )


def _interval(value: float, lower: Metric, upper: Metric) -> tuple[float | None, float | None]:
    """Return the interval of a difference, from those of its two sides (Zou and Donner 2008).

    The groups were found to be the best and the worst by the same pictures, so it lies somewhat
    too high; none of it lies below 0.
    """
    if lower.low is None or lower.high is None or upper.low is None or upper.high is None:
        return None, None
    below = math.hypot(upper.value - upper.low, lower.high - lower.value)
    above = math.hypot(upper.high - upper.value, lower.value - lower.low)
    return max(0.0, value - below), value + above
