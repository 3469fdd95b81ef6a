"""Totals of the audience: parted, hidden, corrected, and noted."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from mien.errors import MienError
from mien.watch.audience import NOT_CALIBRATED, NOT_PEOPLE, Audience, Dimension, ask, audience
from mien.watch.calibration import packaged
from mien.watch.correction import Corrector
from mien.watch.periods import whole
from mien.watch.store.store import Store
from mien.watch.tally import door
from mien.watch.totals import added
from mien.watch.visit import Visit
from tests.watch.test_tally import tally
from tests.watch.visits import NOON, crowd, visit

BERLIN = ZoneInfo("Europe/Berlin")
PERIODS: tuple[tuple[Dimension, ...], ...] = ((), ("hour",), ("day",), ("week",))


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    return Corrector(packaged(), resamples=30)


@pytest.fixture
def kept(tmp_path: str) -> Store:
    return Store(f"{tmp_path}/audience.db", zone="Europe/Berlin")


def asked(
    store: Store,
    corrector: Corrector,
    by: Sequence[Dimension],
    days: tuple[date, date] = (date(2026, 1, 1), date(2026, 12, 31)),
    k: int = 1,
) -> Audience:
    return audience(store.hours(*whole(*days, BERLIN)), BERLIN, by, corrector, k=k)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("age", [(), ("age",)])
def test_however_parted_the_sum_is_the_same(
    kept: Store,
    corrector: Corrector,
    period: tuple[Dimension, ...],
    age: tuple[Dimension, ...],
) -> None:
    made = crowd(150)
    kept.add(made)
    found = asked(kept, corrector, ("area", *age, *period))

    count = sum(v.kind == "visit" for v in made)
    assert sum(row.visits or 0 for row in found.rows) == count
    if age:
        total = sum(row.corrected.value for row in found.rows if row.corrected)
        assert total == pytest.approx(count)
    assert found.apart == {kind: sum(v.kind == kind for v in made) for kind in ("still", "long")}
    kept.close()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def test_midnight_and_changed_clocks_part_days_right(kept: Store, corrector: Corrector) -> None:
    moments = ["2026-03-28T23:59", "2026-03-29T00:00", "2026-03-29T23:59", "2026-03-30T00:00"]
    kept.add([visit(at=at(text)) for text in moments])

    rows = asked(kept, corrector, ["day"]).rows
    sunday = asked(kept, corrector, [], (date(2026, 3, 29), date(2026, 3, 29))).rows

    local = [(row.start.astimezone(BERLIN).day, row.visits) for row in rows if row.start]
    assert local == [(28, 1), (29, 2), (30, 1)]
    assert [row.visits for row in sunday] == [2]
    kept.close()


def test_the_hour_that_comes_twice_stands_twice(kept: Store, corrector: Corrector) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    kept.add([visit(at=first), visit(at=first + timedelta(hours=1))])

    starts = [row.start for row in asked(kept, corrector, ["hour"]).rows]
    assert starts == [first.replace(minute=0), first.replace(hour=1, minute=0)]
    kept.close()


def test_late_visits_count_in_the_hour_they_entered(kept: Store, corrector: Corrector) -> None:
    kept.add([visit(at=NOON + timedelta(hours=3))])
    kept.add([visit(at=NOON)])
    rows = asked(kept, corrector, ["hour"]).rows
    assert [(row.start, row.visits) for row in rows] == [
        (NOON, 1),
        (NOON + timedelta(hours=3), 1),
    ]
    kept.close()


def test_stays_and_the_peak(kept: Store, corrector: Corrector) -> None:
    # Three at once for five minutes, one of them for ten.
    kept.add([visit(stay=300), visit(stay=300), visit(stay=600)])
    kept.add([visit(at=NOON + timedelta(hours=2), stay=60)])

    [row] = asked(kept, corrector, []).rows

    assert row.peak == pytest.approx(3)
    assert row.dwell == pytest.approx(300, rel=0.02)
    assert row.dwell_p90 == pytest.approx(600, rel=0.02)
    kept.close()


@pytest.mark.parametrize(("by", "moment"), [("hour", "10:50"), ("day", "23:50")])
def test_whoever_stays_over_the_hour_gives_no_peak_away(
    kept: Store, corrector: Corrector, by: Dimension, moment: str
) -> None:
    """Counted where it began, and hidden there; where it is present, nobody else may be."""
    kept.add([visit(at=at(f"2026-03-02T{moment}"), stay=1200)])

    rows = asked(kept, corrector, [by], k=5).rows
    assert [(row.visits, row.hidden, row.peak) for row in rows] == [
        (None, True, None),
        (0, False, None),
    ]
    assert [row.peak for row in asked(kept, corrector, [by], k=1).rows] == [1, 1]
    kept.close()


def test_small_totals_are_hidden_with_their_corrections(kept: Store, corrector: Corrector) -> None:
    busy = [visit(30 if n % 2 else 50, NOON + n * timedelta(minutes=1)) for n in range(40)]
    kept.add([*busy, visit(70, NOON)])

    rows = {row.age: row for row in asked(kept, corrector, ["age"], k=5).rows}

    assert (rows["senior"].hidden, rows["senior"].visits) == (True, None)
    assert rows["senior"].corrected is None
    # One hidden group alone would follow from the sum.
    assert sum(row.hidden for row in rows.values()) >= 2
    assert any("hidden" in note for note in asked(kept, corrector, ["age"], k=5).notes)
    kept.close()


def test_differences_of_overlapping_queries_tell_nothing_new(
    kept: Store, corrector: Corrector
) -> None:
    days = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)]
    counts = {days[0]: 20, days[1]: 3, days[2]: 30}
    made: list[Visit] = []
    for day, count in counts.items():
        start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        made += [visit(at=start + timedelta(minutes=n)) for n in range(count)]
    kept.add(made)

    def visits(first: int, last: int) -> int:
        rows = asked(kept, corrector, [], (days[first], days[last]), k=5).rows
        return sum(row.visits or 0 for row in rows)

    for first, last in itertools.combinations_with_replacement(range(3), 2):
        assert visits(first, last) == sum(
            counts[day] for day in days[first : last + 1] if counts[day] >= 5
        )
    week = asked(kept, corrector, ["week"], k=5).rows
    assert [(row.visits, row.hidden) for row in week] == [(50, True)]
    kept.close()


@pytest.mark.parametrize("by", [("age",), ("age", "hour"), ("hour",), ("area", "day"), ()])
def test_whoever_asks_every_hour_learns_nothing_by_subtraction(
    kept: Store, corrector: Corrector, by: tuple[Dimension, ...]
) -> None:
    morning = datetime(2026, 3, 2, 7, tzinfo=UTC)
    rng = np.random.default_rng(3)
    before: dict[tuple[object, ...], int] = {}
    for hour in range(12):
        count = int(rng.integers(0, 9))
        start = morning + hour * timedelta(hours=1)
        kept.add([visit(float(rng.uniform(0, 90)), start) for _ in range(count)])

        found = ask(
            kept, NOON.date(), NOON.date(), by, corrector, now=start + timedelta(minutes=61)
        )

        told = {(row.start, row.area, row.age): row for row in found.rows}
        for key, row in told.items():
            assert row.hidden
            assert (row.dwell, row.dwell_p90, row.peak, row.adjusted) == (None,) * 4
            assert ((row.visits or 0) - before.get(key, 0)) % 5 == 0
            for estimate in (row.corrected, row.passed):
                assert all(end % 5 == 0 for end in estimate or ())
        before = {key: row.visits or 0 for key, row in told.items()}
    kept.close()


def test_a_day_is_told_in_full_once_its_last_visits_have_ended(
    kept: Store, corrector: Corrector
) -> None:
    days = [date(2026, 3, 2), date(2026, 3, 3)]
    kept.add([visit(at=NOON) for _ in range(23)])
    kept.add([visit(at=NOON + timedelta(days=1)) for _ in range(13)])
    settles = timedelta(minutes=30)

    def at_time(now: datetime, *, by: Dimension = "area") -> list[int | None]:
        found = ask(kept, days[0], days[1], [by], corrector, now=now, settles=settles)
        assert any("not over" in note for note in found.notes) == (now < at("2026-03-04T00:30"))
        return [row.visits for row in found.rows]

    # The second day comes into no sum, and stands alone in whole steps.
    assert at_time(at("2026-03-03T20:00")) == [23]
    assert at_time(at("2026-03-03T20:00"), by="day") == [23, 10]
    assert at_time(at("2026-03-04T00:29")) == [23]
    assert at_time(at("2026-03-04T00:30")) == [36]
    assert at_time(at("2026-03-04T00:30"), by="day") == [23, 13]
    kept.close()


def test_long_stays_are_told_in_steps(kept: Store, corrector: Corrector) -> None:
    kept.add([visit(kind="long") for _ in range(7)] + [visit(kind="still")])
    assert asked(kept, corrector, [], k=5).apart == {"still": 1, "long": 5}
    assert asked(kept, corrector, [], k=1).apart == {"still": 1, "long": 7}
    kept.close()


def test_what_must_be_said_is_said(kept: Store, corrector: Corrector) -> None:
    kept.add([visit(at=NOON + n * timedelta(seconds=30)) for n in range(30)])
    hours = kept.hours(*whole(date(2026, 3, 2), date(2026, 3, 2), BERLIN))

    bare = audience(hours, BERLIN, ["age"], corrector)
    doors = {("door", "hall"): door([tally(30, {"youth": 60})], corrector)}
    known = audience(hours, BERLIN, [], corrector, doors=doors)

    assert NOT_PEOPLE in bare.notes
    assert any(NOT_CALIBRATED in note for note in bare.notes)
    assert all(row.passed is None for row in bare.rows)
    assert not any(NOT_CALIBRATED in note for note in known.notes)
    assert any("50% of the people who pass are seen" in note for note in known.notes)
    passed = known.rows[0].passed
    assert passed is not None
    assert passed.low < 60 < passed.high
    kept.close()


def test_a_bias_of_ages_is_said_and_taken_back(kept: Store, corrector: Corrector) -> None:
    # As many children passed as people of 50; all were read eight years older.
    taps = {"child": 60, "adult": 60}
    days = (tally(60, taps, years=16), tally(60, {}, years=56))
    seen = replace(days[0], visits=added(day.visits for day in days))
    kept.add([visit(years, NOON) for years in [16.0] * 60 + [56.0] * 60])
    hours = list(kept.hours(*whole(date(2026, 1, 1), date(2026, 12, 31), BERLIN)))

    known = audience(
        hours, BERLIN, ["age"], corrector, k=1, doors={("door", "hall"): door([seen], corrector)}
    )

    plain = audience(hours, BERLIN, ["age"], corrector, k=1)
    assert any("too old here" in note for note in known.notes)
    children = [
        next(row.corrected.value for row in found.rows if row.age == "child" and row.corrected)
        for found in (plain, known)
    ]
    assert children[1] > children[0] + 10


def test_an_empty_time_has_no_rows(kept: Store, corrector: Corrector) -> None:
    found = asked(kept, corrector, ["age", "hour"])
    assert (found.rows, found.notes) == ([], [NOT_PEOPLE])
    kept.close()


@pytest.mark.parametrize(
    ("by", "message"), [(["month"], "there are camera"), (["hour", "day"], "one of hour")]
)
def test_refuses(by: list[Dimension], message: str, corrector: Corrector) -> None:
    with pytest.raises(MienError, match=message):
        audience([], BERLIN, by, corrector)
