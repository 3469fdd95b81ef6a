"""From finished visits to the database: no visit lost, none twice, whatever fails."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mien.errors import StoreError
from mien.watch.store.outbox import Outbox
from mien.watch.store.recorder import Recorder
from mien.watch.store.store import Store
from mien.watch.visit import BINS, Visit
from tests.disk import files_of_at_most
from tests.watch.servers import Postgres
from tests.watch.visits import crowd, visit

ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
QUICK = (0.02, 0.1)


def ids(visits: list[Visit]) -> list[str]:
    return sorted(v.id for v in visits)


def counted(store: Store) -> int:
    return sum(hour.totals.count for hour in store.hours(*ALWAYS))


def until(condition: Callable[[], object], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_recorded_is_stored(
    tmp_path: Path, url: str, open_store: Callable[..., Store]
) -> None:
    recorder = Recorder(tmp_path / "box", lambda: Store(url))
    made = crowd(30)

    assert all(recorder.record(v) for v in made)
    assert recorder.flush()
    state = recorder.state
    recorder.close()

    assert (state.stored, state.waiting, state.held, state.problem) == (30, 0, 0, "")
    assert ids(open_store().visits(*ALWAYS)) == ids(made)
    with pytest.raises(StoreError, match="closed"):
        recorder.record(made[0])


def test_a_database_that_stops_gets_all_when_it_is_back(tmp_path: Path, server: Postgres) -> None:
    recorder = Recorder(tmp_path / "box", lambda: Store(server.url()), pauses=QUICK, segment=5000)
    made = crowd(60)
    try:
        for v in made[:20]:
            recorder.record(v)
        assert recorder.flush()
        server.stop()
        try:
            for v in made[20:40]:
                assert recorder.record(v)
            until(lambda: recorder.state.problem)
            assert recorder.state.waiting >= 20
        finally:
            server.start()
        for v in made[40:]:
            recorder.record(v)
        assert recorder.flush(20)
        assert recorder.state.problem == ""
    finally:
        recorder.close()
    store = Store(server.url())
    assert ids(store.visits(*ALWAYS)) == ids(made)
    assert counted(store) == 60
    store.close()


def test_visits_wait_in_the_outbox_while_no_database_was_ever_seen(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    path = folder / "audience.db"
    made = crowd(10)
    recorder = Recorder(tmp_path / "box", lambda: Store(str(path)), pauses=QUICK)
    for v in made[:5]:
        recorder.record(v)
    until(lambda: "unable to open" in recorder.state.problem)
    recorder.close()

    folder.mkdir()
    recorder = Recorder(tmp_path / "box", lambda: Store(str(path)), pauses=QUICK)
    for v in made[5:]:
        recorder.record(v)
    recorder.close()

    store = Store(str(path))
    assert ids(store.visits(*ALWAYS)) == ids(made)
    store.close()


def test_while_the_disk_is_full_visits_wait_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "away" / "audience.db"
    recorder = Recorder(tmp_path / "box", lambda: Store(str(path)), memory=5, pauses=QUICK)
    made = crowd(8)
    recorder.record(made[0])
    with files_of_at_most(1000):
        taken = [recorder.record(v) for v in made[1:]]
        state = recorder.state
    assert taken[-1] is False
    assert state.held == 5
    assert (state.lost, "free some space" in state.problem) == (8 - 5 - state.waiting, True)

    path.parent.mkdir()
    assert recorder.flush()
    assert recorder.state.problem == ""
    recorder.close()
    store = Store(str(path))
    assert ids(store.visits(*ALWAYS)) == ids(made[: state.waiting] + made[-5:])
    store.close()


def test_a_full_disk_does_not_keep_visits_from_a_database_elsewhere(
    tmp_path: Path, server: Postgres
) -> None:
    recorder = Recorder(tmp_path / "box", lambda: Store(server.url()), pauses=QUICK)
    made = [visit(camera="elsewhere") for _ in range(6)]
    assert recorder.flush()
    with files_of_at_most(200):
        for v in made:
            assert recorder.record(v) is False
        until(lambda: recorder.state.stored == 6)
        assert recorder.state.held == 0
    recorder.close()


class _Interrupted(Store):
    """While visits are added, something else is done first."""

    meanwhile: Callable[[], object]

    def add(self, visits: Sequence[Visit]) -> int:
        self.meanwhile()
        return super().add(visits)


def test_visits_that_find_room_while_others_are_added_directly_are_kept(
    tmp_path: Path, server: Postgres
) -> None:
    made, later = [[visit(camera="busy") for _ in range(3)] for _ in range(2)]
    known = ids([*made, *later])
    store = _Interrupted(server.url())
    recorder = Recorder(tmp_path / "box", lambda: store, pauses=QUICK)
    assert recorder.flush()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        while later:
            assert recorder.record(later.pop())

    store.meanwhile = room
    with files_of_at_most(200):
        # While the first is added there is room again, for all.
        for v in made:
            recorder.record(v)
        until(lambda: not later)
    assert recorder.flush()
    assert recorder.state.lost == 0
    recorder.close()

    reader = Store(server.url())
    assert ids([v for v in reader.visits(*ALWAYS) if v.camera == "busy"]) == known
    reader.close()


def test_closing_tries_a_database_once_more_that_was_away(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    path = folder / "audience.db"
    recorder = Recorder(tmp_path / "box", lambda: Store(str(path)), pauses=(60, 60))
    made = crowd(3)
    for v in made:
        recorder.record(v)
    until(lambda: recorder.state.problem)
    folder.mkdir()
    recorder.close()

    store = Store(str(path))
    assert ids(store.visits(*ALWAYS)) == ids(made)
    store.close()
    assert [p.stat().st_size for p in (tmp_path / "box").glob("*.visits")] == [0]


def test_what_is_lost_when_closing_is_counted_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "away" / "audience.db"
    recorder = Recorder(tmp_path / "box", lambda: Store(str(path)), pauses=QUICK)
    made = crowd(2)
    until(lambda: recorder.state.problem)
    with files_of_at_most(100):
        for v in made:
            assert not recorder.record(v)
        recorder.close()

    assert (recorder.state.held, recorder.state.lost) == (0, 2)
    assert all(f"visit {v.id} is lost" in caplog.text for v in made)


def test_a_damaged_line_counts_once_however_often_it_is_tried(tmp_path: Path) -> None:
    path = str(tmp_path / "audience.db")
    box = Outbox(tmp_path / "box")
    for v in crowd(3):
        box.append(v)
    box.close()
    (file,) = (tmp_path / "box").glob("*.visits")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"x" + lines[1][1:] + lines[2])
    tries = []

    class Failing(Store):
        def drain(self, *what: Any) -> int:
            tries.append(what)
            if len(tries) < 4:
                raise StoreError("away for a moment")
            return super().drain(*what)

    recorder = Recorder(tmp_path / "box", lambda: Failing(path), pauses=QUICK)
    assert recorder.flush()
    assert (recorder.state.damaged, recorder.state.stored) == (1, 2)
    recorder.close()


def test_a_visit_that_is_refused_holds_up_no_other(tmp_path: Path, url: str) -> None:
    recorder = Recorder(tmp_path / "box", lambda: Store(url), pauses=QUICK)
    made = [visit(), visit(ages=(0.0,) * BINS), visit()]
    for v in made:
        recorder.record(v)
    assert recorder.flush()
    state = recorder.state
    recorder.close()
    assert (state.stored, state.refused, state.waiting) == (2, 1, 0)


def test_old_visits_are_deleted_and_totals_stay(tmp_path: Path) -> None:
    path = str(tmp_path / "audience.db")
    recorder = Recorder(tmp_path / "box", lambda: Store(path), keep=timedelta(days=30))
    recorder.record(visit(at=datetime(2020, 1, 1, tzinfo=UTC)))
    recorder.flush()
    store = Store(path)
    recorder.close()
    again = Recorder(tmp_path / "box", lambda: Store(path), keep=timedelta(days=30))
    until(lambda: not store.visits(*ALWAYS))
    again.close()
    assert counted(store) == 1
    store.close()


def test_a_folder_that_came_back_from_a_copy_loses_nothing(tmp_path: Path) -> None:
    path, made = str(tmp_path / "audience.db"), crowd(5)
    first = Recorder(tmp_path / "box", lambda: Store(path))
    copy = {p.name: p.read_bytes() for p in (tmp_path / "box").iterdir()}
    for v in made[:3]:
        first.record(v)
    first.flush()
    first.close()
    for p in (tmp_path / "box").iterdir():
        p.unlink()
    for name, content in copy.items():
        (tmp_path / "box" / name).write_bytes(content)

    again = Recorder(tmp_path / "box", lambda: Store(path))
    until(lambda: again.flush(1))
    for v in made[3:]:
        again.record(v)
    again.close()

    store = Store(path)
    assert ids(store.visits(*ALWAYS)) == ids(made)
    store.close()


_PROGRAM = """
import sys
from pathlib import Path
from mien.watch.store.recorder import Recorder
from mien.watch.store.store import Store
from tests.watch.visits import visit

recorder = Recorder(Path(sys.argv[1]), lambda: Store(sys.argv[2]), segment=20_000)
while True:
    made = visit()
    recorder.record(made)
    print(made.id, flush=True)
"""


def test_killed_at_any_moment_no_visit_is_lost_and_none_counts_twice(
    tmp_path: Path, url: str, open_store: Callable[..., Store]
) -> None:
    reported: list[str] = []
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    for moment in (60, 7, 130):
        command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "box"), url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
            assert child.stdout is not None
            reported += [child.stdout.readline().strip() for _ in range(moment)]
            child.send_signal(signal.SIGKILL)
            reported += [line.strip() for line in child.stdout if line.endswith("\n")]

    recorder = Recorder(tmp_path / "box", lambda: Store(url))
    assert recorder.flush()
    recorder.close()

    store = open_store()
    stored = [v.id for v in store.visits(*ALWAYS)]
    assert len(reported) >= 197
    assert set(reported) <= set(stored)
    # At most the one visit that was being reported when each process died.
    assert len(stored) - len(reported) <= 3
    assert counted(store) == len(stored)
