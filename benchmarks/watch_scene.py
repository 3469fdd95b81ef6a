"""Scenes of people who walk past a camera: who is where at each moment, and what may be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

ASPECT: Final = 16 / 9
HIDDEN: Final = 2.0
_SEEN: Final = 0.6


@dataclass(frozen=True)
class Leg:
    """A stretch of a way: from one point to another, in heights of the picture."""

    begin: float
    end: float
    start: tuple[float, float, float]
    goal: tuple[float, float, float]


@dataclass(frozen=True)
class Person:
    """Somebody who passes.

    Attributes:
        id: Number of the person.
        face: Number of the photograph.
        legs: The way: centre (x, y) and width of the face, one stretch after the other.
        bob: How far the head goes up and down while walking, in widths.
        phase: Where in a step it begins.
        light: Factor of the brightness.
        blur: Standard deviation of the blur in widths of the face.
    """

    id: int
    face: int
    legs: tuple[Leg, ...]
    bob: float = 0.05
    phase: float = 0.0
    light: float = 1.0
    blur: float = 0.0

    @property
    def begin(self) -> float:
        """When the way begins, in seconds."""
        return self.legs[0].begin

    @property
    def end(self) -> float:
        """When it ends."""
        return self.legs[-1].end

    def at(self, now: float) -> tuple[float, float, float] | None:
        """Return centre and width of the face at a time; None when there is nobody."""
        for leg in self.legs:
            if leg.begin <= now < leg.end:
                share = (now - leg.begin) / (leg.end - leg.begin)
                x, y, width = (
                    a + (b - a) * share for a, b in zip(leg.start, leg.goal, strict=True)
                )
                walking = leg.start[:2] != leg.goal[:2]
                # Who stands still sways a little.
                step = np.sin(2 * np.pi * (1.8 if walking else 0.3) * now + self.phase)
                return x, y + self.bob * width * (1 if walking else 0.5) * float(step), width
        return None


@dataclass(frozen=True)
class Seen:
    """A face at a moment.

    Attributes:
        person: Whose.
        x: Its centre, in heights of the picture.
        y: Its centre.
        width: Its width.
        visible: The share of it that nothing covers.
    """

    person: Person
    x: float
    y: float
    width: float
    visible: float


@dataclass(frozen=True)
class Scene:
    """Some minutes before a camera.

    Attributes:
        seconds: How long it takes.
        people: Who passes.
        pillars: Left and right edges of what stands in front, in heights of the picture.
    """

    seconds: float
    people: Sequence[Person]
    pillars: Sequence[tuple[float, float]] = ()

    def at(self, now: float) -> list[Seen]:
        """Return the faces at a moment, the farthest first."""
        present = [
            (person, place)
            for person in self.people
            if person.begin <= now < person.end and (place := person.at(now)) is not None
        ]
        # Who is nearer has the larger face, and covers the others.
        present.sort(key=lambda item: item[1][2])
        found = []
        for index, (person, (x, y, width)) in enumerate(present):
            nearer = [place for _, place in present[index + 1 :]]
            visible = _visible((x, y, width), nearer, self.pillars)
            found.append(Seen(person, x, y, width, visible))
        return found

    def visits(self, rate: float) -> list[tuple[int, float, float]]:
        """Return the true visits: person, first and last moment in which the face is seen.

        Whoever is out of sight for `HIDDEN` seconds or longer comes a second time.

        Args:
            rate: Frames a second.
        """
        open_visits: dict[int, tuple[float, float]] = {}
        done = []
        for index in range(int(self.seconds * rate)):
            now = index / rate
            for seen in self.at(now):
                if seen.visible < _SEEN:
                    continue
                first, last = open_visits.get(seen.person.id, (now, now))
                if now - last > HIDDEN:
                    done.append((seen.person.id, first, last))
                    first = now
                open_visits[seen.person.id] = (first, now)
        done += [(person, *times) for person, times in open_visits.items()]
        return sorted(done, key=lambda visit: visit[1])


def _visible(
    place: tuple[float, float, float],
    nearer: Sequence[tuple[float, float, float]],
    pillars: Sequence[tuple[float, float]],
) -> float:
    """Return the share of a face that is inside of the picture and that nothing covers."""
    x, y, width = place
    height = 1.25 * width
    columns = np.linspace(x - width / 2, x + width / 2, 15)[:, None]
    rows = np.linspace(y - height / 2, y + height / 2, 15)[None]
    seen = (columns >= 0) & (columns < ASPECT) & (rows >= 0) & (rows < 1)
    for left, right in pillars:
        seen = seen & ~((columns >= left) & (columns < right))
    for px, py, other in nearer:
        # A whole head, hair and ears too, is a good deal wider than its face, and has a body below.
        inside = ((columns - px) / (0.75 * other)) ** 2 + ((rows - py) / (0.95 * other)) ** 2 < 1
        body = (abs(columns - px) < 1.1 * other) & (rows > py + 0.9 * other)
        seen = seen & ~(inside | body)
    return float(np.mean(seen))


@dataclass
class Maker:
    """Draws scenes.

    Args:
        seed: Of all that is drawn.
        faces: How many photographs there are.
        most: So many people are in the picture at once, at most.
        arrivals: People a minute.
    """

    seed: int
    faces: int
    most: int = 5
    arrivals: float = 14.0
    _next: int = field(default=0, init=False)

    def scene(self, seconds: float) -> Scene:
        """Draw a scene."""
        rng = np.random.default_rng([self.seed, 7])
        pillars: list[tuple[float, float]] = []
        if rng.random() < 0.5:
            left = rng.uniform(0.3, 1.3)
            pillars.append((left, left + rng.uniform(0.06, 0.16)))
        people: list[Person] = []
        now = rng.exponential(60 / self.arrivals)
        while now < seconds - 4:
            present = sum(person.begin <= now < person.end for person in people)
            if present < self.most:
                people.append(self._person(rng, now, seconds, pillars))
            now += rng.exponential(60 / self.arrivals)
        return Scene(seconds, people, pillars)

    def _person(
        self,
        rng: np.random.Generator,
        begin: float,
        seconds: float,
        pillars: Sequence[tuple[float, float]],
    ) -> Person:
        legs = tuple(_cut(self._way(rng, begin, pillars), seconds))
        self._next += 1
        return Person(
            self._next - 1,
            int(rng.integers(self.faces)),
            legs,
            bob=rng.uniform(0.02, 0.1),
            phase=rng.uniform(0, 6),
            light=rng.uniform(0.55, 1.25),
            blur=rng.choice([0.0, 0.0, 0.02, 0.04]),
        )

    def _way(
        self, rng: np.random.Generator, begin: float, pillars: Sequence[tuple[float, float]]
    ) -> list[Leg]:
        """Draw a way in from one side, perhaps with stops, and out at a side."""
        width = float(np.exp(rng.uniform(np.log(0.05), np.log(0.13))))
        y = float(rng.uniform(0.15, 0.65))
        speed = float(np.exp(rng.uniform(np.log(1.5), np.log(6)))) * width
        from_left = rng.random() < 0.5
        sides = (-0.6 * width, ASPECT + 0.6 * width)
        points = [(sides[0] if from_left else sides[1], y, width)]
        waits = [0.0]
        for _ in range(int(rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
            points.append(
                (_clear_place(rng, pillars), _near(rng, y), width * rng.uniform(0.7, 1.4))
            )
            waits.append(float(rng.choice([0.0, rng.uniform(1, 12)])))
        back = rng.random() < 0.15 and len(points) > 1
        out = sides[0] if from_left == back else sides[1]
        points.append((out, _near(rng, y), width * rng.uniform(0.8, 1.25)))
        waits.append(0.0)
        return _legs(points, waits, begin, speed)


def _near(rng: np.random.Generator, y: float) -> float:
    return float(np.clip(y + rng.uniform(-0.15, 0.15), 0.12, 0.8))


def _clear_place(rng: np.random.Generator, pillars: Sequence[tuple[float, float]]) -> float:
    """Draw where somebody stops: not behind a pillar."""
    for _ in range(100):
        x = float(rng.uniform(0.15, ASPECT - 0.15))
        if all(x < left - 0.12 or x > right + 0.12 for left, right in pillars):
            return x
    return 0.15


def _legs(
    points: Sequence[tuple[float, float, float]],
    waits: Sequence[float],
    begin: float,
    speed: float,
) -> list[Leg]:
    legs, now = [], begin
    for index in range(1, len(points)):
        start, goal = points[index - 1], points[index]
        if waits[index - 1]:
            legs.append(Leg(now, now + waits[index - 1], start, start))
            now += waits[index - 1]
        length = max(0.05, float(np.hypot(goal[0] - start[0], goal[1] - start[1])))
        legs.append(Leg(now, now + length / speed, start, goal))
        now += length / speed
    return legs


def _cut(legs: Sequence[Leg], seconds: float) -> Iterator[Leg]:
    """Give the legs that begin before the end of the scene."""
    return (leg for leg in legs if leg.begin < seconds)


def detections(
    scene: Scene, rate: float, seed: int, *, missed: float = 0.03, jitter: float = 0.05
) -> Iterator[tuple[float, list[Seen], NDArray[np.float64]]]:
    """Give what a detector might find: for each frame its time, the faces, and rows of x, y, w, h.

    A row is NaN where the face is not found.
    """
    rng = np.random.default_rng([seed, 11])
    for index in range(int(scene.seconds * rate)):
        faces = scene.at(index / rate)
        rows = np.full((len(faces), 4), np.nan)
        for row, seen in zip(rows, faces, strict=True):
            if seen.visible > _SEEN and rng.random() > missed:
                noise = rng.normal(0, jitter * seen.width, 2)
                scale = np.exp(rng.normal(0, jitter))
                row[:] = (
                    seen.x + noise[0],
                    seen.y + noise[1],
                    seen.width * scale,
                    seen.width * 1.25,
                )
        yield index / rate, faces, rows
