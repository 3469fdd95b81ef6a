"""A watch: cameras to visits, with a real face; what fails alone, and how it ends."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mien.model import Model
from mien.watch.config import Area, Config, WatchError
from mien.watch.run import Watch
from mien.watch.sources.health import Timing
from mien.watch.visit import Visit
from tests.photos import astronaut
from tests.tiny import RACE, colour_card, face_card, model_bytes
from tests.watch import video
from tests.watch.rtsp import RtspServer

MODEL = Model(model_bytes(face_card()), "tiny")
QUICK = Timing(opening=3, reading=0.6, stalled=0.3, frozen=5, first=0.05, longest=0.2)


class Kept(list[Visit]):
    """A sink that keeps visits, and may fail at first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.attempts = 0

    def put(self, visits: Sequence[Visit]) -> None:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise OSError("no room")
        self.extend(visits)


def passing(count: int) -> list[video.Image]:
    """Return frames in which a face moves to the right, with a second without it at the end."""
    face = astronaut()[40:210, 140:300]
    frames = []
    for index in range(count):
        pixels = np.full((240, 400, 3), 90, np.uint8)
        left = 10 + 3 * index
        pixels[30:200, left : left + 160] = face
        frames.append(pixels)
    return frames


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video.write(tmp_path_factory.mktemp("film") / "a.mp4", passing(40))


def config(*sources: str, **changes: object) -> Config:
    cameras = [{"name": f"c{i}", "source": source} for i, source in enumerate(sources)]
    return Config.model_validate({"cameras": cameras, "threads": 1} | changes)


def test_a_film_of_one_face_is_one_visit(film: Path) -> None:
    sink = Kept()
    watch = Watch(config(str(film)), sink, model=MODEL)
    watch.run()
    [visit] = sink
    [status] = watch.status()

    assert visit.dwell == pytest.approx(3.9, abs=0.3)
    assert visit.female is None
    assert status.counted == {"visit": 1}
    assert status.health.state == "ended"
    assert (status.health.dropped, status.failed, status.unread) == (0, 0, 0)


def test_what_is_configured_is_read(film: Path) -> None:
    sink = Kept()
    Watch(config(str(film), tasks={"gender": True}), sink, model=MODEL).run()

    assert sink[0].female is not None


def test_several_films_are_counted_apart(film: Path) -> None:
    sink = Kept()
    Watch(config(str(film), str(film), str(film), threads=2), sink, model=MODEL).run()

    assert sorted(visit.camera for visit in sink) == ["c0", "c1", "c2"]


def test_a_camera_that_fails_harms_no_other(
    film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Kept()
    watch = Watch(config(str(film), str(film)), sink, model=MODEL)

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(watch._channels[0].lane, "take", fail)
    watch.run()

    assert [visit.camera for visit in sink] == ["c1"]
    assert watch.status()[0].failed == 40
    assert "camera 'c0': a frame failed" in caplog.text


def test_a_missing_file_ends_alone(film: Path) -> None:
    sink = Kept()
    watch = Watch(config(str(film), "none.mp4"), sink, model=MODEL)
    watch.run()

    assert len(sink) == 1
    assert "no such file" in watch.status()[1].health.reason


def test_visits_that_could_not_be_handed_on_come_again(film: Path) -> None:
    sink = Kept(failures=1)
    watch = Watch(config(str(film), tracking={"hidden": 0.5}), sink, model=MODEL)
    long = passing(40) + [np.full((240, 400, 3), 90, np.uint8)] * 20
    path = video.write(film.parent / "long.mp4", long)
    watch = Watch(config(str(path), tracking={"hidden": 0.5}), sink, model=MODEL)
    watch.run()

    assert sink.attempts == 2
    assert len({visit.id for visit in sink}) == len(sink) == 1


def test_visits_that_are_lost_at_the_end_are_no_secret(film: Path) -> None:
    with pytest.raises(OSError, match="no room"):
        Watch(config(str(film)), Kept(failures=9), model=MODEL).run()


def test_stopping_finishes_open_visits(film: Path) -> None:
    server = RtspServer(video.access_units(passing(20) + passing(20)[::-1]))
    sink = Kept()
    watch = Watch(config(server.url), sink, model=MODEL, timing=QUICK)
    thread = threading.Thread(target=watch.run)
    thread.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not watch.status()[0].present:
        time.sleep(0.05)
    watch.stop()
    thread.join(10)
    server.cut()

    assert not thread.is_alive()
    assert len(sink) == 1


def test_a_stream_that_is_cut_loses_no_visit() -> None:
    server = RtspServer(video.access_units(passing(20) + passing(20)[::-1]))
    sink = Kept()
    watch = Watch(config(server.url, tracking={"hidden": 0.4}), sink, model=MODEL, timing=QUICK)
    thread = threading.Thread(target=watch.run)
    thread.start()
    for count in (1, 2):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not watch.status()[0].present:
            time.sleep(0.02)
        server.cut()
        while time.monotonic() < deadline and len(sink) < count:
            time.sleep(0.02)
        assert len(sink) == count
        server.listen()
    watch.stop()
    thread.join(10)
    server.cut()

    assert len({visit.id for visit in sink}) == len(sink)


@pytest.mark.parametrize(
    ("card", "changes", "message"),
    [
        (colour_card(), {}, "whole pictures"),
        (face_card(tasks=(RACE,)), {}, "cannot read age"),
        (
            face_card(),
            {"tasks": {"expression": {"purpose": "to see what people like"}}},
            "cannot read expression",
        ),
    ],
)
def test_refuses_a_model_that_cannot_read_it(
    card: object, changes: dict[str, object], message: str
) -> None:
    model = Model(model_bytes(card), "tiny")  # type: ignore[arg-type]

    with pytest.raises(WatchError, match=message):
        Watch(config("0", **changes), Kept(), model=model)


def test_a_still_is_there_while_a_camera_gives_pictures(film: Path) -> None:
    watch = Watch(config(str(film), "none.mp4"), Kept(), model=MODEL)
    assert watch.still("c0") is None
    watch.run()

    still = watch.still("c0")
    assert still is not None
    assert still.shape == (240, 400, 3)
    assert watch.still("c1") is None
    with pytest.raises(KeyError):
        watch.still("c2")


def test_areas_can_be_redrawn(film: Path) -> None:
    sink = Kept()
    watch = Watch(config(str(film)), sink, model=MODEL)
    everywhere = Area(name="all", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
    watch.redraw("c0", [everywhere])
    watch.run()

    assert [visit.area for visit in sink] == ["all"]
    assert watch.status()[0].areas == (everywhere,)
    with pytest.raises(KeyError):
        watch.redraw("c1", [])
