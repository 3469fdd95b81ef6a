"""Visits for tests, made up from a seed."""

from datetime import UTC, datetime, timedelta

import numpy as np

from mien.ages import GROUPS, group_of
from mien.watch.visit import BIN, BINS, Visit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday."""


def visit(years: float = 30.0, at: datetime = NOON, stay: float = 4.0, **changes: object) -> Visit:
    """Return a visit of someone whose age is sure, but for what is changed."""
    ages = np.zeros(BINS)
    ages[min(int(years // BIN), BINS - 1)] = 1
    known = {
        "camera": "door",
        "area": "hall",
        "entered": at,
        "left": at + timedelta(seconds=stay),
        "ages": tuple(ages.tolist()),
        "years": years,
        "low": years - 5,
        "high": years + 5,
        "group": group_of(years, GROUPS),
        "quality": 1.0,
    }
    return Visit(**(known | changes))  # type: ignore[arg-type]


def crowd(count: int, seed: int = 0, hours: float = 48) -> list[Visit]:
    """Return visits at random times within some hours from noon, to two areas, of all kinds."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        ages = rng.dirichlet(np.full(BINS, 0.2))
        years = float(ages @ (np.arange(BINS) * BIN + 2))
        found.append(
            visit(
                years,
                NOON + timedelta(hours=float(rng.uniform(0, hours))),
                float(rng.gamma(1.5, 60)),
                ages=tuple(ages.tolist()),
                area=str(rng.choice(["hall", "shop"])),
                kind=str(rng.choice(["visit", "visit", "visit", "still", "long"])),
                quality=float(rng.uniform()),
                female=float(rng.uniform()) if rng.uniform() < 0.5 else None,
            )
        )
    return found
