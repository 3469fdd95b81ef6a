"""Bytes to pixels, safely: limits before decoding, whole pictures only, upright 8-bit RGB."""

import binascii
import os
import re
import stat
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien import decoding
from mien.errors import ImageError, printable, shortened
from mien.guards import RefusedError

Encoded: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
Source: TypeAlias = Encoded | Image.Image | NDArray[Any]

SUFFIXES: Final = frozenset(
    {".apng", ".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png"}
    | {".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""File suffixes, in lower case, under which a picture is looked for in a folder."""


_TO_DIGITS: Final = bytes.maketrans(b"-_", b"+/")
_ENCODED: Final = b"+/=,:; \r\n"
_MOST_ENCODED: Final = 100_000


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
    if reduce not in decoding.REDUCTIONS:
        raise ValueError(f"reduce must be 1, 2, 4 or 8, not {reduce!r}")
    label = _label(source, name)
    with _naming(label):
        if isinstance(source, np.ndarray):
            decoded = decoding.from_array(source, reduce, limits.max_pixels)
        elif isinstance(source, Image.Image):
            decoded = decoding.from_image(source, reduce, limits.max_pixels)
        else:
            decoded = decoding.from_bytes(_read(source, limits), reduce, limits.max_pixels)
    pixels, width, height, origin = decoded
    return Picture(pixels, label, width, height, reduce, origin)


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
        return Header(*decoding.read_header(_read(source, limits), limits.max_pixels))


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
    with _naming(_shown(name)):
        raw = text.encode("ascii", "replace") if isinstance(text, str) else text
        if raw.lstrip()[:5].lower() == b"data:":
            head, _, body = raw.partition(b",")
            if not head.lower().rstrip().endswith(b";base64"):
                raise RefusedError("a data URL without ';base64,'; encode the picture as base64")
            raw = unquoted(body)
        # Taken apart at its white space, a text of nothing else would take thirty times its size.
        digits = raw.translate(_TO_DIGITS, b" \t\n\r\v\f").lstrip(b",").rstrip(b"=")
        if not digits:
            raise RefusedError("empty base64 text; encode a picture as base64")
        _check_bytes(len(digits) * 3 // 4, limits)
        try:
            return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
        except binascii.Error as error:
            shown = _shown(digits[:12].decode("ascii", "replace"))
            raise RefusedError(f"not base64 (it starts with {shown!r}): {error}") from error


def unquoted(text: bytes) -> bytes:
    """Return percent-encoded text of base64 as it was; what is not encoded stays.

    Raises:
        RefusedError: Very much in it is encoded that need not be.
    """
    if b"%" not in text:
        return text
    # What base64 and data URLs have encoded, in as many copies as there are such characters; the
    # usual way takes text apart at each, which takes many times its size.
    for character in _ENCODED:
        code = b"%%%02X" % character
        for form in {code, code.lower()}:
            text = text.replace(form, bytes([character]))
    if text.count(b"%") > _MOST_ENCODED:
        raise RefusedError("too much of it is percent-encoded; encode only what has to be")
    return urllib.parse.unquote_to_bytes(text)


@contextmanager
def _naming(label: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as refusal:
        raise ImageError(label, str(refusal)) from refusal.__cause__


def _label(source: object, name: str | None) -> str:
    if name is not None:
        return _shown(name)
    if isinstance(source, str | os.PathLike):
        return _shown(os.fsdecode(source)) or "(empty path)"
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    inner = getattr(source, "name", None) or getattr(source, "filename", None)
    return _shown(inner) if isinstance(inner, str) else f"<{type(source).__name__}>"


def _shown(text: str) -> str:
    return printable(shortened(text))


def _check_bytes(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise RefusedError(
            f"{size:,} bytes or more; the limit is {limits.max_bytes:,} "
            "(shrink the picture, or raise the limit)"
        )


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
        raise RefusedError(f"a {kind} is no picture; give a path, bytes, a stream or an array")
    return data


def _read_file(path: str, limits: Limits) -> bytes:
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise RefusedError("a folder, not a picture; give the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("not a regular file; pass its content as bytes or as a stream")
        _check_bytes(status.st_size, limits)
        with Path(path).open("rb") as stream:
            return _read_stream(stream, limits)
    except FileNotFoundError as error:
        hint = "check the path"
        if re.match(r"(?i)data:|https?:", path):
            hint = "a URL is not fetched; pass the bytes (from_base64 decodes a data URL)"
        raise RefusedError(f"no such file; {hint}") from error
    except PermissionError as error:
        raise RefusedError("permission denied; make the file readable") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RefusedError(f"cannot be opened ({reason}); check the path") from error


def _read_stream(stream: BinaryIO, limits: Limits) -> bytes:
    chunks, wanted = [], limits.max_bytes + 1
    while wanted > 0:
        try:
            chunk = stream.read(wanted)
        except Exception as error:
            raise RefusedError(f"cannot be read: {_shown(str(error))}") from error
        if isinstance(chunk, str):
            raise RefusedError("a text stream; open it in binary mode ('rb')")
        if not chunk:
            break
        chunks.append(chunk)
        wanted -= len(chunk)
    data = b"".join(chunks)
    _check_bytes(len(data), limits)
    return data
