"""Feeds: files, streams that are cut, frozen and come back, and what is left out."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from mien.watch.config import Schedule, of_source
from mien.watch.sources.feed import Feed, Thinner
from mien.watch.sources.health import Health, Timing
from mien.watch.sources.opened import Frame
from tests.watch import video
from tests.watch.rtsp import RtspServer

QUICK = Timing(opening=3, reading=0.6, stalled=0.3, frozen=0.8, first=0.05, longest=0.2)
UNITS = video.access_units(video.stripes(20))


def feed_of(source: str, timing: Timing = QUICK, **keys: object) -> Feed:
    camera = of_source(source, **keys).cameras[0]
    return Feed(camera, Schedule(), lambda: None, timing)


def drained(feed: Feed) -> list[Frame]:
    """Start a feed, and take its frames until it ends."""
    feed.start()
    frames = []
    while True:
        ended = feed.ended
        if (frame := feed.take()) is not None:
            frames.append(frame)
        elif ended:
            return frames
        else:
            time.sleep(0.002)


def wait_for(feed: Feed, wanted: Callable[[Health], bool], seconds: float = 8) -> Health:
    """Wait until a feed's health is as wanted."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if wanted(found := feed.health()):
            return found
        time.sleep(0.01)
    raise AssertionError(f"still {feed.health()}")


def is_state(state: str) -> Callable[[Health], bool]:
    return lambda health: health.state == state


@pytest.fixture
def server() -> Iterator[RtspServer]:
    server = RtspServer(UNITS)
    yield server
    server.cut()


