"""Calibration on pictures that chose nothing: scores made honest, and age intervals made wide."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.ages import GROUPS, LEVEL, mean_margin, quantile
from mien.card import Interval

Scores = NDArray[np.floating[Any]]

Scaling = tuple[NDArray[np.float64], NDArray[np.float64]]
"""What each class's score is multiplied by, and what is then added to it."""

_SMALLEST_GROUP: Final = 20
_SLACK: Final = 0.03
_RAISE: Final = 0.25
"""Years by which a margin is raised at a time, and ..."""
_RAISES: Final = 200
"""... how often at most: a group that nothing is taken for cannot be guarded."""
_PRIORS: Final = (1000.0, 300.0, 100.0, 30.0)
_FOLDS: Final = 5
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


def temperature_scaling(scores: Scores, truth: NDArray[np.int64]) -> Scaling:
    """Return what dividing by the temperature is in the form of `vector_scaling`.

    Args:
        scores: N x classes, before softmax.
        truth: N true classes by index.

    Raises:
        ValueError: N is 0.
    """
    classes = scores.shape[1]
    return np.full(classes, 1 / temperature(scores, truth)), np.zeros(classes)


def vector_scaling(scores: Scores, truth: NDArray[np.int64]) -> Scaling:
    """Return a scale and a bias for each class, so that probabilities are honest.

    The probabilities are softmax(scores * scale + bias) (vector scaling: Guo et al. 2017). A prior
    holds each class near plain temperature scaling, as strongly as serves pictures best that were
    not fitted (fivefold cross-validation), so that only what many pictures say moves it. On the
    pictures given, the true classes are never less probable than by the temperature alone.

    Args:
        scores: N x classes, before softmax.
        truth: N true classes by index.

    Returns:
        Two arrays of as many numbers as there are classes: positive scales, and biases.

    Raises:
        ValueError: N is 0.
    """
    start = temperature(scores, truth)
    scaled = np.asarray(scores, np.float64) / start
    fold = np.arange(len(truth)) % _FOLDS

    def left_out(prior: float) -> float:
        """Return the surprise of pictures that the scaling was not fitted to."""
        total = 0.0
        for number in range(_FOLDS):
            inside = fold != number
            if inside.all() or not inside.any():
                continue
            scale, bias = fit_scaling(scaled[inside], truth[inside], prior)
            kept = scaled[~inside] * scale + bias
            total += _surprise(kept, truth[~inside], 0.0) * len(kept)
        return total

    scale, bias = fit_scaling(scaled, truth, min(_PRIORS, key=left_out))
    return scale / start, bias


def fit_scaling(
    scores: NDArray[np.float64], truth: NDArray[np.int64], prior: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scale and bias of each class under a prior as strong as so many pictures.

    Args:
        scores: N x classes, already divided by their temperature.
        truth: N true classes by index.
        prior: How many pictures it takes to move a class as far as the prior holds it back.
    """
    import torch

    given, wanted = torch.from_numpy(scores), torch.from_numpy(np.asarray(truth, np.int64))
    log_scale, bias = (
        torch.zeros(given.shape[1], dtype=torch.float64, requires_grad=True) for _ in range(2)
    )
    optimiser = torch.optim.LBFGS(
        [log_scale, bias], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        surprise = torch.nn.functional.cross_entropy(given * log_scale.exp() + bias, wanted)
        penalty = (log_scale.square().sum() + bias.square().sum()) * prior / (2 * len(truth))
        total: torch.Tensor = surprise + penalty
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    return np.exp(log_scale.detach().numpy()), bias.detach().numpy()


def age_margins(distributions: Scores, truth: NDArray[np.float64]) -> tuple[Interval, ...]:
    """Return how far age intervals must be widened to hold the truth at `ages.LEVEL`.

    Conformalised quantile regression (Romano et al. 2019): the margin is a quantile of
    max(low - truth, truth - high) over the calibration pictures, one for each group of true ages;
    `ages.intervals` takes their mean over a distribution. Margins of predicted ages would hold for
    people on average, and fail those whom the network takes for others, as it does most teens. As
    a mean may still fall short for them, a margin is raised until the intervals of its own group
    hold at most 3 % less often than they should.

    A group of fewer than 20 pictures is joined with a neighbour, the one with which its margin is
    wider: it must not borrow the sureness of ages that are easier.

    Args:
        distributions: N x ages, probabilities.
        truth: N ages in years.

    Raises:
        ValueError: N is 0.
    """
    _check(truth)
    low = quantile(distributions, (1 - LEVEL) / 2)
    high = quantile(distributions, (1 + LEVEL) / 2)
    excess = np.maximum(low - truth, truth - high)
    groups = _groups(truth, excess)
    margins = tuple(
        Interval(
            level=LEVEL,
            from_age=first,
            margin=_conformal_quantile(excess[inside]),
            pictures=int(inside.sum()),
        )
        for first, inside in groups
    )
    for _ in range(_RAISES):
        held = excess <= mean_margin(distributions, margins)
        short = [bool(held[inside].mean() < LEVEL - _SLACK) for _, inside in groups]
        if not any(short):
            break
        margins = tuple(
            margin.model_copy(update={"margin": margin.margin + _RAISE * more})
            for margin, more in zip(margins, short, strict=True)
        )
    return margins


def _check(truth: NDArray[np.generic]) -> None:
    if not len(truth):
        raise ValueError("there is no picture with a label to calibrate on")


def _surprise(scores: Scores, truth: NDArray[np.int64], log_temperature: float) -> float:
    """Return the mean negative log-likelihood of the true classes."""
    scaled = np.asarray(scores, np.float64) / math.exp(log_temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    likelihood = scaled[np.arange(len(truth)), truth] - np.log(np.exp(scaled).sum(axis=1))
    return -float(likelihood.mean())


def _groups(
    years: NDArray[np.float64], excess: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.bool_]]]:
    """Return the groups of people by their first age, joined until all are large enough."""
    firsts = np.array([first for _, first in GROUPS], np.float64)
    places = np.clip(np.searchsorted(firsts, years, side="right") - 1, 0, None)
    groups = [(first, places == place) for place, first in enumerate(firsts.tolist())]
    groups = [(first, inside) for first, inside in groups if inside.any()]
    while len(groups) > 1:
        smallest = min(range(len(groups)), key=lambda place: groups[place][1].sum())
        if groups[smallest][1].sum() >= _SMALLEST_GROUP:
            break
        joined = {
            left: groups[left][1] | groups[left + 1][1]
            for left in (smallest - 1, smallest)
            if 0 <= left < len(groups) - 1
        }
        left = max(joined, key=lambda left: _conformal_quantile(excess[joined[left]]))
        groups[left : left + 2] = [(groups[left][0], joined[left])]
    return [(firsts[0].item(), groups[0][1]), *groups[1:]]


def _conformal_quantile(excess: NDArray[np.float64]) -> float:
    """Return the smallest margin that covers new pictures at `LEVEL`, finite samples counted."""
    rank = min(len(excess), math.ceil((len(excess) + 1) * LEVEL))
    return float(np.sort(excess)[rank - 1])
