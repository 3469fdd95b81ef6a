"""The engine of the page says what Python says: in node, and in a real browser."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from mien.serve import pages
from mien.serve.settings import Settings
from tests.serve.conftest import Running, running
from tests.web.conftest import CHROMIUM, Launch
from tests.web.engine_reference import (
    AGE_YEARS,
    BOX_PIXELS,
    MODEL,
    PROBABILITY,
    Photo,
    photographs,
    task_names,
    write,
)

WEB: Final = Path(__file__).resolve().parents[2] / "web"

pytestmark = pytest.mark.skipif(
    not (WEB / "node_modules" / "onnxruntime-web").is_dir(),
    reason="the page's packages are not installed: run `npm ci` in web/",
)
in_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed; Debian has it as `chromium`"
)


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    return photographs()


@pytest.fixture(scope="module")
def service(photos: list[Photo], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run the service with a page that holds the engine alone, and the photographs beside it."""
    folder = tmp_path_factory.mktemp("page")
    run("vite", "build", "--config", "tests/engine/page/vite.config.ts", "--outDir", str(folder))
    for photo in photos:
        Image.fromarray(photo.pixels).save(folder / f"{photo.name}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "BUILT", folder)
        with running(Settings(models=(MODEL,), threads=1)) as found:
            yield found


@pytest.fixture(scope="module")
def page(service: Running, launch: Launch) -> Any:
    """Return the page, opened in a browser that ends with the module."""
    opened = launch().new_page()
    opened.set_default_timeout(120_000)
    opened.goto(service.url)
    return opened


def run(*command: str, **variables: str) -> None:
    """Run a program of the page's packages."""
    done = subprocess.run(
        [str(WEB / "node_modules" / ".bin" / command[0]), *command[1:]],
        cwd=WEB,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def assert_same(found: dict[str, list[dict[str, Any]]], photos: list[Photo]) -> None:
    """Check that all photographs have the same faces, in the same order, with the same answers."""
    assert sum(len(photo.faces) for photo in photos) > 10
    for photo in photos:
        assert len(found[photo.name]) == len(photo.faces), photo.name
        for face, wanted in zip(found[photo.name], photo.faces, strict=True):
            assert_same_face(face, wanted)


def assert_same_face(face: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert face.keys() == wanted.keys()
    assert face["box"] == pytest.approx(wanted["box"], abs=BOX_PIXELS)
    assert face["score"] == pytest.approx(wanted["score"], abs=PROBABILITY)
    for point, wanted_point in zip(face["landmarks"], wanted["landmarks"], strict=True):
        assert point == pytest.approx(wanted_point, abs=BOX_PIXELS)
    assert face["attributes"].keys() == wanted["attributes"].keys()
    for name, value in face["attributes"].items():
        assert_same_value(value, wanted["attributes"][name])


def assert_same_value(value: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert value.keys() == wanted.keys()
    assert value["kind"] == wanted["kind"]
    if value["kind"] == "age":
        for name in ("years", "low", "high"):
            assert value[name] == pytest.approx(wanted[name], abs=AGE_YEARS), name
    else:
        assert value["probabilities"] == pytest.approx(wanted["probabilities"], abs=PROBABILITY)


def test_the_engine_in_node_reads_what_python_reads(photos: list[Photo], tmp_path: Path) -> None:
    write(tmp_path, photos)
    run("vitest", "run", "tests/engine/agreement.test.ts", MIEN_REFERENCE=str(tmp_path))
    assert_same(json.loads((tmp_path / "found.json").read_text()), photos)


READ: Final = """
async ({ model, tasks, names }) => {
  const engine = await Engine.open("", model, { tasks });
  const found = {};
  for (const name of names) {
    const reading = await engine.read(await (await fetch(`${name}.png`)).blob());
    found[name] = reading.faces;
  }
  engine.close();
  return { found, isolated: crossOriginIsolated, threads: engine.threads };
}
"""


@in_browser
def test_the_engine_in_a_browser_reads_what_python_reads(page: Any, photos: list[Photo]) -> None:
    names = [photo.name for photo in photos]
    answer = page.evaluate(READ, {"model": MODEL, "tasks": task_names(), "names": names})
    assert_same(answer["found"], photos)
    assert answer["isolated"] is True
    assert answer["threads"] == min(os.cpu_count() or 1, 4)


KINDS: Final = """
async ({ name, model }) => {
  const blob = await (await fetch(`${name}.png`)).blob();
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const video = document.createElement("video");
  video.srcObject = canvas.captureStream(10);
  video.muted = true;
  const again = setInterval(() => context.drawImage(bitmap, 0, 0), 50);
  await video.play();
  clearInterval(again);
  const engine = await Engine.open("", model, { tasks: [] });
  const sources = {
    blob,
    pixels: context.getImageData(0, 0, width, height),
    bitmap: await createImageBitmap(blob),
    video,
  };
  const asked = performance.getEntriesByType("resource").length;
  const found = {};
  for (const [kind, source] of Object.entries(sources)) found[kind] = await engine.read(source);
  engine.close();
  return { found, fetched: performance.getEntriesByType("resource").length - asked };
}
"""


@in_browser
def test_every_kind_of_source_is_read_and_nothing_leaves(page: Any, photos: list[Photo]) -> None:
    photo = next(photo for photo in photos if photo.name == "plain")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    answer = page.evaluate(KINDS, {"model": MODEL, "name": photo.name})
    assert answer["found"].keys() == {"blob", "pixels", "bitmap", "video"}
    for reading in answer["found"].values():
        assert (reading["width"], reading["height"]) == (512, 512)
        assert reading["milliseconds"] > 0
        [face] = reading["faces"]
        assert face["box"] == pytest.approx(photo.faces[0]["box"], abs=BOX_PIXELS)
    assert answer["fetched"] == 0
    # Opening fetches from the page's own service; pictures go nowhere.
    here = page.url.rstrip("/")
    assert all(line.startswith((f"GET {here}", "GET blob:")) for line in sent), sent


NEWEST: Final = """
async ({ name, model }) => {
  const engine = await Engine.open("", model, { tasks: [], maxFaces: 1, minFace: 50 });
  const blob = await (await fetch(`${name}.png`)).blob();
  const readings = [1, 2, 3, 4].map(() => engine.read(blob));
  const faces = (await Promise.all(readings)).map((reading) => reading?.faces.length ?? null);
  const refused = engine.read(new Blob(["no picture"])).catch((error) => error.kind);
  const trouble = [await refused];
  const stopped = engine.read(blob).catch((error) => error.kind);
  engine.close();
  trouble.push(await stopped, await engine.read(blob).catch((error) => error.kind));
  return { faces, trouble };
}
"""


@in_browser
def test_the_newest_picture_wins_and_trouble_has_a_name(page: Any) -> None:
    answer = page.evaluate(NEWEST, {"model": MODEL, "name": "collage"})
    assert answer["faces"] == [1, None, None, 1]
    assert answer["trouble"] == ["picture", "closed", "closed"]


OPEN: Final = """
([base, model, options]) =>
  Engine.open(base, model, options).then(() => null, ({ kind, message }) => [kind, message])
"""


@in_browser
@pytest.mark.parametrize(
    ("base", "model", "options", "kind", "says"),
    [
        ("", "absent", {}, "missing", '"absent"'),
        ("", MODEL, {"tasks": ["mood"]}, "missing", "It has: age"),
        # The content policy keeps the page from other hosts.
        ("http://127.0.0.1:9/", MODEL, {}, "service", "cannot be reached"),
    ],
)
def test_what_cannot_be_opened_says_why(
    page: Any, base: str, model: str, options: dict[str, Any], kind: str, says: str
) -> None:
    found = page.evaluate(OPEN, [base, model, options])
    assert found[0] == kind
    assert says in found[1]
