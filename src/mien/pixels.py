"""The two operations by which mien moves pixels, so that every language can do them alike.

Coordinates are continuous: the picture covers [0, width] x [0, height], and the centre of the
pixel in column i and row j lies at (i + 0.5, j + 0.5). `docs/architecture.md` states both
operations exactly; the page in the browser repeats them.
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H x W x 3 (RGB) or H x W x 1 (grey), uint8."""

Matrix = NDArray[np.float64]
"""2 x 3: takes a point (x, y, 1) of one picture to a point of another."""

# Near (1, 1) the affine reads its right and lower neighbours; a margin keeps them in the cut.
_CUT_MARGIN: Final = 2
# OpenCV counts an affine's columns and rows in 16 bits, and sums a block in 32.
_LARGEST_SIDE: Final = 32766
_LARGEST_BLOCK: Final = 2**31 // 255
# Far beyond any picture, and far below where 64-bit numbers lose whole pixels.
_FARTHEST: Final = 1e12


def block_mean(image: Image, factor: int) -> Image:
    """Shrink a picture by an integer factor: each pixel is the rounded mean of a block.

    At factor 2 a half rounds up. At every other factor the block's sum is multiplied by
    1 / (pixels of the block), both in single precision, and a half rounds to the even number.

    Args:
        image: H x W x C, uint8.
        factor: Side of the square blocks in pixels, at least 1. Rows and columns beyond the last
            whole block are left out; a side shorter than one block becomes a single pixel.

    Returns:
        (H // factor) x (W // factor) x C, at least 1 x 1; the picture itself for factor 1.
    """
    if factor == 1:
        return image
    whole = _whole_blocks(image, factor)
    height, width = (max(1, side // factor) for side in image.shape[:2])
    rows, columns = whole.shape[0] // height, whole.shape[1] // width
    if rows * columns > _LARGEST_BLOCK:
        means = whole.reshape(height, rows, width, columns, -1).mean(axis=(1, 3))
        return _as_image(np.rint(means))
    shrunk = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return _as_image(shrunk)


def affine(image: Image, matrix: Matrix, width: int, height: int) -> Image:
    """Resample a picture by one bilinear affine; beyond its border the last pixels repeat.

    OpenCV rounds each position to 1/32 pixel, so a value differs from the exact one by at most
    half a level and 1/28 of the difference between neighbouring pixels: 3 levels on photographs,
    below 10 where black meets white. Shifts by whole pixels are exact.

    Args:
        image: H x W x C, uint8.
        matrix: Takes continuous coordinates of the result to continuous coordinates of `image`.
        width: Columns of the result.
        height: Rows of the result.

    Returns:
        `height` x `width` x C.

    Raises:
        ValueError: The matrix holds something else than numbers below 1e12, or more than 32766
            columns or rows are to be read or made.
    """
    left, top, right, bottom = _reach(_checked(matrix), width, height, image.shape)
    if max(right - left, bottom - top, width, height) > _LARGEST_SIDE:
        raise ValueError(
            f"an affine reads and makes at most {_LARGEST_SIDE} columns and rows, not "
            f"{right - left} x {bottom - top} to {width} x {height}; shrink by block_mean first"
        )
    indices = matrix.copy()
    # From pixel centres at half numbers to OpenCV's, which lie at whole numbers.
    indices[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5 - np.array([left, top])
    warped = cv2.warpAffine(
        image[top:bottom, left:right],
        indices,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _as_image(warped)


def sample(image: Image, matrix: Matrix, size: int) -> Image:
    """Cut a square view out of a picture: shrink by whole blocks first, then one affine.

    The factor is the largest integer that still leaves the view at least as large as the result,
    so that fine detail is averaged and not skipped. The blocks count from the picture's corner.

    Args:
        image: H x W x C, uint8.
        matrix: Takes the unit square of the view to continuous coordinates of `image`. A view
            without area is filled with what lies at its place.
        size: Side of the result in pixels.

    Returns:
        `size` x `size` x C.

    Raises:
        ValueError: As for `affine`.
    """
    factor = shrink_factor(matrix, size)
    to_view = matrix @ np.diag([1 / size, 1 / size, 1.0])
    if factor > 1:
        # Only the blocks under the view need averaging.
        image = _whole_blocks(image, factor)
        margin = _CUT_MARGIN * factor
        left, top, right, bottom = _reach(to_view, size, size, image.shape, margin)
        left, top = left // factor * factor, top // factor * factor
        right, bottom = -(-right // factor) * factor, -(-bottom // factor) * factor
        image = block_mean(image[top:bottom, left:right], factor)
        to_view = (to_view - np.array([[0, 0, left], [0, 0, top]])) / factor
    return affine(image, to_view, size, size)


def shrink_factor(matrix: Matrix, size: int) -> int:
    """Return the largest integer factor that leaves the view of `matrix` at least `size` wide.

    Raises:
        ValueError: The matrix holds something else than numbers below 1e12.
    """
    side = math.sqrt(abs(float(np.linalg.det(_checked(matrix)[:, :2]))))
    return max(1, int(side / size))


def _checked(matrix: Matrix) -> Matrix:
    if not (np.abs(matrix) < _FARTHEST).all():
        raise ValueError(f"a view needs numbers below {_FARTHEST:g}, not {matrix.tolist()}")
    return matrix


def _whole_blocks(image: Image, factor: int) -> Image:
    """Leave out what lies beyond the last whole block; a side shorter than one block stays."""
    height, width = (max(1, side // factor) * factor for side in image.shape[:2])
    return image[:height, :width]


def _reach(
    matrix: Matrix, width: int, height: int, shape: tuple[int, ...], margin: int = _CUT_MARGIN
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of a picture that an affine reads."""
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix.T
    limits = np.array([shape[1], shape[0]])
    # At least one pixel stays, the nearest one, where the view lies wholly outside.
    low = np.clip(np.floor(corners.min(axis=0)) - margin, 0, limits - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + margin, low + 1, limits).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _as_image(pixels: NDArray[np.generic]) -> Image:
    """Give back the channel axis that OpenCV drops from grey pictures."""
    shaped = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    return shaped.astype(np.uint8, copy=False)
