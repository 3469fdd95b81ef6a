"""Every hostile picture, by the message that refuses it."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from mien.errors import ImageError
from mien.images import Limits, load
from tests.pictures import chunk, corners, encode, flat, png


def giant_png() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", *[50_000] * 2, 8, 2, 0, 0, 0)
    )


def giant_webp() -> bytes:
    canvas = (16_383 - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<II", 10, 0) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def giant(data: bytes, at: int, layout: str) -> bytes:
    size = struct.pack(layout, 20_000, 20_000)
    return data[:at] + size + data[at + len(size) :]


def with_many_scans() -> bytes:
    data = encode(corners(), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * 200 + data[-2:]


def broken_checksum() -> bytes:
    data = bytearray(encode(corners(), "PNG"))
    data[data.index(b"IDAT") + 10] ^= 1
    return bytes(data)


JPEG = encode(corners(), "JPEG")


SIZED_FRAME = JPEG.index(b"\xff\xc0") + 5


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"empty file \(0 bytes\); give a JPEG, PNG"),
    "text": (b"hello world, I am no picture", r"not a picture \(it starts with b'hello world,'\)"),
    "one byte": (b"\xff", "not a picture"),
    "executable": (b"\x7fELF\x02\x01", "not a picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
    "plain ppm": (b"P3 1 1 255 1 2 3", "plain-text"),
    "png header of 50,000": (giant_png(), r"50,000 x 50,000 = 2,500 million pixels; the limit is"),
    "webp canvas of 16,383": (giant_webp(), r"broken WebP|million pixels"),
    "jpeg of 65,535": (giant(JPEG, SIZED_FRAME, ">HH"), "= 400 million pixels; the limit is 100 m"),
    "gif screen of 20,000": (giant(encode(corners(), "GIF"), 6, "<HH"), "= 400 million"),
    "bmp of 20,000": (giant(encode(corners(), "BMP"), 18, "<II"), "= 400 million"),
    "0 x 0 png": (png(0, 0, 8, 2, b""), "broken PNG"),
    "0 x 0 gif": (b"GIF89a" + bytes(7) + b";", "broken GIF"),
    "gif without frames": (b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0) + b";", "broken GIF"),
    "png checksum": (broken_checksum(), "broken PNG: the checksum of chunk b'IDAT' is wrong"),
    "png cut in its header": (b"\x89PNG\r\n\x1a\n\0\0", "truncated PNG: it ends inside its header"),
    "png without pixels": (png(4, 4, 8, 2, b""), "PNG"),
    "png text bomb": (
        png(1, 1, 8, 0, b"\0\0", chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(9_000_000)))),
        "broken PNG: Decompressed data too large",
    ),
    "jpeg of many scans": (with_many_scans(), r"a JPEG of \d+ scans; the limit is 100"),
    "tiff of many strips": (
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 273, 4, 200_000, 8),
        "a TIFF in 200,000 pieces; the limit is 100,000",
    ),
    "tiff of one tile of 400 million": (
        b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 322, 4, 1, 20_000, 323, 3, 1, 20_000),
        "20,000 x 20,000 = 400 million pixels; the limit is 100 million",
    ),
    "tiff of tiles of no whole size": (
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 322, 5, 1, 8),
        "broken TIFF: the size of its tiles",
    ),
    "bmp in very many runs": (
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 8_000_000, -1, 1, 8, 1) + bytes(999),
        "a BMP in runs of 8,000,000 x 1 = 8 million pixels; the limit is 2 million",
    ),
    "bmp cut in its header": (b"BM" + bytes(20), "truncated BMP"),
    "jpeg of many parts": (
        JPEG[:2] + b"\xff\xe2\0\x03a" * 6000 + JPEG[2:],
        "more than 5,000 parts",
    ),
    "jpeg of much junk": (
        JPEG[:2] + b"\xff\xfe\0\2" + bytes(6000) + JPEG[2:],
        "more than 5,000 parts",
    ),
    "jpeg of many extensions": (
        JPEG[:2] + b"\xff\xf0\xff\xff" + bytes(6000) + JPEG[2:],
        "more than 5,000 parts",
    ),
    "jpeg of many exif parts": (
        JPEG[:2] + b"\xff\xe1\0\x08Exif\0\0" * 101 + JPEG[2:],
        "more than 100 Exif parts",
    ),
    "pgm cut": (b"P5 4 4 100\n" + bytes(15), "truncated PPM: it ends before its last pixel"),
    "tiff without tags": (b"MM\0*\0\0\0\x08", "broken TIFF: a part is missing"),
    "jpeg with a zeroed tail": (JPEG[:-300] + bytes(300), "JPEG"),
    "jpeg without tables": (JPEG.replace(b"\xff\xdb", b"\xff\xfe"), "broken JPEG"),
    "jpeg without header": (b"\xff\xd8\xff\xd9", "broken JPEG"),
    "bright float tiff": (encode(flat("F", 2.0), "TIFF"), "float pixels from 2 to 2"),
    "32 bit tiff": (encode(flat("I", 200), "TIFF"), "int32 pixels; give"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes(case: str, tmp_path: Path) -> None:
    data, words = HOSTILE[case]
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    for source, name in ((data, "<bytes>"), (path, str(path)), (io.BytesIO(data), "<BytesIO>")):
        with pytest.raises(ImageError, match=words) as caught:
            load(source)
        assert caught.value.name == name
        assert str(caught.value).startswith(f"{name}: ")


def test_an_avif_that_is_larger_than_it_says_is_refused() -> None:
    data = bytearray(encode(Image.new("RGB", (300, 200)), "AVIF"))
    assert load(bytes(data)).width == 300
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", 64, 64)
    with pytest.raises(ImageError, match="300 x 200 = 60,000 pixels; the limit is 50,000"):
        load(bytes(data), limits=Limits(max_pixels=50_000))
