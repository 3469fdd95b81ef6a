import json
import re
from pathlib import Path

import pytest

from mien import model
from mien.card import Card, Confusion, Data, Interval, Metric, Task
from mien.model import Packaged
from tests.cli.conftest import Mien
from tests.runs import toy_manifest
from tests.tiny import AGE, GENDER, face_card, model_bytes

RECIPE: dict[str, object] = {
    "name": "toy",
    "description": "A model for tests.",
    "licence": "Apache-2.0",
    "use": "tests",
    "input": {"size": 16, "framing": "face"},
    "network": {"backbone": "minivggnet"},
    "tasks": [{"name": "age", "kind": "age"}],
    "stages": [{"epochs": 1}],
}


def full_card() -> Card:
    age = Task(
        name="age",
        kind="age",
        ages=101,
        intervals=(Interval(level=0.9, from_age=18, margin=-1.25, pictures=2000),),
    )
    return face_card(
        tasks=(age, GENDER, Task(name="weight", kind="regression", unit="kg", default=False)),
        use="research; not for sale",
        data=(Data(name="Faces", pictures=23705, terms="non-commercial research"),),
        data_fingerprint="d41d8c",
        split_hash="5eb63b",
        metrics=(
            Metric(task="age", name="mae", value=4.8123, pictures=3000),
            Metric(task="age", name="mae", value=7.5, pictures=90, by="group", group="senior"),
        ),
        confusions=(
            Confusion(task="gender", labels=("male", "female"), counts=((90, 7), (5, 88))),
        ),
        priors={"gender": (0.48, 0.52), "age": (1.0,) * 101},
        limits="Not for faces\nbelow 20 pixels.",
        recipe={"seed": 1, "data": {"manifest": "face.csv"}},
        created="2026-01-02",
        created_by="mien 0.1.0",
    )


@pytest.fixture
def full_model(tmp_path: Path) -> Path:
    path = tmp_path / "full.onnx"
    path.write_bytes(model_bytes(full_card()))
    return path


def test_show_prints_the_whole_card(mien: Mien, full_model: Path) -> None:
    outcome = mien("models", "show", full_model)

    assert (outcome.code, outcome.err) == (0, "")
    for line in (
        "tiny-face 1",
        "A model for tests.",
        "may be used for   research; not for sale",
        "licence           Apache-2.0",
        "input             16 x 16 pixels, RGB: a face, aligned by its landmarks",
        "created           2026-01-02 by mien 0.1.0",
        "data fingerprint  d41d8c",
        "split             5eb63b",
        "age     age in years, from probabilities of 0 to 100",
        "gender  male, female",
        "weight  a number of kg (only when named)",
        "Faces  23,705 pictures. non-commercial research",
        "gender  male 48.0 %, female 52.0 %",
        "age   mae     4.812  3,000",
        "group  senior  age   mae     7.5    90",
        "age   18        -1.2   90 %   2,000",
        "male     90    7",
        "female   5     88",
        "Not for faces",
        "below 20 pixels.",
    ):
        assert line in outcome.out.splitlines()
    assert "--json prints the recipe in full" in outcome.out


def test_show_prints_the_card_as_json(mien: Mien, full_model: Path) -> None:
    outcome = mien("models", "show", full_model, "--json")

    assert Card.model_validate(json.loads(outcome.out)) == full_card()


def test_show_leaves_out_what_a_card_does_not_say(mien: Mien, colour_model: Path) -> None:
    shown = mien("models", "show", colour_model).out

    assert "Trained on" not in shown
    assert "Measured" not in shown
    assert "colour  red, green, blue" in shown
    assert "the picture's centre" in shown


def test_show_tells_large_files_in_megabytes(mien: Mien, tmp_path: Path) -> None:
    tasks = (Task(name="age", kind="age", ages=20_000),)
    (tmp_path / "large.onnx").write_bytes(model_bytes(face_card(tasks=tasks)))

    assert "file             0.2 MB" in mien("models", "show", "large.onnx").out.splitlines()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "neither a model file nor a packaged model"),
        (b"no model", "not a whole ONNX file"),
        (model_bytes(None), "has no model card"),
        (model_bytes('{"schema_version": 99}'), "Update mien"),
        (model_bytes(face_card())[:-900], "bytes"),
    ],
)
def test_show_refuses_what_is_no_model(mien: Mien, content: bytes | None, says: str) -> None:
    if content is not None:
        Path("some.onnx").write_bytes(content)

    outcome = mien("models", "show", "some.onnx")

    assert outcome.code == 2
    assert outcome.err.startswith("mien: ")
    assert "some.onnx" in outcome.err
    assert says in outcome.err
    assert outcome.out == ""


