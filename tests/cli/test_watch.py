"""`mien watch`: a film to visits, the store, and what is refused."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Mien
from tests.tiny import face_card, model_bytes
from tests.watch import video
from tests.watch.test_run import passing


@pytest.fixture
def film(tmp_path: Path) -> Path:
    (tmp_path / "tiny.onnx").write_bytes(model_bytes(face_card()))
    return video.write(tmp_path / "day.mp4", passing(30))


CONFIG = """
model = "tiny.onnx"
cameras = [{ name = "door", source = "day.mp4" }]
"""


def test_one_camera_gives_visits_as_lines(film: Path, mien: Mien) -> None:
    found = mien("watch", "--camera", film.name)
    [visit] = found.rows

    assert found.code == 0
    assert visit["camera"] == "camera"
    assert visit["entered"] < visit["left"]
    assert len(visit["ages"]) == 21
    assert "camera: visits: 1 visit; 30 frames" in found.err


def test_a_configuration_gives_visits_to_its_store(film: Path, tmp_path: Path, mien: Mien) -> None:
    (tmp_path / "shop.toml").write_text(CONFIG)
    found = mien("watch", "shop.toml")

    assert found.code == 0
    assert found.out == ""
    with sqlite3.connect(tmp_path / "mien-watch.sqlite3") as base:
        assert base.execute("select count(*) from visits").fetchone() == (1,)


def test_a_configuration_may_give_lines_instead(film: Path, tmp_path: Path, mien: Mien) -> None:
    (tmp_path / "shop.toml").write_text(CONFIG)
    found = mien("watch", "run", "shop.toml", "--stdout")

    assert [row["camera"] for row in found.rows] == ["door"]
    assert not (tmp_path / "mien-watch.sqlite3").exists()


def test_the_document_of_the_service_and_the_watch_is_printed(mien: Mien) -> None:
    document = json.loads(mien("watch", "--openapi").out)

    assert document["paths"]["/v1/analyze"]["post"]["operationId"] == "analyze"
    assert document["paths"]["/v1/audience"]["get"]["operationId"] == "audience"


def test_check_says_what_a_camera_gives(film: Path, mien: Mien) -> None:
    found = mien("watch", "check", "--camera", film.name, "--seconds", "1")

    assert found.code == 0
    for word in ("400 x 240", "light", "widths", "turn", "age"):
        assert word in found.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--camera", "none.mp4"], "no such file"),
        (["none.toml"], "cannot be read"),
        (["a.toml", "--camera", "0"], "either a configuration file or --camera"),
        (["--camera", "gopher://u:secret@h"], "not with gopher"),
        (["day.mp4"], "mien watch --camera day.mp4"),
        (["check", "--camera", "none.mp4", "--seconds", "1"], "a camera gave no picture"),
        (["run"], "either a configuration file or --camera"),
        (["--camera", "0", "--serve"], "goes with a configuration alone"),
        (["--camera", "0", "--no-cameras"], "goes with a configuration alone"),
        (["--camera", "0", "--port", "80"], "--host and --port go with --serve"),
    ],
)
def test_refuses(mien: Mien, arguments: list[str], message: str) -> None:
    found = mien("watch", *arguments)

    assert found.code == 2
    assert message in found.err
    assert "secret" not in found.err
