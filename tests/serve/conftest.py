"""What the tests of the service share: services that run, pictures, and what calls them."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image
from skimage import data

from mien.serve.app import create_app
from mien.serve.run import Extend, server_options
from mien.serve.service import Service
from mien.serve.settings import Settings
from tests.pictures import encode
from tests.tiny import colour_card, face_card, model_bytes


@dataclass(frozen=True)
class Running:
    """A service that runs: its address, its application, and what calls it."""

    url: str
    app: FastAPI
    http: httpx2.Client

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service


@contextmanager
def running(settings: Settings, extend: Extend | None = None) -> Iterator[Running]:
    """Run a service in a thread, on any free port, until the block ends."""
    app = create_app(settings)
    with extend(app) if extend else nullcontext():
        yield from _running(app, settings)


def _running(app: FastAPI, settings: Settings) -> Iterator[Running]:
    options = server_options(settings) | {"log_config": None, "port": 0}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"{'https' if settings.tls else 'http'}://127.0.0.1:{port}"
    verify = ssl.create_default_context(cafile=settings.tls_cert) if settings.tls else True
    with httpx2.Client(base_url=url, timeout=60, verify=verify) as http:
        wait_until(lambda: app.state.service.ready)
        yield Running(url, app, http)
    app.state.service.ending = True
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return a tiny model of faces and one of whole pictures."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "tiny.onnx").write_bytes(model_bytes(face_card()))
    (folder / "colour.onnx").write_bytes(model_bytes(colour_card()))
    return str(folder / "tiny.onnx"), str(folder / "colour.onnx")


Serve = Callable[..., Running]


@pytest.fixture
def serve(tiny_models: tuple[str, str]) -> Iterator[Serve]:
    """Run services with tiny models and settings of the test's own."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            known = {"models": tiny_models, "threads": 1}
            return stack.enter_context(running(Settings.model_validate(known | settings)))

        yield start


@pytest.fixture(scope="session")
def real(tiny_models: tuple[str, str]) -> Iterator[Running]:
    """Run a service with the packaged model, and a tiny one of whole pictures."""
    settings = Settings(models=("face", tiny_models[1]), threads=2, max_pictures=4)
    with running(settings) as found:
        yield found


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """Return a JPEG of 512 x 512 pixels with one face."""
    pixels: np.typing.NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    return encode(Image.fromarray(pixels), "JPEG", quality=90)


@pytest.fixture(scope="session")
def red() -> bytes:
    """Return a small red PNG without a face."""
    return encode(Image.new("RGB", (32, 24), (200, 20, 20)), "PNG")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return a file with one API key."""
    path = tmp_path / "keys.txt"
    path.write_text(f"# ours\n{KEY}\n")
    return path


KEY = "a-key-of-twenty-four-chars"


def problem(answer: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    """Check that an answer is such a problem document, and return it."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["status"], found["type"]) == (
        status,
        status,
        f"urn:mien:problem:{kind}",
    ), found
    assert found["request_id"] == answer.headers["x-request-id"]
    return found


def files(*pictures: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    """Return a form with pictures in its field `file`."""
    return [("file", ("x.jpg", picture)) for picture in pictures]
