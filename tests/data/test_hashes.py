"""Perceptual hashes: near copies found, others not, against a search of all pairs."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from mien.data.hashes import (
    LIKENESS,
    Features,
    content_hash,
    features,
    hashes,
    near_groups,
)
from mien.data.sources.reading import fingerprint
from tests.labelled import noise, save


def portrait() -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    return found[:256, 96:352]


def coffee() -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = data.coffee()  # type: ignore[no-untyped-call]
    return found[:256, :256]


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def same(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    labels = near_groups(np.stack([features(first), features(second)]))
    return bool(labels[0] == labels[1])


def vectors(seed: int, count: int, spread: float) -> Features:
    """Return features in clusters about a few centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (max(1, count // 4), 64))
    rows = centres[rng.integers(0, len(centres), count)] + rng.normal(0, spread, (count, 64))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def by_all_pairs(rows: Features, distance: int) -> list[int]:
    """Group by comparing each with each, the slow and plain way."""
    bits = [bin(int(value)) for value in hashes(rows)]
    codes = np.array([list(map(int, text[2:].zfill(64))) for text in bits])
    labels = list(range(len(rows)))
    for i in range(len(rows)):
        for j in range(i):
            near = (codes[i] != codes[j]).sum() <= distance
            if near and rows[i] @ rows[j] >= LIKENESS and labels[i] != labels[j]:
                old, new = max(labels[i], labels[j]), min(labels[i], labels[j])
                labels = [new if label == old else label for label in labels]
    return labels


def test_the_content_is_the_imports_fingerprint(tmp_path: Path) -> None:
    pixels = noise(1, 7, 9)
    assert content_hash(pixels) == fingerprint(save(tmp_path / "a.png", pixels))


def test_the_content_knows_the_shape() -> None:
    pixels = noise(1, 6, 8)
    assert content_hash(pixels) != content_hash(pixels.reshape(8, 6, 3))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: jpeg(p, 30),
        lambda p: cv2.resize(p, (90, 90), interpolation=cv2.INTER_AREA),
        lambda p: cv2.resize(p, (400, 380), interpolation=cv2.INTER_CUBIC),
        lambda p: np.clip(p * 0.6 + 30, 0, 255).astype(np.uint8),
        lambda p: cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
        lambda p: cv2.GaussianBlur(p, (0, 0), 3),
        lambda p: p[3:, 3:],
    ],
    ids=["jpeg", "smaller", "larger", "flatter", "grey", "blurred", "cropped"],
)
def test_a_near_copy_is_found(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    assert same(portrait(), change(portrait()))


def test_other_pictures_are_not_near() -> None:
    assert not same(portrait(), coffee())
    assert not same(portrait(), np.ascontiguousarray(portrait()[::-1]))
    assert not same(portrait(), np.asarray(255 - portrait(), np.uint8))


def test_flat_pictures_are_near_to_nothing() -> None:
    black, white = (np.full((40, 40, 3), level, np.uint8) for level in (0, 255))
    assert not features(black).any()
    assert not same(black, white)
    assert not same(black, black)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (700, 3)])
def test_odd_shapes_have_features(shape: tuple[int, int]) -> None:
    found = features(noise(0, *shape))
    length = float(np.linalg.norm(found))
    assert length == pytest.approx(1, abs=1e-5) or length == 0


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32), st.integers(1, 40), st.sampled_from([0.1, 0.2, 0.3]), st.integers(0, 12)
)
def test_groups_are_those_of_all_pairs(seed: int, count: int, spread: float, distance: int) -> None:
    rows = vectors(seed, count, spread)
    assert near_groups(rows, distance).tolist() == by_all_pairs(rows, distance)


def test_what_is_like_one_of_equal_hashes_need_not_be_like_the_first() -> None:
    """Of 20 rows with one hash, the last ones are too far from the first, but not from a third."""
    tail = np.linspace(0, 2.5, 20)[:, np.newaxis] * np.eye(64)[0]
    rows = np.asarray(vectors(5, 1, 1.0) + np.sign(vectors(5, 1, 1.0)[0, 0]) * tail, np.float32)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert len(set(hashes(rows).tolist())) == 1
    assert rows[0] @ rows[-1] < LIKENESS
    assert near_groups(rows, 0).tolist() == by_all_pairs(rows, 0) == [0] * 20


def test_neighbours_of_neighbours_share_a_group() -> None:
    steps = np.linspace(0, 1, 60)[:, np.newaxis]
    first, last = vectors(3, 8, 1.0)[:2]
    rows = (1 - steps) * first + steps * last
    chain = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
    assert near_groups(chain[[0, -1]]).tolist() == [0, 1]
    assert set(near_groups(chain).tolist()) == {0}


def test_no_pictures_make_no_groups() -> None:
    assert near_groups(np.zeros((0, 64), np.float32)).tolist() == []


def test_many_copies_are_one_group() -> None:
    rows = np.repeat(vectors(1, 1, 0.1), 3000, axis=0)
    assert set(near_groups(rows).tolist()) == {0}
