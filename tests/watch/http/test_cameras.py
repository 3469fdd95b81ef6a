"""How cameras are, what they see, and their areas, over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest

from mien.errors import OutputError
from mien.watch import config, editing
from tests.serve.conftest import Running, problem, wait_until
from tests.watch import video
from tests.watch.http.conftest import AREA, Start, hub_of
from tests.watch.rtsp import RtspServer
from tests.watch.test_run import passing

LEFT = {"name": "left", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]], "ignore": False}
POSTER = {"name": "poster", "polygon": [[0.9, 0.1], [1, 0.1], [1, 0.4]], "ignore": True}
JSON = {"Content-Type": "application/json"}


def file_of(found: Running) -> Path:
    return hub_of(found)._file


def test_how_the_cameras_are(shop: Running) -> None:
    wait_until(lambda: shop.http.get("/v1/cameras").json()[0]["state"] == "live")
    door, back = shop.http.get("/v1/cameras").json()

    assert (door["width"], door["height"], door["name"]) == (400, 240, "door")
    assert door["areas"] == [AREA]
    assert (back["state"], back["areas"], back["frames"]) == ("ended", [], 0)
    assert "no such file" in back["reason"]


def test_a_still_is_the_newest_frame_and_kept_by_nobody(shop: Running) -> None:
    wait_until(lambda: shop.http.get("/v1/cameras/door/still").status_code == 200)
    answer = shop.http.get("/v1/cameras/door/still")

    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    pixels = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (240, 400, 3)
    assert not list(file_of(shop).parent.glob("**/*.jpg"))


def test_no_still_without_a_picture(shop: Running) -> None:
    answer = shop.http.get("/v1/cameras/back%20door/still")
    assert "ended" in problem(answer, 503, "no-picture-now")["detail"]


def test_a_stream_that_goes_and_comes_back_is_told(start: Start) -> None:
    server = RtspServer(video.access_units(passing(20)), password="me:very-secret")
    found = start(source=server.url.replace("://", "://me:very-secret@"))

    def door() -> Any:
        return found.http.get("/v1/cameras").json()[0]

    wait_until(lambda: found.http.get("/v1/cameras/door/still").status_code == 200)
    assert door()["state"] == "live"
    server.cut()
    wait_until(lambda: door()["state"] == "lost")
    assert (door()["losses"], door()["source"].startswith("rtsp://***@")) == (1, True)
    assert door()["reason"]
    # What it saw before is nobody's to look at.
    problem(found.http.get("/v1/cameras/door/still"), 503, "no-picture-now")
    text = found.http.get("/metrics").text
    assert 'mien_camera_state{camera="door",state="lost"} 1.0' in text
    assert 'mien_camera_losses_total{camera="door"} 1.0' in text
    server.listen()
    wait_until(lambda: door()["state"] == "live")
    told = found.http.get("/v1/audience/live").text + found.http.get("/metrics").text
    assert "very-secret" not in str(door()) + told
    server.cut()


@pytest.mark.parametrize("name", ["cellar", "../door", "..", "door/../door", "x" * 60, "%00", "\n"])
def test_unknown_names_and_paths_lead_nowhere(shop: Running, name: str) -> None:
    answer = shop.http.get(f"/v1/cameras/{quote(name, safe='')}/still")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


def test_areas_take_effect_at_once_and_are_kept(start: Start) -> None:
    found = start()
    answer = found.http.put("/v1/cameras/door/areas", json={"areas": [LEFT, POSTER]})

    assert answer.status_code == 200, answer.text
    assert answer.json()["areas"] == [LEFT, POSTER]
    # Whoever passes from now on is in the new area.
    watch = hub_of(found).watch
    assert watch is not None
    wait_until(lambda: any(one.area == "left" for one in watch.status()[0].present))
    live = found.http.get("/v1/audience/live")
    wait_until(lambda: '"area":"left"' in found.http.get("/v1/audience/live").text)
    assert live.status_code == 200
    kept = config.read(file_of(found)).cameras[0].areas
    assert [area.name for area in kept] == ["left", "poster"]
    assert file_of(found).read_text().startswith("# The shop\n")
    assert {"name": "door", "areas": ["left"]} in found.http.get("/v1/privacy").json()["cameras"]


def test_as_many_areas_and_corners_as_may_be(start: Start) -> None:
    found = start()
    turns = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    circle = np.column_stack([0.5 + 0.4 * np.cos(turns), 0.5 + 0.4 * np.sin(turns)]).tolist()
    areas = [LEFT | {"name": f"{n:02}" * 30, "polygon": circle} for n in range(50)]

    answer = found.http.put("/v1/cameras/door/areas", json={"areas": areas})

    assert answer.status_code == 200, answer.text
    assert len(answer.json()["areas"]) == 50
    kept = config.read(file_of(found)).cameras[0].areas
    assert [len(area.polygon) for area in kept] == [100] * 50


def test_no_areas_are_the_whole_view(start: Start) -> None:
    found = start()
    answer = found.http.put("/v1/cameras/door/areas", json={"areas": []})

    assert answer.json()["areas"] == []
    assert config.read(file_of(found)).cameras[0].areas == ()


def triangle(*corners: Any, **more: Any) -> dict[str, Any]:
    return {"areas": [{"name": "a", "polygon": corners or [[0, 0], [1, 0], [1, 1]], **more}]}


@pytest.mark.parametrize(
    "body",
    [
        triangle([0, 0], [1, 0]),
        triangle([0, 0], [1, 0], [2, 1]),
        triangle([0, 0], [1, 0], [-0.1, 1]),
        triangle([0, 0], [1, 1], [0.5, 0.5]),
        triangle([0, 0], [1, 0.00001], [1, 0]),
        triangle([0, 0], [1, 0], [1, "x"]),
        triangle([0, 0], [1, 0], [1, 1, 1]),
        triangle(*[[n / 101, n * n / 101**2] for n in range(101)]),
        triangle(name=""),
        triangle(name="a/b"),
        triangle(name="a\nb"),
        triangle(name="x" * 61),
        triangle(name="whole view"),
        triangle(name=5),
        triangle(sharp=True),
        {"areas": [LEFT, LEFT]},
        {"areas": [LEFT | {"name": str(n)} for n in range(51)]},
        {"areas": "all"},
        {"areas": None},
        {},
        [],
    ],
)
def test_areas_that_cannot_be_are_refused_and_nothing_changes(shop: Running, body: Any) -> None:
    before = file_of(shop).read_bytes()
    answer = shop.http.put("/v1/cameras/door/areas", json=body)

    assert problem(answer, 422, "invalid-request")["detail"]
    assert file_of(shop).read_bytes() == before
    assert shop.http.get("/v1/cameras").json()[0]["areas"] == [AREA]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "null", "[]", "-1e-9"])
def test_numbers_that_are_none_are_refused(shop: Running, number: str) -> None:
    text = json.dumps(triangle(["?", 0], [1, 0], [1, 1])).replace('"?"', number)
    answer = shop.http.put("/v1/cameras/door/areas", content=text, headers=JSON)

    problem(answer, 422, "invalid-request")


def test_bodies_are_limited(shop: Running) -> None:
    huge = json.dumps(triangle(*[[0.5, 0.5]] * 60_000))
    problem(
        shop.http.put("/v1/cameras/door/areas", content=huge, headers=JSON), 413, "body-too-large"
    )

    def slices() -> Any:
        yield from (huge[n : n + 50_000].encode() for n in range(0, len(huge), 50_000))

    answer = shop.http.put("/v1/cameras/door/areas", content=slices(), headers=JSON)
    problem(answer, 413, "body-too-large")
    deep = "[" * 50_000
    answer = shop.http.put("/v1/cameras/door/areas", content=deep, headers=JSON)
    assert answer.status_code in (400, 422)
    answer = shop.http.put("/v1/cameras/door/areas", content="{}")
    problem(answer, 415, "unsupported-media-type")
    problem(shop.http.put("/v1/cameras/cellar/areas", json={}), 404, "no-such-camera")


def test_a_file_that_was_changed_meanwhile_is_left_alone(start: Start) -> None:
    found = start()
    changed = file_of(found).read_text().replace('"door"', '"entrance"')
    file_of(found).write_text(changed)

    answer = found.http.put("/v1/cameras/door/areas", json={"areas": [LEFT]})

    told = problem(answer, 409, "configuration-changed")["detail"]
    assert str(file_of(found)) not in told
    assert file_of(found).read_text() == changed
    assert found.http.get("/v1/cameras").json()[0]["areas"] == [AREA]


def test_a_file_that_cannot_be_written_changes_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = start()

    def full(*_: Any, **__: Any) -> Any:
        raise OutputError("/home/me/shop.toml: not written: the disk is full")

    monkeypatch.setattr(editing, "atomic_write", full)
    answer = found.http.put("/v1/cameras/door/areas", json={"areas": [LEFT]})

    assert "/home" not in problem(answer, 503, "not-kept")["detail"]
    assert found.http.get("/v1/cameras").json()[0]["areas"] == [AREA]


def test_several_who_draw_at_once_leave_one_of_their_drawings(start: Start) -> None:
    found = start()

    def draw(number: int) -> int:
        areas = [LEFT | {"name": f"a{number}"}]
        answer = found.http.put("/v1/cameras/door/areas", json={"areas": areas})
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(draw, range(6))) == {200}
    [shown] = found.http.get("/v1/cameras").json()[0]["areas"]
    [kept] = config.read(file_of(found)).cameras[0].areas

    assert shown["name"] == kept.name
