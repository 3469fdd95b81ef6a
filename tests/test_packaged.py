"""The packaged model on the real photographs that packages ship, and the figures told of it."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from mien import Analyzer, Model
from mien.analyzer import FaceReading
from mien.model import packaged
from tests.photos import HOPPER, astronaut

ROOT = Path(__file__).parent.parent
EVERY_TASK = ["age", "gender", "race", "expression"]


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    """Return an analyzer of the default model that reads every task."""
    return Analyzer(tasks=EVERY_TASK)


def read_one(analyzer: Analyzer, picture: object) -> FaceReading:
    (face,) = analyzer(picture)  # type: ignore[arg-type]
    return face


@pytest.mark.parametrize("name", [model.name for model in packaged()])
def test_the_card_says_all_that_a_user_must_know(name: str) -> None:
    model = Model.open(name)

    assert model.bytes <= 10_000_000
    assert model.card.name == name
    for text in ("description", "licence", "use", "limits", "data_fingerprint", "split_hash"):
        assert getattr(model.card, text), text
    assert all(data.pictures and data.terms != "not stated" for data in model.card.data)
    measured = {metric.task for metric in model.card.metrics}
    assert measured == {task.name for task in model.card.tasks}
    groups = {"gender", "race", "age_group"} if model.card.input.framing == "face" else set()
    assert {metric.by for metric in model.card.metrics} >= {"", *groups}


def test_the_default_model_is_packaged() -> None:
    assert "face" in [model.name for model in packaged()]


def test_a_smile(analyzer: Analyzer) -> None:
    """Her age, 36, lies in the interval, above its mean; see docs/experiments.md."""
    face = read_one(analyzer, astronaut())

    assert face.expression.label == "happiness"
    assert face.expression.probability > 0.9
    assert face.gender.label == "female"
    assert face.age.low <= 36 <= face.age.high


def test_an_old_woman(analyzer: Analyzer) -> None:
    face = read_one(analyzer, HOPPER)

    assert face.age.group == "senior"
    assert face.age.years >= 65


def test_a_picture_and_its_mirror_read_alike(analyzer: Analyzer) -> None:
    face, mirrored = (read_one(analyzer, p) for p in (astronaut(), astronaut()[:, ::-1].copy()))

    assert mirrored.age.years == pytest.approx(face.age.years, abs=5)
    assert mirrored.gender.label == face.gender.label
    assert mirrored.expression.label == face.expression.label


def test_a_grey_picture_reads_much_like_the_colour_one(analyzer: Analyzer) -> None:
    grey = astronaut().mean(axis=2).astype("uint8")

    assert read_one(analyzer, grey).age.years == pytest.approx(
        read_one(analyzer, astronaut()).age.years, abs=8
    )


def test_race_is_read_only_when_named() -> None:
    assert set(read_one(Analyzer(), astronaut()).attributes) == {"age", "gender", "expression"}


def test_the_measured_figures_are_those_of_the_packaged_file() -> None:
    card = Model.open("face").card
    with (ROOT / "results" / "face-test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert {row["split_hash"] for row in rows} == {card.split_hash}
    told = {(m.task, m.name, m.by, m.group): m.value for m in card.metrics}
    # Gaps between groups follow from the groups' figures, which the card holds.
    for row in (row for row in rows if not row["name"].endswith("_gap")):
        key = (row["task"], row["name"], row["by"], row["group"])
        assert float(row["value"]) == pytest.approx(told[key], abs=1e-4)


def test_the_readme_tells_the_measured_figures() -> None:
    script = ROOT / "scripts" / "figures.py"
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 0
