"""Made-up faces, and a lane that is given them, for tests of counting."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mien.faces import TEMPLATE, Face
from mien.watch.config import Config
from mien.watch.crops import Answers
from mien.watch.lane import Lane
from mien.watch.visit import Visit
from tests.tiny import face_card

HEIGHT, WIDTH = 180, 320
PIXELS = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
PIXELS[::2, ::2] = 60
START = 1_770_000_000.0


def face(x: float, y: float = 90, width: float = 24, score: float = 0.9) -> Face:
    """Return a frontal face about a centre, in pixels."""
    landmarks = np.array(TEMPLATE) - 0.5
    return Face(
        x - width / 2,
        y - 0.625 * width,
        width,
        1.25 * width,
        score,
        np.array([x, y]) + landmarks * 1.2 * width,
    )


def config(camera: dict[str, Any] | None = None, **changes: Any) -> Config:
    """Return the configuration of one camera, "door"."""
    known = {"name": "door", "source": 0} | (camera or {})
    return Config.model_validate({"cameras": [known], "tracking": {"min_face": 10}} | changes)


class Counting:
    """A lane that is given faces at a rate, and whose crops are read as one age."""

    def __init__(self, told: Config | None = None, rate: float = 10, start: float = START) -> None:
        found = told or config()
        self.lane = Lane(found.cameras[0], found, face_card())
        self.rate, self.now = rate, start
        self.read = 0
        self._visits: list[Visit] = []

    def see(self, *faces: Face) -> None:
        """Give a frame."""
        self.lane.take(faces, PIXELS, self.now)
        for album, wanted in self.lane.due():
            album.add(Answers(wanted.quality, np.full(101, 1 / 101, np.float32)))
            self.read += 1
        self.now += 1 / self.rate
        self._visits += self.lane.visits()

    def stand(self, x: float, seconds: float, **more: Any) -> None:
        """Let one face stand somewhere."""
        for _ in range(round(seconds * self.rate)):
            self.see(face(x, **more))

    def sway(self, x: float, seconds: float) -> None:
        """Let one face stand as people do: not quite still."""
        for index in range(round(seconds * self.rate)):
            self.see(face(x + 6 * np.sin(index / 7), 90 + 3 * np.cos(index / 11)))

    def wait(self, seconds: float) -> None:
        """Let frames go by without faces."""
        for _ in range(round(seconds * self.rate)):
            self.see()

    def walk(self, way: Sequence[float], **more: Any) -> None:
        """Let one face go over some places, one a frame."""
        for x in way:
            self.see(face(x, **more))

    def visits(self) -> list[Visit]:
        """End all, and return the visits in the order of their beginnings."""
        self.lane.end()
        self._visits += self.lane.visits()
        return sorted(self._visits, key=lambda visit: visit.entered)
