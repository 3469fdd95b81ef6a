"""What a look at a camera says, and the error that a card tells for a width."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mien.card import Metric
from mien.watch.check import Found, expected_error, look, report
from mien.watch.sources.health import Health
from tests.tiny import face_card
from tests.watch import video
from tests.watch.test_run import config, passing

WIDTHS = [
    Metric(task="age", name="mae", value=value, pictures=500, by="face_width", group=width)
    for width, value in (("96", 4.5), ("24", 8.0), ("48", 5.5))
]


def found(**changes: object) -> Found:
    known = {
        "camera": "door",
        "health": Health("live", datetime.now(UTC), width=1280, height=720, rate=10),
        "looked_at": 100,
        "widths": [50.0] * 30,
        "lights": [120.0] * 30,
        "fronts": [0.9] * 30,
        "light": 110.0,
    }
    return Found(**(known | changes))  # type: ignore[arg-type]


def said(**changes: object) -> dict[str, str]:
    return dict(report(found(**changes), face_card(metrics=WIDTHS)))


@pytest.mark.parametrize(
    ("width", "expected"),
    [(10, (8.0, 24)), (24, (8.0, 24)), (47.9, (8.0, 24)), (48, (5.5, 48)), (500, (4.5, 96))],
)
def test_the_error_of_the_next_smaller_width(width: float, expected: tuple[float, float]) -> None:
    assert expected_error(face_card(metrics=WIDTHS), width) == expected


def test_a_card_that_tells_no_widths() -> None:
    assert expected_error(face_card(), 50) is None
    assert dict(report(found(), face_card()))["age"] == "the model's card tells no error"
    whole = Metric(task="age", name="mae", value=4.7, pictures=9)
    assert "4.7 years" in dict(report(found(), face_card(metrics=[whole])))["age"]


def test_a_good_camera() -> None:
    lines = said()

    assert lines["picture"] == "1280 x 720, 10.0 frames a second"
    assert lines["light"] == "faces at 120 of 255"
    assert lines["widths"].startswith("50 pixels")
    assert lines["turn"] == "100% of the faces look towards the camera"
    assert "5.5 years" in lines["age"]


@pytest.mark.parametrize(
    ("changes", "line", "hint"),
    [
        ({"lights": [30.0]}, "light", "dark"),
        ({"lights": [240.0]}, "light", "too bright"),
        ({"fronts": [0.1, 0.1, 0.9]}, "turn", "where people look"),
        ({"widths": []}, "faces", "none in 100 frames"),
        (
            {"health": Health("live", datetime.now(UTC), width=1, height=1, rate=2)},
            "picture",
            "fewer than 5",
        ),
    ],
)
def test_a_poor_camera_is_told_what_to_do(changes: dict[str, object], line: str, hint: str) -> None:
    assert hint in said(**changes)[line]


def test_a_dead_camera_says_why() -> None:
    dead = Health("lost", datetime.now(UTC), reason="connection refused")

    assert said(health=dead, looked_at=0) == {"state": "lost (connection refused)"}


def test_looks_at_a_film(tmp_path: Path) -> None:
    path = video.write(tmp_path / "a.mp4", passing(20))
    told = config(str(path))
    seen = look(told.cameras[0], told, 1.0)

    assert seen.looked_at == 11
    assert 9 <= len(seen.widths) <= 12
    assert 60 < sum(seen.widths) / len(seen.widths) < 120
    assert min(seen.fronts) > 0.3
