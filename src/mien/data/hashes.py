"""What pictures look like in 64 numbers, and which of many look almost alike.

The numbers are the low frequencies of the grey picture; a bit each, whether it lies above their
median, makes the perceptual hash (pHash, Zauner 2010), by which candidates are found. Faces cut
alike share many of these bits by chance, so each candidate's numbers are compared once more in
full: two pictures are near if their hashes differ in few bits and their numbers point the same way.
"""

import hashlib
from collections.abc import Iterator
from itertools import combinations
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.pixels import Image

DISTANCE: Final = 8
"""In how many of 64 bits the hashes of near pictures may differ."""

FARTHEST: Final = 12
"""The largest distance that is searched."""

LIKENESS: Final = 0.93
"""The least cosine between the numbers of near pictures.

On UTKFace, FERPlus and FairFace nearly all pairs above it (and within the distance) were seen to
be the same photograph, most of those just below to be two people.
"""

FEATURES: Final = 64

_SIDE: Final = 32
# The frequencies 1 to 8 along both axes: without the means of rows and columns, which say less.
_BAND: Final = slice(1, 9)
# Below one grey level of contrast there is nothing to compare.
_FLAT: Final = float(_SIDE)
_WORDS: Final = 4
_CHUNK: Final = 2**17
_CROWD: Final = 50
"""More pictures than this under one hash are searched as one."""

Features = NDArray[np.float32]
"""64 numbers of unit length, or N x 64; all zero for a picture without contrast."""


def content_hash(pixels: Image) -> str:
    """Return a hash of a picture's size and pixels: the fingerprint in manifests."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:20]


def features(pixels: Image) -> Features:
    """Return what a picture looks like, whatever its size, brightness and contrast.

    Args:
        pixels: H x W x 3, RGB.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[_BAND, _BAND].ravel()
    length = float(np.linalg.norm(low))
    if length < _FLAT:
        return np.zeros(FEATURES, np.float32)
    return np.asarray(low / length, np.float32)


def hashes(rows: Features) -> NDArray[np.uint64]:
    """Return the perceptual hash, 64 bits, of each row of features."""
    bits = rows > np.median(rows, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def near_groups(rows: Features, distance: int = DISTANCE) -> NDArray[np.int64]:
    """Group pictures that look almost alike; neighbours of neighbours belong together.

    Candidates are found by multi-index hashing (Norouzi et al. 2012): of hashes that differ in at
    most 4 r + 3 bits, one of their four words differs in at most r. So every word is looked up in a
    table with up to r of its bits turned. 90,000 faces take about ten seconds.

    Args:
        rows: N x 64, as `features` gives them; rows of zeros are near to nothing.
        distance: In how many bits the hashes may differ, at most `FARTHEST`.

    Returns:
        N: the number of the first row of each row's group.
    """
    hashed = hashes(rows)
    labels = _equal_hashes(rows, hashed)
    # Many pictures with one hash, as from a camera that stands still, are searched as one.
    nodes = np.flatnonzero((labels == np.arange(len(rows))) & rows.any(axis=1))
    for first, second in _candidates(hashed[nodes], distance // _WORDS):
        left, right = nodes[first], nodes[second]
        apart = labels[left] != labels[right]
        left, right = left[apart], right[apart]
        near = _bits(hashed[left] ^ hashed[right]) <= distance
        left, right = left[near], right[near]
        alike = np.einsum("ij,ij->i", rows[left], rows[right]) >= LIKENESS
        labels = _merged(labels, left[alike], right[alike])
    return labels


def _equal_hashes(rows: Features, hashed: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Group the pictures of one hash that are like the first of them, where there are many.

    What is like one of these pictures need not be like the first: so only a crowd, whose pairs
    would take too long, is searched as one.
    """
    _, first, inverse, count = np.unique(
        hashed, return_index=True, return_inverse=True, return_counts=True
    )
    leaders = first[inverse]
    alike = np.einsum("ij,ij->i", rows, rows[leaders]) >= LIKENESS
    crowded = count[inverse] > _CROWD
    return np.where(alike & crowded, leaders, np.arange(len(rows))).astype(np.int64)


def _candidates(
    hashed: NDArray[np.uint64], radius: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of rows of which one word differs in at most `radius` bits, some repeatedly."""
    words = np.ascontiguousarray(hashed)[:, np.newaxis].view(np.uint16).astype(np.int64)
    for column in words.T:
        order = np.argsort(column, kind="stable")
        starts = np.searchsorted(column[order], np.arange(2**16 + 1))
        for mask in _masks(radius):
            wanted = column ^ mask
            begin, count = starts[wanted], starts[wanted + 1] - starts[wanted]
            for rows in _chunks(count):
                first = np.repeat(rows, count[rows])
                ends = np.cumsum(count[rows])
                inside = np.arange(len(first)) - np.repeat(ends - count[rows], count[rows])
                second = order[begin[first] + inside]
                once = first < second
                yield first[once], second[once]


def _masks(radius: int) -> Iterator[int]:
    for turned in range(radius + 1):
        for places in combinations(range(16), turned):
            yield sum(1 << place for place in places)


def _chunks(count: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Part the rows so that the candidates of each chunk fit into memory."""
    rows = np.flatnonzero(count)
    number = (np.cumsum(count[rows]) - count[rows]) // _CHUNK
    return iter(np.split(rows, np.flatnonzero(np.diff(number)) + 1))


def _bits(hashed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return how many bits are set in each hash, summed in ever wider fields."""
    pairs = hashed - ((hashed >> 1) & 0x5555555555555555)
    fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    bytes_ = (fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F
    counts: NDArray[np.uint64] = (bytes_ * 0x0101010101010101) >> 56
    return counts


def _merged(
    labels: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Join the groups of each pair; a group bears the number of its first row."""
    if not len(left):
        return labels
    labels = labels.copy()
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        roots = _root(labels, one), _root(labels, other)
        labels[max(roots)] = min(roots)
    while (labels[labels] != labels).any():
        labels = labels[labels]
    return labels


def _root(labels: NDArray[np.int64], row: int) -> int:
    while labels[row] != row:
        row = int(labels[row])
    return row
