"""`mien evaluate`: the figures of a model file, and a warning where they may be too good."""

import csv
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from mien.data import manifest as manifests
from mien.data.manifest import Manifest, Sample
from mien.evaluation.result import Evaluation
from tests.cli.conftest import Mien
from tests.labelled import sample_of, save
from tests.tiny import colour_card, face_card, model_bytes


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Red, green and blue pictures in the test part, the last of them called green."""
    colours = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}
    samples = []
    for name, colour in colours.items():
        path = save(tmp_path / f"{name}.png", np.full((20, 20, 3), colour, np.uint8))
        samples.append(sample_of(path, {"colour": name if name != "blue" else "green"}, "test"))
    found = Manifest(tuple(samples))
    found.write(tmp_path / "m.csv")
    return found


def test_evaluate(mien: Mien, manifest: Manifest, tmp_path: Path) -> None:
    card = colour_card(split_hash=manifest.split_hash, recipe={"seed": 5})
    (tmp_path / "colour.onnx").write_bytes(model_bytes(card))
    found = mien("evaluate", "colour.onnx", "m.csv", "-o", "figures.csv", "--threads", "1")
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0] == f"tiny-colour 1, test part of split {manifest.split_hash}: 3 pictures"
    assert lines[2].split() == ["task", "figure", "value", "pictures"]
    assert lines[3].split() == ["colour", "accuracy", "66.7%", "3"]
    assert lines[4].split() == ["colour", "balanced", "accuracy", "75.0%", "3"]
    assert found.err == "figures.csv: 5 figures\n"
    with (tmp_path / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["split"], row["seed"]) for row in rows] == [
        ("accuracy", "test", "5"),
        ("balanced_accuracy", "test", "5"),
        ("calibration_error", "test", "5"),
        ("macro_precision", "test", "5"),
        ("macro_f1", "test", "5"),
    ]
    assert {row["split_hash"] for row in rows} == {manifest.split_hash}


def test_what_is_printed(mien: Mien, tmp_path: Path) -> None:
    """Twelve red pictures, aged 51 to 62, half of whom are called women; read as men of 50."""
    samples = []
    for number in range(12):
        path = save(tmp_path / f"{number}.png", np.full((20, 20, 3), (200, 0, 0), np.uint8))
        labels = {"age": str(51 + number), "gender": ("male", "female")[number % 2]}
        samples.append(Sample(path, "s", str(number), "test", labels))
    Manifest(tuple(samples)).write(tmp_path / "m.csv")
    fifty = np.zeros((3, 101), np.float32)
    fifty[0, 50] = 50
    (tmp_path / "face.onnx").write_bytes(model_bytes(face_card(), {"age": fifty}))
    out = mien("evaluate", "face.onnx", "m.csv", "--threads", "1").out
    words = [line.split() for line in out.splitlines()]
    mean = ["age", "mean", "absolute", "error", "6.50", "years"]
    assert any(line[:6] == mean and line[7] == "to" and line[-1] == "12" for line in words)
    assert ["gender", "male", "6.00", "(6)", "0.0%", "(6)", "100.0%", "(6)"] in words
    assert ["age", "group", "adult", "5.00", "(9)", "0.0%", "(9)", "55.6%", "(9)"] in words
    assert ["gender", "female", "male", "100.0%", "6"] in words
    assert "Largest confusions" in out
    assert "Never or rarely confused" not in out
    assert "By width" not in out


def test_as_json(mien: Mien, manifest: Manifest, colour_model: Path) -> None:
    found = mien("evaluate", colour_model, "m.csv", "--format", "json", "--seed", "9")
    result = Evaluation.from_json(found.out, "stdout")
    assert (result.pictures, result.seed) == (3, 9)
    assert result.value("colour", "accuracy") == pytest.approx(2 / 3)


def test_a_report(mien: Mien, manifest: Manifest, colour_model: Path, tmp_path: Path) -> None:
    found = mien("evaluate", colour_model, "m.csv", "--report", "new/report", "--no-widths")
    assert found.code == 0
    page = Path(found.err.splitlines()[-1].removeprefix("report: "))
    assert "<html" in (tmp_path / page).read_text(encoding="utf-8")
    text = (tmp_path / "new" / "report" / "evaluation.json").read_text(encoding="utf-8")
    assert Evaluation.from_json(text, "evaluation.json").split_hash == manifest.split_hash


def test_figures_need_no_package_that_draws(
    mien: Mien, manifest: Manifest, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("mien.evaluation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = mien("evaluate", colour_model, "m.csv", "--no-widths")
    assert found.code == 0
    found = mien("evaluate", colour_model, "m.csv", "--report", "new")
    assert (found.code, "pip install 'mien[train]'" in found.err) == (2, True)


def test_a_report_without_its_packages(
    mien: Mien, manifest: Manifest, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mien.evaluation.report", None)
    found = mien("evaluate", colour_model, "m.csv", "--report", "new")
    assert found.code == 2
    assert "a report needs packages that are not installed" in found.err
    assert "pip install 'mien[train]'" in found.err
    assert not Path("new").exists()


def test_a_split_that_the_model_may_have_seen(
    mien: Mien, manifest: Manifest, colour_model: Path
) -> None:
    found = mien("evaluate", colour_model, "m.csv")
    assert found.code == 0
    assert found.err == (
        f"note: the model was trained on split unknown, this manifest has split "
        f"{manifest.split_hash}: it may have seen these pictures\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.onnx", "m.csv"], "missing.onnx': neither a model file nor a packaged model"),
        (["m.csv", "m.csv"], "mien: m.csv: "),
        (["colour.onnx", "missing.csv"], "mien: missing.csv: cannot be read"),
        (
            ["colour.onnx", "m.csv", "--split", "dev"],
            "no picture in the part 'dev'; it has 3 in te",
        ),
        (["colour.onnx", "m.csv", "-o", "no/f.csv"], "there is no folder no; create it"),
        (["colour.onnx", "m.csv", "-o", "./m.csv"], "m.csv: this is a file to be read; write"),
        (["colour.onnx", "m.csv", "--embed"], "Invalid value for --embed: it is about the report"),
        (["colour.onnx", "m.csv", "--report", "m.csv"], "m.csv: no folder can be made here"),
        (["colour.onnx", "m.csv", "--grey", "mood"], "'mood' is no classification of this model"),
        (
            ["colour.onnx", "m.csv", "--grey", "colour", "--no-widths"],
            "Invalid value for --grey: small copies are not read; leave out --no-widths",
        ),
        (["colour.onnx"], "Missing argument 'MANIFEST'"),
    ],
)
def test_wrong_use(
    arguments: list[str],
    message: str,
    mien: Mien,
    manifest: Manifest,
    colour_model: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "colour.onnx").write_bytes(colour_model.read_bytes())
    found = mien("evaluate", *arguments)
    assert found.code == 2
    assert message in found.err
    assert manifests.read(tmp_path / "m.csv") == manifest


def test_a_runs_report_keeps_the_curves_of_its_training(
    mien: Mien, manifest: Manifest, colour_model: Path, tmp_path: Path
) -> None:
    """`mien compare` advises to measure into a run's folder, where its history lies."""
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(colour_model, run / "model.onnx")
    (run / "history.csv").write_text("epoch,loss,validation/loss\n1,3.5,3.25\n2,2.5,2.75\n")
    assert mien("evaluate", run / "model.onnx", "m.csv", "--report", "run", "--no-widths").code == 0
    assert (run / "training.png").exists()
    assert mien("evaluate", colour_model, "m.csv", "--report", "new", "--no-widths").code == 0
    assert not (tmp_path / "new" / "training.png").exists()


def test_a_manifest_without_the_models_labels(
    mien: Mien, manifest: Manifest, face_model: Path
) -> None:
    found = mien("evaluate", face_model, "m.csv")
    assert (found.code, found.out) == (2, "")
    assert "no label for the model's tasks, age, gender, race; its columns are colour" in found.err
