"""Small pictures of known content and their files, made on the spot."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

# Which turn of the upright picture an orientation tag asks to be undone.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encode(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = [chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def corners() -> Image.Image:
    """Upright: red and green above blue and white, each 32 x 16 pixels."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:16, :32], pixels[:16, 32:] = RED, GREEN
    pixels[16:, :32], pixels[16:, 32:] = BLUE, WHITE
    return Image.fromarray(pixels)


def assert_corners(pixels: NDArray[np.uint8], tolerance: int = 6) -> None:
    height, width = pixels.shape[:2]
    assert width == 2 * height
    low, high = height // 4, -height // 4
    seen = [pixels[low, low], pixels[low, high], pixels[high, low], pixels[high, high]]
    np.testing.assert_allclose(seen, [RED, GREEN, BLUE, WHITE], atol=tolerance)


def flat(mode: str, colour: Any) -> Image.Image:
    return Image.new(mode, (16, 16), colour)


def palette(transparency: int | bytes) -> Image.Image:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, *GREEN, *BLUE])
    image.info["transparency"] = transparency
    return image


def ycck() -> bytes:
    """A CMYK JPEG whose first three inks are stored as YCbCr, inverted, as Photoshop does."""
    y, cb, cr = flat("RGB", (0, 255, 255)).convert("YCbCr").getpixel((0, 0))  # type: ignore[misc]
    data = encode(flat("CMYK", (255 - y, 255 - cb, 255 - cr, 0)), "JPEG", quality=100)
    position = data.index(b"Adobe") + 11
    return data[:position] + b"\2" + data[position + 1 :]


def grey16(*values: int) -> NDArray[np.uint16]:
    return np.array([values], np.uint16)


def tiff12() -> bytes:
    """One grey pixel of 12 bits, of value 2048."""
    tags = [(256, 1), (257, 1), (258, 12), (259, 1), (262, 1), (273, 122), (277, 1), (279, 2)]
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    return b"II*\0\x08\0\0\0\x08\0" + entries + bytes(16) + b"\x80\0"


def turned(image: Image.Image, tag: int, form: str, **options: Any) -> bytes:
    turn = STORED[tag]
    exif = Image.Exif()
    exif[0x0112] = tag
    stored = image if turn is None else image.transpose(turn)
    return encode(stored, form, exif=exif, **options)
