"""Faults, for real: what becomes of finished visits when stream, process, database or disk fail.

    python benchmarks/watch_faults.py --csv results/watch-faults.csv

A process watches an RTSP stream on loopback and stores to a real PostgreSQL (from Debian's
packages). In its film somebody passes every 6 seconds. The stream is cut and comes back ten times;
the process is killed (`kill -9`) five times; the database stops for a minute; the disk with the
outbox, a small file system of its own, is full for a while, in the end together with the database.
(Only the superuser may mount one; without it that part is left out.) The process names each visit
once it has handed it on: each of them must be stored, and counted in the totals, exactly once. How
many ought to be seen follows from the frames that were sent.
"""

import argparse
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mien.watch.store.store import Store
from tables import Row, show, write

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.watch.rtsp import RtspServer
from tests.watch.servers import Postgres, postgres
from tests.watch.watching import FRAMES, RATE, SHOWN, film

_ROOT: Final = Path(__file__).resolve().parent.parent
_ALWAYS: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_KILLED: Final = "process killed"
_PATIENCE: Final = 150.0
# So many frames of a passage make a visit for certain.
_ENOUGH: Final = 12


@dataclass
class Watching:
    """A process that watches, and what it tells."""

    process: "subprocess.Popen[str]"
    visits: list[str] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    _lines: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def listen(self) -> None:
        """Take what it tells, until it ends."""
        for line in self.process.stdout or ():
            kind, *rest = line.split()
            if kind == "visit":
                self.visits += rest
            elif kind == "state":
                self.state = dict(word.partition("=")[::2] for word in rest[1:])
                self.state["camera"] = rest[0]


