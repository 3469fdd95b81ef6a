"""Calibration on pictures that chose nothing: temperatures, and margins of age intervals."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.ages import GROUPS, LEVEL, expected, quantile
from mien.card import Interval

Scores = NDArray[np.floating[Any]]

_SMALLEST_GROUP: Final = 100
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


def temperature(scores: Scores, truth: NDArray[np.int64]) -> float:
    """Return the number that scores are to be divided by, so that probabilities are honest.

    The one that makes the true classes most probable (temperature scaling: Guo et al. 2017), by
    golden-section search over 0.2 to 5.

    Args:
        scores: N x classes, before softmax.
        truth: N true classes by index.
    """
    low, high = math.log(0.2), math.log(5)
    for _ in range(40):
        width = _GOLDEN * (high - low)
        if _surprise(scores, truth, high - width) < _surprise(scores, truth, low + width):
            high = low + width
        else:
            low = high - width
    return math.exp((low + high) / 2)


def age_margins(distributions: Scores, truth: NDArray[np.float64]) -> tuple[Interval, ...]:
    """Return how far age intervals must be widened to hold the truth at `ages.LEVEL`.

    Conformalised quantile regression (Romano et al. 2019): the margin is a quantile of
    max(low - truth, truth - high) over the calibration pictures, one for each group of predicted
    ages. Groups of fewer than 100 pictures are joined with the next younger one.

    Args:
        distributions: N x ages, probabilities.
        truth: N ages in years.

    Raises:
        ValueError: N is 0.
    """
    if not len(truth):
        raise ValueError("there is no picture with an age to calibrate on")
    years = expected(distributions)
    low = quantile(distributions, (1 - LEVEL) / 2)
    high = quantile(distributions, (1 + LEVEL) / 2)
    excess = np.maximum(low - truth, truth - high)
    margins = []
    for first, last in _groups(years):
        inside = (first <= years) & (years < last)
        margins.append(
            Interval(
                level=LEVEL,
                from_age=first,
                margin=_conformal_quantile(excess[inside]),
                pictures=int(inside.sum()),
            )
        )
    return tuple(margins)


def _surprise(scores: Scores, truth: NDArray[np.int64], log_temperature: float) -> float:
    """Return the mean negative log-likelihood of the true classes."""
    scaled = np.asarray(scores, np.float64) / math.exp(log_temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    likelihood = scaled[np.arange(len(truth)), truth] - np.log(np.exp(scaled).sum(axis=1))
    return -float(likelihood.mean())


def _groups(years: NDArray[np.float64]) -> Sequence[tuple[float, float]]:
    """Return first and last age of groups that hold enough pictures each."""
    firsts = [float(first) for _, first in GROUPS]
    kept = [firsts[0]]
    for position, first in enumerate(firsts[1:], start=1):
        last = firsts[position + 1] if position + 1 < len(firsts) else math.inf
        if ((first <= years) & (years < last)).sum() >= _SMALLEST_GROUP:
            kept.append(first)
    return list(zip(kept, [*kept[1:], math.inf], strict=True))


def _conformal_quantile(excess: NDArray[np.float64]) -> float:
    """Return the smallest margin that covers new pictures at `LEVEL`, finite samples counted."""
    if not len(excess):
        return 0.0
    rank = min(len(excess), math.ceil((len(excess) + 1) * LEVEL))
    return float(np.sort(excess)[rank - 1])
