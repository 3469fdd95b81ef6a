"""How fast faces are read in a browser: WebAssembly in Chromium, at 640 x 480.

    python benchmarks/browser.py --csv results/browser.csv

The page holds the engine of web/src/engine alone, and comes from a service as the real page does,
so with its content policy and its cross-origin isolation. Frames are drawn from one picture with
one or three faces, and handed over one after the other, as the live page does. The network's share
is what remains after a run that only detects. Before each measurement frames are read for a while,
until the browser has compiled what is used most. It needs Chromium, the packages of web/ (`npm ci`
there), and playwright.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import skimage.data
import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from mien.serve import pages
from mien.serve.app import create_app
from mien.serve.run import server_options
from mien.serve.settings import Settings
from tables import Row, show, write

WEB: Final = Path(__file__).resolve().parent.parent / "web"
FACES: Final = (1, 3)
_WIDTH, _HEIGHT = 640, 480
_TIMEOUT: Final = 120

_OPEN: Final = """
async ({ model, number, tasks }) => {
  window.engine?.close();
  const start = performance.now();
  window.engine = await Engine.open("", model, tasks === null ? {} : { tasks });
  const opened = performance.now() - start;
  const blob = await (await fetch(`faces-${number}.png`)).blob();
  window.picture = await createImageBitmap(blob);
  const reading = await engine.read(blob);
  return { opened, faces: reading.faces.length, threads: engine.threads };
}
"""

_READ: Final = """
async ({ seconds }) => {
  const times = [];
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    const start = performance.now();
    await engine.read(await createImageBitmap(picture));
    times.push(performance.now() - start);
  }
  return times;
}
"""


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement")
    parser.add_argument("--warm", type=float, default=10, help="seconds of reading before each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        with service(options.model, folder) as url, browser(url) as (page, version):
            rows = [row for number in FACES for row in measure(page, options, number)]
    show(rows, f"{_WIDTH} x {_HEIGHT}, Chromium {version}, {options.seconds:g} s each")
    if options.csv:
        write(rows, options.csv, 0)


def build(folder: Path) -> None:
    """Build the page with the engine, and lay the pictures beside it."""
    vite = WEB / "node_modules" / ".bin" / "vite"
    if not vite.is_file():
        raise SystemExit(f"the page's packages are not installed; run `npm ci` in {WEB}")
    command = [str(vite), "build", "--config", "tests/engine/page/vite.config.ts"]
    subprocess.run([*command, "--outDir", str(folder), "--emptyOutDir"], cwd=WEB, check=True)
    for number in FACES:
        picture(number).save(folder / f"faces-{number}.png")


def picture(number: int) -> Image.Image:
    """Return a picture with so many faces side by side."""
    astronaut = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    portrait = Image.fromarray(np.asarray(astronaut, np.uint8)).crop((120, 0, 330, 240))
    made = Image.new("RGB", (_WIDTH, _HEIGHT), (90, 100, 110))
    side = _WIDTH // number if number > 1 else 420
    for place in range(number):
        height = min(_HEIGHT, side * 240 // 210)
        left = place * side if number > 1 else (_WIDTH - side) // 2
        face = portrait.resize((side, height), Image.Resampling.BICUBIC)
        made.paste(face, (left, (_HEIGHT - height) // 2))
    return made


@contextmanager
def service(model: str, folder: Path) -> Iterator[str]:
    """Run a service that shows the page in a folder; yield its address."""
    settings = Settings(models=(model,), threads=1)
    app = create_app(settings)
    pages.install(app, folder)
    options = server_options(settings) | {"log_config": None, "port": 0}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _TIMEOUT
    while not (server.started and app.state.service.ready):
        if time.monotonic() > deadline or not thread.is_alive():
            raise SystemExit("the service did not start; try `mien serve`")
        time.sleep(0.1)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(_TIMEOUT)


@contextmanager
def browser(url: str) -> Iterator[tuple[Page, str]]:
    """Open the page in Chromium; yield it and Chromium's version."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium is installed; Debian has it as `chromium`")
    with sync_playwright() as driver:
        # Chromium refuses its sandbox to the superuser.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = driver.chromium.launch(executable_path=chromium, args=arguments)
        page = opened.new_page()
        page.goto(url)
        yield page, opened.version
        opened.close()


def measure(page: Page, options: argparse.Namespace, number: int) -> list[Row]:
    """Read frames with so many faces for a while, and as long only detect them."""
    about, times = read(page, options, number, None)
    if about["faces"] != number:
        raise SystemExit(f"{about['faces']} faces were found in the picture of {number}")
    _, detecting = read(page, options, number, [])
    median, without = statistics.median(times), statistics.median(detecting)
    figures = {
        "frames a second": f"{1000 * len(times) / sum(times):.1f}",
        "median, ms": f"{median:.1f}",
        "95 %, ms": f"{sorted(times)[int(0.95 * len(times))]:.1f}",
        "detecting, ms": f"{without:.1f}",
        "network, ms": f"{median - without:.1f}",
        "opening, ms": f"{about['opened']:.0f}",
        "threads": str(about["threads"]),
    }
    return [{"faces": str(number), **figures}]


def read(
    page: Page, options: argparse.Namespace, number: int, tasks: list[str] | None
) -> tuple[dict[str, Any], list[float]]:
    """Open the engine for some tasks; return what it is, and each frame's milliseconds."""
    model = Path(options.model).stem
    about: dict[str, Any] = page.evaluate(_OPEN, {"model": model, "number": number, "tasks": tasks})
    page.evaluate(_READ, {"seconds": options.warm})
    times: list[float] = page.evaluate(_READ, {"seconds": options.seconds})
    return about, times


if __name__ == "__main__":
    main()
