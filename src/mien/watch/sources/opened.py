"""A source that is open: its frames, decoded by FFmpeg, with the time at which each was taken."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError
from av.video.frame import VideoFrame

from mien.errors import MienError
from mien.pixels import Image
from mien.watch.sources.address import Address
from mien.watch.sources.health import Monitor, Timing

_ONE_THREAD: Final = 1920 * 1080
_DAMAGED: Final = 500


class SourceError(MienError):
    """A source that cannot be opened, or gives no more frames; shows no credentials."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of a camera.

    Attributes:
        taken: When it was taken, in seconds since 1970.
        width: Its width in pixels, upright.
        height: Its height in pixels, upright.
    """

    taken: float
    width: int
    height: int
    _decoded: VideoFrame

    @classmethod
    def of(cls, decoded: VideoFrame, taken: float) -> "Frame":
        """Return the frame for what FFmpeg decoded; its pixels are made when asked for."""
        width, height = decoded.width, decoded.height
        if decoded.rotation % 180:
            width, height = height, width
        return cls(taken, width, height, decoded)

    def pixels(self) -> Image:
        """Return the frame upright: height x width x 3, RGB, uint8."""
        pixels = self._decoded.to_ndarray(format="rgb24")
        turns = round(self._decoded.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns), np.uint8)

    def sample(self) -> bytes:
        """Return some of its bytes: two frames that share them are the same picture."""
        plane = np.frombuffer(memoryview(self._decoded.planes[0]), np.uint8)
        return plane[:: max(1, plane.size // 4096)].tobytes()


class Opened:
    """An open source.

    Args:
        address: What to open.
        monitor: Is told of damaged packets and of frames that were left out.
        timing: How long to wait.
        transport: How RTSP brings the pictures, "tcp" or "udp".
        starts: When a file's recording began, in seconds since 1970; None for what it says itself.

    Raises:
        SourceError: It cannot be opened, or holds no pictures.
    """

    def __init__(
        self,
        address: Address,
        monitor: Monitor,
        timing: Timing,
        *,
        transport: str = "tcp",
        starts: float | None = None,
    ) -> None:
        self._address, self._monitor, self._timing = address, monitor, timing
        self._container = self._open(transport)
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"{address.shown}: holds no pictures")
        self._stream = self._container.streams.video[0]
        context = self._stream.codec_context
        # Decoding one picture by several threads pays, and delays frames, only where it is large.
        context.thread_count = 1 if context.width * context.height <= _ONE_THREAD else 0
        self._start = 0.0
        if address.kind == "file":
            self._start = self._begin() if starts is None else starts

    def _open(self, transport: str) -> Any:
        options: dict[str, str] = {}
        name, form = self._address.target, None
        if self._address.kind == "webcam":
            name, form = f"/dev/video{int(name)}", "v4l2"
        elif self._address.kind == "stream":
            options = {
                "rtsp_transport": transport,
                "fflags": "nobuffer",
                "flags": "low_delay",
                # Microseconds that are looked at for the rate before the first frame is given.
                "analyzeduration": "1000000",
            }
        waits = (self._timing.opening, self._timing.reading)
        limited = None if self._address.kind == "file" else waits
        try:
            return av.open(name, format=form, options=options, timeout=limited)
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self._address.shown}: {_reason(error)}") from None

    def _begin(self) -> float:
        """Return when a file's recording began, as well as it can be known."""
        said = self._container.metadata.get("creation_time", "")
        with suppress(ValueError):
            moment = datetime.fromisoformat(said)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        length = (self._container.duration or 0) / av.time_base
        return Path(self._address.target.removeprefix("file:")).stat().st_mtime - length

    def frames(self) -> Iterator[Frame]:
        """Give the frames, as they come, until the source ends.

        Raises:
            SourceError: It went away, or gives nothing that can be decoded.
        """
        clock = _FileClock(self._start) if self._address.kind == "file" else _LiveClock()
        try:
            for decoded in self._decode():
                yield Frame.of(decoded, clock.at(decoded))
        except (FFmpegError, OSError) as error:
            raise SourceError(f"{self._address.shown}: {_reason(error)}") from None

    def _decode(self) -> Iterator[VideoFrame]:
        late = _Lateness(self._timing.lag) if self._address.kind == "stream" else None
        damaged = 0
        for packet in self._container.demux(self._stream):
            if late is not None and late.leaves_out(packet):
                self._monitor.count(dropped=1)
                continue
            try:
                found = packet.decode()
            except InvalidDataError:
                damaged += 1
                self._monitor.count(damaged=1)
                if damaged > _DAMAGED:
                    raise
                continue
            if found:
                damaged = 0
            yield from found

    def close(self) -> None:
        """Let go of the source."""
        with suppress(FFmpegError, OSError):
            self._container.close()


class _FileClock:
    """A file's own clock: it begins at `start`, and never goes back."""

    def __init__(self, start: float) -> None:
        self._start, self._last, self._shift = start, 0.0, 0.0
        self._begun = False

    def at(self, frame: Any) -> float:
        said = frame.time
        if not self._begun:
            self._begun, self._shift = True, -(said or 0.0)
        elif said is None or said + self._shift <= self._last:
            # Without a time, or with one that jumps back, it comes one frame after the last.
            following = self._last + 0.04
            self._shift = self._shift if said is None else following - said
            self._last = following
            return self._start + following
        self._last = (said or 0.0) + self._shift
        return self._start + self._last


class _LiveClock:
    """The time of arrival. The machine's clock may be set meanwhile; that is followed at once."""

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()

    def at(self, _frame: VideoFrame) -> float:
        now = time.monotonic()
        if abs(time.time() - self._base - now) > 1:
            self._base = time.time() - now
        return self._base + now


class _Lateness:
    """Tells which packets of a stream that has fallen behind are left out: all up to a key frame.

    Args:
        limit: By how many seconds it may be behind.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit, clock
        self._least: float | None = None
        self._catching_up = False

    def leaves_out(self, packet: Any) -> bool:
        if packet.pts is None or packet.time_base is None:
            return False
        behind = self._clock() - float(packet.pts * packet.time_base)
        if self._least is None or not -self._limit < behind - self._least < 60:
            self._least = behind  # the first one, or the stream's own clock has jumped
        self._least = min(self._least, behind)
        late = behind - self._least > self._limit
        if self._catching_up:
            self._catching_up = late or not packet.is_keyframe
        else:
            self._catching_up = late and not packet.is_keyframe
        return self._catching_up


def _reason(error: Exception) -> str:
    """Return why, from the error's number: its text may hold the URL with its credentials."""
    if isinstance(error, av.error.ExitError):
        return "no answer in time"
    if isinstance(error, FFmpegError | OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return "cannot be opened" if isinstance(error, ValueError) else type(error).__name__
