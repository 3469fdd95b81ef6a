"""Which crops of a face are read: the best few of a track, and not too often."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.faces import Face
from mien.pixels import Image

_NARROW: Final = 12.0
_WIDE: Final = 64.0
# The ratio of a face 64 pixels wide and in focus; half of that at 32 pixels, or out of focus.
_SHARP: Final = 0.15
_FLAT: Final = 4.0
_ASIDE: Final = 0.6


@dataclass(frozen=True, eq=False)
class Answers:
    """What the network says of a crop.

    Attributes:
        quality: How well the face can be seen, above 0 to 1.
        ages: Probabilities of the ages 0, 1, 2, ... years.
        female: Probability of the label female; None where gender is not read.
        expressions: Probabilities of the expressions; None where they are not read.
    """

    quality: float
    ages: NDArray[np.float32]
    female: float | None = None
    expressions: NDArray[np.float32] | None = None


@dataclass(eq=False)
class Wanted:
    """A crop that is to be read.

    Attributes:
        pixels: size x size x 3, RGB, uint8.
        quality: How well the face can be seen.
    """

    pixels: Image
    quality: float


def frontality(face: Face) -> float:
    """Return how much a face looks at the camera, 0 to 1, from its five landmarks.

    Turned sideways, the nose tip leaves the middle between the eyes; 1 where it lies in it, 0 where
    it lies `_ASIDE` of the eyes' distance (or farther) off, measured along the line of the eyes.
    """
    right, left, nose, mouth_right, mouth_left = face.landmarks
    across = left - right
    length = float(across @ across)
    if length <= 0:
        return 0.0
    middle = (right + left + mouth_right + mouth_left) / 4
    return max(0.0, 1 - abs(float((nose - middle) @ across) / length) / _ASIDE)


def size_and_turn(face: Face) -> float:
    """Return how well a face can be seen at best, by its size and its turn, 0 to 1."""
    wide = (face.width - _NARROW) / (_WIDE - _NARROW)
    return float(np.clip(wide, 0.05, 1)) * (0.1 + 0.9 * frontality(face))


def sharpness(crop: Image) -> float:
    """Return how sharp a crop is, 0 to 1: how strong its Laplacian is beside its contrast.

    An enlarged crop of few pixels is as blurred as one out of focus.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())
    return min(1.0, edges / (float(grey.std()) + _FLAT) / _SHARP)


def quality_of(face: Face, crop: Image) -> float:
    """Return how well a face can be seen in its crop, above 0 to 1."""
    return size_and_turn(face) * (0.3 + 0.7 * sharpness(crop))


@dataclass(eq=False)
class Album:
    """The crops of one track: the best one waiting, and what was read from those before.

    Args:
        most: The answers of so many crops are kept, the best.
        every: Seconds between two readings, at least.
        always: Whether crops are read all the time, even where they are no better.
    """

    most: int
    every: float
    always: bool = False
    answers: list[Answers] = field(default_factory=list)
    _waiting: Wanted | None = None
    _next: float = -np.inf
    _shown: NDArray[np.float64] | None = None
    _read: int = 0

    def wants(self, at_best: float) -> bool:
        """Return whether a crop of at best such a quality should be offered."""
        if self._waiting is not None:
            return at_best > self._waiting.quality
        return self.always or at_best > self._worst

    def offer(self, pixels: Image, quality: float) -> None:
        """Take a crop, if it is better than the one that waits."""
        if self._waiting is None or quality > self._waiting.quality:
            self._waiting = Wanted(pixels, quality)

    def due(self, now: float) -> Wanted | None:
        """Return the crop that is to be read now, if any; it is given once."""
        if self._waiting is None or now < self._next:
            return None
        wanted, self._waiting = self._waiting, None
        if not self.always and wanted.quality <= self._worst:
            return None
        self._next = now + self.every
        return wanted

    def add(self, answers: Answers) -> None:
        """Keep what was read from a crop."""
        self.answers.append(answers)
        self.answers.sort(key=lambda known: known.quality, reverse=True)
        del self.answers[self.most :]
        if answers.expressions is not None:
            so_far = 0.0 if self._shown is None else self._shown
            self._shown = so_far + answers.expressions.astype(np.float64)
            self._read += 1

    @property
    def expressions(self) -> NDArray[np.float64] | None:
        """The mean of what was read of expressions: the share of the time."""
        return None if self._shown is None else self._shown / self._read

    @property
    def _worst(self) -> float:
        return self.answers[-1].quality if len(self.answers) >= self.most else 0.0
