"""Live totals: today's visits and who is there now, in steps, so that nobody stands out."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mien.ages import GROUPS, Groups
from mien.watch.periods import period_of
from mien.watch.store.store import Store
from mien.watch.suppression import K, stepped
from mien.watch.totals import Totals

Place = tuple[str, str]
"""Camera and area."""


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """One area's totals since local midnight, all in whole steps of `k`.

    Attributes:
        camera: The camera.
        area: The area.
        visits: Visits so far.
        ages: Age group -> visits so far, as they were read; they need not add up to `visits`.
        present: People there now.
    """

    camera: str
    area: str
    visits: int
    ages: dict[str, int]
    present: int


def live(
    store: Store,
    now: datetime,
    present: Mapping[Place, int],
    *,
    groups: Groups = GROUPS,
    k: int = K,
) -> list[LiveTotals]:
    """Return the totals of today, by the store's time zone.

    Args:
        store: The visits.
        now: The moment, with a time zone.
        present: Who is there now, as the watch counts them.
        groups: Names of the age groups with the first age of each.
        k: The step; 1 for exact totals.

    Raises:
        StoreError: The store cannot be reached.
    """
    start = period_of(now, "day", store.zone)
    sums: dict[Place, Totals] = defaultdict(Totals)
    for hour in store.hours(start, now + timedelta(hours=1)):
        if hour.kind == "visit":
            sums[hour.camera, hour.area].add(hour.totals)
    return [
        LiveTotals(
            *place,
            visits=stepped(sums[place].count, k),
            ages={
                name: stepped(count, k)
                for (name, _), count in zip(groups, sums[place].groups(groups), strict=True)
            },
            present=stepped(present.get(place, 0), k),
        )
        for place in sorted(Counter([*sums, *present]))
    ]
