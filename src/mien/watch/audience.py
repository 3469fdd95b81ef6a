"""The audience: totals by camera, area, age group and period, raw and corrected, small ones hidden.

What is shown is made of fixed blocks: one camera's area on one local day. Within a block the table
of hours and age groups, with its totals, is shown as far as `mien.watch.suppression` allows.
Everything else (several areas, days, weeks) is a sum of what blocks show. So however queries
overlap, their differences are again sums of what is shown.

A day that goes on is no fixed block yet: its totals are told in whole steps, as live ones are, and
come into no sum with others. Otherwise whoever asks again and again would learn each hour's, and
each late visit's, age group by subtraction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.watch import dwell, periods, tally
from mien.watch.bias import Bias
from mien.watch.correction import Corrected, Corrector, Estimate
from mien.watch.periods import Step, period_of
from mien.watch.store.store import Hour, Store
from mien.watch.suppression import K, shown, stepped, with_totals
from mien.watch.tally import Door
from mien.watch.totals import SLOT, Totals, added

Dimension = Literal["camera", "area", "age", "hour", "day", "week"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("camera", "area", "age", "hour", "day", "week")
NOT_CALIBRATED: Final = "not calibrated here"
NOT_PEOPLE: Final = "visits, not people: whoever comes twice, or past two cameras, counts twice"

Doors = Mapping[tuple[str, str], Door]
"""Camera and area -> what tallies say."""

_STEPS: Final = ("hour", "day", "week")


@dataclass(frozen=True, slots=True)
class Row:
    """One total; what is hidden is None.

    Attributes:
        start: When its period begins, UTC; None for the whole time.
        camera: The camera; None for all.
        area: The area; None for all.
        age: The age group; None for all.
        hidden: Whether the total, or a part of it, is hidden because it is small. A number beside
            it is then what is shown of its parts: at least so many.
        visits: Visits, for an age group as they were read.
        corrected: Visits of the age group, corrected; without an age group the same as `visits`.
        adjusted: The same by the matrix of confusions.
        passed: People who passed, where tallies tell the capture rate.
        dwell: Median stay in seconds; only without an age group.
        dwell_p90: The stay, in seconds, that 90 % do not exceed; likewise.
        peak: Most people at once, as a mean over five minutes; likewise.
    """

    start: datetime | None
    camera: str | None
    area: str | None
    age: str | None
    hidden: bool
    visits: int | None
    corrected: Estimate | None = None
    adjusted: float | None = None
    passed: Estimate | None = None
    dwell: float | None = None
    dwell_p90: float | None = None
    peak: float | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """The answer to a query.

    Attributes:
        rows: The totals, in order of period, camera, area and age group.
        apart: Kind -> what was counted apart: faces that never moved, and long stays.
        notes: What must stand beside the figures.
    """

    rows: list[Row]
    apart: dict[str, int]
    notes: list[str] = field(default_factory=list)


class _Block(NamedTuple):
    day: datetime
    camera: str
    area: str


@dataclass(slots=True)
class _Part:
    """What a row takes from one block.

    Attributes:
        block: The block.
        totals: What there was; not to be shown as it is while the block is running.
        counts: The total, and that of each age group, as they may be shown.
        visible: Which of them may be shown.
        running: Whether the day goes on.
    """

    block: _Block
    totals: Totals
    counts: NDArray[np.int64]
    visible: NDArray[np.bool_]
    running: bool


def ask(
    store: Store,
    first: date,
    last: date,
    by: Sequence[Dimension],
    corrector: Corrector,
    *,
    k: int = K,
    now: datetime | None = None,
    settles: timedelta = timedelta(),
) -> Audience:
    """Return the totals of whole local days, by the store's time zone, with what tallies say.

    Args:
        store: The visits.
        first: The first day.
        last: The last day, included.
        by: As for `audience`.
        corrector: Corrects the totals of age groups.
        k: As for `audience`.
        now: Days that go on by this moment are told in whole steps of `k`, without the hour that
            is not over; None to tell all as it is.
        settles: So long after its end a day goes on, for visits that began before it.

    Raises:
        MienError: `by` or the days make no sense.
        StoreError: The store cannot be reached.
    """
    checked(by)
    begin, end = periods.whole(first, last, store.zone)
    hours, since = store.hours(begin, end), None
    if now is not None:
        hours = [hour for hour in hours if hour.start + timedelta(hours=1) <= now]
        since = period_of(now - settles, "day", store.zone)
    doors = tally.doors(store, corrector)
    found = audience(hours, store.zone, by, corrector, k=k, doors=doors, since=since)
    if since is not None and since < end:
        found.notes.append(
            f"the day that is not over is told in whole steps of {k} and in no sum with others, "
            "its hours once they are over"
        )
    return found


def audience(
    hours: Iterable[Hour],
    zone: ZoneInfo,
    by: Sequence[Dimension],
    corrector: Corrector,
    *,
    k: int = K,
    doors: Doors | None = None,
    since: datetime | None = None,
) -> Audience:
    """Return totals.

    Args:
        hours: Hourly totals of whole local days, as the store gives them.
        zone: The time zone of days and weeks.
        by: What to part them by; at most one of hour, day and week.
        corrector: Corrects the totals of age groups.
        k: Totals from 1 to below this are hidden; 1 hides nothing.
        doors: Camera and area -> what tallies say.
        since: When the first day begins that goes on; None if all are over.

    Raises:
        MienError: `by` makes no sense.
    """
    step = checked(by)
    known = list(hours)
    rows: dict[tuple[object, ...], list[_Part]] = defaultdict(list)
    for part, key in _parts(known, zone, by, step, corrector, k, since):
        rows[key].append(part)
    found = [
        row
        for key in sorted(rows, key=lambda key: tuple(str(value or "") for value in key))
        for row in _rows(key, rows[key], "age" in by, corrector, doors or {}, k)
    ]
    still, long = (
        sum(hour.totals.count for hour in known if hour.kind == kind) for kind in ("still", "long")
    )
    apart = {"still": still, "long": stepped(long, k)}  # posters are nobody
    return Audience(found, apart, _notes(known, found, corrector, doors or {}, rows))


def checked(by: Sequence[str]) -> Step | None:
    """Return the period to part by; None for none.

    Raises:
        MienError: A word is unknown, or two periods are named.
    """
    unknown = [word for word in by if word not in DIMENSIONS]
    if unknown:
        raise MienError(f"cannot part by {unknown[0]!r}; there are {', '.join(DIMENSIONS)}")
    steps = [word for word in by if word in _STEPS]
    if len(set(steps)) > 1:
        raise MienError(f"part by one of hour, day and week, not by {' and '.join(steps)}")
    return steps[0] if steps else None  # type: ignore[return-value]


def _parts(
    hours: Sequence[Hour],
    zone: ZoneInfo,
    by: Sequence[Dimension],
    step: Step | None,
    corrector: Corrector,
    k: int,
    since: datetime | None,
) -> Iterable[tuple[_Part, tuple[object, ...]]]:
    """Yield what each row takes from each block."""
    blocks: dict[_Block, list[Hour]] = defaultdict(list)
    for hour in hours:
        if hour.kind == "visit":
            day = period_of(hour.start, "day", zone)
            blocks[_Block(day, hour.camera, hour.area)].append(hour)
    for block, inside in sorted(blocks.items()):
        cells = np.array([hour.totals.groups(corrector.groups) for hour in inside]).astype(int)
        counts = with_totals(cells)
        running = k > 1 and since is not None and block.day >= since
        if running:
            counts = counts // k * k
        visible = counts > 0 if running else shown(cells, k)
        place = (
            block.camera if "camera" in by else None,
            block.area if "area" in by else None,
        )
        if step == "hour":
            for number, hour in enumerate(inside, 1):
                part = _Part(block, hour.totals, counts[number], visible[number], running)
                yield part, (hour.start, *place)
        else:
            whole = _with_peak(added(hour.totals for hour in inside), inside)
            start = period_of(block.day, step, zone) if step else None
            yield _Part(block, whole, counts[0], visible[0], running), (start, *place)


def _with_peak(whole: Totals, hours: Sequence[Hour]) -> Totals:
    """Return totals whose presence is that of every slot of the day, not of the hour alike."""
    whole.presence = {
        int(hour.start.timestamp()) // int(SLOT.total_seconds()) + slot: stay
        for hour in hours
        for slot, stay in hour.totals.presence.items()
    }
    return whole


def _rows(
    key: tuple[object, ...],
    parts: Sequence[_Part],
    by_age: bool,
    corrector: Corrector,
    doors: Doors,
    k: int,
) -> Iterable[Row]:
    start, camera, area = key
    place = {"start": start, "camera": camera, "area": area}
    running = all(part.running for part in parts)
    fixed = parts if running else [part for part in parts if not part.running]
    usable = [part for part in fixed if part.visible[0]]
    totals = added(part.totals for part in usable)
    whole = not running and len(usable) == len(parts)

    def told(found: Estimate) -> Estimate:
        return _coarse(found, k) if running else found

    capture = _capture(usable, doors)
    found = None
    if usable and (by_age or capture is not None):
        found = corrector(totals, capture, biased=_biased(usable, doors), test=False)
    if not by_age:
        passed = None if found is None else _all_passed(found)
        # Stays and peaks have no steps to be told in.
        fine = usable and not running
        yield Row(
            **place,  # type: ignore[arg-type]
            age=None,
            hidden=not whole,
            visits=sum(int(part.counts[0]) for part in usable) if usable else None,
            passed=None if passed is None else told(passed),
            dwell=dwell.quantile(totals.dwell, 0.5) if fine else None,
            dwell_p90=dwell.quantile(totals.dwell, 0.9) if fine else None,
            peak=_peak(usable, k) if fine else None,
        )
        return
    for number, (name, _) in enumerate(corrector.groups, 1):
        showing = [part for part in fixed if part.visible[number]]
        complete = len(showing) == len(parts) and whole
        yield Row(
            **place,  # type: ignore[arg-type]
            age=name,
            hidden=not complete,
            visits=sum(int(part.counts[number]) for part in showing) if showing else None,
            corrected=told(found.corrected[name]) if found and showing else None,
            adjusted=(
                found.adjusted[name]
                if found and found.adjusted and showing and not running
                else None
            ),
            passed=told(found.passed[name]) if found and found.passed and showing else None,
        )


def _coarse(found: Estimate, k: int) -> Estimate:
    """Return an estimate in whole steps, its interval no narrower for it."""
    low, high = np.floor(found.low / k) * k, np.ceil(found.high / k) * k
    return Estimate(float(np.round(found.value / k) * k), float(low), float(high))


def _capture(parts: Sequence[_Part], doors: Doors) -> NDArray[np.float64] | None:
    """Return draws of the capture rate over all parts; None where a part's door is unknown."""
    known = [(part, doors.get((part.block.camera, part.block.area))) for part in parts]
    if not known or any(door is None for _, door in known):
        return None
    weights = np.array([max(1, part.totals.count) for part, _ in known], np.float64)
    # People are visits over the rate, so rates are averaged by their inverse.
    inverse = sum(w / door.draws for w, (_, door) in zip(weights, known, strict=True) if door)
    rates: NDArray[np.float64] = weights.sum() / np.asarray(inverse)
    return rates


