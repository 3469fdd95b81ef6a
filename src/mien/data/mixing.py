"""Mixed pictures: some of a batch blended with others of it, or covered by a part of them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.augment import Augmentation

Mixed = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.float32]]


def mix(rng: np.random.Generator, pixels: NDArray[np.uint8], augmentation: Augmentation) -> Mixed:
    """Mix the pictures of a batch, each with a draw of its own.

    Args:
        rng: The batch's generator.
        pixels: N x S x S x 3, uint8; left as it is.
        augmentation: Says how often and how strongly (`mixup`, `cutmix`, `mix_chance`).

    Returns:
        The mixed pictures; N indices of the partners, a picture's own where it is not mixed; and
        N shares, 0 to 1, that each picture kept of itself. So the loss of a picture is
        kept * loss(own target) + (1 - kept) * loss(partner's target).
    """
    count = len(pixels)
    partners, kept = np.arange(count), np.ones(count, np.float32)
    ways = [
        (way, alpha)
        for way, alpha in ((_blend, augmentation.mixup), (_cover, augmentation.cutmix))
        if alpha
    ]
    if not ways or count < 2:
        return pixels, partners, kept
    mixed = pixels.copy()
    for index in range(count):
        if rng.random() < augmentation.mix_chance:
            way, alpha = ways[int(rng.integers(len(ways)))]
            partner = (index + int(rng.integers(1, count))) % count
            share = float(rng.beta(alpha, alpha))
            partners[index] = partner
            mixed[index], kept[index] = way(rng, pixels[index], pixels[partner], share)
    return mixed, partners, kept


def _blend(
    _: np.random.Generator, own: NDArray[np.uint8], other: NDArray[np.uint8], share: float
) -> tuple[NDArray[np.uint8], float]:
    blended = cv2.addWeighted(own, share, other, 1 - share, 0)
    return blended.astype(np.uint8, copy=False), share


def _cover(
    rng: np.random.Generator, own: NDArray[np.uint8], other: NDArray[np.uint8], share: float
) -> tuple[NDArray[np.uint8], float]:
    """Cover a square about a chance point, less what lies beyond the border."""
    size = own.shape[0]
    half = size * math.sqrt(1 - share) / 2
    centre = rng.uniform(0, size, 2)
    low = np.clip(np.rint(centre - half), 0, size).astype(int)
    high = np.clip(np.rint(centre + half), 0, size).astype(int)
    covered = (slice(low[0], high[0]), slice(low[1], high[1]))
    result = own.copy()
    result[covered] = other[covered]
    return result, 1 - float(np.prod(high - low)) / size**2
