"""Live totals every few seconds, for whoever wants them: the stream, Prometheus, MQTT."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from mien.errors import MienError
from mien.watch.areas import WHOLE
from mien.watch.config import Config
from mien.watch.live import LiveTotals, Place, live
from mien.watch.run import Status
from mien.watch.store.recorder import State
from mien.watch.store.store import Store
from mien.watch.suppression import stepped

_log: Final = logging.getLogger("mien.watch")

EVERY: Final = 2.0
"""Seconds between two editions."""


class Reader(Protocol):
    """Gets each edition."""

    def read(self, edition: "Edition", /) -> None:
        """Take an edition; what this raises is logged, and harms no other reader."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What is known at a moment.

    Attributes:
        time: The moment.
        totals: Live totals, in whole steps of k.
        cameras: How the cameras are.
        recorder: How visits come to the store, their numbers in whole steps of k; None where
            none are recorded.
        problem: Why the totals are old, or missing; empty while all is well.
        number: Rises by one with each edition.
    """

    time: datetime
    totals: Sequence[LiveTotals] = ()
    cameras: Sequence[Status] = ()
    recorder: State | None = None
    problem: str = ""
    number: int = 0


@dataclass(frozen=True)
class Sources:
    """Where a bulletin has it from.

    Attributes:
        store: Gives the store of visits; may raise.
        cameras: Gives how the cameras are.
        recorder: Gives how the recorder fares.
    """

    store: Callable[[], Store]
    cameras: Callable[[], Sequence[Status]] = field(default=lambda: ())
    recorder: Callable[[], State | None] = field(default=lambda: None)


class Bulletin:
    """Makes an edition every few seconds, in a thread of its own.

    Args:
        config: The watch's configuration.
        sources: Where it has it from.
        readers: Who gets each edition.
        every: Seconds between two.

    Attributes:
        newest: The newest edition.
    """

    def __init__(
        self,
        config: Config,
        sources: Sources,
        readers: Sequence[Reader] = (),
        every: float = EVERY,
    ) -> None:
        self._config, self._sources, self._readers = config, sources, readers
        self._every = every
        self._over = threading.Event()
        self.newest = Edition(datetime.now(UTC))
        self._thread = threading.Thread(target=self._run, name="mien-bulletin", daemon=True)

    def start(self) -> None:
        """Begin; the first edition is out on return."""
        self._publish()
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._publish()

    def _publish(self) -> None:
        edition = self._edition()
        self.newest = edition
        for reader in self._readers:
            try:
                reader.read(edition)
            except Exception:
                _log.exception("live totals were not handed on")

    def _edition(self) -> Edition:
        k = self._config.privacy.k
        cameras = self._sources.cameras()
        recorder = self._sources.recorder()
        edition = replace(
            self.newest,
            time=datetime.now(UTC),
            cameras=cameras,
            recorder=None if recorder is None else in_steps(recorder, k),
            number=self.newest.number + 1,
        )
        try:
            totals = live(
                self._sources.store(),
                edition.time,
                _zeros(self.newest.totals) | present(cameras),
                groups=self._config.age_groups,
                k=k,
            )
        except (MienError, OSError) as error:
            if not self.newest.problem:
                _log.warning("live totals wait: %s", error)
            return replace(edition, problem="the store of visits cannot be read at the moment")
        return replace(edition, totals=totals, problem="")


def _zeros(told: Sequence[LiveTotals]) -> dict[Place, int]:
    """Return nobody for each area of which something was told: its zeros are told once more.

    Else who keeps the newest totals would show yesterday's where nobody has come today yet.
    """
    return {
        (one.camera, one.area): 0
        for one in told
        if one.visits or one.present or any(one.ages.values())
    }


def present(cameras: Sequence[Status]) -> dict[Place, int]:
    """Return who is in each area now, areas in which nobody is too."""
    found: Counter[Place] = Counter()
    for camera in cameras:
        areas = [area.name for area in camera.areas if not area.ignore] or [WHOLE]
        found.update({(camera.name, area): 0 for area in areas})
        found.update((camera.name, one.area) for one in camera.present if one.area is not None)
    return found


def in_steps(state: State, k: int) -> State:
    """Return a recorder's state whose numbers tell of no single visit; faults stay exact."""
    return replace(
        state,
        waiting=stepped(state.waiting, k),
        held=stepped(state.held, k),
        stored=stepped(state.stored, k),
    )
