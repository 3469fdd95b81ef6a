"""Chance changes to training pictures: where the view lies, light and colour, and damage.

Each picture draws for itself from a generator of its own, so that a batch can be made again from
its number alone, in any process. The view's changes are folded into the one affine that crops it:
nothing is resampled twice.
"""

import math
from collections.abc import Callable
from typing import Annotated, Final, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mien.pixels import Image, Matrix, sample

Chance = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Alpha = Annotated[float, Field(ge=0, le=100)]
_Side = Annotated[int, Field(ge=1, le=10_000)]
_Width = Annotated[float, Field(gt=0, le=0.25)]


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("the smallest stands first, the largest second")
    return ends


class Augmentation(BaseModel):
    """How strongly pictures are changed; zeros change nothing.

    Attributes:
        flip: Chance of a mirrored picture; "alternate" mirrors each one in every other round,
            the first by lot, so that two rounds show both (Jordan 2024).
        flip_vertical: Chance of a picture upside down.
        rotation: Largest turn, degrees either way.
        zoom: Largest change of scale, as a share either way.
        shift: Largest shift, as a share of the view's side.
        translate: Largest shift by whole pixels of the input, its border reflected.
        shear: Largest shear and change of aspect, as a share.
        crop: Smallest share of the view's area that a random part of it has, whose sides are to
            each other as 3 to 4 at most, and which is stretched to the whole (random resized
            crop: Szegedy et al. 2015); 0 for no such crop.
        fill: What a change of the view brings in from beyond the picture: "nearest" repeats its
            last pixels, as use does; "constant" is black.
        unaligned: Chance that a face is cut as if no landmarks had been found.
        border: Chance that the picture ends early on some sides, its last pixels repeated.
        grey: Chance of a grey picture.
        tint: Chance of a colour cast; grey pictures become toned.
        colour: Largest change of saturation, as a share, and of hue, of which 1 would be a
            quarter of the circle; brightness stays.
        light: Largest change of brightness, contrast and gamma, as a share.
        dark: Chance of low light: dimmed, with noise.
        shrink: Chance that detail is lost, by going through a small picture.
        shrink_side: Smallest and largest side of that small picture, in pixels.
        blur: Chance of a blur.
        blur_width: Smallest and largest standard deviation of that blur, as a share of the side.
        jpeg: Chance of damage by JPEG.
        noise: Chance of noise.
        erase: Chance that a rectangle is covered.
        mixup: Alpha of the Beta distribution that two pictures' shares are drawn from when they
            are blended (Zhang et al. 2018); 0 for never.
        cutmix: The same for the area that a rectangle of another picture leaves (Yun et al.
            2019); 0 for never. With both, each mixed picture takes one of them by lot.
        mix_chance: Chance that a picture is mixed, where `mixup` or `cutmix` is not 0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    flip: Chance | Literal["alternate"] = 0.5
    flip_vertical: Chance = 0.0
    rotation: Annotated[float, Field(ge=0, le=180)] = 12.0
    zoom: BelowOne = 0.1
    shift: Share = 0.05
    translate: Annotated[int, Field(ge=0, le=64)] = 0
    shear: Share = 0.05
    crop: Share = 0.0
    fill: Literal["nearest", "constant"] = "nearest"
    unaligned: Chance = 0.0
    border: Chance = 0.0
    grey: Chance = 0.0
    tint: Chance = 0.0
    colour: Share = 0.0
    light: BelowOne = 0.2
    dark: Chance = 0.0
    shrink: Chance = 0.0
    shrink_side: Annotated[tuple[_Side, _Side], AfterValidator(_rising)] = (24, 96)
    blur: Chance = 0.0
    blur_width: Annotated[tuple[_Width, _Width], AfterValidator(_rising)] = (1 / 240, 1 / 60)
    jpeg: Chance = 0.0
    noise: Chance = 0.0
    erase: Chance = 0.0
    mixup: Alpha = 0.0
    cutmix: Alpha = 0.0
    mix_chance: Chance = 1.0

    def cut(
        self, rng: np.random.Generator, picture: Image, view: Matrix, whole: Matrix, size: int
    ) -> Image:
        """Return a changed crop of a stored picture.

        Args:
            rng: The picture's own generator.
            picture: H x W x C, with C 1 for grey pictures.
            view: Takes the view's unit square to the picture.
            whole: The view that shows the picture itself.
            size: Side of the crop in pixels.

        Returns:
            `size` x `size` x 3, uint8.
        """
        if rng.random() < self.unaligned:
            view = whole
        if rng.random() < self.border:
            picture, view = _cut_border(rng, picture, view)
        jitter = self._jitter(rng)
        crop = sample(picture, view @ _as_square(jitter), size)
        crop = np.ascontiguousarray(np.broadcast_to(crop, (size, size, 3)))
        if self.fill == "constant":
            unknown = _brought_in(jitter, view, picture.shape, size)
            crop = np.where(unknown[:, :, np.newaxis], np.uint8(0), crop)
        for chance, change in self._changes():
            if rng.random() < chance:
                crop = change(rng, crop)
        return crop

    @property
    def leaves_each(self) -> bool:
        """Whether no picture is changed by itself, but only with its batch."""
        still = self.flip in ("alternate", 0)
        names = type(self).model_fields.keys() - {"flip", *_BATCHWISE}
        return still and all(getattr(self, name) == getattr(NONE, name) for name in names)

    def _jitter(self, rng: np.random.Generator) -> Matrix:
        """Return a chance affine of the unit square about its centre."""
        angle = math.radians(rng.uniform(-self.rotation, self.rotation))
        scale = math.exp(rng.uniform(-1, 1) * math.log1p(self.zoom))
        aspect = math.exp(rng.uniform(-1, 1) * math.log1p(self.shear) / 2)
        chance = 0.0 if self.flip == "alternate" else self.flip
        mirror = -1 if rng.random() < chance else 1
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        slant = np.array([[1, rng.uniform(-self.shear, self.shear)], [0, 1]])
        linear = turn @ slant @ np.diag([mirror * scale * aspect, scale / aspect])
        centre = np.array([0.5, 0.5]) + rng.uniform(-self.shift, self.shift, 2)
        # What old recipes leave out draws nothing, so that their pictures stay the same.
        if self.flip_vertical and rng.random() < self.flip_vertical:
            linear = linear @ np.diag([1, -1])
        jitter = np.column_stack([linear, centre - linear @ [0.5, 0.5]])
        return jitter @ _as_square(_part(rng, self.crop)) if self.crop else jitter

    def _changes(self) -> list[tuple[float, Callable[[np.random.Generator, Image], Image]]]:
        def recolour(rng: np.random.Generator, crop: Image) -> Image:
            return _recolour(rng, crop, self.colour)

        return [
            *([(1.0, recolour)] if self.colour else []),
            (self.grey, _grey),
            (self.tint, _tint),
            (1.0 if self.light else 0.0, lambda rng, crop: _relight(rng, crop, self.light)),
            (self.dark, _darken),
            (self.erase, _erase),
            (self.blur, lambda rng, crop: _blur(rng, crop, self.blur_width)),
            (self.shrink, lambda rng, crop: _shrink(rng, crop, self.shrink_side)),
            (self.noise, _noise),
            (self.jpeg, _jpeg),
        ]


# RGB to brightness and two axes of colour, as in NTSC television.
_TO_YIQ: Final = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])

_BATCHWISE: Final = (
    "translate",
    "fill",
    "shrink_side",
    "blur_width",
    "mixup",
    "cutmix",
    "mix_chance",
)
"""What changes a batch as a whole, or nothing by itself."""

NONE: Final = Augmentation(flip=0, rotation=0, zoom=0, shift=0, shear=0, light=0)
"""No change at all: the crop is the crop in use."""


def _as_square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _part(rng: np.random.Generator, smallest: float) -> Matrix:
    """Return the view of a chance part of the unit square."""
    area = rng.uniform(smallest, 1)
    # No side is longer than the whole: so the area stays what was drawn.
    longest = math.log(min(4 / 3, 1 / area))
    ratio = math.exp(rng.uniform(-longest, longest))
    width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
    left, top = rng.uniform(0, 1 - min(1, width)), rng.uniform(0, 1 - min(1, height))
    return np.array([[width, 0, left], [0, height, top]])


def _brought_in(
    jitter: Matrix, view: Matrix, shape: tuple[int, ...], size: int
) -> NDArray[np.bool_]:
    """Return which pixels of a crop lie beyond the picture, and beyond what use would show."""
    centres = (np.arange(size) + 0.5) / size
    x, y = _positions(jitter, centres)
    beyond_view = (x < 0) | (x > 1) | (y < 0) | (y > 1)
    x, y = _positions(view @ _as_square(jitter), centres)
    return beyond_view & ((x < 0) | (x > shape[1]) | (y < 0) | (y > shape[0]))


def _positions(
    matrix: Matrix, centres: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y, each rows x columns, where an affine takes a grid of points."""
    (a, b, c), (d, e, f) = matrix
    rows = centres[:, np.newaxis]
    return a * centres + (b * rows + c), d * centres + (e * rows + f)


