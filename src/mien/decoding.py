"""Encoded bytes, arrays and Pillow images to upright 8-bit RGB pixels, whole ones only."""

import io
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    TiffImageFile,
)
from PIL.WebPImagePlugin import WebPImageFile

from mien.errors import printable, shortened
from mien.guards import (
    JPEG_END,
    JPEG_MARKER,
    RefusedError,
    check,
    check_pixels,
    check_scans,
    damaged,
    scan_start,
)

_WANTED = "give a JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF or PNM picture"
_FORMATS: Final[dict[str, tuple[bytes, type[ImageFile]]]] = {
    "JPEG": (rb"\xff\xd8\xff", JpegImageFile),
    "PNG": (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    "WebP": (rb"RIFF....WEBP", WebPImageFile),
    "GIF": (rb"GIF8[79]a", GifImageFile),
    "BMP": (rb"BM", BmpImageFile),
    "TIFF": (rb"II\*\0|MM\0\*", TiffImageFile),
    "PPM": (rb"P[456]\s", PpmImageFile),
    "AVIF": (rb"....ftypavi[fs]", AvifImageFile),
}
_PLAIN_PPM = re.compile(rb"P[123]\s")

# OpenCV's names say grey, but beside IMREAD_COLOR_RGB these bits only set the scale.
REDUCTIONS: Final = {
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
"""The fractions of its size, as divisors, at which a picture can be decoded."""

# EXIF orientation -> cv2.flip's code, applied after a transposition for 5 and above.
_FLIPS: Final = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}


class Decoded(NamedTuple):
    """An upright picture, perhaps reduced.

    Attributes:
        pixels: uint8, rows x columns x 3 RGB, C-contiguous, shared with nobody.
        width: Width of the full picture in pixels.
        height: Height of the full picture in pixels.
        origin: (x, y) in the full picture of the corner of `pixels`.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    origin: tuple[int, int]


def from_bytes(data: bytes, reduce: int, max_pixels: int) -> Decoded:
    """Decode a file's content.

    Args:
        data: The encoded picture.
        reduce: One of `REDUCTIONS`: decode at this fraction of the size.
        max_pixels: Width times height at most; checked before decoding.

    Raises:
        RefusedError: It is no whole, readable picture within the limit.
    """
    form, image = _open(data, max_pixels)
    orientation, size = _orientation(image), image.size
    with _decoding(form):
        pixels = _decode(image, data, reduce)
    return _upright(pixels, size, orientation, reduce)


def from_image(image: Image.Image, reduce: int, max_pixels: int) -> Decoded:
    """Take over a Pillow image, which need not be loaded yet; otherwise as `from_bytes`."""
    check_pixels(*image.size, max_pixels)
    with _decoding("picture"):
        orientation = _orientation(image)
        pixels = _to_rgb(image)
    return _reduced(pixels, orientation, reduce)


def from_array(array: NDArray[Any], reduce: int, max_pixels: int) -> Decoded:
    """Copy an array of grey, RGB or RGBA pixels, of 8 or 16 bits, bool, or float from 0 to 1.

    Args:
        array: H x W, or H x W x 1, 3 or 4.
        reduce: One of `REDUCTIONS`.
        max_pixels: Width times height at most.

    Raises:
        RefusedError: It is of another shape or type, or too large.
    """
    return _reduced(_array_to_rgb(array, max_pixels), 1, reduce)


def read_header(data: bytes, max_pixels: int) -> tuple[str, int, int]:
    """Return a file's format name, and its upright width and height, without decoding pixels.

    Raises:
        RefusedError: It is no picture, or too large.
    """
    form, image = _open(data, max_pixels)
    width, height = image.size
    return (form, height, width) if _orientation(image) > 4 else (form, width, height)


class _QuietPillow:
    """Keeps Pillow's warnings on hostile files silent while any thread decodes.

    One catch_warnings() a thread would restore the filters in the wrong order when two overlap.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._saved.__exit__(None, None, None)


_quiet_pillow = _QuietPillow()


@contextmanager
def _decoding(form: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a refusal: on hostile bytes Pillow raises anything."""
    try:
        with _quiet_pillow:
            yield
    except RefusedError:
        raise
    except MemoryError as error:
        raise RefusedError("too large for the memory at hand; shrink the picture") from error
    except Exception as error:
        raise damaged(form, _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error.__cause__ or error, struct.error | LookupError | TypeError | EOFError):
        return "a part is missing, or it is of a kind that is not read"
    return printable(shortened(str(error))) or type(error).__name__


def _open(data: bytes, max_pixels: int) -> tuple[str, ImageFile]:
    """Read the header by the one plugin that fits; Image.open would warn of large sizes first."""
    form, plugin = _format(data)
    with _decoding(form):
        exif = check(form, data, max_pixels)
        image = plugin(io.BytesIO(data))
        if exif is not None:
            image.info["exif"] = exif
    check_pixels(*image.size, max_pixels)
    return form, image


def _format(data: bytes) -> tuple[str, type[ImageFile]]:
    if not data:
        raise RefusedError(f"empty file (0 bytes); {_WANTED}")
    for form, (signature, plugin) in _FORMATS.items():
        if re.match(signature, data, re.DOTALL):
            return form, plugin
    if _PLAIN_PPM.match(data):
        raise RefusedError(
            "a plain-text PBM, PGM or PPM; save it in the binary form (P4, P5 or P6)"
        )
    raise RefusedError(f"not a picture (it starts with {data[:12]!r}); {_WANTED}")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation that is still to be applied: Pillow turns a TIFF by itself on loading."""
    if isinstance(image, TiffImageFile):
        return 1
    try:
        with _quiet_pillow:
            # A PNG's own getexif() would decode the pixels to look for EXIF behind them.
            value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except Exception:  # garbage EXIF is common and does not harm the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _decode(image: ImageFile, data: bytes, reduce: int) -> NDArray[np.uint8]:
    """Decode at 1/`reduce` of the size, not yet upright."""
    if isinstance(image, PpmImageFile) and image.tile[0].codec_name == "ppm":
        return _shrink(_scaled_samples(image, data), reduce)
    if not isinstance(image, JpegImageFile):
        return _shrink(_to_rgb(image), reduce)
    pixels = _decode_plain_jpeg(image, data, reduce)
    if pixels is not None:
        return pixels
    check_scans(image, data)
    width, height = image.size
    if min(width, height) < reduce:
        return _shrink(_to_rgb(image), reduce)
    image.draft(None, (width // reduce, height // reduce))
    return _to_rgb(image)


def _scaled_samples(image: PpmImageFile, data: bytes) -> NDArray[np.uint8]:
    """Decode a PGM or PPM of another range than 0 to 255 or 65,535: Pillow does so in Python."""
    tile = image.tile[0]
    _, maxval = cast("tuple[str, int]", tile.args)
    bands = len(image.getbands())
    kind, count = np.dtype("u1" if maxval < 256 else ">u2"), image.width * image.height * bands
    if len(data) - tile.offset < count * kind.itemsize:
        raise damaged("PPM", "it ends before its last pixel")
    table = np.rint(np.arange(maxval + 1) * (255 / maxval)).astype(np.uint8)
    values = np.minimum(np.frombuffer(data, kind, count, tile.offset), maxval)
    pixels = table[values].reshape(image.height, image.width, bands)
    return _grey_to_rgb(pixels) if bands == 1 else pixels


def _decode_plain_jpeg(image: JpegImageFile, data: bytes, reduce: int) -> NDArray[np.uint8] | None:
    """Decode an unbroken single-scan JPEG by OpenCV: the same pixels as Pillow's, in 2/3 the time.

    OpenCV also returns pictures that end in grey, so anything unusual is left to Pillow.
    """
    end = JPEG_MARKER.search(data, scan_start(image))
    if end is None or end.group() != JPEG_END or image.mode not in ("L", "RGB"):
        return None
    flags = REDUCTIONS[reduce] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    expected = tuple(-(-side // reduce) for side in (image.height, image.width))
    if pixels is None or pixels.shape[:2] != expected:
        return None
    return pixels.astype(np.uint8, copy=False)


def _shrink(pixels: NDArray[np.uint8], reduce: int) -> NDArray[np.uint8]:
    """Mean over blocks of `reduce` x `reduce`; those at the far edges may be partial."""
    if reduce == 1:
        return pixels
    return np.array(Image.fromarray(pixels).reduce(reduce))


def _reduced(pixels: NDArray[np.uint8], orientation: int, reduce: int) -> Decoded:
    height, width = pixels.shape[:2]
    return _upright(_shrink(pixels, reduce), (width, height), orientation, reduce)


def _upright(
    pixels: NDArray[np.uint8], size: tuple[int, int], orientation: int, reduce: int
) -> Decoded:
    width, height = size
    if orientation > 4:
        pixels = cv2.transpose(pixels).astype(np.uint8, copy=False)
        width, height = height, width
    flip = _FLIPS.get(orientation)
    if flip is not None:
        pixels = cv2.flip(pixels, flip).astype(np.uint8, copy=False)
    rows, columns = pixels.shape[:2]
    left = width - columns * reduce if flip in (1, -1) else 0
    top = height - rows * reduce if flip in (0, -1) else 0
    return Decoded(pixels, width, height, (left, top))


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    if image.mode[0] in "IF":
        return _grey_to_rgb(_opaque(_to_8_bit(_deep(image)), image))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(layer, mask=layer)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _deep(image: Image.Image) -> NDArray[Any]:
    """Pixels of more than 8 bits, as uint16 or float where their range is known."""
    values = np.asarray(image)
    if isinstance(image, TiffImageFile) and image.tag_v2.get(BITSPERSAMPLE) == (12,):
        return values << 4
    if isinstance(image, PpmImageFile):  # Pillow scales them to 16 bits, but holds them in 32
        return values.astype(np.uint16)
    return values


def _opaque(grey: NDArray[np.uint8], image: Image.Image) -> NDArray[np.uint8]:
    """White where a 16-bit grey picture holds the value that its header declares transparent."""
    key = image.info.get("transparency")
    return grey if key is None else np.where(np.asarray(image) == key, np.uint8(255), grey)


def _array_to_rgb(array: NDArray[Any], max_pixels: int) -> NDArray[np.uint8]:
    if array.ndim not in (2, 3) or array.size == 0 or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise RefusedError(
            f"an array of shape {array.shape}; give H x W grey, H x W x 3 RGB or H x W x 4 RGBA"
        )
    height, width = array.shape[:2]
    check_pixels(width, height, max_pixels)
    pixels = _to_8_bit(array)
    if array.shape[2:] == (4,):
        return _to_rgb(Image.fromarray(np.ascontiguousarray(pixels)))
    if array.shape[2:] == (3,):
        return np.array(pixels, order="C")
    return _grey_to_rgb(pixels)


def _grey_to_rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey.reshape(*grey.shape[:2], 1), 3, axis=2)


def _to_8_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    kind = f"{values.dtype.kind}{values.dtype.itemsize}"
    if kind == "u1":
        return values
    if kind == "b1":
        return values.astype(np.uint8) * np.uint8(255)
    if kind == "u2":
        return (values >> 8).astype(np.uint8)
    if kind[0] != "f":
        raise RefusedError(f"{values.dtype} pixels; give uint8, uint16, bool, or float 0 to 1")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):
        raise RefusedError(f"float pixels from {low:g} to {high:g}; scale them to 0 to 1")
    return np.rint(values * 255.0).astype(np.uint8)