def test_a_file_at_full_speed_misses_no_frame(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.mp4", video.stripes(30))
    feed = feed_of(str(path), starts=datetime(2026, 3, 1, tzinfo=UTC))
    frames = drained(feed)
    times = np.array([frame.taken for frame in frames])

    assert len(frames) == 30
    assert times[0] == datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    assert np.diff(times) == pytest.approx(0.1, abs=0.002)
    assert frames[3].pixels().shape == (96, 160, 3)
    assert feed.health().state == "ended"
    assert feed.health().reason == ""
    assert feed.health().rate == pytest.approx(10, abs=0.1)


def test_a_recording_tells_when_it_began(tmp_path: Path) -> None:
    path = video.write(
        tmp_path / "a.mp4", video.stripes(5), creation_time="2026-03-01T12:00:00.000000Z"
    )

    assert drained(feed_of(str(path)))[0].taken == datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


def test_a_start_without_a_zone_is_local(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.mp4", video.stripes(5))
    camera = of_source(str(path), starts=datetime(2026, 7, 1, 12)).cameras[0]
    feed = Feed(camera, Schedule(time_zone="Europe/Paris"), lambda: None, QUICK)

    assert drained(feed)[0].taken == datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp()


def test_a_file_in_real_time_takes_its_time(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.mp4", video.stripes(8))
    begun = time.monotonic()
    drained(feed_of(str(path), real_time=True))

    assert time.monotonic() - begun > 0.65


def test_in_real_time_the_newest_frame_wins(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.mp4", video.stripes(8))
    feed = feed_of(str(path), real_time=True, detections=100)
    feed.start()
    while not feed.ended:
        time.sleep(0.01)
    frame = feed.take()

    assert frame is not None
    assert feed.take() is None
    assert feed.health().dropped == 7


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("none.mp4", None, "no such file"), ("text.mp4", b"no video at all", "invalid data")],
)
def test_a_file_that_cannot_be_read_ends_with_a_reason(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    feed = feed_of(str(tmp_path / name))

    assert drained(feed) == []
    assert feed.health().state == "ended"
    assert reason in feed.health().reason


def test_a_damaged_file_gives_what_it_has(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.avi", video.stripes(60))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    path.write_bytes(data)
    frames = drained(feed_of(str(path)))

    assert len(frames) > 30


def test_a_stream_is_live_and_timed_by_the_clock(server: RtspServer) -> None:
    feed = feed_of(server.url)
    feed.start()
    health = wait_for(feed, lambda found: found.frames > 8)
    frame = feed.take()
    feed.stop()

    assert (health.state, health.width, health.height) == ("live", 160, 96)
    assert health.rate == pytest.approx(10, rel=0.5)
    assert frame is not None
    assert abs(frame.taken - time.time()) < 2


def test_a_stream_that_is_cut_comes_back_every_time(server: RtspServer) -> None:
    feed = feed_of(server.url)
    feed.start()
    for losses in (1, 2, 3):
        frames = wait_for(feed, is_state("live")).frames
        server.cut()
        lost = wait_for(feed, is_state("lost"))
        assert lost.losses == losses
        assert lost.reason
        time.sleep(0.3)
        assert feed.health().since == lost.since
        server.listen()
        wait_for(feed, lambda found, known=frames: found.frames > known)  # type: ignore[misc]
    feed.stop()


def test_a_stream_that_stalls_is_told_and_opened_anew(server: RtspServer) -> None:
    feed = feed_of(server.url)
    feed.start()
    wait_for(feed, is_state("live"))
    server.frozen.set()
    stalled = wait_for(feed, is_state("stalled"))
    assert "no frame" in stalled.reason
    assert stalled.rate == 0
    wait_for(feed, is_state("lost"))
    server.frozen.clear()
    wait_for(feed, is_state("live"))
    feed.stop()


def test_a_camera_that_sends_one_picture_for_ever_is_opened_anew() -> None:
    server = RtspServer(video.access_units([np.full((96, 160, 3), 90, np.uint8)] * 10))
    feed = feed_of(server.url)
    feed.start()
    lost = wait_for(feed, is_state("lost"))
    feed.stop()
    server.cut()

    assert "the same picture" in lost.reason


def test_a_stream_may_change_its_size(server: RtspServer) -> None:
    feed = feed_of(server.url)
    feed.start()
    wait_for(feed, lambda found: found.width == 160)
    server.units = video.access_units(video.stripes(20, 320, 192))
    wait_for(feed, lambda found: found.width == 320)
    frame = feed.take()
    feed.stop()

    assert feed.health().losses == 0
    assert frame is not None


def test_credentials_open_a_stream_and_show_nowhere(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = RtspServer(UNITS, password="me:p@ss/word")
    monkeypatch.setenv("DOOR", "me:p@ss/word")
    right = feed_of(server.url, credentials="DOOR")
    right.start()
    wait_for(right, is_state("live"))
    right.stop()
    wrong = feed_of(server.url.replace("//", "//me:s3cret@"))
    wrong.start()
    refused = wait_for(wrong, is_state("lost"))
    wrong.stop()
    server.cut()

    assert "authorization failed" in refused.reason
    out, err = capfd.readouterr()
    for text in (refused.reason, out, err, caplog.text, repr(right.health())):
        assert "s3cret" not in text
        assert "p@ss" not in text


@pytest.mark.parametrize("source", ["rtsp://127.0.0.1:9/x", "http://127.0.0.1:9/x", "63"])
def test_an_absent_camera_is_tried_again_and_again(source: str) -> None:
    feed = feed_of(source)
    feed.start()
    lost = wait_for(feed, is_state("lost"))
    time.sleep(0.3)
    begun = time.monotonic()
    feed.stop()

    assert lost.reason
    assert feed.health().state == "lost"
    assert feed.health().losses == 0  # it never was there
    assert time.monotonic() - begun < 1


def test_outside_the_opening_hours_nothing_is_opened(server: RtspServer) -> None:
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 3) % 7]
    closed = Schedule.model_validate(
        {"hours": [{"days": [day], "opens": "09:00", "closes": "10:00"}]}
    )
    feed = Feed(of_source(server.url).cameras[0], closed, lambda: None, QUICK)
    feed.start()
    wait_for(feed, is_state("closed"))
    time.sleep(0.3)
    feed.stop()

    assert server.served == 0


@pytest.mark.parametrize(
    ("failures", "delay"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)]
)
def test_back_off(failures: int, delay: float) -> None:
    assert Timing().delay(failures) == delay


@pytest.mark.parametrize(
    ("every", "rate", "camera", "expected"),
    [
        (1, 10, 25, 50),
        (5, 10, 25, 10),
        (0, 10, 25, 20),
        (0, 10, 10, 20),
        (0, 10, 12, 20),
        (0, 10, 5, 10),
    ],
)
def test_thinner(every: int, rate: float, camera: float, expected: int) -> None:
    thinner = Thinner(every, rate)
    wanted = sum(thinner.wants(index / camera) for index in range(round(2 * camera)))

    assert wanted == pytest.approx(expected, abs=2)


def test_thinner_takes_up_after_a_gap_and_a_clock_that_is_set() -> None:
    thinner = Thinner(0, 10)

    assert [thinner.wants(t) for t in (0, 0.04, 0.1, 100, 100.04, 100.1, 5, 5.04, 5.1)] == [
        True,
        False,
        True,
    ] * 3


def test_a_feed_that_is_stopped_leaves_no_thread(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.mp4", video.stripes(200))
    feed = feed_of(str(path))
    feed.start()
    while feed.take() is None:
        time.sleep(0.001)
    feed.stop()

    assert not feed._thread.is_alive()