@dataclass
class Place:
    """A stream, a database, and a folder; a process that watches is started here again and again.

    Attributes:
        server: The stream.
        database: The database server.
        schema: Where in it the visits go.
        folder: For the configuration and the outbox.
        told: All visits that were handed on.
    """

    server: RtspServer
    database: Postgres
    schema: str
    folder: Path
    told: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self, *, kill: bool = False) -> Iterator[Watching]:
        """Run the process while the block lasts; then end it in good order, or kill it."""
        path = self.folder / "shop.toml"
        path.write_text(
            "threads = 1\n"
            f'[[cameras]]\nname = "door"\nsource = "{self.server.url}"\n'
            "[tracking]\nhidden = 0.9\n"
            f'[store]\nurl = "{self.database.url(self.schema)}"\n'
            f'outbox = "{self.folder / "outbox"}"\n'
        )
        command = [sys.executable, "-m", "tests.watch.watching", str(path)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT
        )
        running = Watching(process)
        listener = threading.Thread(target=running.listen)
        listener.start()
        try:
            yield running
        finally:
            if kill:
                process.send_signal(signal.SIGKILL)
            with suppress(BrokenPipeError):
                process.communicate(timeout=_PATIENCE)
            listener.join()
            self.told += running.visits

    def shown(self, client: int, frames: int) -> None:
        """Wait until a client, counted from 0, was sent so many frames."""
        sent = self.server.sent
        _wait(lambda: len(sent) > client and sent[client] >= frames)

    def quiet(self) -> None:
        """Wait until somebody has passed, and nobody is there."""
        sent = self.server.sent
        _wait(lambda: sent[-1] % FRAMES > SHOWN[1] + RATE // 2)

    def stored(self) -> tuple[list[str], int]:
        """Return the visits in the database, and how many its totals hold."""
        store = Store(self.database.url(self.schema))
        try:
            found = [visit.id for visit in store.visits(*_ALWAYS)]
            return found, sum(hour.totals.count for hour in store.hours(*_ALWAYS))
        finally:
            store.close()


def main() -> None:
    """Take the options, make the faults, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cuts", type=int, default=10, help="of the stream")
    parser.add_argument("--kills", type=int, default=5, help="of the process")
    parser.add_argument("--seconds", type=float, default=60, help="without a database")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    options = parser.parse_args()
    rows = []
    units = film()
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as database:
        for name, fault in (
            ("stream cut", lambda place: cuts(place, options.cuts)),
            (_KILLED, lambda place: kills(place, options.kills)),
            ("database stopped", lambda place: stops(place, options.seconds)),
            ("disk full", fills),
        ):
            server = RtspServer(units, RATE)
            with tempfile.TemporaryDirectory() as own:
                place = Place(server, database, "public", Path(own))
                _empty(database)
                rows += _rows(name, place, fault)
            server.cut()
    show(rows, "Faults")
    if options.csv:
        write(rows, options.csv, 0)


def cuts(place: Place, times: int) -> list[Row]:
    """Cut the stream while somebody passes, and while nobody is there; have it back."""
    down, client = [], 0
    with place.watching() as running:
        for number in range(times):
            somebody = number % 2 == 1
            place.shown(client, SHOWN[0] + 2 * _ENOUGH if somebody else SHOWN[1] + RATE // 2)
            place.server.cut()
            begun, client = time.monotonic(), len(place.server.sent)
            _wait(lambda: running.state.get("camera") in ("lost", "connecting"))
            place.server.listen()
            place.shown(client, 1)
            down.append(time.monotonic() - begun)
        place.shown(client, FRAMES)
        place.quiet()
        losses = running.state["losses"]
    return [
        _row("times", "", str(times)),
        _row("losses that the camera's state tells", "", losses),
        _row("pictures sent again after, at most", "s", f"{max(down):.1f}"),
    ]


def kills(place: Place, times: int) -> list[Row]:
    """Kill the process while it watches, each time a little later in the film."""
    for number in range(times):
        with place.watching(kill=True):
            place.shown(number, 2 * FRAMES + 11 * number)
    with place.watching():
        place.shown(times, FRAMES)
        place.quiet()
    return [_row("times", "", str(times))]


def stops(place: Place, seconds: float) -> list[Row]:
    """Stop the database, and start it again."""
    with place.watching() as running:
        _wait(lambda: int(running.state.get("stored", 0)) >= 1)
        place.database.stop()
        try:
            time.sleep(seconds)
            waiting = int(running.state["waiting"])
        finally:
            place.database.start()
        begun = time.monotonic()
        _wait(lambda: running.state["waiting"] == "0")
        after = time.monotonic() - begun
        place.quiet()
    return [
        _row("without a database", "s", f"{seconds:.0f}"),
        _row("visits that waited in the outbox", "visits", str(waiting)),
        _row("all stored after", "s", f"{after:.1f}"),
    ]


def fills(place: Place) -> list[Row]:
    """Fill the disk of the outbox; then stop the database as well."""
    outbox = place.folder / "outbox"
    outbox.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(outbox)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        return [_row("left out: mounting is not allowed", "", "")]
    try:
        with place.watching() as running:
            _wait(lambda: int(running.state.get("stored", 0)) >= 1)
            _fill(outbox / "ballast")
            known = int(running.state["stored"])
            _wait(lambda: int(running.state["stored"]) >= known + 3)
            place.database.stop()
            try:
                _wait(lambda: int(running.state["held"]) >= 3)
                held = int(running.state["held"])
                (outbox / "ballast").unlink()
                _wait(lambda: running.state["held"] == "0")
            finally:
                place.database.start()
            _wait(lambda: running.state["waiting"] == "0")
            place.quiet()
    finally:
        subprocess.run(["umount", str(outbox)], check=True)
    return [
        _row("visits stored past the full disk, at least", "visits", "3"),
        _row("visits held in memory, without a database", "visits", str(held)),
    ]


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 512):
            pass


def expected(sent: Sequence[int], *, killed: bool) -> int:
    """Return how many passages a client was shown, of those that had to become visits.

    Of a process that is killed only those that were over: what is open then is no finished visit.
    """
    enough = SHOWN[1] + RATE if killed else SHOWN[0] + _ENOUGH
    return sum(n // FRAMES + (n % FRAMES >= enough) for n in sent)


def _rows(name: str, place: Place, fault: Callable[[Place], list[Row]]) -> list[Row]:
    extra = fault(place)
    stored, counted = place.stored()
    lost = set(place.told) - set(stored)
    rows = [
        *extra,
        _row("passages shown", "visits", str(expected(place.server.sent, killed=name == _KILLED))),
        _row("visits finished and handed on", "visits", str(len(place.told))),
        _row("visits stored", "visits", str(len(stored))),
        _row("of those handed on, lost", "visits", str(len(lost))),
        _row("stored twice", "visits", str(len(stored) - len(set(stored)))),
        _row("in the totals", "visits", str(counted)),
    ]
    return [row | {"measure": f"{name}: {row['measure']}"} for row in rows]


def _row(measure: str, unit: str, value: str) -> Row:
    return {"measure": measure, "unit": unit, "value": value}


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come; is the machine too busy?")
        time.sleep(0.02)


def _empty(database: Postgres) -> None:
    """Leave no visit of the fault before."""
    import sqlalchemy as sa

    from mien.watch.store.database import connect

    engine = connect(database.url())
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()


if __name__ == "__main__":
    main()
