"""Thousands of damaged pictures and bodies: each is answered, none fails, none stays in memory."""

import base64
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image

from tests.pictures import encode
from tests.serve.conftest import Running, Serve

BODIES = 2000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
PATHS = ("/v1/analyze", "/v1/classify", "/v1/annotate", "/image", "/uploader")
Body = tuple[str, str, bytes]


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    return [encode(Image.fromarray(pixels), form) for form in FORMATS]


def damaged(rng: np.random.Generator, data: bytes) -> bytes:
    """Cut, overwrite, repeat or leave out some of the bytes."""
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        at, length = int(rng.integers(0, len(found) + 1)), int(rng.integers(1, 9))
        match int(rng.integers(0, 4)):
            case 0:
                del found[at:]
            case 1:
                found[at : at + length] = rng.bytes(length)
            case 2:
                found[at:at] = found[max(0, at - length) : at]
            case _:
                del found[at : at + length]
    return bytes(found)


def form(field: str, data: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="x"\r\n\r\n'
    return head.encode() + data + b"\r\n--b--\r\n"


def bodies(pictures: list[bytes]) -> Iterator[Body]:
    """Yield paths, media types and bodies: damaged pictures, or damaged bodies about them."""
    rng = np.random.default_rng(1)
    for number in range(BODIES):
        path, picture = PATHS[number % len(PATHS)], pictures[number % len(pictures)]
        field = "img" if path == "/image" else "file"
        inside = bool(rng.integers(0, 2))
        if inside:
            picture = damaged(rng, picture)
        text = base64.b64encode(picture).decode()
        kind, body = {
            0: ("multipart/form-data; boundary=b", form(field, picture)),
            1: ("application/json", f'{{"pictures": ["{text}"]}}'.encode()),
            2: ("application/x-www-form-urlencoded", f"img={text}".encode()),
        }[int(rng.integers(0, 3))]
        yield path, kind, body if inside else damaged(rng, body)


def resident() -> int:
    """Return how much memory this process, and so the service in it, has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is not told here")
def test_damage_is_answered_and_forgotten(serve: Serve, pictures: list[bytes]) -> None:
    service = serve(threads=2)
    with httpx2.Client(base_url=service.url, timeout=60) as http, ThreadPoolExecutor(4) as clients:

        def post(body: Body) -> tuple[int, str, bytes]:
            path, kind, content = body
            answer = http.post(path, content=content, headers={"Content-Type": kind})
            return answer.status_code, path, content

        waiting = list(bodies(pictures))
        answers = list(clients.map(post, waiting[: BODIES // 2]))
        before = resident()
        answers += clients.map(post, waiting[BODIES // 2 :])
    failed = [answer for answer in answers if not (answer[0] == 200 or 400 <= answer[0] < 500)]
    assert failed == []
    # Most were refused; what damage left whole was read.
    assert sum(status >= 400 for status, _, _ in answers) > BODIES / 2
    assert resident() - before < 20_000_000
    assert_idle(service)


def assert_idle(service: Running) -> None:
    assert service.service.batcher.pending == 0
    assert service.service.bodies._held == 0
