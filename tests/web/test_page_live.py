"""The page reads a camera live, by both engines, and says why where it cannot."""

from pathlib import Path
from typing import Any

import pytest

from mien.serve.settings import Settings
from tests.serve.conftest import Running, running
from tests.tiny import face_card, model_bytes
from tests.web.conftest import CAMERA, Launch, Visit, Visiting, api


def start(here: Visit, engine: str) -> None:
    here.open("live")
    here.page.get_by_label(engine).check()
    here.page.get_by_role("button", name="Start the camera").click()


def figure(here: Visit, name: str) -> Any:
    return here.page.locator(f"[data-figure={name}]")


@pytest.mark.parametrize("engine", ["In this browser", "On the server"])
def test_follows_several_faces(visit: Visiting, engine: str) -> None:
    here = visit()
    start(here, engine)
    api.expect(here.page.locator(".live-faces .result")).to_have_count(2)
    api.expect(here.page.locator(".stage .box-line")).to_have_count(2)
    api.expect(figure(here, "rate")).not_to_have_text("–")
    api.expect(figure(here, "latency")).to_contain_text("ms")
    names = here.page.locator(".live-faces .face").evaluate_all(
        "faces => faces.map(face => face.getAttribute('aria-label'))"
    )
    assert names == ["Face 1", "Face 2"]
    assert here.complaints == []
    here.page.get_by_role("button", name="Stop").click()
    api.expect(here.page.get_by_role("button", name="Start the camera")).to_be_visible()


def test_no_picture_leaves_the_browser(visit: Visiting, service: Running) -> None:
    here = visit()
    start(here, "In this browser")
    api.expect(here.page.get_by_text("No picture leaves this machine")).to_be_visible()
    api.expect(here.page.locator(".live-faces .result")).to_have_count(2)
    read = service.http.get("/metrics").text
    methods = {method for method, url in here.requests if not url.startswith(("blob:", "data:"))}
    assert methods == {"GET"}
    assert here.streams == []
    queries = [url for _, url in here.requests if "?" in url]
    assert queries == []
    here.page.wait_for_timeout(500)
    assert frames(service.http.get("/metrics").text) == frames(read)


def frames(metrics: str) -> list[str]:
    """Return what a service counts of frames, from its metrics."""
    return [line for line in metrics.splitlines() if "frame" in line and not line.startswith("#")]


def test_frames_go_to_the_server_by_the_stream(visit: Visiting, service: Running) -> None:
    here = visit()
    start(here, "On the server")
    api.expect(here.page.locator(".live-faces .result")).to_have_count(2)
    assert here.streams == [service.url.replace("http", "ws") + "/v1/stream"]


def test_engines_can_be_changed_while_the_camera_runs(visit: Visiting) -> None:
    here = visit()
    start(here, "On the server")
    api.expect(here.page.locator(".live-faces .result")).to_have_count(2)
    here.page.get_by_label("In this browser").check()
    api.expect(here.page.locator(".live-faces .result")).to_have_count(0)
    api.expect(here.page.locator(".live-faces .result")).to_have_count(2)


def test_a_denied_camera_is_named(visit: Visiting) -> None:
    here = visit(permissions=[])
    start(here, "On the server")
    api.expect(here.page.get_by_role("alert")).to_contain_text("The camera was not allowed")
    here.page.context.grant_permissions(["camera"])
    here.page.get_by_role("button", name="Try again").click()
    api.expect(here.page.locator(".live-faces .result")).to_have_count(2)


def test_a_missing_camera_is_named(visit: Visiting, launch: Launch) -> None:
    here = visit(using=launch(), locale="vi")
    here.open("live")
    here.page.get_by_role("button", name="Bật máy quay").click()
    api.expect(here.page.get_by_role("alert")).to_contain_text("không có máy quay")


def test_an_insecure_page_says_what_to_do(
    visit: Visiting, launch: Launch, models: tuple[str, ...]
) -> None:
    named = launch(CAMERA, "--host-resolver-rules=MAP faces.example 127.0.0.1")
    with running(Settings(models=models, threads=1, hosts=("faces.example",))) as service:
        url = service.url.replace("127.0.0.1", "faces.example")
        here = visit(using=named, url=url, permissions=[])
        here.open("live")
        here.page.get_by_role("button", name="Start the camera").click()
        api.expect(here.page.get_by_role("alert")).to_contain_text("--tls-self-signed")


def test_a_server_that_goes_away_is_named(visit: Visiting, models: tuple[str, ...]) -> None:
    with running(Settings(models=models, threads=1)) as other:
        here = visit(url=other.url)
        start(here, "On the server")
        api.expect(here.page.locator(".live-faces .result")).to_have_count(2)
    api.expect(here.page.get_by_role("alert")).to_contain_text("cannot be reached")
    api.expect(here.page.locator(".live-faces")).to_have_count(0)


def test_the_browser_takes_the_smaller_model_where_there_is_one(
    visit: Visiting, tmp_path: Path
) -> None:
    """Its file is fetched, and the larger one's is not; the server still reads by the larger."""
    larger = face_card(name="shop", description="x" * 500)
    (tmp_path / "shop.onnx").write_bytes(model_bytes(larger))
    (tmp_path / "shop-small.onnx").write_bytes(model_bytes(face_card(name="shop-small")))
    with running(Settings(models=(str(tmp_path / "shop.onnx"),), threads=1)) as small:
        here = visit(url=small.url)
        start(here, "In this browser")
        told = here.page.locator("[data-model=shop-small]")
        api.expect(told).to_have_text("The model shop-small was loaded: 0.0 MB.")
        api.expect(here.page.locator(".live-faces .result")).to_have_count(2)
        files = [url for _, url in here.requests if "/v1/models/" in url and url.endswith("/file")]
        assert files == [f"{small.url}/v1/models/shop-small/file"]
        assert here.complaints == []
