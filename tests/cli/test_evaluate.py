"""`mien evaluate`: the figures of a model file, and a warning where they may be too good."""

import csv
from pathlib import Path

import numpy as np
import pytest

from mien.data.manifest import Manifest
from tests.cli.conftest import Mien
from tests.labelled import sample_of, save
from tests.tiny import colour_card, model_bytes


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
    assert found.out.startswith("colour  3 pictures, accuracy 66.7%, balanced 75.0%")
    assert found.err == "figures.csv: 3 figures\n"
    with (tmp_path / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["split"], row["seed"]) for row in rows] == [
        ("accuracy", "test", "5"),
        ("balanced_accuracy", "test", "5"),
        ("calibration_error", "test", "5"),
    ]
    assert {row["split_hash"] for row in rows} == {manifest.split_hash}


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


def test_a_manifest_without_the_models_labels(
    mien: Mien, manifest: Manifest, face_model: Path
) -> None:
    found = mien("evaluate", face_model, "m.csv")
    assert (found.code, found.out) == (2, "")
    assert "no label for the model's tasks, age, gender, race; its columns are colour" in found.err
