"""Whole batches moved by whole pixels: mirrored by turns, shifted with a reflected border."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LOTS: Final = 2_654_435_761
"""Tells the lots of the first round from whatever else is drawn from a seed."""


def mirrored_now(
    indices: NDArray[np.int64], turns: NDArray[np.int64], seed: int
) -> NDArray[np.bool_]:
    """Return which pictures are mirrored: each in every other round, in the first by lot.

    Args:
        indices: N numbers of pictures.
        turns: N: in which round through all pictures each of them comes.
        seed: Another seed draws other lots.
    """
    lots = np.random.default_rng([seed, _LOTS]).integers(0, 2, int(indices.max()) + 1)
    return np.asarray((lots[indices] + turns) % 2 == 1)


def mirror(pixels: NDArray[np.uint8], which: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return N x H x W x C pictures, some of them mirrored."""
    mirrored = pixels[:, :, ::-1]
    return np.where(which[:, None, None, None], mirrored, pixels)


def translate(rng: np.random.Generator, pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """Shift each picture by up to `most` pixels along both axes; its border is reflected.

    Args:
        rng: The batch's generator.
        pixels: N x H x W x C.
        most: Largest shift, below H and W.
    """
    count, height, width = pixels.shape[:3]
    border = [(0, 0), (most, most), (most, most), (0, 0)]
    padded = np.pad(pixels, border, mode="reflect")
    moved = np.empty_like(pixels)
    shifts = rng.integers(0, 2 * most + 1, (count, 2))
    for place, (down, right) in enumerate(shifts.tolist()):
        moved[place] = padded[place, down : down + height, right : right + width]
    return moved
