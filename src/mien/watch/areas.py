"""Areas of a camera's view: which of them a point lies in, and when somebody changes over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WHOLE: Final = "whole view"
"""Name of the area that a camera without areas has."""

Polygon = Sequence[tuple[float, float]]
"""Corners, x and y from 0 to 1 of the picture's width and height."""


def area_of_polygon(polygon: Polygon) -> float:
    """Return a polygon's signed area (the shoelace formula)."""
    return sum(_cross(polygon, i) for i in range(len(polygon))) / 2


def _cross(polygon: Polygon, index: int) -> float:
    (x0, y0), (x1, y1) = polygon[index - 1], polygon[index]
    return x0 * y1 - x1 * y0


def holds(polygon: Polygon, x: float, y: float) -> bool:
    """Return whether a point lies in a polygon, by the number of edges to its right.

    A point on an edge that two polygons share lies in exactly one of them.
    """
    inside = False
    for i in range(len(polygon)):
        (x0, y0), (x1, y1) = polygon[i - 1], polygon[i]
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


@dataclass(frozen=True)
class Zones:
    """The areas of one camera.

    Attributes:
        counted: Names and polygons of the areas that count, the first of which wins.
        ignored: Polygons in which faces are passed over.
    """

    counted: Sequence[tuple[str, Polygon]] = ()
    ignored: Sequence[Polygon] = ()

    def ignores(self, x: float, y: float) -> bool:
        """Return whether a face with its centre at a point (0 to 1) is passed over."""
        return any(holds(polygon, x, y) for polygon in self.ignored)

    def find(self, x: float, y: float) -> str | None:
        """Return the area that a point lies in; None for none of them.

        A point below the picture, where feet may be, counts as on its lower edge.
        """
        if not self.counted:
            return WHOLE
        x, y = (min(max(value, 0.0), 1 - 1e-9) for value in (x, y))
        return next((name for name, polygon in self.counted if holds(polygon, x, y)), None)


@dataclass
class Stay:
    """A stretch of time in one area.

    Attributes:
        area: The area's name.
        entered: When it began, in seconds of the camera's clock.
        left: When the face was last seen there.
    """

    area: str
    entered: float
    left: float


class Path:
    """Where one track is, frame after frame, and the stays that come of it.

    A change of area counts once it has been seen in `border` frames in a row, from the first of
    them on; until then the old stay goes on. Whoever comes back within `hidden` seconds was never
    away.

    Args:
        border: Frames in a row that decide.
        hidden: Seconds.
    """

    def __init__(self, border: int, hidden: float) -> None:
        self._border, self._hidden = border, hidden
        self._current: Stay | None = None
        self._away: list[Stay] = []
        self._candidate: str | None = None
        self._since: float = 0.0
        self._frames = 0
        self._begun = False

    @property
    def area(self) -> str | None:
        """The area that the track is in now; None outside of all."""
        return None if self._current is None else self._current.area

    @property
    def entered(self) -> float | None:
        """When it entered that area; None outside of all."""
        return None if self._current is None else self._current.entered

    def step(self, area: str | None, now: float) -> None:
        """Take the area in which the track was seen at a time."""
        if not self._begun:
            self._begun = True
            self._enter(area, now)
        if area == self.area:
            self._frames = 0
            if self._current is not None:
                self._current.left = now
            return
        if self._frames == 0 or area != self._candidate:
            self._candidate, self._since, self._frames = area, now, 0
        self._frames += 1
        if self._frames >= self._border:
            self._frames = 0
            self._enter(area, self._since)
            if self._current is not None:
                self._current.left = now

    def _enter(self, area: str | None, since: float) -> None:
        if self._current is not None:
            self._away.append(self._current)
        self._current = None
        if area is None:
            return
        for stay in self._away:
            if stay.area == area and since - stay.left <= self._hidden:
                self._away.remove(stay)
                self._current = stay
                return
        self._current = Stay(area, since, since)

    def finished(self, now: float) -> list[Stay]:
        """Return the stays that are over for good by now, each once."""
        over = [stay for stay in self._away if not self._may_resume(stay, now)]
        self._away = [stay for stay in self._away if self._may_resume(stay, now)]
        return over

    def _may_resume(self, stay: Stay, now: float) -> bool:
        # A return that is not yet decided counts from its first frame on.
        returning = self._frames > 0 and self._candidate == stay.area
        return (self._since if returning else now) - stay.left <= self._hidden

    def end(self) -> list[Stay]:
        """Return all stays that are left, when the track has ended."""
        stays = self._away + ([] if self._current is None else [self._current])
        self._away, self._current = [], None
        return stays
