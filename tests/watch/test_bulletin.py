"""Live totals every few seconds, whatever fails meanwhile."""

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from mien.errors import StoreError
from mien.watch.areas import WHOLE
from mien.watch.bulletin import Bulletin, Edition, Sources, in_steps, present
from mien.watch.config import Area, Config
from mien.watch.lane import Present
from mien.watch.run import Status
from mien.watch.sources.health import Health
from mien.watch.store.recorder import State
from mien.watch.store.store import Store
from tests.serve.conftest import wait_until
from tests.watch.visits import visit

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONFIG = Config.model_validate({"cameras": [{"name": "door", "source": "0"}]})


def status(*areas: Area, there: tuple[str | None, ...] = ()) -> Status:
    faces = [Present(area, 0.5, 0.5, 1.0) for area in there]
    return Status("door", "webcam 0", Health("live", NOW), faces, {}, 0, 0, areas)


def area(name: str, *, ignore: bool = False) -> Area:
    return Area(name=name, polygon=((0, 0), (1, 0), (1, 1)), ignore=ignore)


def test_areas_where_nobody_is_are_there_too() -> None:
    known = status(area("a"), area("b"), area("poster", ignore=True), there=("a", "a", None))

    assert present([known]) == {("door", "a"): 2, ("door", "b"): 0}
    assert present([status()]) == {("door", WHOLE): 0}


def test_numbers_of_visits_move_in_steps_and_faults_do_not() -> None:
    state = State(7, 4, 99, 1, 2, 3, "", NOW)

    shown = in_steps(state, 5)

    assert (shown.waiting, shown.held, shown.stored) == (5, 0, 95)
    assert (shown.refused, shown.damaged, shown.lost) == (1, 2, 3)


def test_a_store_that_fails_leaves_the_last_totals_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(str(tmp_path / "a.db"))
    store.add([visit(at=datetime.now(UTC), stay=0) for _ in range(11)])
    failing = False

    def get() -> Store:
        if failing:
            raise StoreError("gone")
        return store

    bulletin = Bulletin(CONFIG, Sources(get, lambda: [status()]), every=0.01)
    bulletin.start()
    assert [one.visits for one in bulletin.newest.totals if one.area == "hall"] == [10]
    failing = True
    wait_until(lambda: bulletin.newest.problem)
    assert "cannot be read" in bulletin.newest.problem
    assert [one.visits for one in bulletin.newest.totals if one.area == "hall"] == [10]
    failing = False
    wait_until(lambda: not bulletin.newest.problem)
    bulletin.close()
    store.close()

    assert caplog.text.count("live totals wait") == 1


def test_where_nobody_came_since_midnight_zeros_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a service that watches no camera itself, whose areas only the store knows."""
    store = Store(str(tmp_path / "a.db"))
    store.add([visit(at=NOW, stay=0) for _ in range(11)])
    clock = NOW

    class Clock:
        @staticmethod
        def now(_: tzinfo) -> datetime:
            return clock

    monkeypatch.setattr("mien.watch.bulletin.datetime", Clock)
    bulletin = Bulletin(CONFIG, Sources(lambda: store))
    told = []
    for hours in (1, 24, 25):
        clock = NOW + timedelta(hours=hours)
        bulletin._publish()
        told.append([(one.area, one.visits) for one in bulletin.newest.totals])
    store.close()

    assert told == [[("hall", 10)], [("hall", 0)], []]


class Kept:
    """Keeps editions, and fails at each if asked to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.editions: list[Edition] = []
        self._fails = fails

    def read(self, edition: Edition) -> None:
        self.editions.append(edition)
        if self._fails:
            raise OSError("no")


def test_a_reader_that_fails_harms_no_other(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "a.db"))
    bad, good = Kept(fails=True), Kept()
    bulletin = Bulletin(CONFIG, Sources(lambda: store), [bad, good], every=0.01)
    bulletin.start()
    wait_until(lambda: len(good.editions) >= 3)
    bulletin.close()
    store.close()

    assert len(bad.editions) == len(good.editions)
    numbers = [edition.number for edition in good.editions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert good.editions[0].recorder is None
