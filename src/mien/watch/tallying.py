"""Tallies that go on: one at a place, joined by all who tap there, kept in memory alone."""

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from mien.ages import GROUPS, Groups
from mien.errors import MienError
from mien.watch.store.store import Store
from mien.watch.tally import Session, Tally

LONGEST: Final = timedelta(hours=4)
"""A tally that goes on for longer was forgotten, and is dropped."""

MOST: Final = 64
"""So many may go on at once."""


class Running:
    """A tally that goes on.

    Attributes:
        id: Its name, which cannot be guessed.
        session: The tally.
    """

    def __init__(self, session: Session) -> None:
        self.id = secrets.token_hex(16)
        self.session = session
        self._lock = threading.Lock()
        self._over = False

    def finish(self, ended: datetime, store: Store) -> Tally | None:
        """Finish the tally and store it, once; None if somebody else has just done so.

        Raises:
            MienError: As for `Session.finish`; the tally goes on.
        """
        with self._lock:
            if self._over:
                return None
            tally = self.session.finish(ended, store)
            self._over = True
            return tally


class Tallies:
    """All tallies that go on; any thread may call.

    Args:
        groups: The age groups that can be tapped.
        now: The clock.
    """

    def __init__(
        self, groups: Groups = GROUPS, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._groups, self._now = groups, now
        self._running: dict[str, Running] = {}
        self._lock = threading.Lock()

    def running(self) -> list[Running]:
        """Return the tallies that go on, the oldest first."""
        with self._lock:
            self._drop_forgotten()
            return list(self._running.values())

    def find(self, name: str) -> Running | None:
        """Return a tally by its id; None where there is none, or none any more."""
        return next((one for one in self.running() if one.id == name), None)

    def start(self, camera: str, area: str) -> tuple[Running, bool]:
        """Begin a tally at a place.

        Returns:
            The tally; and whether it is new, or went on there before.

        Raises:
            MienError: Too many go on.
        """
        with self._lock:
            self._drop_forgotten()
            for one in self._running.values():
                if (one.session.camera, one.session.area) == (camera, area):
                    return one, False
            if len(self._running) >= MOST:
                raise MienError(f"{MOST} tallies go on; finish or drop one")
            made = Running(Session(camera, area, self._now(), self._groups))
            self._running[made.id] = made
            return made, True

    def drop(self, name: str) -> bool:
        """Forget a tally; return whether there was one."""
        with self._lock:
            return self._running.pop(name, None) is not None

    def _drop_forgotten(self) -> None:
        now = self._now()
        self._running = {
            name: one for name, one in self._running.items() if now - one.session.started < LONGEST
        }
