"""How a camera is: its state, since when, and what it gives."""

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

State = Literal["connecting", "live", "stalled", "lost", "closed", "ended"]
"""The source is being opened; gives frames; gives none, or the same one again and again; is gone
and will be tried again; is not watched outside the opening hours; a file has come to its end."""

STATES: Final[tuple[State, ...]] = ("connecting", "live", "stalled", "lost", "closed", "ended")


@dataclass(frozen=True)
class Timing:
    """How patient a feed is; all in seconds.

    Attributes:
        opening: A source must open within this.
        reading: A frame must come within this, or the source is opened anew.
        stalled: Without a frame for so long a camera counts as stalled.
        frozen: So long the same picture, bit by bit, is no camera's: it is opened anew.
        first: Before the second attempt; each further one waits twice as long ...
        longest: ... but no longer than this.
        lag: A stream that is later than this is caught up with by leaving frames out.
    """

    opening: float = 10
    reading: float = 6
    stalled: float = 2
    frozen: float = 30
    first: float = 1
    longest: float = 60
    lag: float = 1.5

    def delay(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        return float(min(self.longest, self.first * 2 ** min(failures - 1, 30)))


@dataclass(frozen=True)
class Health:
    """How a camera is.

    Attributes:
        state: Its state.
        since: When that began.
        reason: Why it is stalled, lost or ended early; without credentials.
        width: Width of its pictures in pixels; 0 before the first.
        height: Height, likewise.
        rate: Frames a second that came of late; 0 while none come. What a file had, at its end.
        frames: Frames that came, in all.
        dropped: Frames that were due to be looked at and left out, for want of time.
        damaged: Packets that could not be decoded.
        losses: How often the source went away after it was live.
    """

    state: State
    since: datetime
    reason: str = ""
    width: int = 0
    height: int = 0
    rate: float = 0.0
    frames: int = 0
    dropped: int = 0
    damaged: int = 0
    losses: int = 0


class Monitor:
    """Keeps a camera's health; threads may share it.

    Args:
        timing: When a camera counts as stalled.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._lock = threading.Lock()
        self._health = Health("connecting", datetime.now(UTC))
        self._last = time.monotonic()
        self._gap = 0.0

    def health(self) -> Health:
        """Return how the camera is now."""
        with self._lock:
            silent = time.monotonic() - self._last
            if self._health.state == "live" and silent > self._timing.stalled:
                self._move("stalled", f"no frame for more than {self._timing.stalled:g} s")
            return self._health

    def move(self, state: State, reason: str = "") -> None:
        """Note a new state."""
        with self._lock:
            self._move(state, reason)

    def _move(self, state: State, reason: str) -> None:
        lost = state == "lost" and self._health.state in ("live", "stalled")
        changed = state != self._health.state
        self._health = replace(
            self._health,
            state=state,
            since=datetime.now(UTC) if changed else self._health.since,
            reason=reason,
            losses=self._health.losses + lost,
            rate=self._health.rate if state in ("live", "ended") else 0.0,
        )
        self._last = time.monotonic()

    def frame(self, width: int, height: int, gap: float | None) -> None:
        """Note a frame of a size, that came so many seconds after the one before."""
        with self._lock:
            if self._health.state not in ("live", "stalled"):
                self._gap = 0.0
            if gap is not None and gap > 0:
                # A mean over about the last 25 frames.
                self._gap = gap if not self._gap else self._gap + (gap - self._gap) / 25
            if self._health.state != "live":
                self._move("live", "")
            self._last = time.monotonic()
            self._health = replace(
                self._health,
                width=width,
                height=height,
                rate=round(1 / self._gap, 2) if self._gap else 0.0,
                frames=self._health.frames + 1,
            )

    def count(self, **counts: int) -> None:
        """Add to `dropped` or `damaged`."""
        with self._lock:
            changed: dict[str, Any] = {
                name: getattr(self._health, name) + more for name, more in counts.items()
            }
            self._health = replace(self._health, **changed)
