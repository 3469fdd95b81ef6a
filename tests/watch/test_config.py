"""Configurations: defaults, what is refused and how, opening hours, credentials."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mien.watch import config
from mien.watch.config import Config, WatchError

FULL = """
model = "face"

[[cameras]]
name = "door"
source = "rtsp://${DOOR}@10.0.0.5/live"
foot = 4

[[cameras.areas]]
name = "hall"
polygon = [[0, 0], [1, 0], [1, 1], [0, 1]]

[[cameras.areas]]
name = "poster"
polygon = [[0, 0], [0.1, 0], [0.1, 0.1]]
ignore = true

[[cameras]]
name = "till"
source = 0

[schedule]
time_zone = "Europe/Paris"

[[schedule.hours]]
days = ["mon", "sat"]
opens = 09:00:00
closes = 20:00:00

[[schedule.hours]]
days = ["fri"]
opens = "22:00"
closes = "03:00"

[tasks]
gender = true
expression = { purpose = "to see whether the exhibition is liked" }

[store]
url = "postgresql+psycopg://mien:secret@db/mien"
keep_days = 90

[privacy]
k = 10
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "watch.toml"
    path.write_text(text)
    return path


def test_reads_all(tmp_path: Path) -> None:
    found = config.read(written(tmp_path, FULL))

    assert [camera.name for camera in found.cameras] == ["door", "till"]
    assert found.cameras[0].areas[1].ignore
    assert found.cameras[1].shown == "0"
    assert found.tasks.gender
    assert (found.store.keep_days, found.privacy.k) == (90, 10)


def test_one_camera_needs_only_its_source() -> None:
    found = config.of_source("day.mp4", real_time=True)

    assert found.cameras[0].real_time
    assert found.privacy.k == 5
    assert not found.tasks.gender
    assert found.tasks.expression is None


CAMERA = '[[cameras]]\nname = "door"\nsource = 0\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cameras is missing"),
        (CAMERA + "surce = 1", "unknown key 'cameras.0.surce'; did you mean 'source'"),
        (CAMERA + CAMERA, "two cameras are called 'door'"),
        (CAMERA + "[tasks]\nrace = true", "race is never read"),
        (CAMERA + "[tasks]\nexpression = true", "tasks.expression"),
        (
            CAMERA + '[tasks]\nexpression = { purpose = "whatever it is"}\ngendre = true',
            "did you mean",
        ),
        (CAMERA + "[tasks.expression]\n", "tasks.expression.purpose is missing"),
        (CAMERA + '[tasks.expression]\npurpose = "marketing"', "tasks.expression.purpose"),
        (CAMERA + '[schedule]\ntime_zone = "Middle/Earth"', "no time zone"),
        (CAMERA + "areas = [{ name = 'a', polygon = [[0, 0], [1, 1]] }]", "at least 3"),
        (CAMERA + "areas = [{ name = 'a', polygon = [[0, 0], [0.5, 0.5], [1, 1]] }]", "one line"),
        (CAMERA + "areas = [{ name = 'a', polygon = [[0, 0], [0, 1], [2, 1]] }]", "polygon.2.0"),
        ('age_groups = [["a", 5]]\n' + CAMERA, "begin at 0"),
    ],
)
def test_refuses(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WatchError, match=message):
        config.read(written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        CAMERA.replace("0", '"rtsp://u:secret@h/x"') + "nonsense = 1",
        CAMERA.replace("0", '["rtsp://u:secret@h/x"]'),
        CAMERA + '[store]\nurl = ["postgresql://u:secret@h/x"]',
    ],
)
def test_errors_show_no_credentials(tmp_path: Path, text: str) -> None:
    with pytest.raises(WatchError) as error:
        config.read(written(tmp_path, text))
    assert "secret" not in str(error.value)


def test_credentials_stay_out_of_what_is_shown() -> None:
    camera = config.of_source("rtsp://u:secret@h/x").cameras[0]

    assert camera.shown == "rtsp://***@h/x"
    assert "secret" not in repr(camera) + camera.model_dump_json()
    assert camera.address({}).target == "rtsp://u:secret@h/x"


def test_missing_credentials_name_the_camera() -> None:
    camera = config.of_source("rtsp://h/x", credentials="DOOR").cameras[0]

    with pytest.raises(WatchError, match="camera 'camera': the environment variable DOOR"):
        camera.address({})


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-02 08:59:59", False),  # a Monday
        ("2026-03-02 09:00:00", True),
        ("2026-03-02 19:59:59", True),
        ("2026-03-02 20:00:00", False),
        ("2026-03-03 12:00:00", False),  # Tuesday
        ("2026-03-06 21:59:59", False),  # Friday
        ("2026-03-06 22:00:00", True),
        ("2026-03-07 02:59:59", True),  # past midnight
        ("2026-03-07 03:00:00", False),
        ("2026-03-07 23:00:00", False),
    ],
)
def test_opening_hours(tmp_path: Path, moment: str, is_open: bool) -> None:
    schedule = config.read(written(tmp_path, FULL)).schedule
    local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Europe/Paris"))

    assert schedule.is_open(local) == is_open
    assert schedule.is_open(local.astimezone(ZoneInfo("Asia/Tokyo"))) == is_open


def test_opening_hours_follow_daylight_saving(tmp_path: Path) -> None:
    schedule = config.read(written(tmp_path, FULL)).schedule
    winter, summer = "2026-03-28T08:30+00:00", "2026-04-04T07:30+00:00"  # both Saturdays

    assert schedule.is_open(datetime.fromisoformat(winter))
    assert schedule.is_open(datetime.fromisoformat(summer))
    assert not schedule.is_open(datetime.fromisoformat(winter.replace("08:30", "07:30")))


def test_without_hours_it_is_always_open() -> None:
    assert Config.model_validate({"cameras": [{"name": "a", "source": 0}]}).schedule.is_open(
        datetime.now(ZoneInfo("UTC"))
    )


def test_the_default_model_is_that_of_all_of_mien(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_MODEL", "other.onnx")
    assert config.of_source("0").model == "other.onnx"
    monkeypatch.delenv("MIEN_MODEL")
    assert config.of_source("0").model == "face"
