"""Tallies that go on: one at a place, forgotten in time, and not too many."""

from datetime import datetime, timedelta

import pytest

from mien.errors import MienError
from mien.watch.store.store import Store
from mien.watch.tallying import LONGEST, MOST, Tallies
from tests.watch.visits import NOON


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def test_one_goes_on_at_a_place() -> None:
    tallies = Tallies()
    first, new = tallies.start("door", "hall")
    again, other = tallies.start("door", "hall")
    elsewhere, third = tallies.start("door", "shop")

    assert (new, other, third) == (True, False, True)
    assert again is first
    assert tallies.running() == [first, elsewhere]
    assert tallies.find(first.id) is first
    assert first.id != elsewhere.id
    assert tallies.find("door") is None


def test_what_was_forgotten_is_dropped() -> None:
    clock = Clock()
    tallies = Tallies(now=clock)
    first, _ = tallies.start("door", "hall")
    clock.now += LONGEST - timedelta(seconds=1)
    assert tallies.find(first.id) is first
    clock.now += timedelta(seconds=1)

    assert tallies.find(first.id) is None
    assert tallies.start("door", "hall")[1]


def test_thousands_are_refused() -> None:
    tallies = Tallies()
    for number in range(MOST):
        tallies.start("door", str(number))
    with pytest.raises(MienError, match="finish or drop one"):
        tallies.start("door", "one more")
    assert not tallies.start("door", "0")[1]
    assert tallies.drop(tallies.running()[0].id)
    assert tallies.start("door", "one more")[1]


def test_it_is_finished_once(store: Store) -> None:
    running, _ = Tallies().start("door", "hall")
    with pytest.raises(MienError, match="at least one tap"):
        running.finish(running.session.started + timedelta(minutes=1), store)
    running.session.tap("adult")
    made = running.finish(running.session.started + timedelta(minutes=1), store)

    assert made is not None
    assert made.people == 1
    assert running.finish(running.session.started + timedelta(minutes=2), store) is None
