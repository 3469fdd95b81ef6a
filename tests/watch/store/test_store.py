"""The store, on SQLite and on PostgreSQL alike."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from mien.watch.store.database import RefusedError
from mien.watch.store.store import Store
from mien.watch.totals import Totals, added, of_visit
from mien.watch.visit import BINS
from tests.watch.visits import NOON, crowd, visit

ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def whole(store: Store) -> Totals:
    return added(hour.totals for hour in store.hours(*ALWAYS))


def test_what_is_stored_comes_back(store: Store) -> None:
    made = sorted(crowd(30), key=lambda v: v.entered)
    plain = dataclasses.replace(made[0], expressions={"happiness": 0.25}, id="a")

    store.add([plain, *made[1:]])

    assert store.visits(*ALWAYS) == [plain, *made[1:]]
    assert store.visits(made[3].entered, made[5].entered) == made[3:5]


def test_a_visit_counts_once_however_often_it_comes(store: Store) -> None:
    made = crowd(40)

    assert store.add([*made[:30], *made[:30]]) == 30
    assert store.add(made) == 10
    assert store.add(made) == 0
    assert whole(store).count == 40
    assert len(store.visits(*ALWAYS)) == 40


def test_totals_are_those_of_all_visits_in_any_order(
    store: Store,
) -> None:
    made = crowd(120)
    expected = added(part for v in made for _, part in of_visit(v, store.zone))

    for start in range(0, 120, 17):
        store.add(made[::-1][start : start + 17])

    assert whole(store) == expected


def test_totals_stay_when_visits_are_forgotten(store: Store) -> None:
    store.add(made := crowd(80))
    before = [dataclasses.astuple(hour) for hour in store.hours(*ALWAYS)]
    limit = NOON + timedelta(hours=20)

    deleted = store.forget(limit)

    assert deleted == sum(v.left < limit for v in made) > 0
    assert all(v.left >= limit for v in store.visits(*ALWAYS))
    assert [dataclasses.astuple(hour) for hour in store.hours(*ALWAYS)] == before


def test_an_outbox_counts_once_even_after_its_visits_are_forgotten(store: Store) -> None:
    records = list(enumerate(crowd(20), 1))
    store.drain("box", records[:15], 15)
    store.forget(ALWAYS[1])

    assert store.drain("box", records, 20) == 5
    assert store.drained("box") == 20
    assert store.drain("box", records, 15) == 0
    assert store.drained("box") == 20
    assert whole(store).count == 20


def test_several_may_write_at_once(open_store: Callable[..., Store]) -> None:
    made = crowd(120, hours=3)
    stores = [open_store() for _ in range(3)]

    def work(number: int) -> None:
        for start in range(0, 120, 10):
            stores[number].add(made[start : start + 10])

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, range(3)))

    assert whole(stores[0]).count == 120


def test_hours_begin_with_those_of_the_zone(open_store: Callable[..., Store]) -> None:
    store = open_store("Asia/Kolkata")

    store.add([visit(at=NOON + timedelta(minutes=29)), visit(at=NOON + timedelta(minutes=31))])

    half = timedelta(minutes=30)
    assert [hour.start for hour in store.hours(*ALWAYS)] == [NOON - half, NOON + half]


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        ("postgresql", {"camera": "do\0or"}),
        ("postgresql", {"area": 201 * "x"}),
        ("sqlite", {"ages": (0.0,) * BINS}),
        ("sqlite", {"quality": math.nan}),
    ],
    indirect=["url"],
)
def test_a_refused_value_leaves_nothing_behind(store: Store, changes: dict[str, object]) -> None:
    with pytest.raises(RefusedError):
        store.add([visit(), visit(**changes)])  # type: ignore[arg-type]
    assert store.visits(*ALWAYS) == []
    assert whole(store).count == 0


def test_passwords_are_not_told(url: str, store: Store) -> None:
    assert "secret" not in store.name
    assert ("***" in store.name) == ("secret" in url)
