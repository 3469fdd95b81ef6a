"""One camera's way from faces to visits: tracks, crops to read, stays in areas."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from mien import ages
from mien.card import Card
from mien.faces import Face, view_of
from mien.pixels import Image, sample
from mien.watch.areas import Path, Stay, Zones
from mien.watch.config import Area, Camera, Config
from mien.watch.crops import Album, Answers, Wanted, quality_of, size_and_turn
from mien.watch.fusion import fuse, fuse_probability
from mien.watch.looks import look_of
from mien.watch.stillness import Places, Posters
from mien.watch.tracking import Box, Track, Tracker
from mien.watch.visit import Kind, Visit, binned


@dataclass(eq=False)
class _Passage:
    """What is known of one track while it is open."""

    track: Track
    path: Path
    album: Album
    places: Places = field(default_factory=Places)


@dataclass(frozen=True)
class Present:
    """A face that is before the camera now.

    Attributes:
        area: The area that it is in; None outside of all.
        x: Its centre, in widths of the picture.
        y: Its centre, in heights of the picture.
        seconds: For how long it has been there.
    """

    area: str | None
    x: float
    y: float
    seconds: float


class Lane:
    """Turns one camera's faces into visits.

    Args:
        camera: The camera.
        config: What the watch is told.
        card: The model's card.

    Attributes:
        counted: How many visits of each kind there were.
        unread: How many there would have been, had their faces been read.
    """

    def __init__(self, camera: Camera, config: Config, card: Card) -> None:
        self.camera = camera
        self._config, self._card = config, card
        tracking = config.tracking
        self._tracker = Tracker(tracking.confirm, tracking.hidden)
        self._zones = _zones(camera.areas)
        self._posters = Posters(config.limits.still_after, config.limits.still_motion)
        self._passages: dict[int, _Passage] = {}
        self._visits: list[Visit] = []
        self._aspect = 1.0
        self._now = 0.0
        self.counted: Counter[Kind] = Counter()
        self.unread = 0

    def redraw(self, areas: Sequence[Area]) -> None:
        """Take other areas. Any thread may call this.

        Whoever is there changes over from the next frame on; a frame that is being worked on may
        still take some faces by the old areas.
        """
        self.camera = self.camera.model_copy(update={"areas": tuple(areas)})
        self._zones = _zones(areas)

    def take(self, faces: Sequence[Face], pixels: Image, now: float) -> None:
        """Take the faces of a frame.

        Args:
            faces: The faces, doubtful ones too, in pixels of the frame.
            pixels: The frame, height x width x 3.
            now: When it was taken, in seconds since 1970.
        """
        height, width = pixels.shape[:2]
        self._aspect = width / height
        looked_at = [face for face in faces if self._counts(face, width, height)]
        boxes = [_box(face, pixels) for face in looked_at]
        found = self.follow(boxes, now)
        for face, track in zip(looked_at, found, strict=True):
            if track is not None:
                self._offer(face, pixels, self._passages[track.id])

    def follow(self, boxes: Sequence[Box], now: float) -> list[Track | None]:
        """Take the faces of a frame as boxes alone; return the track of each."""
        self._now = now
        found = self._tracker.step(boxes, now, self._aspect)
        self._finish()
        for track in found:
            if track is None:
                continue
            if track.id not in self._passages:
                self._passages[track.id] = self._passage(track)
            passage = self._passages[track.id]
            passage.path.step(self._area(track.box), now)
            passage.places.add(track.box, now)
        for passage in self._passages.values():
            if self._tracker.confirmed(passage.track):
                self._report(passage, passage.path.finished(now))
        self._forget()
        return found

    def advance(self, now: float) -> None:
        """Let time pass without a frame: who is not seen for long has gone."""
        self._tracker.advance(now)
        self._finish()

    def end(self) -> None:
        """End all that is open."""
        self._tracker.end()
        self._finish()
        self._passages.clear()

    def due(self) -> Iterator[tuple[Album, Wanted]]:
        """Give the crops that are to be read now, each with the album that takes the answers."""
        for passage in self._passages.values():
            if self._tracker.confirmed(passage.track):
                wanted = passage.album.due(self._now)
                if wanted is not None:
                    yield passage.album, wanted

    def visits(self) -> list[Visit]:
        """Return the visits that are finished, each once."""
        visits, self._visits = self._visits, []
        return visits

    def present(self) -> list[Present]:
        """Return the people who are before the camera: faces, but those that are pictures."""
        counted = self._config.limits.still == "count"
        return [
            Present(
                passage.path.area,
                passage.track.box.x / self._aspect,
                passage.track.box.y,
                self._now - passage.track.first,
            )
            for passage in list(self._passages.values())
            if self._tracker.confirmed(passage.track)
            and (
                counted or not self._posters.shows(passage.places, self._now - passage.track.first)
            )
        ]

    def _counts(self, face: Face, width: int, height: int) -> bool:
        x, y = face.x + face.width / 2, face.y + face.height / 2
        return face.width >= self._config.tracking.min_face and not self._zones.ignores(
            x / width, y / height
        )

    def _area(self, box: Box) -> str | None:
        """Return the area that counts for a face: that of a point below it."""
        foot = box.y + box.height * (0.5 + self.camera.foot)
        return self._zones.find(box.x / self._aspect, foot)

    def _passage(self, track: Track) -> _Passage:
        tracking = self._config.tracking
        always = self._config.tasks.expression is not None
        return _Passage(
            track,
            Path(tracking.border, tracking.hidden),
            Album(tracking.crops, 1 / tracking.reads, always),
        )

    def _offer(self, face: Face, pixels: Image, passage: _Passage) -> None:
        if not passage.album.wants(size_and_turn(face)):
            return
        view = view_of(face, self._card.input.landmarks)
        crop = sample(pixels, view, self._card.input.size)
        passage.album.offer(crop, quality_of(face, crop))

    def _finish(self) -> None:
        for track in self._tracker.ended():
            passage = self._passages.pop(track.id)
            still = self._posters.is_one(passage.places, track.last - track.first)
            self._report(passage, passage.path.end(), still=still)

    def _forget(self) -> None:
        """Let go of tracks that ended before they were confirmed."""
        if len(self._passages) > len(self._tracker.tracks):
            open_ids = {track.id for track in self._tracker.tracks}
            self._passages = {k: p for k, p in self._passages.items() if k in open_ids}

    def _report(self, passage: _Passage, stays: Sequence[Stay], *, still: bool = False) -> None:
        limits = self._config.limits
        for stay in stays:
            kind: Kind = "visit"
            handling = "count"
            if still:
                kind, handling = "still", limits.still
            elif max(stay.left - stay.entered, _so_far(passage)) > limits.long_after:
                kind, handling = "long", limits.long
            if handling == "count":
                kind = "visit"
            if not passage.album.answers:
                self.unread += 1  # the network failed: there is no age to tell
                continue
            self.counted[kind] += 1
            if handling != "leave-out":
                self._visits.append(self._visit(passage.album, stay, kind))

    def _visit(self, album: Album, stay: Stay, kind: Kind) -> Visit:
        answers, weights = album.answers, [known.quality for known in album.answers]
        distribution = fuse(np.stack([known.ages for known in answers]), weights)
        age = ages.read(
            distribution[None].astype(np.float32),
            self._card.task("age").intervals,
            self._config.age_groups,
        )[0]
        return Visit(
            camera=self.camera.name,
            area=stay.area,
            entered=datetime.fromtimestamp(stay.entered, UTC),
            left=datetime.fromtimestamp(stay.left, UTC),
            ages=tuple(binned(distribution).tolist()),
            years=age.years,
            low=age.low,
            high=age.high,
            group=age.group,
            quality=float(np.mean(weights)),
            kind=kind,
            female=_female(answers, weights),
            expressions=self._expressions(album),
        )

    def _expressions(self, album: Album) -> dict[str, float] | None:
        shares = album.expressions
        if shares is None:
            return None
        labels = self._card.task("expression").labels
        return dict(zip(labels, map(float, shares), strict=True))


def _zones(areas: Sequence[Area]) -> Zones:
    return Zones(
        [(area.name, area.polygon) for area in areas if not area.ignore],
        [area.polygon for area in areas if area.ignore],
    )


def _female(answers: Sequence[Answers], weights: Sequence[float]) -> float | None:
    known = [answer.female for answer in answers if answer.female is not None]
    return fuse_probability(known, weights) if len(known) == len(answers) else None


def _so_far(passage: _Passage) -> float:
    return passage.track.last - passage.track.first


def _box(face: Face, pixels: Image) -> Box:
    height = pixels.shape[0]
    return Box(
        (face.x + face.width / 2) / height,
        (face.y + face.height / 2) / height,
        face.width / height,
        face.height / height,
        face.score,
        look_of(face, pixels),
    )