def _biased(parts: Iterable[_Part], doors: Doors) -> list[tuple[Totals, Bias]]:
    """Return the totals of the places that tallies know, each with how its camera reads ages."""
    places: dict[tuple[str, str], list[Totals]] = defaultdict(list)
    for part in parts:
        places[part.block.camera, part.block.area].append(part.totals)
    return [
        (added(totals), doors[place].reading) for place, totals in places.items() if place in doors
    ]


def _all_passed(found: Corrected) -> Estimate | None:
    if found.passed is None:
        return None
    # Ends of groups add up to ends that are too wide: on the safe side.
    return Estimate(*(sum(ends) for ends in zip(*found.passed.values(), strict=True)))


def _peak(parts: Sequence[_Part], k: int) -> float | None:
    """Return the most people at once; None where that would tell of too few.

    A stay that crosses an hour, or midnight, counts where it began and is present in both: where
    nobody's visit is counted, the peak would be that of a total that is hidden.
    """
    shown = [part for part in parts if k == 1 or part.counts[0] >= k]
    if not shown:
        return None
    slots: dict[tuple[datetime, int], int] = defaultdict(int)
    for part in shown:
        for slot, stay in part.totals.presence.items():
            slots[part.block.day, slot] += stay
    return max(slots.values(), default=0) / (SLOT / timedelta(milliseconds=1))


