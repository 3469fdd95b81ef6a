"""Calibration at the door: people tap who passes; mien compares it with what it saw meanwhile.

Of a tally only counts are kept: how many of each age group passed, and the totals of mien's own
visits of that time. Half an hour holds few people, so what is said of one age group is drawn
towards what is known of all.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.ages import GROUPS, Groups
from mien.errors import MienError
from mien.watch.bias import Bias
from mien.watch.correction import LEVEL, Corrector, Estimate
from mien.watch.store.store import Store
from mien.watch.totals import Totals, added, of_visit

DRAWS: Final = 1000
_ALIKE: Final = 10.0
_FEWEST: Final = 1
_MOST_TAPS: Final = 20_000
_MOST_WHO: Final = 100

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """A finished tally.

    Attributes:
        camera: Name of the camera at that door.
        area: Name of the area.
        started: When it began.
        ended: When it ended.
        taps: Age group -> people who passed.
        visits: What mien saw there in that time.
        id: Its own name, random.
    """

    camera: str
    area: str
    started: datetime
    ended: datetime
    taps: dict[str, int]
    visits: Totals
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def people(self) -> int:
        """How many were tapped."""
        return sum(self.taps.values())


class Session:
    """A tally that goes on; several people may tap, each those who pass on his side.

    Args:
        camera: Name of the camera.
        area: Name of the area.
        started: When it begins, with a time zone.
        groups: The age groups that can be tapped.
    """

    def __init__(self, camera: str, area: str, started: datetime, groups: Groups = GROUPS) -> None:
        self.camera, self.area, self.started = camera, area, started
        self._counts = Counter({name: 0 for name, _ in groups})
        self._taps: dict[str, list[str]] = {}
        self._done: set[str] = set()
        self._lock = threading.Lock()

    @property
    def counts(self) -> dict[str, int]:
        """Age group -> taps so far."""
        with self._lock:
            return dict(self._counts)

    def tap(self, group: str, who: str = "", name: str = "") -> None:
        """Count one person.

        Args:
            group: The age group.
            who: Whoever taps, for `undo`; not kept.
            name: The tap's own name: one that comes again, because an answer was lost on its
                way, counts once. Without a name each counts.

        Raises:
            MienError: There is no such group, or there were too many taps or people who tap.
        """
        with self._lock:
            if group not in self._counts:
                raise MienError(
                    f"there is no age group {group!r}; there are {', '.join(self._counts)}"
                )
            if name in self._done:
                return
            known = who in self._taps
            if sum(self._counts.values()) >= _MOST_TAPS or (
                not known and len(self._taps) >= _MOST_WHO
            ):
                raise MienError(
                    f"a tally takes {_MOST_TAPS:,} taps by {_MOST_WHO} people; finish this one"
                )
            self._counts[group] += 1
            self._taps.setdefault(who, []).append(group)
            self._remember(name)

    def undo(self, who: str = "", name: str = "") -> str | None:
        """Take back the last tap of one person.

        Args:
            who: As for `tap`.
            name: Likewise: taking back that comes again takes nothing more back.

        Returns:
            The tap's group; None where nothing was taken back.
        """
        with self._lock:
            taps = self._taps.get(who)
            if not taps or name in self._done:
                return None
            group = taps.pop()
            self._counts[group] -= 1
            self._remember(name)
            return group

    def _remember(self, name: str) -> None:
        # A name for each that taps and takes back without end would fill the memory.
        if name and len(self._done) < 2 * _MOST_TAPS:
            self._done.add(name)

    def finish(self, ended: datetime, store: Store) -> Tally:
        """Compare with the visits of that time, and store the counts.

        Visits are counted that entered within it. Wait a little after the last tap: a visit is
        stored when it has ended.

        Raises:
            MienError: Nobody was tapped, or it ends before it begins.
            StoreError: The store cannot be reached.
        """
        if ended <= self.started or sum(self.counts.values()) < _FEWEST:
            raise MienError("a tally needs some time and at least one tap; tap whoever passes")
        parts = [
            part
            for visit in store.visits(self.started, ended)
            if (visit.camera, visit.area, visit.kind) == (self.camera, self.area, "visit")
            for _, part in of_visit(visit, store.zone)
        ]
        tally = Tally(self.camera, self.area, self.started, ended, self.counts, added(parts))
        store.add_tally(_row(tally))
        return tally


@dataclass(frozen=True, slots=True, eq=False)
class Door:
    """What tallies say of one camera's area.

    Attributes:
        tallies: How many there were.
        people: How many people were tapped in all.
        regrouped: How many of the tallies were tapped in other age groups than those of now.
        newest: When the newest one ended.
        capture: Share of the people that became visits; above 1 where some count twice.
        captures: Group -> the same, drawn towards that of all.
        bias: Group -> its share among the readings less its share among the taps.
        older: Years by which ages are read higher here than the calibration reads them, at 35,
            drawn towards 0.
        slope: Years that are read for each year of difference in age, drawn towards 1: below it
            where ages are drawn together.
        reading: Draws of both, for `Corrector`.
        drift: By how much the newest tally's capture differs from that of all earlier ones; None
            for a single tally.
        draws: R x groups: draws of `captures`, for `Corrector`.
    """

    tallies: int
    people: int
    regrouped: int
    newest: datetime
    capture: Estimate
    captures: dict[str, Estimate]
    bias: dict[str, Estimate]
    older: Estimate
    slope: Estimate
    reading: Bias
    drift: Estimate | None
    draws: Numbers

    @property
    def drifted(self) -> bool:
        """Whether the newest tally says something else than the earlier ones."""
        return self.drift is not None and not self.drift.low <= 0 <= self.drift.high


def stored(store: Store) -> list[Tally]:
    """Return all tallies, the oldest first."""
    return [Tally(**row | {"visits": Totals.from_json(row["visits"])}) for row in store.tallies()]


def doors(store: Store, corrector: Corrector) -> dict[tuple[str, str], Door]:
    """Return camera and area -> what all tallies there say."""
    found: dict[tuple[str, str], list[Tally]] = {}
    for tally in stored(store):
        found.setdefault((tally.camera, tally.area), []).append(tally)
    return {place: door(tallies, corrector) for place, tallies in found.items()}


def door(tallies: Sequence[Tally], corrector: Corrector, *, seed: int = 0) -> Door:
    """Compare the tallies of one camera's area, the oldest first, with what mien saw.

    All tell how many of the people become visits; of what ages they are, those alone that were
    tapped in the age groups of now.

    Args:
        tallies: At least one.
        corrector: Gives the visits' age groups.
        seed: Equal seeds draw equal intervals.

    Raises:
        ValueError: There is none.
    """
    if not tallies:
        raise ValueError("without a tally nothing is known of a door")
    rng = np.random.default_rng(seed)
    names = [name for name, _ in corrector.groups]
    people, count = sum(t.people for t in tallies), sum(t.visits.count for t in tallies)
    everyone = _captured(rng, count, people)
    alike = [tally for tally in tallies if set(tally.taps) == set(names)]
    seen = added(tally.visits for tally in alike)
    taps = np.array([sum(t.taps[name] for t in alike) for name in names], np.float64)
    reading = corrector.bias(seen, taps, DRAWS, rng)
    found = corrector(seen, biased=[(seen, reading)], test=False)
    visits = np.array([found.corrected[name].value for name in names])
    draws = _by_group(rng, visits, taps, everyone)
    read = np.array(list(found.raw.values()))
    bias = rng.dirichlet(read + 0.5, DRAWS) - rng.dirichlet(taps + 0.5, DRAWS)
    centre = read / max(1.0, read.sum()) - taps / max(1.0, taps.sum())
    return Door(
        tallies=len(tallies),
        people=people,
        regrouped=len(tallies) - len(alike),
        newest=tallies[-1].ended,
        capture=_estimate(everyone, count / people),
        captures={name: _estimate(draws[:, n]) for n, name in enumerate(names)},
        bias={name: _estimate(bias[:, n], float(centre[n])) for n, name in enumerate(names)},
        older=_estimate(reading.offset, float(reading.centre.offset[0])),
        slope=_estimate(reading.slope, float(reading.centre.slope[0])),
        reading=reading,
        drift=_drift(rng, tallies),
        draws=draws,
    )


def _captured(rng: np.random.Generator, visits: float, people: float) -> Numbers:
    """Return draws of visits per person.

    Each person is seen or not; where more visits than people were counted, some were seen twice,
    and both numbers are taken as they come, by chance.
    """
    if visits <= people:
        return rng.beta(visits + 0.5, people - visits + 0.5, DRAWS)
    return rng.gamma(visits + 0.5, size=DRAWS) / rng.gamma(people + 0.5, size=DRAWS)


def _by_group(
    rng: np.random.Generator, visits: Numbers, taps: Numbers, everyone: Numbers
) -> Numbers:
    """Return draws of each group's capture, as if 10 more had passed of whom as many were seen."""
    more_seen = visits + _ALIKE * everyone[:, np.newaxis]
    seen = rng.gamma(np.maximum(more_seen, 0.5))
    return seen / np.maximum(taps + _ALIKE, 1.0)


def _drift(rng: np.random.Generator, tallies: Sequence[Tally]) -> Estimate | None:
    *earlier, newest = tallies
    if not earlier:
        return None
    before = sum(t.visits.count for t in earlier), sum(t.people for t in earlier)
    now = newest.visits.count, newest.people
    drawn = _captured(rng, *map(float, now)) - _captured(rng, *map(float, before))
    return _estimate(drawn, now[0] / now[1] - before[0] / before[1])


def _estimate(drawn: Numbers, value: float | None = None) -> Estimate:
    tail = (1 - LEVEL) / 2
    low, middle, high = map(float, np.quantile(drawn, [tail, 0.5, 1 - tail]))
    centre = middle if value is None else value
    return Estimate(centre, min(low, centre), max(high, centre))


def _row(tally: Tally) -> dict[str, Any]:
    return {
        "id": tally.id,
        "camera": tally.camera,
        "area": tally.area,
        "started": tally.started,
        "ended": tally.ended,
        "taps": tally.taps,
        "visits": tally.visits.to_json(),
    }
