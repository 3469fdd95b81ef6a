"""What is kept of many visits together: whole numbers that add up, in any order, to the same.

Ages are kept twice: how many visits were read as each age, and the sums of their distributions by
the bin of the age read. The mean of a bin's distributions is itself calibrated (what is known of a
visit is then only the bin it was read as), so totals are corrected from these sums just as well
after the visits are gone as before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mien.ages import Groups, group_of
from mien.watch import dwell
from mien.watch.periods import hour_of
from mien.watch.visit import BIN, BINS, Visit

UNIT: Final = 1_000_000
"""Shares are kept in millionths."""

OLDEST: Final = 120
SLOT: Final = timedelta(minutes=5)
"""Presence is kept by so long a time."""

_HOUR: Final = timedelta(hours=1)
_Key = TypeVar("_Key")


@dataclass(slots=True)
class Totals:
    """Visits of one kind, added up.

    Attributes:
        count: How many entered.
        read: Expected age in whole years -> how many visits.
        sums: Bin of the expected age -> the sum of their distributions, `BINS` millionths.
        dwell: Bucket of `mien.watch.dwell` -> how many visits.
        presence: Number of a five-minute slot of the hour -> how long people stood there, in
            milliseconds, added up over people; empty but for the kind "visit".
        gendered: Visits whose gender was read.
        female: Sum of their probabilities of the label female, in millionths.
        expressions: Expression -> sum of its shares, in millionths.
        quality: Sum of the qualities, in millionths.
    """

    count: int = 0
    read: dict[int, int] = field(default_factory=dict)
    sums: dict[int, list[int]] = field(default_factory=dict)
    dwell: dict[int, int] = field(default_factory=dict)
    presence: dict[int, int] = field(default_factory=dict)
    gendered: int = 0
    female: int = 0
    expressions: dict[str, int] = field(default_factory=dict)
    quality: int = 0

    def add(self, other: "Totals") -> None:
        """Take in other visits."""
        self.count += other.count
        self.gendered += other.gendered
        self.female += other.female
        self.quality += other.quality
        _add(self.read, other.read)
        _add(self.dwell, other.dwell)
        _add(self.presence, other.presence)
        _add(self.expressions, other.expressions)
        for number, row in other.sums.items():
            mine = self.sums.get(number, [0] * BINS)
            self.sums[number] = [a + b for a, b in zip(mine, row, strict=True)]

    def counts(self) -> NDArray[np.float64]:
        """Return how many visits were read as each bin, `BINS`."""
        found = np.zeros(BINS)
        for age, count in self.read.items():
            found[bin_of(age)] += count
        return found

    def distributions(self) -> NDArray[np.float64]:
        """Return the sums of the distributions of the visits read as each bin, `BINS` x `BINS`."""
        found = np.zeros((BINS, BINS))
        for number, row in self.sums.items():
            found[number] = np.array(row) / UNIT
        return found

    def groups(self, groups: Groups) -> NDArray[np.float64]:
        """Return how many visits were read as each age group, by their expected age."""
        found = {name: 0 for name, _ in groups}
        for age, count in self.read.items():
            found[group_of(age, groups)] += count
        return np.array(list(found.values()), np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes; what is empty is left out."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: _texts(value) for name, value in found.items() if value}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Totals":
        """Return totals as they were stored."""
        numbered = ("read", "sums", "dwell", "presence")
        fields: dict[str, Any] = {
            name: {int(key): kept for key, kept in value.items()} if name in numbered else value
            for name, value in found.items()
        }
        return cls(**fields)


def bin_of(years: float) -> int:
    """Return the bin of ages that an age falls into."""
    return min(int(years // BIN), BINS - 1)


def of_visit(visit: Visit, zone: ZoneInfo) -> list[tuple[datetime, Totals]]:
    """Return what a visit adds to the local hours that it touches, each by its beginning in UTC.

    It counts in the hour in which it entered; its presence lies where it was.
    """
    age = min(int(visit.years), OLDEST)
    counted = Totals(
        count=1,
        read={age: 1},
        sums={bin_of(age): _millionths(visit.ages)},
        dwell={dwell.bucket(visit.dwell): 1},
        quality=round(visit.quality * UNIT),
    )
    if visit.female is not None:
        counted.gendered, counted.female = 1, round(visit.female * UNIT)
    for name, share in (visit.expressions or {}).items():
        counted.expressions[name] = round(share * UNIT)
    first = hour_of(visit.entered, zone)
    found = defaultdict(Totals, {first: counted})
    if visit.kind == "visit":
        for start, slot, stay in _slots(visit, first):
            found[start].presence[slot] = stay
    return sorted(found.items())


def added(totals: Iterable[Totals]) -> Totals:
    """Return the sum."""
    found = Totals()
    for one in totals:
        found.add(one)
    return found


def _slots(visit: Visit, hour: datetime) -> Iterable[tuple[datetime, int, int]]:
    """Yield hour, slot and milliseconds of a stay's parts."""
    place = hour + (visit.entered - hour) // SLOT * SLOT
    while place < visit.left:
        stay = min(visit.left, place + SLOT) - max(visit.entered, place)
        start = hour + (place - hour) // _HOUR * _HOUR
        yield start, (place - start) // SLOT, round(stay / timedelta(milliseconds=1))
        place += SLOT


def _millionths(ages: Sequence[float]) -> list[int]:
    shares = np.clip(np.asarray(ages, np.float64), 0, None)
    whole = shares.sum()
    if not whole > 0:
        raise ValueError("a visit's ages sum to nothing")
    ends = np.rint(np.cumsum(shares) / whole * UNIT).astype(np.int64)
    steps: list[int] = np.diff(ends, prepend=0).tolist()
    return steps


def _add(mine: dict[_Key, int], other: Mapping[_Key, int]) -> None:
    for key, count in other.items():
        mine[key] = mine.get(key, 0) + count


def _texts(value: Any) -> Any:
    return {str(key): kept for key, kept in value.items()} if isinstance(value, dict) else value
