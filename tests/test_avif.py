"""The sizes of the coded pictures in AVIF files, honest ones and others."""

import struct
from typing import Any

import pytest
from PIL import Image

from mien.avif import coded_sizes
from tests.pictures import encode


def avif(width: int, height: int, mode: str = "RGB", **options: Any) -> bytes:
    return encode(Image.new(mode, (width, height), "red"), "AVIF", **options)


@pytest.mark.parametrize("size", [(1, 1), (60, 40), (64, 64), (65, 1), (1000, 701), (2049, 1025)])
def test_a_picture_and_its_transparency(size: tuple[int, int]) -> None:
    assert list(coded_sizes(avif(*size))) == [size]
    assert list(coded_sizes(avif(*size, "RGBA"))) in ([size], [size] * 2)


def test_a_sequence_of_pictures() -> None:
    more = [Image.new("RGB", (64, 32), "blue")] * 3
    data = avif(64, 32, save_all=True, append_images=more)
    assert b"moov" in data
    assert set(coded_sizes(data)) == {(64, 32)}


def test_what_the_header_says_does_not_count() -> None:
    data = bytearray(avif(700, 500))
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", 64, 64)
    assert list(coded_sizes(bytes(data))) == [(700, 500)]


def sequence_header(wide: int, high: int, width: int, height: int) -> bytes:
    """Return an OBU of no reduced header, without timing, whose frames' sizes have some bits."""
    fields = [(0, 5), (0, 2), (0, 5), (0, 12), (0, 5)]
    fields += [(wide - 1, 4), (high - 1, 4), (width - 1, wide), (height - 1, high)]
    text = "".join(f"{value:0{bits}b}" for value, bits in fields)
    content = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8))
    return bytes([0x0A, len(content)]) + content


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def item(bitstream: bytes, kind: bytes = b"av01", pieces: int = 1, count: int = 1) -> bytes:
    """Return a file of one item, which lies in `idat`."""
    places = struct.pack(">HHHH", 1, 1, 0, pieces) + struct.pack(">II", 0, len(bitstream)) * pieces
    iloc = box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", count) + places * count)
    infe = box(b"infe", b"\2\0\0\0\0\1\0\0" + kind + b"\0")
    iinf = box(b"iinf", b"\0\0\0\0\0\1" + infe)
    return box(b"meta", bytes(4) + iinf + iloc + box(b"idat", bitstream))


def test_frames_may_be_as_large_as_their_bits_allow() -> None:
    assert list(coded_sizes(item(sequence_header(7, 6, 100, 64)))) == [(100, 64)]
    assert list(coded_sizes(item(sequence_header(13, 6, 100, 64)))) == [(8192, 64)]


def test_all_headers_of_a_bitstream_count() -> None:
    two = sequence_header(6, 6, 64, 64) + sequence_header(13, 13, 8000, 8000)
    assert list(coded_sizes(item(two))) == [(64, 64), (8000, 8000)]


def test_a_grid_has_a_size_of_its_own() -> None:
    small, large = struct.pack(">HH", 300, 200), struct.pack(">II", 70_000, 9)
    assert list(coded_sizes(item(b"\0\0\1\1" + small, b"grid"))) == [(300, 200)]
    assert list(coded_sizes(item(b"\0\1\1\1" + large, b"grid"))) == [(70_000, 9)]


HEADER = sequence_header(6, 6, 64, 64)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (item(b"\x12\0"), "no sequence header"),
        (item(HEADER[:5]), "ends inside its sequence header"),
        (item(HEADER + bytes(9000), pieces=9), "overlap"),
        (item(b"", count=10_001), "too many"),
        (item(HEADER + b"\x12\0" * 10_001), "more than 10,000 units"),
        (item(b"\x0a" + b"\xff" * 9), "too many digits"),
        (item(HEADER + b"\x12\0" * 999) * 11, "more than 10,000 units"),
        (item(HEADER)[:-1], "ends inside a box"),
        (box(b"free", b"") * 10_001, "more than 10,000 boxes"),
        (box(b"iloc", b"\1\0\0\0\x44\0\0\2\0\1\0\2\0\0"), "items|iloc"),
    ],
)
def test_what_is_no_honest_file(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(coded_sizes(data))
