"""Every kind of picture by its pixel values, whole or cut."""

import io
import resource
import struct
import threading
import warnings
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, features

from mien import decoding
from mien.errors import ImageError
from mien.images import Limits, load, probe
from tests.pictures import (
    BLUE,
    GREEN,
    RED,
    STORED,
    WHITE,
    assert_corners,
    chunk,
    corners,
    encode,
    flat,
    grey16,
    palette,
    png,
    tiff12,
    turned,
    ycck,
)

GREY_ALPHA_16 = struct.pack(">HH", 0, 32768)


KINDS: dict[str, tuple[bytes, Any, int]] = {
    "rgb jpeg": (encode(flat("RGB", (200, 100, 50)), "JPEG"), (200, 100, 50), 3),
    "grey jpeg": (encode(flat("L", 77), "JPEG"), (77, 77, 77), 1),
    "progressive jpeg": (
        encode(flat("RGB", (200, 100, 50)), "JPEG", progressive=True),
        (200, 100, 50),
        3,
    ),
    "cmyk jpeg": (encode(flat("CMYK", (0, 255, 255, 0)), "JPEG"), RED, 4),
    "cmyk jpeg with black": (encode(flat("CMYK", (0, 0, 255, 128)), "JPEG"), (127, 127, 0), 4),
    "ycck jpeg": (ycck(), RED, 4),
    "png": (encode(flat("RGB", (1, 2, 3)), "PNG"), (1, 2, 3), 0),
    "1 bit png": (encode(flat("1", 1), "PNG"), WHITE, 0),
    "1 bit bmp": (encode(flat("1", 0), "BMP"), (0, 0, 0), 0),
    "2 bit grey png": (png(1, 1, 2, 0, b"\0\x80"), (170, 170, 170), 0),
    "16 bit grey png": (png(1, 1, 16, 0, b"\0\x80\x00"), (128, 128, 128), 1),
    "16 bit rgb png": (png(1, 1, 16, 2, b"\0\x80\0\xff\xff\1\0"), (128, 255, 1), 1),
    "16 bit grey alpha png": (png(1, 1, 16, 4, b"\0" + GREY_ALPHA_16), (127, 127, 127), 1),
    "16 bit grey png, transparent": (
        png(1, 1, 16, 0, b"\0\x80\x00", chunk(b"tRNS", b"\x80\x00")),
        WHITE,
        0,
    ),
    "rgba png": (encode(flat("RGBA", (255, 0, 0, 128)), "PNG"), (255, 127, 127), 1),
    "rgba png, all clear": (encode(flat("RGBA", (9, 9, 9, 0)), "PNG"), WHITE, 0),
    "la png": (encode(flat("LA", (0, 51)), "PNG"), (204, 204, 204), 1),
    "palette png": (encode(palette(2), "PNG"), GREEN, 0),
    "palette png, clear index": (encode(palette(1), "PNG"), WHITE, 0),
    "palette png, alpha": (encode(palette(b"\xff\x80"), "PNG"), (127, 255, 127), 1),
    "rgb png, clear colour": (
        png(1, 1, 8, 2, b"\0\1\2\3", chunk(b"tRNS", b"\0\1\0\2\0\3")),
        WHITE,
        0,
    ),
    "gif, clear index": (encode(palette(1), "GIF", transparency=1), WHITE, 0),
    "webp": (encode(flat("RGB", (10, 200, 30)), "WEBP", lossless=True), (10, 200, 30), 0),
    "rgba webp": (
        encode(flat("RGBA", (0, 0, 255, 128)), "WEBP", lossless=True),
        (127, 127, 255),
        1,
    ),
    "tiff, deflated": (
        encode(flat("RGB", (1, 2, 3)), "TIFF", compression="tiff_adobe_deflate"),
        (1, 2, 3),
        0,
    ),
    "cmyk tiff": (encode(flat("CMYK", (255, 0, 0, 0)), "TIFF"), (0, 255, 255), 0),
    "float tiff": (encode(flat("F", 0.5), "TIFF"), (128, 128, 128), 1),
    "16 bit tiff": (encode(Image.fromarray(grey16(32768)), "TIFF"), (128, 128, 128), 1),
    "12 bit tiff": (tiff12(), (128, 128, 128), 1),
    "pbm": (b"P4 8 1\n\xff", (0, 0, 0), 0),
    "pgm": (b"P5 1 1 255\n\x40", (64, 64, 64), 0),
    "16 bit pgm": (b"P5 1 1 65535\n\x80\x00", (128, 128, 128), 1),
    "10 bit pgm": (b"P5 1 1 1023\n\x02\x00", (128, 128, 128), 1),
    "ppm": (b"P6 1 1 255\n\x01\x02\x03", (1, 2, 3), 0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_pictures(kind: str) -> None:
    data, colour, tolerance = KINDS[kind]
    picture = load(data)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    assert picture.pixels.shape == (picture.height, picture.width, 3)
    expected = np.broadcast_to(np.array(colour), picture.pixels.shape)
    np.testing.assert_allclose(picture.pixels.astype(int), expected, atol=tolerance)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
def test_avif() -> None:
    for tag in STORED:
        data = turned(corners(), tag, "AVIF", quality=95)
        assert_corners(load(data).pixels, 16)
        assert probe(data) == ("AVIF", 64, 32)


ARRAYS = [
    (np.array([[7]], np.uint8), (7, 7, 7)),
    (np.array([[[7]]], np.uint8), (7, 7, 7)),
    (np.array([[[1, 2, 3]]], np.uint8), (1, 2, 3)),
    (np.array([[[255, 0, 0, 128]]], np.uint8), (255, 127, 127)),
    (np.array([[True]]), WHITE),
    (grey16(32768), (128, 128, 128)),
    (np.array([[[65535, 32768, 255]]], ">u2"), (255, 128, 0)),
    (np.array([[[0.0, 0.5, 1.0]]]), (0, 128, 255)),
    (np.array([[0.2]], np.float16), (51, 51, 51)),
    (np.array([[[1.0, 0.0, 0.0, 0.0]]], np.float32), WHITE),
]


@pytest.mark.parametrize(("array", "colour"), ARRAYS)
def test_arrays(array: NDArray[Any], colour: tuple[int, int, int]) -> None:
    picture = load(array)
    assert picture.pixels.tolist() == [[list(colour)]]
    assert (picture.width, picture.height, picture.name) == (1, 1, "<array>")


def test_an_array_is_copied_and_laid_out_anew() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)[:, ::-1]
    pixels = load(array).pixels
    np.testing.assert_array_equal(pixels, array)
    assert pixels.flags.c_contiguous
    assert not np.shares_memory(pixels, array)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 2, 2), np.uint8), r"shape \(2, 2, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
        (np.zeros(4, np.uint8), r"shape \(4,\)"),
        (np.zeros((2, 2), np.int64), "int64 pixels; give uint8"),
        (np.zeros((2, 2), object), "object pixels"),
        (np.full((2, 2), 255.0), "float pixels from 255 to 255; scale them to 0 to 1"),
        (np.full((2, 2), np.nan), "float pixels from nan"),
        (np.full((2, 2), -0.5), "float pixels from -0.5"),
        (np.zeros((100, 101), np.uint8), "101 x 100 = 10,100 pixels; the limit is 10,000"),
    ],
)
def test_arrays_that_are_refused(array: NDArray[Any], words: str) -> None:
    with pytest.raises(ImageError, match=f"^<array>: .*{words}"):
        load(array, limits=Limits(max_pixels=10_000))


