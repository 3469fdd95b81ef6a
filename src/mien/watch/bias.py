"""How one camera reads ages otherwise than the calibration does, by what a tally says.

Light, distance and blur make a camera read everybody some years older or younger, or draw all ages
together. Two numbers describe that: an offset in years at the age `PIVOT`, and a slope. Half an
hour of taps tells little of them, so both are drawn towards "as the calibration reads" (0 and 1),
and only what the taps contradict moves them: which ages there are within a tapped group stays open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.ages import Groups
from mien.watch.totals import Totals
from mien.watch.visit import BIN, BINS, shares

PIVOT: Final = 35.0

# What is expected of a camera that nothing is known of: as likely as not it has no bias at all; if
# it has, these are the standard deviations of the offset in years, and of the slope's logarithm.
_OFFSET: Final = 4.0
_SLOPE: Final = 0.15
_NONE: Final = 0.5
_OFFSETS: Final = np.arange(-15, 15.1, 2.5)
_SLOPES: Final = np.exp(np.arange(-0.4, 0.41, 0.1))

# People of one group may be missed more often than those of another: their shares are off by so
# much. Readings beyond so many tell no more: the calibration's own columns are not that exact.
_CAPTURE: Final = 0.25
_READINGS: Final = 300.0
_PSEUDO: Final = 2.0
_ITERATIONS: Final = 300
_LEAST: Final = 1e-12

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bias:
    """How a camera reads: an age of `PIVOT` + d as `PIVOT` + offset + slope * d.

    Attributes:
        offset: D draws, years.
        slope: D draws, above 0.
    """

    offset: Numbers
    slope: Numbers

    @cached_property
    def undoing(self) -> Numbers:
        """D x `BINS` x `BINS`: what to multiply rows of readings with, to take the bias back."""
        return moving(-self.offset / self.slope, 1 / self.slope)

    @cached_property
    def centre(self) -> "Bias":
        """The mean, as one draw."""
        slope = np.exp(np.log(self.slope).mean(keepdims=True))
        return Bias(self.offset.mean(keepdims=True), slope)

    def undone(self, years: NDArray[np.floating[Any]]) -> Numbers:
        """Return the ages that would have been read without the bias, by the first draw."""
        found: Numbers = PIVOT + (years - PIVOT - self.offset[0]) / self.slope[0]
        return np.maximum(found, 0.0)

    def groups(self, totals: Totals, groups: Groups) -> Numbers:
        """Return how many visits would have been read as each group, by the first draw."""
        firsts = [first for _, first in groups]
        years = self.undone(np.array(list(totals.read), np.float64) + 0.5)
        place = np.searchsorted(firsts, years, side="right") - 1
        weights = np.array(list(totals.read.values()), np.float64)
        return np.bincount(place, weights, len(firsts)).astype(np.float64)


def moving(offset: Numbers, slope: Numbers) -> Numbers:
    """Return matrices that move the mass of bins as a bias moves ages.

    Args:
        offset: D, years.
        slope: D, above 0.

    Returns:
        D x `BINS` (from) x `BINS` (to); rows sum to 1. What leaves the range stays at its end.
    """
    edges = np.arange(BINS + 1) * float(BIN)
    moved = PIVOT + offset[:, None] + slope[:, None] * (edges - PIVOT)
    low, high = moved[:, :-1, None], moved[:, 1:, None]
    begins, ends = edges[:-1].copy(), edges[1:].copy()
    begins[0], ends[-1] = -np.inf, np.inf
    overlap = np.clip(np.minimum(high, ends) - np.maximum(low, begins), 0, None)
    found: Numbers = overlap / (high - low)
    return found


def measure(
    read: Numbers,
    taps: Numbers,
    likely: Numbers,
    groups: Groups,
    draws: int,
    rng: np.random.Generator,
) -> Bias:
    """Return what a tally says of a camera's bias, by its posterior on a grid.

    For each offset and slope the ages are found that explain taps and readings best, together.

    Args:
        read: `BINS`, how many visits were read as each bin.
        taps: How many people of each group were tapped.
        likely: `BINS` (read) x `BINS` (true), how ages are read by the calibration; columns sum to
            1.
        groups: Names of the age groups with the first age of each.
        draws: How many draws to return.
        rng: Draws them.
    """
    offset, slope = (grid.ravel() for grid in np.meshgrid(_OFFSETS, _SLOPES))
    none = (np.abs(offset) < 1e-9) & (np.abs(slope - 1) < 1e-9)
    prior = np.exp(-0.5 * ((offset / _OFFSET) ** 2 + (np.log(slope) / _SLOPE) ** 2))
    prior = np.log((1 - _NONE) * prior / prior.sum() + _NONE * none)
    columns = moving(offset, slope).transpose(0, 2, 1) @ likely
    found = prior + _explained(_discounted(read, 1 / _READINGS), _tempered(taps), columns, groups)
    weights = np.exp(found - found.max())
    chosen = rng.choice(len(weights), draws, p=weights / weights.sum())
    # Between the points of the grid.
    steps = _OFFSETS[1] - _OFFSETS[0], np.log(_SLOPES[1] / _SLOPES[0])
    between = rng.uniform(-0.5, 0.5, (2, draws)) * ~none[chosen]
    return Bias(
        offset[chosen] + steps[0] * between[0], slope[chosen] * np.exp(steps[1] * between[1])
    )


def _discounted(counts: Numbers, each: float) -> Numbers:
    return np.asarray(counts / (1 + counts.sum() * each), np.float64)


def _tempered(taps: Numbers) -> Numbers:
    """Return taps that count as few as their shares are sure, given that groups are missed."""
    typical = float((taps**2).sum() / max(1.0, taps.sum()))
    return np.asarray(taps / (1 + typical * _CAPTURE**2), np.float64)


def _explained(read: Numbers, taps: Numbers, columns: Numbers, groups: Groups) -> Numbers:
    """Return the logarithm of how well taps and readings go together, for each set of columns."""
    years = shares(groups)
    mixture = np.full((len(columns), BINS), 1 / BINS)
    everyone = read.sum() + taps.sum() + _PSEUDO
    for _ in range(_ITERATIONS):
        seen, tapped = _expected(mixture, columns, years)
        by_read = np.matmul((read / seen)[:, None, :], columns)[:, 0, :]
        by_taps = (taps / tapped) @ years.T
        mixture = (mixture * (by_read + by_taps) + _PSEUDO / BINS) / everyone
    seen, tapped = _expected(mixture, columns, years)
    found: Numbers = np.log(seen) @ read + np.log(tapped) @ taps
    return found


def _expected(mixture: Numbers, columns: Numbers, years: Numbers) -> Sequence[Numbers]:
    seen = np.matmul(columns, mixture[:, :, None])[:, :, 0]
    return np.maximum(seen, _LEAST), np.maximum(mixture @ years, _LEAST)