def _notes(
    hours: Sequence[Hour],
    rows: Sequence[Row],
    corrector: Corrector,
    doors: Doors,
    parts: Mapping[tuple[object, ...], Sequence[_Part]],
) -> list[str]:
    notes = [NOT_PEOPLE]
    places = sorted({(hour.camera, hour.area) for hour in hours if hour.kind == "visit"})
    for camera, area in places:
        door = doors.get((camera, area))
        if door is None:
            notes.append(f"{camera}, {area}: {NOT_CALIBRATED}")
            continue
        low, high = f"{door.capture.low:.0%}", f"{door.capture.high:.0%}"
        notes.append(
            f"{camera}, {area}: {door.capture.value:.0%} of the people who pass are seen ({low} to "
            f"{high}), by {door.people} taps in {door.tallies} tallies, the newest of "
            f"{door.newest:%Y-%m-%d}"
        )
        if not door.older.low <= 0 <= door.older.high:
            word = "old" if door.older.value > 0 else "young"
            ends = sorted(abs(end) for end in (door.older.low, door.older.high))
            notes.append(
                f"{camera}, {area}: ages are read {abs(door.older.value):.0f} years too {word} "
                f"here ({ends[0]:.0f} to {ends[1]:.0f}); corrected totals allow for it"
            )
        if door.regrouped:
            notes.append(
                f"{camera}, {area}: {door.regrouped} of the tallies had other age groups: they "
                "tell how many people are seen, not of what ages; tally again"
            )
        if door.drifted:
            notes.append(f"{camera}, {area}: the newest tally differs from earlier ones; look why")
    usable = [part for found in parts.values() for part in found if part.visible[0]]
    everything = added(part.totals for part in usable)
    if warning := corrector(everything, biased=_biased(usable, doors)).warning:
        notes.append(warning)
    if any(row.hidden for row in rows):
        notes.append("small totals are hidden; what is beside them is at least so many")
    return notes
