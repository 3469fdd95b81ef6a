"""One answer for a visit from several crops of one face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_LEAST: Final = 1e-6

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Tempering:
    """How much n crops of one face tell: the mean of their logarithms, times scale * n ** growth.

    Were crops independent looks, their logarithms would add up (a growth of 1); were they the same
    look n times, they would have to be averaged (0). A scale below 1 takes back what the network is
    too sure of on small, blurred and noisy crops, which its own calibration did not see.

    Attributes:
        scale: The factor of one crop.
        growth: How it grows with the effective number of crops.
    """

    scale: float
    growth: float


# Fitted by benchmarks/watch_fusion.py, for the model face 2 (see results/watch-fusion.csv).
AGE: Final = Tempering(0.85, 0.10)
GENDER: Final = Tempering(1.05, 0.10)


def effective(weights: Sequence[float]) -> float:
    """Return how many equally weighted crops some weights are worth (Kish's effective size)."""
    known = np.asarray(weights, np.float64)
    return float(known.sum() ** 2 / (known**2).sum())


def fuse(
    distributions: NDArray[np.floating[Any]],
    weights: Sequence[float],
    tempering: Tempering = AGE,
) -> Numbers:
    """Return one distribution for a face from those of its crops: a tempered mean of logarithms.

    Args:
        distributions: N x classes, N at least 1.
        weights: What each crop counts; positive.
        tempering: How much the crops tell.

    Returns:
        Classes; the sum is 1.
    """
    share = np.asarray(weights, np.float64) / np.sum(weights)
    mean = share @ np.log(np.maximum(distributions.astype(np.float64), _LEAST))
    scaled = mean * (tempering.scale * effective(weights) ** tempering.growth)
    likely = np.exp(scaled - scaled.max())
    fused: Numbers = likely / likely.sum()
    return fused


def fuse_probability(
    probabilities: Sequence[float], weights: Sequence[float], tempering: Tempering = GENDER
) -> float:
    """Return one probability of a label of two from those of a face's crops; see `fuse`."""
    known = np.asarray(probabilities, np.float64)
    return float(fuse(np.stack([known, 1 - known], axis=1), weights, tempering)[0])