def _cut_border(rng: np.random.Generator, picture: Image, view: Matrix) -> tuple[Image, Matrix]:
    height, width = picture.shape[:2]
    left, right = (int(width * share) for share in rng.uniform(0, 0.15, 2))
    top, bottom = (int(height * share) for share in rng.uniform(0, 0.15, 2))
    cut = picture[top : max(top + 1, height - bottom), left : max(left + 1, width - right)]
    return cut, view - np.array([[0, 0, left], [0, 0, top]])


def _grey(_: np.random.Generator, crop: Image) -> Image:
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def _tint(rng: np.random.Generator, crop: Image) -> Image:
    gains = np.exp(rng.uniform(-0.15, 0.15, 3))
    return _through_table(crop, np.arange(256)[:, np.newaxis] * gains / gains.mean())


def _recolour(rng: np.random.Generator, crop: Image, strength: float) -> Image:
    """Turn and stretch the two axes of colour; a tone without colour keeps its place."""
    turn = rng.uniform(-strength, strength) * math.pi / 2
    saturation = 1 + rng.uniform(-strength, strength)
    cos, sin = saturation * math.cos(turn), saturation * math.sin(turn)
    change = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix = np.linalg.inv(_TO_YIQ) @ change @ _TO_YIQ
    return cv2.transform(crop, matrix).astype(np.uint8, copy=False)