def test_list_tells_what_each_model_may_be_used_for(
    mien: Mien, full_model: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Packaged("face", full_model), Packaged("colour", colour_model)]
    monkeypatch.setattr(model, "packaged", lambda: found)

    header, *rows = mien("models", "list").out.splitlines()

    cells = [re.split(" {2,}", row.strip()) for row in (header, *rows)]
    assert [row[:1] + row[2:] for row in cells] == [
        ["name", "tasks", "input", "weights may be used for"],
        ["face (default)", "age, gender, weight", "face, 16 x 16 pixels", "research; not for sale"],
        ["colour", "colour", "centre, 16 x 16 pixels", "tests"],
    ]
    assert cells[1][1] == f"{full_model.stat().st_size / 1000:.1f} kB"


@pytest.mark.parametrize(("named", "marked"), [("colour", "colour"), ("own.onnx", "")])
def test_list_marks_the_default(
    named: str,
    marked: str,
    mien: Mien,
    full_model: Path,
    colour_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [Packaged("face", full_model), Packaged("colour", colour_model)]
    monkeypatch.setattr(model, "packaged", lambda: found)
    monkeypatch.setenv(model.VARIABLE, named)
    lines = mien("models", "list").out.splitlines()
    assert [line.split("  ")[0] for line in lines if "(default)" in line] == (
        [f"{marked} (default)"] if marked else []
    )
    told = "the default is own.onnx, by MIEN_MODEL, and there is no such model"
    assert (told in lines) == (not marked)


def test_list_says_so_when_there_is_none(mien: Mien, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "packaged", list)

    outcome = mien("models", "list")

    assert outcome == (0, "", "no models come with this installation\n")


def test_calibrate_writes_a_model_file_for_ones_own_pictures(mien: Mien, tmp_path: Path) -> None:
    manifest = toy_manifest(tmp_path / "toy")
    (tmp_path / "tiny.onnx").write_bytes(model_bytes(face_card(tasks=(AGE,))))
    outcome = mien("models", "calibrate", "tiny.onnx", manifest, "-o", "own.onnx")
    assert (outcome.code, "mien models show own.onnx" in outcome.err) == (0, True)
    assert model.Model.open(tmp_path / "own.onnx").card.task("age").intervals


def test_calibrate_refuses_what_is_no_model(mien: Mien, tmp_path: Path) -> None:
    outcome = mien("models", "calibrate", "none.onnx", "toy.csv", "-o", "own.onnx")
    assert (outcome.code, "none.onnx" in outcome.err) == (2, True)


def test_nothing_is_lost_to_a_wrong_place(mien: Mien, tmp_path: Path) -> None:
    manifest = toy_manifest(tmp_path / "toy")
    before = manifest.read_bytes()
    (tmp_path / "tiny.onnx").write_bytes(model_bytes(face_card(tasks=(AGE,))))
    for arguments in (
        ["calibrate", "tiny.onnx", manifest, "-o", manifest],
        ["ensemble", "tiny.onnx", "face", "-d", manifest, "-o", manifest],
    ):
        outcome = mien("models", *arguments)
        assert (outcome.code, "this is a file to be read" in outcome.err) == (2, True)
    assert manifest.read_bytes() == before


def test_ensemble_writes_one_model_file(mien: Mien, tmp_path: Path) -> None:
    manifest = toy_manifest(tmp_path / "toy")
    for name in ("one", "two"):
        card = face_card(name=name, tasks=(AGE,), recipe=RECIPE)
        (tmp_path / f"{name}.onnx").write_bytes(model_bytes(card))
    outcome = mien(
        "models", "ensemble", "one.onnx", "two.onnx", "-d", manifest, "-o", "my both.onnx"
    )
    assert (outcome.code, "mien models show my both.onnx" in outcome.err) == (0, True)
    card = model.Model.open(tmp_path / "my both.onnx").card
    assert (card.name, bool(card.metrics)) == ("my-both", True)
    described = mien("models", "describe", "my both.onnx")
    assert "averages 2 networks" in described.err
    assert "heads: age 101" in described.out.splitlines()


def test_ensemble_takes_each_model_once(mien: Mien) -> None:
    outcome = mien("models", "ensemble", "face", "face", "-d", "toy.csv", "-o", "both.onnx")
    assert (outcome.code, "face is named twice" in outcome.err) == (2, True)
