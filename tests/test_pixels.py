"""Both pixel operations against their plain definitions, and the cut as a mere optimisation."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.pixels import Image, Matrix, affine, block_mean, sample, shrink_factor

SEEDS = st.integers(0, 2**32 - 1)
IDENTITY = np.array([[1, 0, 0], [0, 1, 0]], float)
IMAGE = np.random.default_rng(3).integers(0, 256, (30, 40, 3), np.uint8)


def noise(rng: np.random.Generator, height: int, width: int, channels: int = 3) -> Image:
    return rng.integers(0, 256, (height, width, channels), np.uint8)


def similarity(side: float, angle: float, x: float, y: float) -> Matrix:
    c, s = side * math.cos(angle), side * math.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


def plain_block_mean(image: Image, factor: int) -> Any:
    """The definition, in whole numbers, for sums that single precision holds exactly."""
    height, width = (max(1, side // factor) for side in image.shape[:2])
    whole = image[: height * factor, : width * factor].astype(np.int64)
    blocks = whole.reshape(height, whole.shape[0] // height, width, whole.shape[1] // width, -1)
    sums, pixels = blocks.sum(axis=(1, 3)), blocks.shape[1] * blocks.shape[3]
    if factor == 2 and pixels == 4:
        return (sums + 2) // 4
    scaled = sums.astype(np.float32) * np.float32(1 / pixels)
    return np.rint(scaled).astype(np.int64)


def plain_affine(image: Image, matrix: Matrix, width: int, height: int) -> Any:
    """The definition, in double precision and not rounded."""
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = (m[0] * columns + m[1] * rows + m[2] - 0.5 for m in matrix)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right_share, lower_share = (x - left)[..., None], (y - top)[..., None]

    def pixel(row: NDArray[Any], column: NDArray[Any]) -> Any:
        inside = row.clip(0, image.shape[0] - 1), column.clip(0, image.shape[1] - 1)
        return image[inside].astype(float)

    upper = pixel(top, left) * (1 - right_share) + pixel(top, left + 1) * right_share
    lower = pixel(top + 1, left) * (1 - right_share) + pixel(top + 1, left + 1) * right_share
    return upper * (1 - lower_share) + lower * lower_share


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 6, 7, 8, 10, 16, 22, 33, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_block_mean_is_the_rounded_mean_and_drops_remainders(factor: int, channels: int) -> None:
    rng = np.random.default_rng(factor)
    for height, width in [(3 * factor + factor - 1, 4 * factor + 1), (factor, 7 * factor)]:
        image = noise(rng, height, width, channels)
        # Values 0 and 1 alone bring many exact halves.
        for picture in (image, image % 2):
            shrunk = block_mean(picture, factor)
            assert shrunk.dtype == np.uint8
            np.testing.assert_array_equal(shrunk, plain_block_mean(picture, factor))


@pytest.mark.parametrize(
    ("factor", "total", "expected"),
    [(2, 2, 1), (2, 6, 2), (2, 1, 0), (2, 3, 1), (4, 8, 0), (4, 24, 2), (4, 9, 1)],
)
def test_halves_round_up_at_factor_2_and_to_even_elsewhere(
    factor: int, total: int, expected: int
) -> None:
    block = np.zeros((factor, factor, 1), np.uint8)
    block.flat[: factor * factor] = np.diff(np.arange(factor**2 + 1) * total // factor**2)
    assert block.sum() == total
    assert block_mean(block, factor).item() == expected


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 200), (9, 9)])
def test_a_side_shorter_than_a_block_becomes_one_pixel(shape: tuple[int, int]) -> None:
    image = noise(np.random.default_rng(0), *shape)
    shrunk = block_mean(image, 10)
    assert shrunk.shape == (max(1, shape[0] // 10), max(1, shape[1] // 10), 3)
    np.testing.assert_array_equal(shrunk, plain_block_mean(image, 10))


def test_blocks_whose_sum_passes_32_bits() -> None:
    image = np.full((2902, 2 * 2902, 1), 255, np.uint8)
    image[:, 2902:] = 254
    assert block_mean(image, 2902).tolist() == [[[255], [254]]]
    assert block_mean(image[:2901], 2902).tolist() == [[[255], [254]]]


def test_factor_1_copies_nothing() -> None:
    image = noise(np.random.default_rng(0), 5, 7)
    assert block_mean(image, 1) is image


@given(seed=SEEDS, scale=st.sampled_from([0.05, 0.4, 1, 3]), harsh=st.booleans())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_affine_is_bilinear_within_its_stated_error(seed: int, scale: float, harsh: bool) -> None:
    rng = np.random.default_rng(seed)
    height, width, new_height, new_width = (int(side) for side in rng.integers(1, 90, 4))
    image = noise(rng, height, width, int(rng.choice([1, 3])))
    image = image // 128 * 255 if harsh else image // 8 + 100
    matrix = np.hstack([rng.normal(0, scale, (2, 2)), rng.uniform(-60, 150, (2, 1))])
    found = affine(image, matrix, new_width, new_height)
    assert found.shape == (new_height, new_width, image.shape[2])
    error = np.abs(found - plain_affine(image, matrix, new_width, new_height)).max()
    contrast = int(image.max()) - int(image.min())
    # 1/64 pixel along each axis, and a little from the sums of rounded steps.
    assert error <= 0.5 + contrast / 28


def test_affine_by_identity_and_whole_shifts_is_exact() -> None:
    image = noise(np.random.default_rng(0), 40, 50)
    np.testing.assert_array_equal(affine(image, IDENTITY, 50, 40), image)
    shifted = affine(image, np.array([[1, 0, 7], [0, 1, -3]], float), 50, 40)
    replicated = np.pad(image, ((3, 0), (0, 7), (0, 0)), mode="edge")
    np.testing.assert_array_equal(shifted, replicated[:40, 7:])


@pytest.mark.parametrize(
    ("x", "y", "row", "column"),
    [(0, -900, 0, 0), (1e6, 1e6, -1, -1), (-1e11, 1e11, -1, 0), (1e5, -1e5, 0, -1)],
)
def test_far_outside_the_nearest_pixel_repeats(x: float, y: float, row: int, column: int) -> None:
    image = noise(np.random.default_rng(0), 30, 40)
    found = affine(image, IDENTITY * 0.01 + [[0, 0, x], [0, 0, y]], 4, 5)
    assert (found == image[row, column]).all()


def test_one_pixel_fills_any_view() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)
    for view in (similarity(1, 0, 0, 0), similarity(300, 1, -40, 9), similarity(0.1, 2, 5, 5)):
        assert (sample(image, view, 8) == [10, 20, 30]).all()


@given(seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_the_cut_of_sample_changes_nothing(seed: int) -> None:
    """A view partly or wholly outside, at any factor, is the affine of the whole's block mean."""
    rng = np.random.default_rng(seed)
    height, width, size = (int(side) for side in rng.integers([1, 1, 3], [200, 200, 40]))
    image = noise(rng, height, width)
    x, y = rng.uniform(-1, 2, 2) * [width, height]
    view = similarity(rng.uniform(1, 400), rng.uniform(-4, 4), x, y)
    factor = shrink_factor(view, size)
    whole = block_mean(image, factor)
    expected = affine(whole, view @ np.diag([1 / size, 1 / size, 1]) / factor, size, size)
    error = np.abs(sample(image, view, size).astype(int) - expected)
    # The two sum in another order: of each some thousand values one may round the other way.
    assert error.max() <= 8
    assert (error > 0).mean() < 0.02


