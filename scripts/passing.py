"""Held-out photographs as visits: a face seen several times, as a camera sees whoever comes by."""

import zlib
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.manifest import Sample
from mien.faces import Detector, view_of
from mien.model import Model
from mien.pixels import Image, sample
from mien.watch.crops import quality_of
from mien.watch.tracking import DOUBTFUL

CROPS: Final = 5
"""How often each is seen."""

_DETECTOR: Final = Detector(min_score=DOUBTFUL)


@dataclass(frozen=True, eq=False)
class Seen:
    """One face's crops, as the detector finds them.

    Attributes:
        crops: N x size x size x 3.
        quality: How well each can be seen.
    """

    crops: NDArray[np.uint8]
    quality: list[float]


def look(face: Sample, model: Model, seed: int) -> Seen | None:
    """See a face several times, at one distance and in one light.

    Returns:
        None if it is found in fewer than half of the pictures.
    """
    pixels = images.load(face.path).pixels
    rng = np.random.default_rng([seed, zlib.crc32(face.content.encode())])
    width = float(np.exp(rng.uniform(np.log(24), np.log(100))))
    light = rng.uniform(0.5, 1.2)
    main = _DETECTOR.find_main(pixels)
    if main is None:
        return None
    crops, quality = [], []
    for _ in range(CROPS):
        picture = staged(pixels, width / main.width * rng.uniform(0.85, 1.15), light, rng)
        faces = _DETECTOR.detect(picture)
        if faces:
            crop = sample(
                picture, view_of(faces[0], model.card.input.landmarks), model.card.input.size
            )
            crops.append(crop)
            quality.append(quality_of(faces[0], crop))
    return None if len(crops) < CROPS / 2 else Seen(np.stack(crops), quality)


def staged(pixels: Image, scale: float, light: float, rng: np.random.Generator) -> Image:
    """Return a picture of 320 x 320 in which the face stands at a scale, as a video shows it."""
    side = 320
    height, width = pixels.shape[:2]
    angle = rng.normal(0, 6)
    move = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    move[0, 2] += (side - width) / 2 + rng.uniform(-8, 8)
    move[1, 2] += (side - height) / 2 + rng.uniform(-8, 8)
    small = pixels
    if scale < 0.7:  # as a lens would, average before sampling
        small = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale), np.uint8)
    background = rng.integers(60, 200, 3).tolist()
    picture = cv2.warpAffine(small, move, (side, side), borderValue=background)
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    noisy = picture * (light * rng.uniform(0.93, 1.07)) + rng.normal(0, 3, picture.shape)
    _, data = cv2.imencode(
        ".jpg",
        np.clip(noisy, 0, 255).astype(np.uint8)[..., ::-1],
        [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 85))],
    )
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
