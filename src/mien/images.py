"""Bytes to pixels, safely: limits before decoding, whole pictures only, upright 8-bit RGB."""

import binascii
import io
import os
import re
import stat
import struct
import threading
import urllib.parse
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias, cast

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
from PIL.TiffImagePlugin import BITSPERSAMPLE, STRIPOFFSETS, TILEOFFSETS, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mien.errors import ImageError

Encoded: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
Source: TypeAlias = Encoded | Image.Image | NDArray[Any]

SUFFIXES: Final = frozenset(
    {".apng", ".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png"}
    | {".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""File suffixes, in lower case, under which a picture is looked for in a folder."""

_WANTED = "give a JPEG, PNG, WebP, GIF, BMP or TIFF picture"
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

# Any JPEG marker but stuffing, fill bytes and restarts: what may end a scan.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"
_MAX_SCANS, _MAX_STRIPS = 100, 100_000

# OpenCV's names say grey, but beside IMREAD_COLOR_RGB these bits only set the scale.
_JPEG_SCALES: Final = {
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}

# EXIF orientation -> cv2.flip's code, applied after a transposition for 5 and above.
_FLIPS: Final = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may measure; both are checked before anything is decoded.

    Args:
        max_bytes: Size of the encoded picture.
        max_pixels: Width times height.
    """

    max_bytes: int = 50 * 1024**2
    max_pixels: int = 100_000_000


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, upright.

    Args:
        pixels: uint8, H x W x 3 RGB, C-contiguous, shared with nobody. H and W are the height and
            width divided by `reduce`, rounded up.
        name: What messages call the picture: a path, or "<bytes>" and the like.
        width: Width of the full picture in pixels.
        height: Height of the full picture in pixels.
        reduce: How many pixels of the full picture make one of `pixels`, along each axis.
        origin: (x, y) in the full picture of the corner of `pixels`. Not (0, 0) only where a
            mirrored or turned picture's size is no multiple of `reduce`.
    """

    pixels: NDArray[np.uint8]
    name: str
    width: int
    height: int
    reduce: int = 1
    origin: tuple[int, int] = (0, 0)

    def to_full(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Map positions in `pixels` to positions in the full picture.

        Args:
            points: (x, y) on the last axis; the first pixel covers 0 to 1.

        Returns:
            An array of the same shape.
        """
        return np.asarray(points, np.float64) * self.reduce + self.origin


class Header(NamedTuple):
    """What a picture's header says: format name, and upright width and height in pixels."""

    format: str
    width: int
    height: int


def load(
    source: Source,
    *,
    reduce: int = 1,
    limits: Limits = DEFAULT_LIMITS,
    name: str | None = None,
) -> Picture:
    """Decode a picture to RGB.

    JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and binary PBM, PGM and PPM are read, told by content.
    Of an animation or a file with several pages, the first picture is taken. EXIF orientation
    is applied, transparency laid on white, 16 bits a channel scaled to 8. Colour profiles
    (ICC) are ignored. A file that is cut short inside its first picture is refused.

    Args:
        source: A path, encoded bytes, a binary stream (read from where it stands), a Pillow
            image, or an array: H x W or H x W x 1 grey, H x W x 3 RGB, or H x W x 4 RGBA; of
            type uint8, uint16, bool, or float from 0 to 1.
        reduce: 1, 2, 4 or 8: decode at this fraction of the size. A JPEG is scaled by its
            decoder, which is faster; of anything else the mean over blocks is taken.
        limits: Largest size accepted, in bytes and in pixels.
        name: What error messages call the picture; by default the path, or "<bytes>" and such.

    Returns:
        The upright picture.

    Raises:
        ImageError: The source is no whole, readable picture within the limits.
        ValueError: `reduce` is none of the four.

    Example:
        >>> picture = load("photo.jpg", reduce=2)
        >>> picture.pixels.shape, picture.width, picture.height
        ((1500, 2000, 3), 4000, 3000)
    """
    if reduce not in _JPEG_SCALES:
        raise ValueError(f"reduce must be 1, 2, 4 or 8, not {reduce!r}")
    label = _label(source, name)
    orientation = 1
    with _naming(label):
        if isinstance(source, np.ndarray):
            pixels = _array_to_rgb(source, limits)
        elif isinstance(source, Image.Image):
            _check_pixels(*source.size, limits)
            with _decoding("picture"):
                orientation = _orientation(source)
                pixels = _to_rgb(source)
        else:
            data = _read(source, limits)
            form, image = _open(data, limits)
            orientation, (width, height) = _orientation(image), image.size
            with _decoding(form):
                pixels = _decode(image, data, reduce)
            return _upright(pixels, (width, height), orientation, reduce, label)
    height, width = pixels.shape[:2]
    return _upright(_shrink(pixels, reduce), (width, height), orientation, reduce, label)


def probe(source: Encoded, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Header:
    """Read a picture's format and size without decoding its pixels.

    Args:
        source: A path, encoded bytes, or a binary stream, which is consumed.
        limits: Largest size accepted, in bytes and in pixels.
        name: What error messages call the picture.

    Returns:
        The format's name, and the size after EXIF orientation.

    Raises:
        ImageError: There is no such picture, or it is too large. What the header does not
            show, such as a file cut short, may still be found by `load`.
    """
    with _naming(_label(source, name)):
        form, image = _open(_read(source, limits), limits)
        width, height = image.size
        return Header(form, *((height, width) if _orientation(image) > 4 else (width, height)))


def from_base64(
    text: str | bytes, *, limits: Limits = DEFAULT_LIMITS, name: str = "<base64>"
) -> bytes:
    """Decode base64 text, for `load`.

    Args:
        text: Base64 in the standard or the URL-safe alphabet, or a data URL of it. White space,
            leading commas (left over from a data URL) and missing padding are accepted.
        limits: Largest size accepted, in bytes.
        name: What error messages call the picture.

    Returns:
        The decoded bytes, not yet known to be a picture.

    Raises:
        ImageError: The text is not base64, is empty, or holds more than `limits.max_bytes`.
    """
    with _naming(_printable(name)):
        raw = text.encode("ascii", "replace") if isinstance(text, str) else text
        if raw.lstrip()[:5].lower() == b"data:":
            head, _, body = raw.partition(b",")
            if not head.lower().rstrip().endswith(b";base64"):
                raise _RefusedError("a data URL without ';base64,'; encode the picture as base64")
            raw = urllib.parse.unquote_to_bytes(body)
        digits = b"".join(raw.split()).lstrip(b",").translate(bytes.maketrans(b"-_", b"+/"))
        digits = digits.rstrip(b"=")
        if not digits:
            raise _RefusedError("empty base64 text; encode a picture as base64")
        _check_bytes(len(digits) * 3 // 4, limits)
        try:
            return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
        except binascii.Error as error:
            shown = _printable(digits[:12].decode("ascii", "replace"))
            raise _RefusedError(f"not base64 (it starts with {shown!r}): {error}") from error


class _RefusedError(Exception):
    """A reason to refuse a picture whose name is known further up."""


@contextmanager
def _naming(label: str) -> Iterator[None]:
    try:
        yield
    except _RefusedError as refusal:
        raise ImageError(label, str(refusal)) from refusal.__cause__


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
    except _RefusedError:
        raise
    except MemoryError as error:
        raise _RefusedError("too large for the memory at hand; shrink the picture") from error
    except Exception as error:
        raise _damaged(form, _reason(error)) from error


def _damaged(form: str, reason: str) -> _RefusedError:
    cut = re.search("(?i)truncat|not enough|it ends", reason)
    damage = "truncated" if cut else "broken"
    return _RefusedError(f"{damage} {form}: {reason}; copy or export the picture again")


def _reason(error: Exception) -> str:
    if isinstance(error.__cause__ or error, struct.error | LookupError | TypeError | EOFError):
        return "a part is missing or makes no sense"
    return _printable(str(error)) or type(error).__name__


def _label(source: object, name: str | None) -> str:
    if name is not None:
        return _printable(name)
    if isinstance(source, str | os.PathLike):
        return _printable(os.fsdecode(source)) or "(empty path)"
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    inner = getattr(source, "name", None) or getattr(source, "filename", None)
    return _printable(inner) if isinstance(inner, str) else f"<{type(source).__name__}>"


def _printable(text: str) -> str:
    """Escape what could forge or garble a message, and shorten what would flood it."""
    if len(text) > 300:
        text = f"{text[:200]}…{text[-60:]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _check_bytes(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise _RefusedError(
            f"{size:,} bytes or more; the limit is {limits.max_bytes:,} "
            "(shrink the picture, or raise the limit)"
        )


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        raise _RefusedError(
            f"{width:,} x {height:,} = {_count(width * height)} pixels; the limit is "
            f"{_count(limits.max_pixels)} (shrink the picture, or raise the limit)"
        )


def _count(number: int) -> str:
    if number < 1_000_000:
        return f"{number:,}"
    return f"{number / 1e6:,.1f}".removesuffix(".0") + " million"


def _read(source: Encoded, limits: Limits) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        _check_bytes(memoryview(source).nbytes, limits)
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        data = _read_file(os.fsdecode(source), limits)
    elif hasattr(source, "read"):
        data = _read_stream(source, limits)
    else:
        kind = type(source).__name__
        raise _RefusedError(f"a {kind} is no picture; give a path, bytes, a stream or an array")
    if not data:
        raise _RefusedError(f"empty file (0 bytes); {_WANTED}")
    return data


def _read_file(path: str, limits: Limits) -> bytes:
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise _RefusedError("a folder, not a picture; give the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise _RefusedError("not a regular file; pass its content as bytes or as a stream")
        _check_bytes(status.st_size, limits)
        with Path(path).open("rb") as stream:
            return _read_stream(stream, limits)
    except FileNotFoundError as error:
        hint = "check the path"
        if re.match(r"(?i)data:|https?:", path):
            hint = "a URL is not fetched; pass the bytes (from_base64 decodes a data URL)"
        raise _RefusedError(f"no such file; {hint}") from error
    except PermissionError as error:
        raise _RefusedError("permission denied; make the file readable") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _RefusedError(f"cannot be opened ({reason}); check the path") from error


def _read_stream(stream: BinaryIO, limits: Limits) -> bytes:
    chunks, wanted = [], limits.max_bytes + 1
    while wanted > 0:
        try:
            chunk = stream.read(wanted)
        except Exception as error:
            raise _RefusedError(f"cannot be read: {_printable(str(error))}") from error
        if isinstance(chunk, str):
            raise _RefusedError("a text stream; open it in binary mode ('rb')")
        if not chunk:
            break
        chunks.append(chunk)
        wanted -= len(chunk)
    data = b"".join(chunks)
    _check_bytes(len(data), limits)
    return data


def _open(data: bytes, limits: Limits) -> tuple[str, ImageFile]:
    """Read the header by the one plugin that fits; Image.open would warn of large sizes first."""
    form, plugin = _format(data)
    with _decoding(form):
        exif = None
        if form == "PNG":
            exif = _check_png(data, limits)
        elif form == "TIFF":
            _check_tiff(data)
        image = plugin(io.BytesIO(data))
        if exif is not None:
            image.info["exif"] = exif
    _check_pixels(*image.size, limits)
    return form, image


def _format(data: bytes) -> tuple[str, type[ImageFile]]:
    for form, (signature, plugin) in _FORMATS.items():
        if re.match(signature, data, re.DOTALL):
            return form, plugin
    if _PLAIN_PPM.match(data):
        raise _RefusedError(
            "a plain-text PBM, PGM or PPM; save it in the binary form (P4, P5 or P6)"
        )
    raise _RefusedError(f"not a picture (it starts with {data[:12]!r}); {_WANTED}")


def _check_png(data: bytes, limits: Limits) -> bytes | None:
    """Walk all chunks, as Pillow misses some cuts and errors; return the EXIF data, if any."""
    if len(data) < 24:
        raise _damaged("PNG", "it ends inside its header")
    width, height = struct.unpack_from(">II", data, 16)
    _check_pixels(width, height, limits)
    view, position, exif = memoryview(data), 8, None
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise _damaged("PNG", "it ends before its end chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise _damaged("PNG", f"it ends inside chunk {kind!r}")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise _damaged("PNG", f"the checksum of chunk {kind!r} is wrong")
        if kind == b"eXIf":
            exif = b"Exif\0\0" + data[position + 8 : end - 4]
        position = end
    return exif


def _check_tiff(data: bytes) -> None:
    """Refuse a page of very many strips or tiles: Pillow makes 100 bytes of the 4 of each."""
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    for position in range(start + 2, start + 2 + 12 * entries, 12):
        tag, _, count = struct.unpack_from(f"{order}HHI", data, position)
        if tag in (STRIPOFFSETS, TILEOFFSETS) and count > _MAX_STRIPS:
            raise _RefusedError(
                f"a TIFF in {count:,} pieces; the limit is {_MAX_STRIPS:,}; export it again"
            )


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
    if not isinstance(image, JpegImageFile):
        return _shrink(_to_rgb(image), reduce)
    pixels = _decode_plain_jpeg(image, data, reduce)
    if pixels is not None:
        return pixels
    _check_scans(image, data)
    width, height = image.size
    if min(width, height) < reduce:
        return _shrink(_to_rgb(image), reduce)
    image.draft(None, (width // reduce, height // reduce))
    return _to_rgb(image)


def _decode_plain_jpeg(image: JpegImageFile, data: bytes, reduce: int) -> NDArray[np.uint8] | None:
    """Decode an unbroken single-scan JPEG by OpenCV: the same pixels as Pillow's, in 2/3 the time.

    OpenCV also returns pictures that end in grey, so anything unusual is left to Pillow.
    """
    end = _JPEG_MARKER.search(data, _scan_start(image))
    if end is None or end.group() != _JPEG_END or image.mode not in ("L", "RGB"):
        return None
    flags = _JPEG_SCALES[reduce] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    expected = tuple(-(-side // reduce) for side in (image.height, image.width))
    if pixels is None or pixels.shape[:2] != expected:
        return None
    return pixels.astype(np.uint8, copy=False)


def _check_scans(image: JpegImageFile, data: bytes) -> None:
    """Refuse a JPEG that would take hours: each scan of a few bytes costs a pass over it all."""
    scans, position = 1, _scan_start(image)
    while (marker := _JPEG_MARKER.search(data, position)) and marker.group() != _JPEG_END:
        scans += marker.group() == _JPEG_SCAN
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    if scans > _MAX_SCANS:
        raise _RefusedError(
            f"a JPEG of {scans:,} scans; the limit is {_MAX_SCANS}; export it again"
        )
    if marker is None:
        raise _damaged("JPEG", "it ends before its end marker")


def _scan_start(image: JpegImageFile) -> int:
    """Where the entropy-coded data begins: Pillow stops reading the header there."""
    return cast(BinaryIO, image.fp).tell()


def _shrink(pixels: NDArray[np.uint8], reduce: int) -> NDArray[np.uint8]:
    """Mean over blocks of `reduce` x `reduce`; those at the far edges may be partial."""
    if reduce == 1:
        return pixels
    return np.array(Image.fromarray(pixels).reduce(reduce))


def _upright(
    pixels: NDArray[np.uint8], size: tuple[int, int], orientation: int, reduce: int, name: str
) -> Picture:
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
    return Picture(pixels, name, width, height, reduce, (left, top))


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


def _array_to_rgb(array: NDArray[Any], limits: Limits) -> NDArray[np.uint8]:
    if array.ndim not in (2, 3) or array.size == 0 or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise _RefusedError(
            f"an array of shape {array.shape}; give H x W grey, H x W x 3 RGB or H x W x 4 RGBA"
        )
    height, width = array.shape[:2]
    _check_pixels(width, height, limits)
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
        raise _RefusedError(f"{values.dtype} pixels; give uint8, uint16, bool, or float 0 to 1")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):
        raise _RefusedError(f"float pixels from {low:g} to {high:g}; scale them to 0 to 1")
    return np.rint(values * 255.0).astype(np.uint8)