FORMS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "progressive": {"quality": 95, "progressive": True},
}


@pytest.mark.parametrize("reduce", [1, 2])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tag", STORED)
def test_orientation(tag: int, form: str, reduce: int) -> None:
    data = turned(corners(), tag, "JPEG" if form == "progressive" else form, **FORMS[form])
    picture = load(data, reduce=reduce)
    assert picture.pixels.shape == (32 // reduce, 64 // reduce, 3)
    assert (picture.width, picture.height, picture.origin) == (64, 32, (0, 0))
    assert_corners(picture.pixels, 12)
    assert probe(data)[1:] == (64, 32)
    with Image.open(io.BytesIO(data)) as opened:
        assert_corners(load(opened, reduce=reduce).pixels, 12)


def test_orientation_behind_the_pixels_of_a_png() -> None:
    data = turned(corners(), 6, "PNG")
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4])
    late = data[:start] + data[end:-12] + data[start:end] + data[-12:]
    assert probe(late)[1:] == (64, 32)
    assert_corners(load(late).pixels)


@pytest.mark.parametrize("value", [0, 9, 77, 65535])
def test_an_impossible_orientation_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert_corners(load(encode(corners(), "PNG", exif=exif)).pixels)


def block_mean(pixels: NDArray[np.uint8], x: int, y: int, size: int) -> NDArray[np.float64]:
    block = pixels[max(y, 0) : y + size, max(x, 0) : x + size]
    return np.asarray(block.reshape(-1, 3).mean(axis=0), np.float64)


