"""A visit: a finished track of one face, all that is kept of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["visit", "still", "long"]
"""A visit; a face that never moved, as on a poster; a stay longer than a limit, as staff's."""

BIN: Final = 5
"""Years in a bin of ages."""

BINS: Final = 21
"""Bins of ages: 0 to 4, 5 to 9, ... and 100 and older."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is kept of one face's stay in one area: numbers; no picture, crop or embedding.

    Without re-identification a visit is not a person: who comes twice, or past two cameras, is
    two visits.

    Attributes:
        camera: Name of the camera.
        area: Name of the area.
        entered: When the face was first seen there, with a time zone.
        left: When it was last seen there, with a time zone; not before `entered`.
        ages: `BINS` probabilities, one for each `BIN` years, fused over the track's crops.
        years: The expected age.
        low: Lower end of the age's interval, in years.
        high: Upper end of the age's interval, in years.
        group: Name of the age group that `years` falls into.
        quality: How well the face could be read, 0 to 1.
        kind: Whether it counts as a visit.
        female: Probability of the label female, where gender is configured.
        expressions: Expression -> share of the stay, where expressions are configured.
        id: The visit's own name, random; the same visit stored twice is one.
    """

    camera: str
    area: str
    entered: datetime
    left: datetime
    ages: tuple[float, ...]
    years: float
    low: float
    high: float
    group: str
    quality: float
    kind: Kind = "visit"
    female: float | None = None
    expressions: dict[str, float] | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        if self.entered.tzinfo is None or self.left.tzinfo is None:
            raise ValueError("a visit's times need a time zone")
        if self.left < self.entered:
            raise ValueError(
                f"a visit cannot leave ({self.left}) before it enters ({self.entered})"
            )
        if len(self.ages) != BINS:
            raise ValueError(f"a visit has {BINS} bins of ages, not {len(self.ages)}")

    @property
    def dwell(self) -> float:
        """How long the stay took, in seconds."""
        return (self.left - self.entered).total_seconds()


def binned(distribution: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return distributions over bins of ages from distributions over single years.

    Args:
        distribution: N x ages, or ages alone: probabilities of the ages 0, 1, 2, ... years.

    Returns:
        N x `BINS`, or `BINS` alone; the last bin takes all older ages.
    """
    years = np.asarray(distribution, np.float64)
    place = np.minimum(np.arange(years.shape[-1]) // BIN, BINS - 1)
    bins: NDArray[np.float64] = years @ np.eye(BINS)[place]
    return bins


def group_totals(
    bins: NDArray[np.float64], groups: Sequence[tuple[str, float]]
) -> NDArray[np.float64]:
    """Return the totals of age groups from totals of bins.

    A bin that a group's first age cuts (13 lies between 10 and 15) is shared by years.

    Args:
        bins: ... x `BINS`.
        groups: Names of the groups with the first age of each, rising from 0.

    Returns:
        ... x groups.
    """
    totals: NDArray[np.float64] = bins @ shares(groups)
    return totals


def shares(groups: Sequence[tuple[str, float]]) -> NDArray[np.float64]:
    """Return the share of each bin's years that belongs to each group, `BINS` x groups."""
    starts = np.arange(BINS, dtype=np.float64) * BIN
    ends = starts + BIN
    firsts = np.array([first for _, first in groups], np.float64)
    lasts = np.append(firsts[1:], np.inf)
    overlap = np.minimum(ends[:, None], lasts) - np.maximum(starts[:, None], firsts)
    found: NDArray[np.float64] = np.clip(overlap, 0, None) / BIN
    # Whoever is older than the last bin's years is in it all the same.
    found[-1] = (firsts <= starts[-1]) & (starts[-1] < lasts)
    return found
