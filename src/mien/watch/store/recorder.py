"""From finished visits to the database: first to the local outbox, then, when it can, to the store.

`Recorder.record` returns when a visit is on the disk. A thread of its own drains the outbox, in
order; while the database cannot be reached it tries again, at first after a second, then ever less
often. While the disk is full, visits wait in memory, or go to the database directly.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mien.errors import MienError, OutputError, StoreError
from mien.watch.store.database import RefusedError
from mien.watch.store.outbox import SEGMENT, Outbox, Record
from mien.watch.store.store import Store
from mien.watch.visit import Visit

_log = logging.getLogger(__name__)

_BATCH: Final = 500
_IDLE: Final = 1.0
_FORGETTING: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class State:
    """How a recorder fares.

    Attributes:
        waiting: Visits on the local disk that the database does not have yet.
        held: Visits in memory alone, because the disk takes none.
        stored: Visits that the database took since the start.
        refused: Visits that it refuses for good; each is named in the log.
        damaged: Lines of the outbox that cannot be read.
        lost: Visits dropped because disk, database and memory were all full or out of reach.
        problem: Why visits wait; empty while all is well.
        since: Since when.
    """

    waiting: int
    held: int
    stored: int
    refused: int
    damaged: int
    lost: int
    problem: str
    since: datetime


class Recorder:
    """Takes finished visits from any thread, and loses none.

    Args:
        outbox: Folder of the outbox.
        connect: Opens the store; called again whenever it failed.
        keep: How long visits are kept; None for ever. Totals stay.
        memory: How many visits may wait in memory while the disk is full.
        pauses: The shortest and the longest time between two tries, in seconds.
        segment: Size in bytes of the outbox's files.

    Raises:
        StoreError: Another process uses the outbox.
        OutputError: The outbox cannot be written at all.
    """

    def __init__(
        self,
        outbox: Path,
        connect: Callable[[], Store],
        *,
        keep: timedelta | None = None,
        memory: int = 10_000,
        pauses: tuple[float, float] = (1, 60),
        segment: int = SEGMENT,
    ) -> None:
        self._outbox = Outbox(outbox, segment=segment)
        self._connect, self._keep, self._memory, self._pauses = connect, keep, memory, pauses
        self._held: deque[Visit] = deque()
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._hurry = threading.Event()
        self._steps = 0
        self._store: Store | None = None
        self._drained: int | None = None
        self._stored = self._refused = self._damaged = self._lost = 0
        self._full = self._unreachable = ""
        self._since = datetime.now(UTC)
        self._forgotten: datetime | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        """How it fares at this moment."""
        with self._lock:
            return State(
                # Before the database was asked, all that lies there may be waiting.
                waiting=self._outbox.last - (self._drained or 0),
                held=len(self._held),
                stored=self._stored,
                refused=self._refused,
                damaged=self._damaged,
                lost=self._lost,
                problem="; ".join(text for text in (self._full, self._unreachable) if text),
                since=self._since,
            )

    def record(self, visit: Visit) -> bool:
        """Take a visit.

        Returns:
            Whether it is safe on the disk; if not, it is held in memory and tried again.
        """
        with self._lock:
            if self._closing:
                raise StoreError("this recorder is closed; open another")
            self._held.append(visit)
            self._spill()
            safe = not self._held
            while len(self._held) > self._memory:
                self._lose("no room on the disk or in memory")
        self._wake.set()
        return safe

    def flush(self, timeout: float = 10) -> bool:
        """Wait until all visits are stored; return whether they are.

        A database that could not be reached is tried again at once.
        """
        self._hurry.set()

        def stored() -> bool:
            state = self.state
            return not state.held and not state.waiting and self._drained is not None

        return self._wait(stored, timeout)

    def close(self, timeout: float = 10) -> None:
        """Store what can be stored in a time, and end; the rest waits in the outbox.

        What the disk did not take either is lost; it is counted, and named in the log.
        """
        if self._unreachable:
            # It may be back by now, in the midst of the pause between two tries.
            before = self._steps
            self._hurry.set()
            self._wait(lambda: self._steps > before, timeout)
        if not self._unreachable:
            self.flush(timeout)
        with self._lock:
            self._closing = True
            self._spill()
        self._wake.set()
        self._hurry.set()
        self._thread.join()
        with self._lock:
            while self._held:
                self._lose("the disk took none and the database could not be reached")
            if self._drained is not None:
                self._outbox.clear(self._drained)
        self._outbox.close()
        if self._store is not None:
            self._store.close()

    def _spill(self) -> None:
        """Bring what is held to the disk, in order; the caller has the lock."""
        try:
            while self._held:
                self._outbox.append(self._held[0])
                self._held.popleft()
            self._tell("_full", "")
        except OutputError as error:
            self._tell("_full", str(error))

    def _lose(self, reason: str) -> None:
        """Drop the oldest visit that is held; the caller has the lock."""
        dropped = self._held.popleft()
        self._lost += 1
        _log.error("visit %s is lost: %s", dropped.id, reason)

    def _wait(self, done: Callable[[], bool], timeout: float) -> bool:
        """Wait until something is so; return whether it is."""
        deadline = threading.Event()
        for _ in range(int(timeout / 0.02) + 1):
            if done():
                return True
            self._wake.set()
            deadline.wait(0.02)
        return False

    def _tell(self, name: str, problem: str) -> None:
        known = getattr(self, name)
        if problem == known:
            return
        setattr(self, name, problem)
        if bool(problem) != bool(known):
            self._since = datetime.now(UTC)
            if problem:
                _log.warning("visits wait: %s", problem)
            else:
                _log.info("visits flow again")

    def _run(self) -> None:
        shortest, longest = self._pauses
        pause = shortest
        while not self._closing:
            try:
                busy = self._step()
            except Exception as error:
                # Whatever it is, visits must not stop flowing when it is over.
                if not isinstance(error, MienError | OSError):
                    _log.exception("the outbox is not drained")
                with self._lock:
                    self._tell("_unreachable", str(error))
                    self._steps += 1
                self._rest(pause)
                pause = min(2 * pause, longest)
                continue
            pause = shortest
            with self._lock:
                self._tell("_unreachable", "")
                self._steps += 1
            if not busy:
                self._wake.wait(_IDLE)
                self._wake.clear()

    def _rest(self, seconds: float) -> None:
        """Wait, whoever records meanwhile; but not when closing, nor when one waits for it."""
        self._hurry.wait(seconds)
        self._hurry.clear()

    def _step(self) -> bool:
        """Bring one batch to the database; return whether there may be more."""
        store = self._opened()
        with self._lock:
            self._spill()
            direct = list(self._held)[:_BATCH]
            after = self._drained or 0
            records = self._outbox.read(after, _BATCH)
        if records:
            self._drain(store, records)
        elif direct:
            self._stored += store.add(direct)
            known = {visit.id for visit in direct}
            with self._lock:
                # Some may have found room on the disk meanwhile: stored twice, they count once.
                self._held = deque(visit for visit in self._held if visit.id not in known)
        self._forget(store)
        return bool(records or direct)

    def _opened(self) -> Store:
        if self._store is None:
            store = self._connect()
            drained = store.drained(self._outbox.id)
            with self._lock:
                if drained > self._outbox.last:
                    self._outbox.renew()
                    drained = 0
                self._store, self._drained = store, drained
        return self._store

    def _drain(self, store: Store, records: list[Record]) -> None:
        good = [(number, visit) for number, visit in records if visit is not None]
        last = records[-1].number
        try:
            self._stored += store.drain(self._outbox.id, good, last)
        except RefusedError:
            for number, visit in good:
                self._drain_one(store, number, visit)
            store.drain(self._outbox.id, [], last)
        with self._lock:
            self._drained = last
            self._outbox.drop(last)
        for record in records:
            if record.visit is None:
                self._damaged += 1
                _log.error("line %d of the outbox is damaged: its visit is lost", record.number)

    def _drain_one(self, store: Store, number: int, visit: Visit) -> None:
        try:
            self._stored += store.drain(self._outbox.id, [(number, visit)], number)
        except RefusedError as error:
            self._refused += 1
            _log.error("visit %s is refused for good: %s", visit.id, error)

    def _forget(self, store: Store) -> None:
        now = datetime.now(UTC)
        if self._forgotten and now - self._forgotten < _FORGETTING:
            return
        self._forgotten = now
        with self._lock:
            self._outbox.clear(self._drained or 0)
        if self._keep is None:
            return
        if deleted := store.forget(now - self._keep):
            _log.info("%d visits were older than %s and deleted; totals stay", deleted, self._keep)
