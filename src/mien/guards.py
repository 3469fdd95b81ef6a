"""Encoded pictures that are refused before a decoder sees them.

What is damaged in ways that a decoder misses, what is larger than it says, and what would cost it
much time or memory for few bytes.
"""

import re
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, cast

from PIL.JpegImagePlugin import MARKER, JpegImageFile
from PIL.TiffImagePlugin import STRIPOFFSETS, TILELENGTH, TILEOFFSETS, TILEWIDTH

from mien.avif import coded_sizes

# Any JPEG marker but stuffing, fill bytes and restarts: what may end a scan.
JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"
_MAX_SCANS, _MAX_STRIPS = 100, 100_000
_MAX_SEGMENTS, _MAX_EXIF = 5_000, 100
# Behind these Pillow expects no length.
_JPEG_BARE = {0x00, *(code & 0xFF for code, (_, _, handler) in MARKER.items() if not handler)}
_MOST_LAYERS = 4  # a picture, its tiles, its transparency, a preview
_MAX_RUNS = 2_000_000
"""So many pixels of a run-length-encoded BMP: Pillow decodes them in Python."""


class RefusedError(Exception):
    """A reason to refuse a picture whose name is known further up."""


def check(form: str, data: bytes, max_pixels: int) -> bytes | None:
    """Check an encoded picture.

    Args:
        form: Name of its format.
        data: The whole file.
        max_pixels: Width times height at most, also of what is decoded beside the picture.

    Returns:
        The EXIF data of a PNG, which stands anywhere in it; None otherwise.

    Raises:
        RefusedError: It is refused.
        ValueError, LookupError, struct.error: A part of it is missing or makes no sense.
    """
    known = _CHECKS.get(form)
    return None if known is None else known(data, max_pixels)


def damaged(form: str, reason: str) -> RefusedError:
    """Return the refusal of a file that is cut or broken."""
    cut = re.search("(?i)truncat|not enough|it ends", reason)
    damage = "truncated" if cut else "broken"
    return RefusedError(f"{damage} {form}: {reason}; copy or export the picture again")


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture of more pixels than the limit.

    Raises:
        RefusedError: It has more.
    """
    if width * height > max_pixels:
        raise RefusedError(
            f"{width:,} x {height:,} = {_count(width * height)} pixels; the limit is "
            f"{_count(max_pixels)} (shrink the picture, or raise the limit)"
        )


def _count(number: int) -> str:
    if number < 1_000_000:
        return f"{number:,}"
    return f"{number / 1e6:,.1f}".removesuffix(".0") + " million"


def _check_png(data: bytes, max_pixels: int) -> bytes | None:
    """Walk all chunks, as Pillow misses some cuts and errors; return the EXIF data, if any."""
    if len(data) < 24:
        raise damaged("PNG", "it ends inside its header")
    width, height = struct.unpack_from(">II", data, 16)
    check_pixels(width, height, max_pixels)
    view, position, exif = memoryview(data), 8, None
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise damaged("PNG", "it ends before its end chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise damaged("PNG", f"it ends inside chunk {kind!r}")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise damaged("PNG", f"the checksum of chunk {kind!r} is wrong")
        if kind == b"eXIf":
            exif = b"Exif\0\0" + data[position + 8 : end - 4]
        position = end
    return exif


def _check_jpeg(data: bytes, _: int) -> None:
    """Refuse a header of very many parts: Pillow joins them in time that grows by their square."""
    position, steps, exif = 2, 0, 0
    while position + 1 < len(data):
        steps += 1
        if steps > _MAX_SEGMENTS:
            raise RefusedError(
                f"a JPEG whose header has more than {_MAX_SEGMENTS:,} parts; export it again"
            )
        first, marker = data[position : position + 2]
        if first != 0xFF or marker == 0xFF:  # junk and filling, passed over byte by byte
            position += 1
        elif marker == _JPEG_SCAN[1]:
            return
        elif marker in _JPEG_BARE:
            position += 2
        else:
            exif += marker == 0xE1 and data[position + 4 : position + 10] == b"Exif\0\0"
            if exif > _MAX_EXIF:
                raise RefusedError(f"a JPEG of more than {_MAX_EXIF} Exif parts; export it again")
            position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4]))


def _check_avif(data: bytes, max_pixels: int) -> None:
    """Refuse coded pictures that are larger than the header says, or very many of them."""
    total = 0
    for width, height in coded_sizes(data):
        check_pixels(width, height, max_pixels)
        total += width * height
        if total > _MOST_LAYERS * max_pixels:
            raise RefusedError("an AVIF of many large pictures; save one of them")


def _check_bmp(data: bytes, _: int) -> None:
    if len(data) < 34:
        raise damaged("BMP", "it ends inside its header")
    header, width, height, _, _, kind = struct.unpack_from("<IiiHHI", data, 14)
    if header >= 40 and kind in (1, 2):
        count = abs(width) * abs(height)
        if count > _MAX_RUNS:
            raise RefusedError(
                f"a BMP in runs of {abs(width):,} x {abs(height):,} = {_count(count)} pixels; the "
                f"limit is {_count(_MAX_RUNS)}; save it without runs"
            )


def _check_tiff(data: bytes, max_pixels: int) -> None:
    """Refuse a page of very many strips or tiles: Pillow makes 100 bytes of the 4 of each.

    And tiles beyond the limit of pictures: a whole one is decoded, however little of it is used.
    """
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    sides: dict[int, int] = {}
    for position in range(start + 2, start + 2 + 12 * entries, 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, position)
        if tag in (TILEWIDTH, TILELENGTH):
            if kind not in (3, 4):
                raise damaged("TIFF", "the size of its tiles is no whole number")
            form = f"{order}{'H' if kind == 3 else 'I'}"
            (side,) = struct.unpack_from(form, data, position + 8)
            sides[tag] = max(sides.get(tag, 0), side)
        if tag in (STRIPOFFSETS, TILEOFFSETS) and count > _MAX_STRIPS:
            raise RefusedError(
                f"a TIFF in {count:,} pieces; the limit is {_MAX_STRIPS:,}; export it again"
            )
    check_pixels(sides.get(TILEWIDTH, 0), sides.get(TILELENGTH, 0), max_pixels)


def check_scans(image: JpegImageFile, data: bytes) -> None:
    """Refuse a JPEG that would take hours: each scan of a few bytes costs a pass over it all."""
    scans, position = 1, scan_start(image)
    while (marker := JPEG_MARKER.search(data, position)) and marker.group() != JPEG_END:
        scans += marker.group() == _JPEG_SCAN
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    if scans > _MAX_SCANS:
        raise RefusedError(f"a JPEG of {scans:,} scans; the limit is {_MAX_SCANS}; export it again")
    if marker is None:
        raise damaged("JPEG", "it ends before its end marker")


def scan_start(image: JpegImageFile) -> int:
    """Where the entropy-coded data begins: Pillow stops reading the header there."""
    return cast(BinaryIO, image.fp).tell()


_CHECKS: Final[dict[str, Callable[[bytes, int], bytes | None]]] = {
    "PNG": _check_png,
    "TIFF": _check_tiff,
    "JPEG": _check_jpeg,
    "BMP": _check_bmp,
    "AVIF": _check_avif,
}
