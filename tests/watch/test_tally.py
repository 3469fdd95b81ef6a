"""Calibration at the door."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from mien.ages import GROUPS
from mien.errors import MienError
from mien.watch.calibration import packaged
from mien.watch.correction import Corrector
from mien.watch.store.store import Store
from mien.watch.tally import Session, Tally, door, stored
from mien.watch.totals import added, of_visit
from mien.watch.visit import Visit
from tests.watch.visits import NOON, visit

HALF = timedelta(minutes=30)
NAMES = [name for name, _ in GROUPS]


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    return Corrector(packaged(), resamples=50)


def people(count: int, years: float = 30, **changes: str) -> list[Visit]:
    times = [NOON + n * timedelta(seconds=20) for n in range(count)]
    return [visit(years, at, 4.0, **changes) for at in times]


def tally(seen: int, taps: dict[str, int], day: int = 0, years: float = 30) -> Tally:
    parts = (part for v in people(seen, years) for _, part in of_visit(v, ZoneInfo("UTC")))
    start = NOON + timedelta(days=day)
    every = dict.fromkeys(NAMES, 0) | taps
    return Tally("door", "hall", start, start + HALF, every, added(parts))


def test_several_people_tap_and_take_back(store: Store) -> None:
    session = Session("door", "hall", NOON)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: session.tap("youth", who=str(n % 4)), range(400)))
    session.tap("child", who="a")

    assert session.undo(who="a") == "child"
    assert session.undo(who="a") is None
    assert session.counts == {"child": 0, "teen": 0, "youth": 400, "adult": 0, "senior": 0}
    with pytest.raises(MienError, match="there are child, teen"):
        session.tap("baby")


def test_what_comes_again_counts_once() -> None:
    session = Session("door", "hall", NOON)
    for name in ("1", "1", "2"):
        session.tap("youth", "a", name)
    assert session.undo("a", "3") == "youth"
    assert session.undo("a", "3") is None
    assert session.counts["youth"] == 1
    for _ in range(2):
        session.tap("youth")
    assert session.counts["youth"] == 3


def test_a_tally_keeps_counts_and_the_visits_of_its_place_and_time(store: Store) -> None:
    store.add(people(6))
    store.add([*people(2, area="shop"), *people(2, kind="still"), visit(at=NOON + HALF)])
    session = Session("door", "hall", NOON)
    for _ in range(8):
        session.tap("youth")

    made = session.finish(NOON + HALF, store)
    store.forget(NOON + timedelta(days=99))

    [found] = stored(store)
    assert found.visits.count == 6
    assert (found.people, found.taps["youth"]) == (8, 8)
    assert (found.started, found.ended, found.id) == (NOON, NOON + HALF, made.id)
    assert found.visits == made.visits


def test_tallies_in_other_age_groups_tell_how_many_alone() -> None:
    """As if the groups had been named otherwise since: a part of them, and all of them."""
    merged = (("child", 0), ("teen", 13), ("grown", 20), ("senior", 65))
    corrector = Corrector(packaged(), merged, resamples=50)
    old = tally(80, {"youth": 90, "teen": 10})
    new = Tally(
        old.camera,
        old.area,
        old.started + timedelta(days=1),
        old.ended + timedelta(days=1),
        {"child": 0, "teen": 5, "grown": 45, "senior": 0},
        tally(40, {}).visits,
    )

    alone, both = door([old], corrector), door([old, new], corrector)

    assert (alone.people, alone.regrouped) == (100, 1)
    assert alone.capture.value == pytest.approx(0.8)
    assert all(0 < alone.captures[name].value < 1.5 for name, _ in merged)
    assert (both.people, both.regrouped) == (150, 1)
    assert both.capture.value == pytest.approx(0.8)
    assert sum(one.value for one in both.bias.values()) == pytest.approx(0)


def test_a_tally_without_taps_is_none(store: Store) -> None:
    with pytest.raises(MienError, match="at least one tap"):
        Session("door", "hall", NOON).finish(NOON + HALF, store)
    session = Session("door", "hall", NOON)
    session.tap("youth")
    with pytest.raises(MienError, match="needs some time"):
        session.finish(NOON, store)


def test_the_capture_rate_has_an_interval_that_narrows(corrector: Corrector) -> None:
    few = door([tally(20, {"youth": 40})], corrector)
    many = door([tally(80, {"youth": 160})], corrector)

    for found in (few, many):
        assert found.capture.value == 0.5
        assert found.capture.low < 0.5 < found.capture.high
    assert many.capture.high - many.capture.low < few.capture.high - few.capture.low


def test_more_visits_than_people_are_possible(corrector: Corrector) -> None:
    found = door([tally(60, {"youth": 40})], corrector)
    assert found.capture.value == 1.5
    assert 1 < found.capture.low < 1.5 < found.capture.high


def test_a_group_nobody_tapped_is_drawn_to_all(corrector: Corrector) -> None:
    found = door([tally(40, {"youth": 80})], corrector)
    senior = found.captures["senior"]
    assert senior.low < found.capture.value < senior.high
    assert senior.high - senior.low > found.captures["youth"].high - found.captures["youth"].low


def test_bias_of_ages_is_told(corrector: Corrector) -> None:
    found = door([tally(40, {"youth": 20, "adult": 30}, years=30)], corrector)
    assert found.bias["youth"].value == pytest.approx(0.6)
    assert found.bias["adult"].value == pytest.approx(-0.6)
    assert found.bias["adult"].high < 0 < found.bias["youth"].low
    assert found.bias["child"].low < 0 < found.bias["child"].high


def test_drift_between_tallies_is_told(corrector: Corrector) -> None:
    first = tally(80, {"youth": 100})
    assert door([first], corrector).drift is None
    assert not door([first, tally(75, {"youth": 100}, 7)], corrector).drifted
    changed = door([first, tally(20, {"youth": 100}, 7)], corrector)
    assert changed.drifted
    assert changed.drift is not None
    assert changed.drift.value == pytest.approx(-0.6)


def test_without_a_tally_nothing_is_known(corrector: Corrector) -> None:
    with pytest.raises(ValueError, match="without a tally"):
        door([], corrector)