@pytest.mark.parametrize(
    ("side", "size", "factor"), [(31, 32, 1), (63, 32, 1), (65, 32, 2), (960, 96, 10), (0, 9, 1)]
)
def test_shrink_factor_leaves_the_view_as_large_as_the_result(
    side: float, size: int, factor: int
) -> None:
    assert shrink_factor(similarity(side, 0.3, 5, 5), size) == factor


def test_views_in_pictures_wider_than_opencv_can_warp() -> None:
    columns = np.arange(70_000)
    image = np.repeat((columns // 300).astype(np.uint8)[None, :, None], 20, axis=0)
    near_the_end = sample(image, similarity(16, 0, 69_000, 2), 16)
    assert (near_the_end == 69_000 // 300).all()
    whole = sample(image, similarity(70_000, 0, 0, -34_990), 16)[8, :, 0]
    np.testing.assert_allclose(whole, (np.arange(16) + 0.5) * 4375 / 300, atol=1.2)


@pytest.mark.parametrize(
    ("matrix", "width"), [(IDENTITY, 33_000), (IDENTITY * [[3e3, 0, 0], [0, 0.1, 0]], 16)]
)
def test_an_affine_of_more_than_opencv_can_warp_says_so(matrix: Matrix, width: int) -> None:
    with pytest.raises(ValueError, match=r"at most 32766 columns and rows, not .* block_mean"):
        affine(np.zeros((4, 40_000, 1), np.uint8), matrix, width, 4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("entry", range(6))
def test_views_that_are_nowhere_are_refused(value: float, entry: int) -> None:
    matrix = similarity(20, 0, 3, 3)
    matrix.flat[entry] = value
    with pytest.raises(ValueError, match="a view needs numbers below 1e"):
        sample(IMAGE, matrix, 8)
    with pytest.raises(ValueError, match="a view needs numbers below 1e"):
        affine(IMAGE, matrix, 8, 8)


@pytest.mark.parametrize("side", [0, 1e-300, 1e-9])
def test_a_view_without_area_shows_its_place(side: float) -> None:
    shown = sample(IMAGE, similarity(side, 0, 5.5, 7.5), 8)
    assert (shown == IMAGE[7, 5]).all()


@pytest.mark.parametrize("side", [1e6, 9e11])
def test_an_enormous_view_shows_the_mean(side: float) -> None:
    shown = sample(IMAGE, similarity(side, 0, -side / 2, -side / 2), 8)
    assert (shown == np.rint(IMAGE.mean(axis=(0, 1)))).all()
