"""What the tests of the page share: a service with the built page, and a browser with a camera."""

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from mien.serve.pages import BUILT
from mien.serve.settings import Settings
from tests.photos import HOPPER, astronaut
from tests.serve.conftest import Running, running
from tests.tiny import colour_card, face_card, model_bytes
from tests.watch import video
from tests.watch.http.conftest import watching
from tests.watch.test_run import passing

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE: Final = 60_000
CAMERA: Final = "--use-fake-device-for-media-stream"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the built page or a browser where there is none."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent != here or not item.path.name.startswith("test_page"):
            continue
        if CHROMIUM is None:
            item.add_marker(
                pytest.mark.skip(reason="no Chromium is installed; Debian has it as `chromium`")
            )
        if not (BUILT / "index.html").is_file():
            item.add_marker(pytest.mark.skip(reason="the page is not built: run `make web`"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return the packaged model of faces, and a tiny one of whole pictures."""
    path = tmp_path_factory.mktemp("models") / "colour.onnx"
    path.write_bytes(model_bytes(colour_card()))
    return "face", str(path)


@pytest.fixture(scope="module")
def service(models: tuple[str, ...]) -> Iterator[Running]:
    with running(Settings(models=models, threads=1)) as found:
        yield found


Watched = Callable[..., Running]


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    path.write_bytes(model_bytes(face_card(priors={"age": [1 / 101] * 101})))
    return str(path)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording for a camera to play."""
    return video.write(tmp_path_factory.mktemp("day") / "day.mp4", passing(40) * 60)


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, day: Path, small_model: str
) -> Iterator[Running]:
    with watching(tmp_path_factory.mktemp("shop"), day, small_model) as found:
        yield found


@pytest.fixture
def watched(tmp_path: Path, day: Path, small_model: str) -> Iterator[Watched]:
    """Serve a watch of the test's own."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            watching(tmp_path, day, small_model, **settings)
        )


# Not kept for the session: two of them cannot stand in one thread.
@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    api.expect.set_options(timeout=PATIENCE)
    with api.sync_playwright() as found:
        yield found


Launch = Callable[..., Any]


@pytest.fixture(scope="module")
def launch(driver: Any) -> Iterator[Launch]:
    """Start browsers, which end with the module."""
    # Chromium refuses its sandbox to the superuser.
    always = ["--no-sandbox"] if os.geteuid() == 0 else []
    with ExitStack() as stack:

        def start(*arguments: str) -> Any:
            found = driver.chromium.launch(executable_path=CHROMIUM, args=[*always, *arguments])
            stack.callback(found.close)
            return found

        yield start


@pytest.fixture(scope="module")
def browser(launch: Launch, film: Path) -> Any:
    """Return a browser whose camera shows two faces."""
    return launch(CAMERA, f"--use-file-for-fake-video-capture={film}")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of 640 x 480 pixels: two faces, the view moving to and fro."""
    wide = Image.new("RGB", (680, 480), (70, 80, 90))
    wide.paste(Image.fromarray(astronaut()).resize((360, 360)), (0, 60))
    with Image.open(HOPPER) as portrait:
        wide.paste(portrait.resize((300, 352)), (370, 60))
    path = tmp_path_factory.mktemp("film") / "faces.mjpeg"
    with path.open("wb") as file:
        for x in [*range(0, 40, 2), *range(40, 0, -2)]:
            wide.crop((x, 0, x + 640, 480)).save(file, "JPEG", quality=90)
    return path


class Visit:
    """One visitor's page: where it went, and what it complained of."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.requests: list[tuple[str, str]] = []
        self.streams: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.requests.append((request.method, request.url)))
        page.on("websocket", lambda stream: self.streams.append(stream.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, part: str = "photo") -> None:
        self.page.goto(f"{self.url}/#/{part}")
        self.page.wait_for_selector("h1")

    def give(self, *pictures: Path | dict[str, Any]) -> None:
        """Choose pictures, and wait until all are read."""
        payloads = [_payload(one) if isinstance(one, Path) else one for one in pictures]
        # Parts that were shown before are still there, hidden.
        self.page.set_input_files("main > div:not([hidden]) input[type=file]", payloads)
        self.page.wait_for_selector("article.picture")
        api.expect(self.page.locator(".skeleton")).to_have_count(0)

    def text(self, selector: str) -> str:
        found: str = self.page.locator(selector).first.inner_text()
        return re.sub(r"\s+", " ", found).strip()


Visiting = Callable[..., Visit]


@pytest.fixture
def visit(browser: Any, service: Running) -> Iterator[Visiting]:
    """Open pages as new visitors do, with the camera allowed unless said otherwise."""
    with ExitStack() as stack:

        def start(*, url: str = service.url, using: Any = browser, **context: Any) -> Visit:
            known: dict[str, Any] = {"locale": "en-US", "permissions": ["camera"]}
            return stack.enter_context(_visiting(using, url, known | context))

        yield start


@contextmanager
def _visiting(browser: Any, url: str, options: dict[str, Any]) -> Iterator[Visit]:
    context = browser.new_context(**options)
    yield Visit(context.new_page(), url)
    context.close()


def _payload(path: Path) -> dict[str, Any]:
    return {"name": path.name, "mimeType": "image/jpeg", "buffer": path.read_bytes()}


def upload(name: str, pixels: Image.Image) -> dict[str, Any]:
    """Return a picture as a browser's file chooser gives it."""
    stream = io.BytesIO()
    pixels.save(stream, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": stream.getvalue()}
