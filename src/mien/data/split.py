"""Parts for training, validation and test: identical pictures always share one."""

import hashlib
from collections.abc import Sequence
from typing import Final

from mien.data.manifest import SPLITS

DEFAULT_SHARES: Final = (0.8, 0.1, 0.1)


def part_of(content: str, shares: Sequence[float] = DEFAULT_SHARES, seed: int = 0) -> str:
    """Return the part of a picture, drawn from the fingerprint of its pixels.

    The draw depends on nothing else, so a picture keeps its part when others come or go, and
    identical pictures cannot be parted.

    Args:
        content: Fingerprint of the pixels.
        shares: Shares of train, validation and test; they sum to 1.
        seed: Another seed gives another, independent split.
    """
    digest = hashlib.sha256(f"{seed} {content}".encode()).digest()
    draw = int.from_bytes(digest[:8]) / 2**64
    edge = 0.0
    for name, share in zip(SPLITS, shares, strict=True):
        edge += share
        if draw < edge:
            return name
    return SPLITS[0]
