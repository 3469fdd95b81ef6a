"""Bootstrap intervals: how far a figure may move on other pictures of the same kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.metrics import Measure, Numbers

_FEWEST: Final = 10
_CELLS: Final = 2**22


@dataclass(frozen=True)
class Resampling:
    """How resamples are drawn.

    Attributes:
        seed: Equal seeds draw equal resamples.
        count: How many are drawn.
        level: Share of the resampled values that lies inside an interval.
    """

    seed: int = 0
    count: int = 1000
    level: float = 0.95


class Estimate(NamedTuple):
    """A figure with its interval; both ends None where the pictures are too few to tell one."""

    value: float
    low: float | None
    high: float | None


def estimates(
    measure: Measure, units: NDArray[np.int64], resampling: Resampling
) -> dict[str, Estimate]:
    """Return the figures of a measure with percentile intervals (Efron 1979).

    Whole units are drawn, so that copies of one picture do not count as many. An interval always
    holds its figure: of a figure that can only be off to one side, as a calibration error, the
    resamples alone may lie beside it. Figures without a meaning are left out.

    Args:
        measure: What N pictures contribute.
        units: N numbers, equal for pictures that are drawn together.
        resampling: How to draw.

    Returns:
        Name -> figure. Below 10 units without an interval.

    Raises:
        ValueError: N is 0.
    """
    values = {name: value for name, value in measure.values().items() if np.isfinite(value)}
    drawn = resampled(measure, units, resampling)
    return {
        name: _estimate(value, drawn[name], resampling) if drawn else Estimate(value, None, None)
        for name, value in values.items()
    }


def resampled(
    measure: Measure, units: NDArray[np.int64], resampling: Resampling
) -> dict[str, Numbers]:
    """Return name -> a figure on every resample.

    Equal units get the same resamples, so that measures of the same pictures can be compared draw
    by draw.

    Args:
        measure: What N pictures contribute.
        units: N numbers, equal for pictures that are drawn together.
        resampling: How to draw.

    Returns:
        Name -> as many values as there are resamples; nothing below 10 units.
    """
    _, units = np.unique(units, return_inverse=True)
    count = int(units.max()) + 1
    if count < _FEWEST:
        return {}
    sums = np.zeros((count, measure.sums.shape[1]))
    np.add.at(sums, units, measure.sums)
    orders = {name: np.argsort(values) for name, values in measure.medians.items()}
    parts = []
    for weights in _weights(count, resampling):
        found = measure.figures(weights @ sums)
        for name, order in orders.items():
            found[name] = _medians(measure.medians[name][order], weights[:, units[order]])
        parts.append(found)
    return {name: np.concatenate([part[name] for part in parts]) for name in measure.names}


def interval(drawn: Numbers, level: float) -> tuple[float, float]:
    """Return the ends between which a share of the resampled values lies, as percentiles."""
    tail = (1 - level) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _estimate(value: float, drawn: Numbers, resampling: Resampling) -> Estimate:
    low, high = interval(drawn, resampling.level)
    return Estimate(value, min(value, low), max(value, high))


def _weights(units: int, resampling: Resampling) -> Iterator[NDArray[np.int64]]:
    """Yield R x units, how often each unit is drawn; in parts, to bound memory."""
    rng = np.random.default_rng([resampling.seed, units])
    rows = max(1, _CELLS // units)
    for start in range(0, resampling.count, rows):
        size = min(rows, resampling.count - start)
        cells = rng.integers(0, units, (size, units)) + units * np.arange(size)[:, np.newaxis]
        yield np.bincount(cells.ravel(), minlength=size * units).reshape(size, units)


def _medians(values: NDArray[np.floating[Any]], weights: NDArray[np.int64]) -> Numbers:
    """Return the medians of N rising values that occur as often as R x N weights say."""
    below = 2 * weights.cumsum(axis=1)
    total = below[:, -1:] // 2
    lower, upper = (below < total).sum(axis=1), (below <= total).sum(axis=1)
    found: Numbers = (values[lower] + values[upper]) / 2
    return found
