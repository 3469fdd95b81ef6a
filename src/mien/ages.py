"""Ages from distributions: the estimate, its interval, and the name of its group."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.card import Interval

LEVEL: Final = 0.9

Groups = Sequence[tuple[str, float]]
"""Names of age groups with the first age of each, rising from 0."""

GROUPS: Final[Groups] = (("child", 0), ("teen", 13), ("youth", 18), ("adult", 36), ("senior", 60))

Distribution = NDArray[np.floating[Any]]
"""N x ages, or ages alone: probabilities of the ages 0, 1, 2, ... years."""


@dataclass(frozen=True, slots=True, eq=False)
class Age:
    """An age as a distribution.

    Attributes:
        years: The expected age.
        low: Lower end of the interval, in years.
        high: Upper end of the interval, in years.
        level: How often such intervals should hold the true age, 0 to 1.
        distribution: Probabilities of the ages 0, 1, 2, ... years.
        group: Name of the age group that `years` falls into.
    """

    years: float
    low: float
    high: float
    level: float
    distribution: NDArray[np.float32]
    group: str


def expected(distribution: Distribution) -> NDArray[np.float64]:
    """Return the mean age of each distribution, in years."""
    probabilities = np.asarray(distribution, np.float64)
    years: NDArray[np.float64] = probabilities @ np.arange(probabilities.shape[-1])
    return years


def quantile(distribution: Distribution, share: float) -> NDArray[np.float64]:
    """Return the age below which `share` of each distribution lies.

    The probability of an age is spread evenly from half a year before to half a year after it.

    Args:
        distribution: N x ages; rows that do not sum to 1 are taken relative to their sum.
        share: 0 to 1.

    Returns:
        N ages in years, at least 0.
    """
    cumulative = np.cumsum(np.asarray(distribution, np.float64), axis=1)
    wanted = share * cumulative[:, -1:]
    rows = np.arange(len(cumulative))
    upper = np.minimum((cumulative < wanted).sum(axis=1), cumulative.shape[1] - 1)
    below = np.where(upper > 0, cumulative[rows, upper - 1], 0.0)
    mass = np.maximum(cumulative[rows, upper] - below, np.finfo(np.float64).tiny)
    inside = np.clip((wanted[:, 0] - below) / mass, 0, 1)
    years: NDArray[np.float64] = np.maximum(0.0, upper - 0.5 + inside)
    return years


def intervals(
    distribution: Distribution, margins: Sequence[Interval]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of each distribution's interval at `LEVEL`.

    The central interval of the distribution, widened at both ends by the mean, over the
    distribution, of the margins that were measured for people of each age (conformalised
    quantiles: Romano et al. 2019). So a youth who may be a teen gets some of the teens' margin.
    The interval always holds the expected age.

    Args:
        distribution: N x ages; rows that do not sum to 1 are taken relative to their sum.
        margins: The card's margins by rising `from_age`; those for another level are passed over.
            Without any the interval stays as it is.

    Returns:
        N lower and N upper ends in years, at least 0.
    """
    years = expected(distribution)
    width = mean_margin(distribution, margins)
    low = quantile(distribution, (1 - LEVEL) / 2) - width
    high = quantile(distribution, (1 + LEVEL) / 2) + width
    return np.maximum(0.0, np.minimum(low, years)), np.maximum(high, years)


def mean_margin(distribution: Distribution, margins: Sequence[Interval]) -> NDArray[np.float64]:
    """Return the mean of the margins over each distribution, in years; 0 without any.

    Args:
        distribution: N x ages; rows that do not sum to 1 are taken relative to their sum.
        margins: As for `intervals`.
    """
    probabilities = np.asarray(distribution, np.float64)
    known = [margin for margin in margins if margin.level == LEVEL]
    if not known:
        return np.zeros(len(probabilities))
    edges = [margin.from_age for margin in known]
    # Ages below the first edge take the first margin.
    place = np.searchsorted(edges, np.arange(probabilities.shape[1]), side="right") - 1
    of_age = np.array([margin.margin for margin in known])[np.maximum(place, 0)]
    mean: NDArray[np.float64] = probabilities @ of_age / probabilities.sum(axis=1)
    return mean


def checked_groups(groups: Groups) -> Groups:
    """Return the groups as they came.

    Raises:
        ValueError: They do not begin at age 0, or do not rise.
    """
    firsts = [first for _, first in groups]
    if firsts[:1] != [0] or any(not low < high for low, high in pairwise(firsts)):
        raise ValueError(
            "age groups begin at 0 and rise, for example (('child', 0), ('adult', 18)); "
            f"not {tuple(groups)}"
        )
    return groups


def group_of(years: float, groups: Groups = GROUPS) -> str:
    """Return the name of the group that an age falls into.

    Example:
        >>> group_of(12.9), group_of(13)
        ('child', 'teen')
    """
    firsts = [first for _, first in groups]
    return groups[max(0, bisect.bisect_right(firsts, years) - 1)][0]


def read(
    distribution: NDArray[np.float32], margins: Sequence[Interval], groups: Groups = GROUPS
) -> list[Age]:
    """Return the ages of N distributions.

    Args:
        distribution: N x ages.
        margins: As for `intervals`.
        groups: Names of the age groups with the first age of each, rising from 0.
    """
    years = expected(distribution)
    low, high = intervals(distribution, margins)
    return [
        Age(float(y), float(lo), float(hi), LEVEL, row, group_of(float(y), groups))
        for y, lo, hi, row in zip(years, low, high, distribution, strict=True)
    ]
