"""How somebody looks, no finer than tells people apart who pass each other: a few colours.

People who cross, or come out from behind each other, are told apart by where they are and how they
move, and by the colours of the face and of what is worn below it. These are eight numbers that
thousands of people share: nobody can be recognised by them. They last as long as the track does,
in memory alone.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.faces import Face
from mien.pixels import Image

Numbers = NDArray[np.float64]

# Left, top, right, bottom, in widths and heights of the face.
_FACE: Final = (0.23, 0.2, 0.77, 0.95)
_BELOW: Final = (0.0, 1.45, 1.0, 2.2)
_SAMPLES: Final = 16
# By how much the logarithms change while somebody walks through light and shade, and turns: the
# brightness, how much lighter the face is than what is below, the colours.
_BRIGHTNESS: Final = 0.5
_CONTRAST: Final = 0.35
_COLOUR: Final = 0.15
_DARK: Final = 12.0
_LEARNT: Final = 0.3


def look_of(face: Face, pixels: Image) -> Numbers:
    """Return how somebody looks.

    Args:
        face: A face, in pixels of the picture.
        pixels: The picture, height x width x 3.

    Returns:
        8 numbers, each by how much it changes from one moment to the next: the face's brightness;
        how much lighter it is than what is below; the face's colour; the colour below. NaN where
        a part is outside of the picture.
    """
    above, below = (_colour(face, part, pixels) for part in (_FACE, _BELOW))
    light, under = above.mean(), below.mean()
    return np.array(
        [
            light / _BRIGHTNESS,
            (light - under) / _CONTRAST,
            # The third of three that sum to 0 says nothing new, but no colour is to weigh more.
            *(above - light) / _COLOUR,
            *(below - under) / _COLOUR,
        ]
    )


UNKNOWN: Final = np.full(8, np.nan)
"""The look of somebody of whom nothing is known."""


def difference(one: Numbers, other: Numbers) -> Numbers:
    """Return how unlike looks are: the squared distance, in what both know.

    Args:
        one: Looks, ... x 8.
        other: Looks, ... x 8; the two are broadcast.
    """
    return np.asarray(np.nansum((one - other) ** 2, axis=-1), np.float64)


def learnt(known: Numbers | None, newest: Numbers) -> Numbers:
    """Return how somebody looks who has been seen once more."""
    if known is None:
        return newest
    moved = known + _LEARNT * (newest - known)
    return np.where(np.isnan(known), newest, np.where(np.isnan(newest), known, moved))


def _colour(face: Face, part: tuple[float, float, float, float], pixels: Image) -> Numbers:
    """Return the logarithms of the mean colour of a part."""
    height, width = pixels.shape[:2]
    left, right = (
        int(np.clip(face.x + share * face.width, 0, width)) for share in (part[0], part[2])
    )
    top, bottom = (
        int(np.clip(face.y + share * face.height, 0, height)) for share in (part[1], part[3])
    )
    if right <= left or bottom <= top:
        return np.full(3, np.nan)
    down, across = (max(1, size // _SAMPLES) for size in (bottom - top, right - left))
    seen = pixels[top:bottom:down, left:right:across].reshape(-1, 3)
    return np.asarray(np.log(seen.mean(0) + _DARK), np.float64)