@pytest.mark.parametrize("reduce", [2, 4, 8])
@pytest.mark.parametrize("tag", STORED)
def test_reduced_pixels_are_means_and_map_back(tag: int, reduce: int) -> None:
    rng = np.random.default_rng(tag)
    full = rng.integers(0, 256, (23, 37, 3), np.uint8)
    picture = load(turned(Image.fromarray(full), tag, "PNG"), reduce=reduce)
    assert picture.pixels.shape == (-(-23 // reduce), -(-37 // reduce), 3)
    for row, column in np.ndindex(picture.pixels.shape[:2]):
        x, y = picture.to_full(np.array([column, row])).astype(int)
        expected = block_mean(full, x, y, reduce)
        np.testing.assert_allclose(picture.pixels[row, column], expected, atol=1)


@pytest.mark.parametrize("kind", ["plain", "progressive", "grey", "cmyk"])
@pytest.mark.parametrize("size", [(37, 23), (3, 2), (1, 9), (64, 64)])
@pytest.mark.parametrize("reduce", [2, 4, 8])
def test_a_jpeg_is_reduced_like_the_rest(kind: str, size: tuple[int, int], reduce: int) -> None:
    ramp = np.add.outer(np.arange(size[1]) * 2, np.arange(size[0]) * 2).astype(np.uint8)
    mode = {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
    image = Image.fromarray(ramp).convert("RGB").convert(mode)
    data = encode(image, "JPEG", quality=100, progressive=kind == "progressive")
    reduced, full = load(data, reduce=reduce), load(data)
    assert reduced.pixels.shape == (-(-size[1] // reduce), -(-size[0] // reduce), 3)
    assert (reduced.width, reduced.height) == size
    expected = load(full.pixels, reduce=reduce).pixels
    np.testing.assert_allclose(reduced.pixels.astype(int), expected, atol=8)


def test_both_jpeg_decoders_give_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8)
    data = encode(Image.fromarray(noise), "JPEG")
    fast = [load(data, reduce=reduce).pixels for reduce in (1, 2, 4, 8)]
    monkeypatch.setattr(decoding, "_decode_plain_jpeg", lambda *_: None)
    for reduce, pixels in zip((1, 2, 4, 8), fast, strict=True):
        np.testing.assert_array_equal(load(data, reduce=reduce).pixels, pixels)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_is_taken(form: str) -> None:
    frames = [corners().rotate(180), flat("RGB", BLUE).resize((64, 32))]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encode(corners(), form, save_all=True, append_images=frames, **options)
    assert_corners(load(data).pixels)


# Hostile input ------------------------------------------------------------------------------


JPEG = encode(corners(), "JPEG")


@pytest.mark.parametrize(
    "form", ["JPEG", "progressive", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"]
)
@pytest.mark.parametrize("left", [0.999, 0.9, 0.5, 0.2, 0.01])
def test_a_cut_file_is_refused(form: str, left: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
    options = {"progressive": True} if form == "progressive" else {}
    data = encode(noise, "JPEG" if form == "progressive" else form, **options)
    cut = data[: min(int(len(data) * left), len(data) - 3)]
    with pytest.raises(ImageError, match=r"truncated|broken"):
        load(cut)


def test_a_jpeg_cut_behind_its_header_says_so() -> None:
    with pytest.raises(ImageError, match="truncated JPEG: it ends before its end marker; copy"):
        load(JPEG[:-20])


def test_a_bad_marker_inside_a_jpeg_is_refused() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    data = encode(noise, "JPEG")
    middle = len(data) // 2
    with pytest.raises(ImageError, match=r"(broken|truncated) JPEG"):
        load(data[:middle] + b"\xff\x12\x13" + data[middle + 3 :])


def test_garbage_behind_a_whole_jpeg_is_harmless() -> None:
    assert_corners(load(JPEG + b"\xff\xda trailing \xff\xd8 garbage").pixels, 12)


@pytest.mark.parametrize(
    "exif", [b"garbage", b"Exif\0\0MM\0\x2a\xff\xff\xff\xff", b"Exif\0\0" + b"I" * 99]
)
def test_garbage_exif_is_harmless(exif: bytes) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert_corners(load(encode(corners(), "JPEG", exif=exif)).pixels, 12)
    assert caught == []


def test_garbage_exif_in_a_png_is_harmless() -> None:
    data = png(1, 1, 8, 2, b"\0\1\2\3", chunk(b"eXIf", b"garbage"))
    assert load(data).pixels.tolist() == [[[1, 2, 3]]]


def test_too_little_memory_is_said_so() -> None:
    data = png(9000, 9000, 1, 0, bytes(1126 * 9000))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**26, before[1]))
    try:
        with pytest.raises(ImageError, match="too large for the memory at hand; shrink"):
            load(data)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize(
    ("head", "bands", "maxval"),
    [(b"P5", 1, 1), (b"P5", 1, 100), (b"P5", 1, 4095), (b"P6", 3, 254), (b"P6", 3, 1023)],
)
def test_pnm_of_any_range_is_read_as_by_pillow(head: bytes, bands: int, maxval: int) -> None:
    kind = ">u2" if maxval > 255 else "u1"
    top = int(np.iinfo(kind).max)
    values = np.random.default_rng(0).integers(0, min(top, maxval + 9), (5, 7, bands)).astype(kind)
    data = head + b" 7 5 %d\n" % maxval + values.tobytes()

    pixels = load(data).pixels.astype(int)

    known = np.asarray(Image.open(io.BytesIO(data))).astype(float).reshape(5, 7, bands)
    known = known / 257 if bands == 1 and maxval > 255 else known
    np.testing.assert_allclose(pixels, np.broadcast_to(known, pixels.shape), atol=0.51)


def test_a_small_bmp_in_runs_is_read() -> None:
    """Two runs of four pixels each, of the second colour of its table."""
    rows = bytes([4, 1, 0, 0, 4, 1, 0, 1])
    table = bytes(4) + b"\x10\x20\x30\0"
    head = struct.pack("<IiiHHIIiiII", 40, 4, 2, 1, 8, 1, len(rows), 0, 0, 2, 0)
    data = b"BM" + struct.pack("<IHHI", 62 + len(rows), 0, 0, 62) + head + table + rows
    assert load(data).pixels.tolist() == [[[0x30, 0x20, 0x10]] * 4] * 2


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_one_pixel(form: str) -> None:
    picture = load(encode(Image.new("RGB", (1, 1), (200, 200, 200)), form))
    np.testing.assert_allclose(picture.pixels, [[[200, 200, 200]]], atol=3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_only_our_own_limit_counts(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(corners(), form)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert load(data, limits=Limits(max_pixels=2048)).width == 64
    assert caught == []
    with pytest.raises(ImageError, match="64 x 32 = 2,048 pixels; the limit is 2,047"):
        load(data, limits=Limits(max_pixels=2047))


def test_a_broken_pillow_image_is_refused() -> None:
    with Image.open(io.BytesIO(JPEG[:-40])) as opened, pytest.raises(ImageError, match="truncated"):
        load(opened)


def test_threads_leave_the_warning_filters_as_they_were() -> None:
    data = encode(corners(), "JPEG", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\xff\xff")
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [load(data) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


# Any bytes at all ---------------------------------------------------------------------------


@cache
def small_files() -> list[bytes]:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 12, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        encode(image, "JPEG", exif=exif),
        encode(image, "JPEG", progressive=True),
        encode(image.convert("CMYK"), "JPEG"),
        encode(image, "PNG", exif=exif),
        encode(image.convert("P"), "PNG", save_all=True, append_images=[image.rotate(90)]),
        encode(image, "WEBP", exif=exif),
        encode(image, "GIF", save_all=True, append_images=[image.rotate(180)]),
        encode(image, "BMP"),
        encode(image, "TIFF", exif=exif),
        encode(image, "TIFF", compression="tiff_lzw"),
        encode(image, "PPM"),
    ]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(small_files())))
    for _ in range(draw(st.integers(0, 6))):
        position = draw(st.integers(0, len(data) - 1))
        data[position : position + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
        data = data or bytearray(b"\0")
    mended = mend_checksums(bytes(data)) if draw(st.booleans()) else bytes(data)
    return mended[: draw(st.integers(0, len(mended)))] if draw(st.booleans()) else mended


def mend_checksums(data: bytes) -> bytes:
    """Give a PNG's chunks right checksums, so that its decoder meets the damage."""
    out, position = bytearray(data), 8
    while data.startswith(b"\x89PNG") and position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4])
        out[end : end + 4] = zlib.crc32(data[position + 4 : end]).to_bytes(4)
        position = end + 4
    return bytes(out[: len(data)])


@given(damaged(), st.sampled_from([1, 2, 8]))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_damaged_files_load_or_are_refused(data: bytes, reduce: int) -> None:
    limits = Limits(max_pixels=1_000_000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with suppress(ImageError):
            picture = load(data, reduce=reduce, limits=limits)
            assert picture.pixels.shape[0] == -(-picture.height // reduce)
            assert probe(data, limits=limits)[1:] == (picture.width, picture.height)
    assert caught == []
