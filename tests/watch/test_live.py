"""Live totals, and the gauges that show them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mien.watch.gauges import Gauges
from mien.watch.live import LiveTotals, live
from mien.watch.store.recorder import State
from mien.watch.store.store import Store
from tests.watch.visits import NOON, visit


def test_totals_of_today_move_in_steps(store: Store) -> None:
    store.add([visit(at=NOON - timedelta(hours=20)) for _ in range(50)])
    store.add([visit(30, NOON + timedelta(seconds=n)) for n in range(9)])
    store.add([visit(50, NOON) for _ in range(4)])
    store.add([visit(30, NOON, kind="still") for _ in range(20)])

    [found] = live(store, NOON + timedelta(hours=1), {("door", "hall"): 7})

    assert (found.visits, found.present) == (10, 5)
    assert found.ages == {"child": 0, "teen": 0, "youth": 5, "adult": 0, "senior": 0}
    [exact] = live(store, NOON + timedelta(hours=1), {}, k=1)
    assert (exact.visits, exact.ages["adult"], exact.present) == (13, 4, 0)


def test_one_more_visit_cannot_be_seen_but_at_a_step(store: Store) -> None:
    seen = []
    for n in range(11):
        store.add([visit(at=NOON + timedelta(seconds=n))])
        seen.append(live(store, NOON + timedelta(minutes=1), {})[0].visits)
    assert seen == [0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10]


def test_today_begins_at_local_midnight(tmp_path: str) -> None:
    store = Store(f"{tmp_path}/audience.db", zone="Pacific/Auckland")
    zone = ZoneInfo("Pacific/Auckland")
    store.add([visit(at=datetime(2026, 3, 2, 23, 59, tzinfo=zone))])
    store.add([visit(at=datetime(2026, 3, 3, 0, 1, tzinfo=zone))])

    [found] = live(store, datetime(2026, 3, 3, 0, 30, tzinfo=zone), {}, k=1)

    assert found.visits == 1
    store.close()


def test_an_area_without_visits_shows_who_is_there(store: Store) -> None:
    assert live(store, NOON, {("door", "new"): 12}) == [
        LiveTotals(
            "door", "new", 0, dict.fromkeys(["child", "teen", "youth", "adult", "senior"], 0), 10
        )
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_gauges_show_the_newest(times: int) -> None:
    registry = CollectorRegistry()
    gauges = Gauges(registry)
    for n in range(times):
        gauges.update([LiveTotals("door", "hall", 10 + n, {"youth": 5}, 5)])
    gauges.recorder(State(3, 2, 9, 1, 1, 4, "", NOON))

    text = generate_latest(registry).decode()

    place = 'camera="door"'
    assert f'mien_visits_today{{age="all",area="hall",{place}}} {9.0 + times}' in text
    assert f'mien_visits_today{{age="youth",area="hall",{place}}} 5.0' in text
    assert f'mien_present{{area="hall",{place}}} 5.0' in text
    assert "mien_outbox_waiting 3.0" in text
    assert "mien_visits_lost 6.0" in text
