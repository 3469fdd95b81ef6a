"""Calibration on pictures that chose nothing: scores made honest, and age intervals made wide."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.ages import GROUPS, LEVEL, expected, quantile
from mien.card import Interval

Scores = NDArray[np.floating[Any]]

_SMALLEST_GROUP: Final = 100
_PRIOR: Final = 30
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


def temperature(scores: Scores, truth: NDArray[np.int64]) -> float:
    """Return the number that scores are to be divided by, so that probabilities are honest.

    The one that makes the true classes most probable (temperature scaling: Guo et al. 2017), by
    golden-section search over 0.2 to 5.

    Args:
        scores: N x classes, before softmax.
        truth: N true classes by index.

    Raises:
        ValueError: N is 0.
    """
    _check(truth)
    low, high = math.log(0.2), math.log(5)
    for _ in range(40):
        width = _GOLDEN * (high - low)
        if _surprise(scores, truth, high - width) < _surprise(scores, truth, low + width):
            high = low + width
        else:
            low = high - width
    return math.exp((low + high) / 2)


def vector_scaling(
    scores: Scores, truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a scale and a bias for each class, so that probabilities are honest.

    The probabilities are softmax(scores * scale + bias) (vector scaling: Guo et al. 2017). A prior
    as strong as thirty pictures holds each class near plain temperature scaling, so that only what
    many pictures say moves it. On the pictures given, the true classes are never less probable than
    by the temperature alone.

    Args:
        scores: N x classes, before softmax.
        truth: N true classes by index.

    Returns:
        Two arrays of as many numbers as there are classes: positive scales, and biases.

    Raises:
        ValueError: N is 0.
    """
    import torch

    start = temperature(scores, truth)
    scaled = torch.from_numpy(np.asarray(scores, np.float64) / start)
    wanted = torch.from_numpy(np.asarray(truth, np.int64))
    log_scale, bias = (
        torch.zeros(scaled.shape[1], dtype=torch.float64, requires_grad=True) for _ in range(2)
    )
    optimiser = torch.optim.LBFGS(
        [log_scale, bias], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        surprise = torch.nn.functional.cross_entropy(scaled * log_scale.exp() + bias, wanted)
        penalty = (log_scale.square().sum() + bias.square().sum()) * _PRIOR / (2 * len(truth))
        total: torch.Tensor = surprise + penalty
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    return np.exp(log_scale.detach().numpy()) / start, bias.detach().numpy()


def age_margins(distributions: Scores, truth: NDArray[np.float64]) -> tuple[Interval, ...]:
    """Return how far age intervals must be widened to hold the truth at `ages.LEVEL`.

    Conformalised quantile regression (Romano et al. 2019): the margin is a quantile of
    max(low - truth, truth - high) over the calibration pictures, one for each group of predicted
    ages. Groups of fewer than 100 pictures are joined with a neighbour, the younger one if there is
    one.

    Args:
        distributions: N x ages, probabilities.
        truth: N ages in years.

    Raises:
        ValueError: N is 0.
    """
    _check(truth)
    years = expected(distributions)
    low = quantile(distributions, (1 - LEVEL) / 2)
    high = quantile(distributions, (1 + LEVEL) / 2)
    excess = np.maximum(low - truth, truth - high)
    groups = _groups(years)
    return tuple(
        Interval(
            level=LEVEL,
            from_age=first,
            margin=_conformal_quantile(excess[groups == first]),
            pictures=int((groups == first).sum()),
        )
        for first in np.unique(groups).tolist()
    )


def _check(truth: NDArray[np.generic]) -> None:
    if not len(truth):
        raise ValueError("there is no picture with a label to calibrate on")


def _surprise(scores: Scores, truth: NDArray[np.int64], log_temperature: float) -> float:
    """Return the mean negative log-likelihood of the true classes."""
    scaled = np.asarray(scores, np.float64) / math.exp(log_temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    likelihood = scaled[np.arange(len(truth)), truth] - np.log(np.exp(scaled).sum(axis=1))
    return -float(likelihood.mean())


def _groups(years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first age of each estimate's group, the groups joined until all are large."""
    firsts = np.array([first for _, first in GROUPS], np.float64)
    places = np.clip(np.searchsorted(firsts, years, side="right") - 1, 0, None)
    counts = np.bincount(places, minlength=len(firsts))
    joined = [0]
    size = counts[0]
    for place, count in enumerate(counts[1:], start=1):
        starts = min(size, count) >= _SMALLEST_GROUP
        joined.append(place if starts else joined[-1])
        size = count if starts else size + count
    found: NDArray[np.float64] = firsts[np.array(joined)[places]]
    return found


def _conformal_quantile(excess: NDArray[np.float64]) -> float:
    """Return the smallest margin that covers new pictures at `LEVEL`, finite samples counted."""
    rank = min(len(excess), math.ceil((len(excess) + 1) * LEVEL))
    return float(np.sort(excess)[rank - 1])