def _relight(rng: np.random.Generator, crop: Image, strength: float) -> Image:
    contrast = 1 + rng.uniform(-strength, strength)
    brightness = 255 * rng.uniform(-strength, strength) / 2
    gamma = math.exp(rng.uniform(-1, 1) * math.log1p(strength))
    levels = 255 * (np.arange(256) / 255) ** gamma
    return _through_table(crop, (levels - 128) * contrast + 128 + brightness)


def _darken(rng: np.random.Generator, crop: Image) -> Image:
    dim = crop * rng.uniform(0.2, 0.6)
    noise = rng.normal(0, rng.uniform(1, 8), crop.shape)
    return _clip(dim + noise)


def _erase(rng: np.random.Generator, crop: Image) -> Image:
    size = crop.shape[0]
    height, width = (int(size * share) for share in rng.uniform(0.1, 0.4, 2))
    top, left = int(rng.integers(0, size - height)), int(rng.integers(0, size - width))
    erased = crop.copy()
    erased[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return erased


def _blur(rng: np.random.Generator, crop: Image, widths: tuple[float, float]) -> Image:
    sigma = crop.shape[0] * rng.uniform(*widths)
    return cv2.GaussianBlur(crop, (0, 0), sigma).astype(np.uint8, copy=False)


def _shrink(rng: np.random.Generator, crop: Image, sides: tuple[int, int]) -> Image:
    size = crop.shape[0]
    # Even over the logarithm: small sides are rarer than large ones in pixels, not in octaves.
    side = round(math.exp(rng.uniform(*np.log(sides))))
    if side >= size:
        return crop
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _noise(rng: np.random.Generator, crop: Image) -> Image:
    return _clip(crop + rng.normal(0, rng.uniform(2, 12), crop.shape))


def _jpeg(rng: np.random.Generator, crop: Image) -> Image:
    quality = int(rng.integers(20, 90))
    bgr = np.ascontiguousarray(crop[:, :, ::-1])
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cast("Image", cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))


def _through_table(crop: Image, table: NDArray[np.float64]) -> Image:
    columns = table if table.ndim == 2 else np.repeat(table[:, np.newaxis], 3, axis=1)
    return cv2.LUT(crop, _clip(columns)[np.newaxis]).astype(np.uint8, copy=False)


def _clip(values: NDArray[np.float64]) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
