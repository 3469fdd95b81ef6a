"""All cameras of a watch together: newest frames, one detector, one batch, finished visits."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.cores import usable
from mien.errors import ModelError
from mien.faces import Detector, Face
from mien.model import Model
from mien.pixels import Image
from mien.watch.config import Area, Config, WatchError
from mien.watch.crops import Album, Answers, Wanted
from mien.watch.lane import Lane, Present
from mien.watch.sources.feed import Feed
from mien.watch.sources.health import Health, Timing
from mien.watch.sources.opened import Frame
from mien.watch.tracking import DOUBTFUL
from mien.watch.visit import Kind, Visit

_log: Final = logging.getLogger("mien.watch")

_TICK: Final = 0.5
_RETRY: Final = 1.0
_MOST_UNSENT: Final = 100_000
_SHOWING: Final = ("live", "stalled", "ended")


class Sink(Protocol):
    """Takes finished visits."""

    def put(self, visits: Sequence[Visit], /) -> None:
        """Take visits; on return they are safe.

        A visit has its id before it comes here. If this raises, the same visits come again, those
        that were taken too: a sink drops what it knows by its id.
        """


@dataclass(frozen=True)
class Status:
    """How a camera is, and what it has given.

    Attributes:
        name: The camera's name.
        source: Its source without credentials.
        health: How its source is.
        present: The faces before it now.
        counted: Finished visits of each kind since the start.
        unread: Visits without an age, because the network failed; they are not counted.
        failed: Frames that could not be worked on.
        areas: Its areas.
    """

    name: str
    source: str
    health: Health
    present: Sequence[Present]
    counted: dict[Kind, int]
    unread: int
    failed: int
    areas: Sequence[Area]


@dataclass(eq=False)
class _Channel:
    feed: Feed
    lane: Lane
    newest: Image | None = None
    failed: int = 0
    seen: float = 0.0
    over: bool = False


class Watch:
    """Watches cameras, and gives visits to a sink.

    Args:
        config: What to watch.
        sink: Takes the visits.
        model: An open model; None to open the configuration's.
        timing: How patient the feeds are.

    Raises:
        ModelError: The model cannot be used.
        WatchError: The model cannot read what is configured, or credentials are missing.
    """

    def __init__(
        self,
        config: Config,
        sink: Sink,
        *,
        model: Model | None = None,
        timing: Timing | None = None,
    ) -> None:
        threads = config.threads or usable()
        self._model = model or Model.open(config.model, threads=threads)
        self._tasks = _tasks(config, self._model)
        self._config, self._sink, self._threads = config, sink, threads
        self._detector = Detector(size=config.tracking.detect_size, min_score=DOUBTFUL)
        self._event = threading.Event()
        self._stopped = threading.Event()
        self._channels = [
            _Channel(
                Feed(camera, config.schedule, self._event.set, timing),
                Lane(camera, config, self._model.card),
            )
            for camera in config.cameras
        ]
        self._unsent: list[Visit] = []
        self._next_attempt = 0.0

    def stop(self) -> None:
        """Ask `run` to end; it finishes what is open. Any thread, and a signal, may call this."""
        self._stopped.set()
        self._event.set()

    def status(self) -> list[Status]:
        """Return how the cameras are. Any thread may call this."""
        return [
            Status(
                channel.lane.camera.name,
                channel.lane.camera.shown,
                channel.feed.health(),
                channel.lane.present(),
                dict(channel.lane.counted),
                channel.lane.unread,
                channel.failed,
                channel.lane.camera.areas,
            )
            for channel in self._channels
        ]

    @property
    def model(self) -> Model:
        """The model that reads the faces."""
        return self._model

    def redraw(self, camera: str, areas: Sequence[Area]) -> None:
        """Give a camera other areas, from its next frame on. Any thread may call this.

        Raises:
            KeyError: There is no such camera.
        """
        self._named(camera).lane.redraw(areas)

    def still(self, camera: str) -> Image | None:
        """Return the newest frame that was looked at; None while a camera gives none.

        Any thread may call this; the pixels are not to be changed.

        Raises:
            KeyError: There is no such camera.
        """
        channel = self._named(camera)
        return channel.newest if channel.feed.health().state in _SHOWING else None

    def _named(self, camera: str) -> _Channel:
        return {channel.lane.camera.name: channel for channel in self._channels}[camera]

    def run(self) -> None:
        """Watch until all files have ended, or until `stop`; then finish all open visits."""
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self._threads, "mien-detect"))
            for channel in self._channels:
                channel.feed.start()
                stack.callback(channel.feed.stop)
            while not self._stopped.is_set() and not all(c.over for c in self._channels):
                if not self._step(pool.map):
                    self._event.wait(_TICK)
                    self._event.clear()
            for channel in self._channels:
                channel.lane.end()
            self._send(last=True)

    def _step(self, side_by_side: Callable[..., Any]) -> bool:
        """Work on the newest frame of each camera; return whether there was any."""
        frames = [(c, frame) for c in self._channels if (frame := self._take(c)) is not None]
        found = list(side_by_side(self._look, frames)) if len(frames) > 1 else None
        for index, (channel, frame) in enumerate(frames):
            looked = found[index] if found is not None else self._look((channel, frame))
            if looked is not None:
                self._guard(channel, channel.lane.take, looked[1], looked[0], frame.taken)
        self._read()
        self._send()
        return bool(frames)

    def _take(self, channel: _Channel) -> Frame | None:
        # In this order: a feed puts its last frame before it ends.
        ended = channel.feed.ended
        frame = channel.feed.take()
        now = time.monotonic()
        if channel.newest is not None and channel.feed.health().state not in _SHOWING:
            channel.newest = None  # an old picture is nobody's to look at
        if frame is not None:
            channel.seen = now
        elif ended and not channel.over:
            channel.over = True
            self._guard(channel, channel.lane.end)
        elif not channel.feed.recorded and now - channel.seen > self._config.tracking.hidden:
            self._guard(channel, channel.lane.advance, time.time())
        return frame

    def _look(self, taken: tuple[_Channel, Frame]) -> tuple[Image, list[Face]] | None:
        """Return a frame's pixels and the faces in it; None if that fails."""
        channel, frame = taken
        found: list[tuple[Image, list[Face]]] = []

        def look() -> None:
            pixels = frame.pixels()
            channel.newest = pixels
            found.append((pixels, self._detector.detect(pixels)))

        self._guard(channel, look)
        return found[0] if found else None

    def _guard(self, channel: _Channel, work: Callable[..., None], *values: Any) -> None:
        """Do a camera's work; where it fails, the other cameras go on."""
        try:
            work(*values)
        except Exception:
            channel.failed += 1
            if channel.failed in (1, 10, 100, 1000):
                _log.exception("camera %r: a frame failed", channel.lane.camera.name)

    def _read(self) -> None:
        """Read the crops that are due, of all cameras together."""
        due: list[tuple[Album, Wanted]] = [
            item for channel in self._channels for item in channel.lane.due()
        ]
        if not due:
            return
        try:
            outputs = self._model.run(np.stack([w.pixels for _, w in due]), self._tasks)
        except ModelError:
            _log.exception("%d crops were not read", len(due))
            return
        female = self._female(outputs)
        for row, (album, wanted) in enumerate(due):
            expressions = outputs["expression"][row] if "expression" in outputs else None
            album.add(
                Answers(
                    wanted.quality,
                    outputs["age"][row],
                    None if female is None else float(female[row]),
                    expressions,
                )
            )

    def _female(self, outputs: dict[str, NDArray[np.float32]]) -> NDArray[np.float32] | None:
        if "gender" not in outputs:
            return None
        return outputs["gender"][:, self._model.card.task("gender").labels.index("female")]

    def _send(self, *, last: bool = False) -> None:
        for channel in self._channels:
            self._unsent += channel.lane.visits()
        if not self._unsent or (time.monotonic() < self._next_attempt and not last):
            return
        try:
            self._sink.put(self._unsent)
        except Exception:
            self._next_attempt = time.monotonic() + _RETRY
            _log.exception("%d visits could not be handed on", len(self._unsent))
            if last:
                raise
            # A sink that fails for days must not fill the memory; what is lost is told.
            if (lost := len(self._unsent) - _MOST_UNSENT) > 0:
                _log.error("%d visits are lost", lost)
                del self._unsent[:lost]
            return
        self._unsent = []


def _tasks(config: Config, model: Model) -> list[str]:
    """Return the tasks that are read.

    Raises:
        WatchError: The model does not have them.
    """
    wanted = {"age": "age"}
    if config.tasks.gender:
        wanted["gender"] = "classification"
    if config.tasks.expression is not None:
        wanted["expression"] = "classification"
    if model.card.input.framing != "face":
        raise WatchError(f"{model.name}: reads whole pictures, not faces")
    have = {task.name: task.kind for task in model.card.tasks}
    for name, kind in wanted.items():
        if have.get(name) != kind:
            raise WatchError(f"{model.name}: cannot read {name}; it reads {', '.join(have)}")
    if "gender" in wanted and "female" not in model.card.task("gender").labels:
        raise WatchError(f"{model.name}: its task gender has no label female")
    return list(wanted)
