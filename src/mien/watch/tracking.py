"""Faces of one frame to those of the next: constant-velocity Kalman filters and an assignment.

Faces are followed by where they are, how large they are, how they move, and by a few colours, which
are forgotten with the track (`mien.watch.looks`). Lengths are in heights of the picture, so that a
camera may change its resolution. The two stages, sure detections before doubtful ones, are those of
ByteTrack (Zhang et al. 2022). Its overlap of boxes is of no use at 2 frames a second, when a face
has moved by several of its widths: here the cost of a pair is how unlikely it is under the filter
(the negative logarithm of the density), in which a track whose whereabouts are known well wins over
a vague one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mien.watch import looks

Numbers = NDArray[np.float64]
_Costs = Callable[[Sequence["Box"], Sequence["Track"], float], Numbers]

SURE: Final = 0.6
"""Detections of at least this score may begin a track."""

DOUBTFUL: Final = 0.4
"""Detections of at least this score may go on with one."""

# In widths of the face, and seconds: errors of the detector, and how people move.
_MEASURED: Final = 0.08
_MEASURED_SIZE: Final = 0.08
_SPEED: Final = 5.0
_SPEED_SIZE: Final = 0.5
_CHANGE: Final = 2.5
_CHANGE_SIZE: Final = 0.3
_GATE: Final = 25.0
_SIZES: Final = 0.7
# Whoever stops or turns on the spot is near where he was, and of the size that he had.
_REACH: Final = 7.0
_NEAR: Final = 0.6
_SOON: Final = 0.6
_ALIKE: Final = 0.5
# From a pair as unlikely as this on it is rather somebody new.
_NEW: Final = 30.0
# A look is not trusted beyond this: light falls on a face anew, somebody passes before it.
_OTHER: Final = 16.0
_SAME: Final = 5.0
# Whoever is hidden for a while may come nearer meanwhile.
_SIZES_HIDDEN: Final = 0.9
_FAR: Final = 1e6
_TENTATIVE: Final = 1.0
_GONE: Final = 0.25
_WITHIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where a face was found, in heights of the picture.

    Attributes:
        x: Its centre.
        y: Its centre.
        width: Its width.
        height: Its height.
        score: The detector's confidence, 0 to 1.
        look: How it looks, by `mien.watch.looks`; None where that is not known.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0
    look: Numbers | None = field(default=None, compare=False)


@dataclass(eq=False)
class Track:
    """One face over time.

    Attributes:
        id: Number of the track, used once in a tracker's life.
        first: When it was first found, in seconds.
        last: When it was last found.
        hits: How often it was found.
        box: Where it was last found.
        look: How it looked of late; None where that is not known.
        state: 3 x 2: centre (x, y) and logarithm of the width, each with its speed a second.
        spread: 3 x 2 x 2: their covariances.
    """

    id: int
    first: float
    last: float
    box: Box
    look: Numbers | None = None
    hits: int = 1
    state: Numbers = field(default_factory=lambda: np.zeros((3, 2)))
    spread: Numbers = field(default_factory=lambda: np.zeros((3, 2, 2)))


class Tracker:
    """Follows the faces of one camera.

    Args:
        confirm: A track is one once its face was found so often; twice is enough where so many
            frames would take longer than a second.
        hidden: A face that is not found for so many seconds is gone.
    """

    def __init__(self, confirm: int = 3, hidden: float = 2.0) -> None:
        self._confirm, self._hidden = confirm, hidden
        self._tracks: list[Track] = []
        self._next = 0
        self._ended: list[Track] = []
        self._now: float | None = None
        self._gap = 0.0

    def confirmed(self, track: Track) -> bool:
        """Return whether a track is one, and not a chance detection."""
        # Where frames come seldom, whoever passes is soon gone: two of them must do.
        within = int(_WITHIN / self._gap) if self._gap > 0 else self._confirm
        return track.hits >= min(self._confirm, max(2, within))

    @property
    def tracks(self) -> Sequence[Track]:
        """The tracks that are open, confirmed or not."""
        return self._tracks

    def step(self, boxes: Sequence[Box], now: float, aspect: float) -> list[Track | None]:
        """Take the faces of a frame.

        Args:
            boxes: The faces.
            now: When the frame was taken, in seconds. A time before the last one (a clock was set)
                ends all tracks.
            aspect: The picture's width by its height.

        Returns:
            The track of each face; None for a doubtful one that goes on with none.
        """
        if self._now is not None and now < self._now:
            self.end()
        self._end_old(now, aspect)
        elapsed = 0.0 if self._now is None else now - self._now
        if self._now is not None and 0 < elapsed <= self._hidden:
            self._gap = elapsed if not self._gap else self._gap + (elapsed - self._gap) / 10
        self._now = now
        for track in self._tracks:
            _predict(track, elapsed)
        found: list[Track | None] = [None] * len(boxes)
        sure = [i for i, box in enumerate(boxes) if box.score >= SURE]
        doubtful = [i for i, box in enumerate(boxes) if DOUBTFUL <= box.score < SURE]
        free = self._match(boxes, sure, list(self._tracks), now, found, _costs)
        # A doubtful detection begins nothing, but is as good as a sure one for what has begun.
        free = self._match(boxes, doubtful, free, now, found, _costs)
        # Who stops or turns at once is not where a filter looks for him, but near where he was.
        rest = [i for i in sure if found[i] is None]
        free = self._match(boxes, rest, free, now, found, _turns)
        # And who comes out from behind somebody may be anywhere near, but looks as before.
        rest = [i for i in sure if found[i] is None]
        self._match(boxes, rest, free, now, found, _returns)
        for i in sure:
            if found[i] is None:
                found[i] = self._begin(boxes[i], now)
        return found

    def advance(self, now: float) -> None:
        """End the tracks of faces that are not found any more, where no frames come."""
        self._end_old(now, None)

    def ended(self) -> list[Track]:
        """Return the confirmed tracks that have ended, each once."""
        over, self._ended = self._ended, []
        return over

    def end(self) -> None:
        """End all tracks."""
        self._ended += [track for track in self._tracks if self.confirmed(track)]
        self._tracks = []
        self._now = None

    def _begin(self, box: Box, now: float) -> Track:
        track = Track(self._next, now, now, box, box.look)
        self._next += 1
        track.state[:, 0] = box.x, box.y, np.log(box.width)
        track.spread[:, 0, 0] = _noise(box)
        track.spread[:, 1, 1] = (_SPEED * box.width) ** 2, (_SPEED * box.width) ** 2, _SPEED_SIZE**2
        self._tracks.append(track)
        return track

    def _end_old(self, now: float, aspect: float | None) -> None:
        kept = []
        for track in self._tracks:
            sure = self.confirmed(track)
            patience = self._hidden if sure else min(self._hidden, _TENTATIVE)
            silent = now - track.last
            # Whoever walked out of the picture does not come back as somebody hidden.
            left = aspect is not None and silent > _GONE and _outside(track, aspect)
            if silent <= patience and not left:
                kept.append(track)
            elif sure:
                self._ended.append(track)
        self._tracks = kept

    def _match(
        self,
        boxes: Sequence[Box],
        chosen: Sequence[int],
        tracks: list[Track],
        now: float,
        found: list[Track | None],
        costs_of: _Costs,
    ) -> list[Track]:
        """Give boxes to tracks where that is likely; return the tracks that got none."""
        if not chosen or not tracks:
            return tracks
        costs = costs_of([boxes[i] for i in chosen], tracks, now)
        rows, columns = linear_sum_assignment(costs)
        given = set()
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if costs[row, column] < _FAR:
                track, box = tracks[row], boxes[chosen[column]]
                _correct(track, box)
                track.hits, track.last, track.box = track.hits + 1, now, box
                found[chosen[column]] = track
                given.add(row)
        return [track for row, track in enumerate(tracks) if row not in given]


def _noise(box: Box) -> Numbers:
    """Return the variances of what is measured."""
    place = (_MEASURED * box.width) ** 2
    return np.array([place, place, _MEASURED_SIZE**2])


def _predict(track: Track, elapsed: float) -> None:
    """Move a track on by some seconds of white acceleration."""
    width = float(np.exp(track.state[2, 0]))
    change = np.array([_CHANGE * width, _CHANGE * width, _CHANGE_SIZE]) ** 2
    move = np.array([[1.0, elapsed], [0.0, 1.0]])
    noise = np.array([[elapsed**3 / 3, elapsed**2 / 2], [elapsed**2 / 2, elapsed]])
    track.state = track.state @ move.T
    track.spread = move @ track.spread @ move.T + change[:, None, None] * noise


def _correct(track: Track, box: Box) -> None:
    """Take a measurement into a track."""
    measured = np.array([box.x, box.y, np.log(box.width)])
    gain = track.spread[:, :, 0] / (track.spread[:, 0, 0] + _noise(box))[:, None]
    track.state = track.state + gain * (measured - track.state[:, 0])[:, None]
    track.spread = track.spread - gain[:, :, None] * track.spread[:, None, 0, :]
    if box.look is not None:
        track.look = looks.learnt(track.look, box.look)


def _costs(boxes: Sequence[Box], tracks: Sequence[Track], _now: float) -> Numbers:
    """Return how unlikely each pair is, tracks x boxes; `_FAR` where it is out of the question."""
    measured = np.array([[box.x, box.y, np.log(box.width)] for box in boxes])
    noise = np.array([_noise(box) for box in boxes])
    state = np.array([track.state[:, 0] for track in tracks])
    variance = np.array([track.spread[:, 0, 0] for track in tracks])
    total = variance[:, None] + noise[None]
    distance = ((measured[None] - state[:, None]) ** 2 / total).sum(-1)
    # Relative to the measurement's own spread, so that faces of all sizes are alike.
    vague = np.log(total / noise[None]).sum(-1)
    # What is not known for long may be far off, but a face does not become another's size.
    alike = np.abs(measured[None, :, 2] - state[:, None, 2]) <= _SIZES
    # A look alone parts nobody whose whereabouts are known well: hands and others pass before him.
    cost = distance + vague + _unlike(boxes, tracks)
    costs: Numbers = np.where((distance <= _GATE) & (cost <= _NEW) & alike, cost, _FAR)
    return costs


def _turns(boxes: Sequence[Box], tracks: Sequence[Track], now: float) -> Numbers:
    """Return how far each face is from where the track was last seen, tracks x boxes."""
    distance, near, sizes, silent = _away(boxes, tracks, now)
    unlike = _unlike(boxes, tracks)
    possible = near & (sizes <= _ALIKE) & (silent <= _SOON) & (unlike < _OTHER)
    costs: Numbers = np.where(possible, distance + unlike, _FAR)
    return costs


def _returns(boxes: Sequence[Box], tracks: Sequence[Track], now: float) -> Numbers:
    """Return how unlike each face is to how the track looked, tracks x boxes."""
    _, near, sizes, _ = _away(boxes, tracks, now)
    known = np.array([[t.look is not None and b.look is not None for b in boxes] for t in tracks])
    unlike = _unlike(boxes, tracks)
    possible = near & (sizes <= _SIZES_HIDDEN) & known & (unlike <= _SAME)
    costs: Numbers = np.where(possible, unlike, _FAR)
    return costs


def _away(
    boxes: Sequence[Box], tracks: Sequence[Track], now: float
) -> tuple[Numbers, NDArray[np.bool_], Numbers, Numbers]:
    """Return how far faces are from where tracks were last seen, tracks x boxes.

    Returns:
        The distance in widths of the face; whether somebody can have gone so far; the logarithm of
        how much larger or smaller it is; for how many seconds the track was not seen (tracks x 1).
    """
    places = np.array([[box.x, box.y] for box in boxes])
    widths = np.array([box.width for box in boxes])
    last = np.array([[track.box.x, track.box.y] for track in tracks])
    known = np.array([track.box.width for track in tracks])[:, None]
    silent = np.array([now - track.last for track in tracks])[:, None]
    distance = np.hypot(*(places[None] - last[:, None]).transpose(2, 0, 1)) / known
    near = distance <= _NEAR + _REACH * silent
    return distance, near, np.abs(np.log(widths[None] / known)), silent


def _unlike(boxes: Sequence[Box], tracks: Sequence[Track]) -> Numbers:
    """Return how unlike each pair looks, tracks x boxes; 0 where one is not known."""
    known, seen = (np.array([_look(one) for one in some]) for some in (tracks, boxes))
    return np.minimum(looks.difference(known[:, None], seen[None]), _OTHER)


def _look(one: Box | Track) -> Numbers:
    return looks.UNKNOWN if one.look is None else one.look


def _outside(track: Track, aspect: float) -> bool:
    """Return whether the centre of a face must have left the picture."""
    x, y = track.state[:2, 0]
    return not (0 <= x <= aspect and 0 <= y <= 1)
