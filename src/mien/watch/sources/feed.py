"""A camera's feed: a thread that keeps its source open, whatever happens, and the newest frame."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from mien.watch.config import Camera, Schedule
from mien.watch.sources.health import Health, Monitor, Timing
from mien.watch.sources.opened import Frame, Opened, SourceError


class Feed:
    """Frames of one camera, read by a thread of its own.

    A webcam, a stream, or a file in real time keeps one frame, the newest: whoever is slower than
    the camera misses frames and is never late. A file at full speed waits for whoever takes its
    frames, and misses none. A source that fails, except for a file, is opened again for ever.

    Args:
        camera: The camera.
        schedule: When it is watched; a file is always.
        ready: Called when there is a frame to take, or the feed has ended.
        timing: How patient it is.

    Raises:
        WatchError: The camera's credentials are missing.
    """

    def __init__(
        self,
        camera: Camera,
        schedule: Schedule,
        ready: Callable[[], None],
        timing: Timing | None = None,
    ) -> None:
        self.camera = camera
        self._address = camera.address()
        self._schedule, self._ready = schedule, ready
        self._timing = timing or Timing()
        self._monitor = Monitor(self._timing)
        self._waits = self._address.kind == "file" and not camera.real_time
        self._thinner = Thinner(camera.detect_every, camera.detections)
        self._slot: Frame | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self.ended = False
        self._thread = threading.Thread(
            target=self._run, name=f"mien-camera-{camera.name}", daemon=True
        )

    @property
    def live(self) -> bool:
        """Whether its frames come at the pace of the clock on the wall."""
        return not self._waits

    @property
    def recorded(self) -> bool:
        """Whether it is a file, which has times of its own."""
        return self._address.kind == "file"

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def health(self) -> Health:
        """Return how the camera is now."""
        return self._monitor.health()

    def take(self) -> Frame | None:
        """Return the newest frame that nobody has taken; None if there is none."""
        with self._changed:
            frame, self._slot = self._slot, None
            self._changed.notify_all()
        return frame

    def stop(self, seconds: float = 1.0) -> None:
        """Ask the thread to end, and wait for it a little; a dead camera may hold it longer."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            if self._address.kind == "file":
                self._play()
            else:
                self._keep_open()
        finally:
            self.ended = True
            self._ready()

    def _play(self) -> None:
        """Read a file to its end."""
        starts = self.camera.starts
        if starts is not None and starts.tzinfo is None:
            starts = starts.replace(tzinfo=self._schedule.zone)
        reason = ""
        try:
            self._read(None if starts is None else starts.timestamp())
        except SourceError as error:
            reason = str(error)
        self._monitor.move("ended", reason)

    def _keep_open(self) -> None:
        """Open the source again and again, until the feed is stopped."""
        failures = 0
        while not self._stopped.is_set():
            if not self._schedule.is_open(datetime.now(UTC)):
                self._monitor.move("closed")
                self._stopped.wait(min(10.0, self._timing.longest))
                continue
            # One that is lost stays so, since it was, until frames come again.
            if self._monitor.health().state != "lost":
                self._monitor.move("connecting")
            begun = time.monotonic()
            try:
                self._read(None)
                reason = f"{self._address.shown}: the stream has ended"
            except SourceError as error:
                reason = str(error)
            if self._stopped.is_set() or not self._schedule.is_open(datetime.now(UTC)):
                continue
            self._monitor.move("lost", reason)
            # One that held for longer than it would be waited for is as good as new.
            steady = time.monotonic() - begun > self._timing.delay(failures + 1) + 1
            failures = 1 if steady else failures + 1
            self._stopped.wait(self._timing.delay(failures))

    def _read(self, starts: float | None) -> None:
        source = Opened(
            self._address,
            self._monitor,
            self._timing,
            transport=self.camera.transport,
            starts=starts,
        )
        frozen = _Frozen(self._timing.frozen)
        pace = _Pace(self._stopped) if self.camera.real_time else None
        last: float | None = None
        try:
            for frame in source.frames():
                if self._stopped.is_set() or not self._may_go_on():
                    return
                gap = None if last is None else frame.taken - last
                self._monitor.frame(frame.width, frame.height, gap)
                last = frame.taken
                if not self._thinner.wants(frame.taken):
                    continue
                if pace is not None:
                    pace.wait(frame.taken)
                if self._address.kind != "file" and frozen.is_frozen(frame):
                    raise SourceError(
                        f"{self._address.shown}: the same picture for more than "
                        f"{self._timing.frozen:g} s"
                    )
                self._put(frame)
        finally:
            source.close()
        self._wait_until_taken()

    def _may_go_on(self) -> bool:
        return self._address.kind == "file" or self._schedule.is_open(datetime.now(UTC))

    def _put(self, frame: Frame) -> None:
        with self._changed:
            while self._waits and self._slot is not None and not self._stopped.is_set():
                self._changed.wait(0.5)
            if self._slot is not None and not self._stopped.is_set():
                self._monitor.count(dropped=1)
            self._slot = frame
        self._ready()

    def _wait_until_taken(self) -> None:
        with self._changed:
            while self._waits and self._slot is not None and not self._stopped.is_set():
                self._changed.wait(0.5)


class Thinner:
    """Chooses the frames that are looked at.

    Args:
        every: Each so manieth; 0 for as many as `rate` allows.
        rate: At most so many a second, evenly.
    """

    def __init__(self, every: int, rate: float) -> None:
        self._every, self._period = every, 1 / rate
        self._index = -1
        self._due: float | None = None

    def wants(self, taken: float) -> bool:
        """Return whether the frame that was taken at a time (s) is looked at."""
        self._index += 1
        if self._every:
            return self._index % self._every == 0
        # A frame that comes a little early is taken: times jitter.
        if self._due is not None and -60 < taken - self._due < -0.1 * self._period:
            return False
        following = taken if self._due is None else self._due
        if not abs(taken - following) < self._period:
            following = taken
        self._due = following + self._period
        return True


class _Pace:
    """Plays a file as fast as it was taken."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._offset: float | None = None

    def wait(self, taken: float) -> None:
        now = time.monotonic()
        if self._offset is None:
            self._offset = now - taken
        self._stopped.wait(max(0.0, taken + self._offset - now))


class _Frozen:
    """Notices a camera that sends one and the same picture, bit by bit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sample = b""
        self._since = 0.0

    def is_frozen(self, frame: Frame) -> bool:
        sample = frame.sample()
        now = time.monotonic()
        if sample != self._sample:
            self._sample, self._since = sample, now
        return now - self._since > self._seconds
