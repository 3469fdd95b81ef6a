"""Every kind of source, by its pixels and its name; what cannot be read, by its message; base64."""

import base64
import io
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien import images
from mien.errors import ImageError
from mien.images import Limits, from_base64, load, probe
from tests.pictures import assert_corners, corners, encode

JPEG = encode(corners(), "JPEG")


def test_every_source_gives_the_same_pixels(tmp_path: Path) -> None:
    data = encode(corners(), "PNG")
    path = tmp_path / "ảnh.png"
    path.write_bytes(data)
    expected = np.asarray(corners())
    with path.open("rb") as stream, Image.open(path) as opened:
        sources: list[images.Source] = [
            path,
            str(path),
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
        ]
        for source in [*sources, stream, opened, corners(), expected]:
            np.testing.assert_array_equal(load(source).pixels, expected)


def test_names(tmp_path: Path) -> None:
    data = encode(corners(), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    with (tmp_path / "a.png").open("rb") as stream:
        assert load(stream).name == str(tmp_path / "a.png")
    assert load(data).name == "<bytes>"
    assert load(io.BytesIO(data)).name == "<BytesIO>"
    assert load(corners()).name == "<Image>"
    assert load(data, name="door\n2").name == "door\\n2"


def test_probe() -> None:
    assert probe(encode(corners(), "JPEG")) == ("JPEG", 64, 32)
    assert probe(encode(corners(), "WEBP")) == ("WebP", 64, 32)
    assert probe(b"P6 4000 3000 255\n") == ("PPM", 4000, 3000)


def test_reduce_must_be_a_jpeg_scale() -> None:
    with pytest.raises(ValueError, match="1, 2, 4 or 8, not 3"):
        load(encode(corners(), "JPEG"), reduce=3)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    cases: list[tuple[Any, str]] = [
        (tmp_path / "none.jpg", "none.jpg: no such file; check the path"),
        (tmp_path, "a folder, not a picture"),
        (tmp_path / "pipe.jpg", "not a regular file"),
        ("", r"^\(empty path\): "),
        ("a\0b.jpg", r"^a\\x00b.jpg: cannot be opened"),
        ("x" * 5000, "cannot be opened"),
        ("evil\n\x1b[2Jname.jpg", r"^evil\\n\\x1b\[2Jname.jpg: no such file"),
        ("data:image/png;base64,AAAA", "from_base64"),
        ("https://example.org/a.jpg", "a URL is not fetched"),
        (None, "^<NoneType>: a NoneType is no picture; give a path"),
        ([1, 2], "a list is no picture"),
        (io.StringIO("text"), "open it in binary mode"),
    ]
    for source, words in cases:
        with pytest.raises(ImageError, match=words):
            load(source)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_permission_denied(tmp_path: Path, unprivileged: None) -> None:
    path = tmp_path / "secret.jpg"
    if os.getuid() != 0:
        path.write_bytes(JPEG)
        path.chmod(0)
    with pytest.raises(ImageError, match="permission denied; make the file readable"):
        load(path)


class Endless(io.RawIOBase):
    """A stream without end that counts what was taken from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += min(size, 100)
        return bytes(min(size, 100))


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    endless = Endless()
    with pytest.raises(ImageError, match=r"1,001 bytes or more; the limit is 1,000"):
        load(endless, limits=Limits(max_bytes=1000))  # type: ignore[arg-type]
    assert endless.taken == 1001
    sparse = tmp_path / "large.jpg"
    with sparse.open("wb") as file:
        file.truncate(60 * 1024**2)
    tracemalloc.start()
    with pytest.raises(ImageError, match="62,914,560 bytes or more; the limit is 52,428,800"):
        load(sparse)
    assert tracemalloc.get_traced_memory()[1] < 1024**2
    tracemalloc.stop()
    with pytest.raises(ImageError, match="the limit is 10"):
        load(JPEG, limits=Limits(max_bytes=10))


def test_a_stream_that_fails_or_comes_in_pieces() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 7))

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("connection reset")

    assert_corners(load(Slow(JPEG)).pixels, 12)
    with pytest.raises(ImageError, match="cannot be read: connection reset"):
        load(Failing(JPEG))


# Base64 -------------------------------------------------------------------------------------

RAW = bytes(range(256)) + b"\xfb\xff"
TEXT = base64.b64encode(RAW).decode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.encode(),
        TEXT.rstrip("="),
        base64.urlsafe_b64encode(RAW).decode(),
        base64.encodebytes(RAW).decode(),
        f"  \r\n{TEXT}\n",
        f",{TEXT}",
        f"data:image/png;base64,{TEXT}",
        f" DATA:image/png;charset=x;BASE64,{TEXT}",
        "data:;base64," + TEXT.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
    ],
)
def test_base64(text: str | bytes) -> None:
    assert from_base64(text) == RAW


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty base64 text"),
        (" \n, ", "empty base64 text"),
        ("data:image/png;base64,", "empty base64 text"),
        ("data:image/png,abc", "data URL without"),
        ("A", "not base64"),
        ("AA=A", "not base64"),
        ("no base64! at all", r"not base64 \(it starts with 'nobase64!ata'\)"),
        ("ảnh", "not base64"),
    ],
)
def test_base64_that_is_refused(text: str, words: str) -> None:
    with pytest.raises(ImageError, match=f"^<base64>: .*{words}"):
        from_base64(text)


def test_base64_is_measured_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match="258 bytes or more; the limit is 257"):
        from_base64(TEXT, limits=Limits(max_bytes=257), name="<base64>")
    assert from_base64(TEXT, limits=Limits(max_bytes=258)) == RAW


@given(st.text() | st.binary())
@settings(deadline=None, derandomize=True)
def test_any_text_is_base64_or_refused(text: str | bytes) -> None:
    with suppress(ImageError):
        assert from_base64(text)


@given(st.binary(max_size=3000))
@settings(deadline=None, derandomize=True)
def test_base64_round_trip(raw: bytes) -> None:
    if raw:
        assert from_base64(base64.b64encode(raw)) == raw
        assert from_base64(base64.urlsafe_b64encode(raw).rstrip(b"=")) == raw
