"""Faces that never move: pictures on walls, which a detector finds as readily as people."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mien.watch.tracking import Box

_APART: Final = 1.0
_MOST: Final = 240
_SHARE: Final = 0.9
_SHORTEST: Final = 2.0
_SIZE: Final = 0.25
_PLACES: Final = 100


@dataclass(eq=False)
class Places:
    """Where a face has been: a bounded number of places, evenly spread over the time."""

    _boxes: list[Box] = field(default_factory=list)
    _apart: float = _APART
    _due: float = -np.inf

    def add(self, box: Box, now: float) -> None:
        """Take where the face is at a time, in seconds."""
        if now < self._due:
            return
        self._due = now + self._apart
        self._boxes.append(box)
        if len(self._boxes) > _MOST:
            self._boxes = self._boxes[::2]
            self._apart *= 2

    def resting(self, motion: float) -> Box | None:
        """Return the place at which the face has been all the time; None if it has moved.

        Somebody who passes may be taken for the picture for a moment: a tenth of the places may lie
        elsewhere.

        Args:
            motion: How far from the place it may have been, in widths of the face.
        """
        if not self._boxes:
            return None
        rows = np.array([(b.x, b.y, b.width, b.height) for b in self._boxes])
        x, y, width, height = np.median(rows, axis=0).tolist()
        near = np.hypot(rows[:, 0] - x, rows[:, 1] - y) <= motion * width
        return Box(x, y, width, height) if float(near.mean()) >= _SHARE else None


@dataclass(eq=False)
class _Rest:
    box: Box
    seconds: float


class Posters:
    """Remembers where faces rested: what covers a picture for a while ends its track, but not it.

    Args:
        after: A face that rests for so many seconds, in all, is a picture.
        motion: As for `Places.resting`.
    """

    def __init__(self, after: float, motion: float) -> None:
        self._after, self._motion = after, motion
        self._known: list[_Rest] = []

    def is_one(self, places: Places, seconds: float) -> bool:
        """Return whether a track that has ended, after so many seconds, was a picture's."""
        box = places.resting(self._motion)
        if box is None or seconds < _SHORTEST:
            return False
        rest = self._at(box)
        rest.seconds += seconds
        return rest.seconds >= self._after

    def _at(self, box: Box) -> _Rest:
        rest = self._find(box)
        if rest is None:
            rest = _Rest(box, 0.0)
        else:
            self._known.remove(rest)
        # What was met last is kept longest.
        self._known.append(rest)
        del self._known[:-_PLACES]
        return rest

    def _find(self, box: Box) -> _Rest | None:
        return next((r for r in self._known if _same(r.box, box, self._motion)), None)

    def shows(self, places: Places, seconds: float) -> bool:
        """Return whether a track that goes on, for so many seconds now, is a picture's by now."""
        box = places.resting(self._motion)
        if box is None:
            return False
        rest = self._find(box)
        return seconds + (rest.seconds if rest else 0.0) >= self._after


def _same(one: Box, other: Box, motion: float) -> bool:
    near = np.hypot(one.x - other.x, one.y - other.y) <= motion * one.width
    return bool(near and abs(np.log(one.width / other.width)) < _SIZE)
