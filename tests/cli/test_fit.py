"""`mien features` and `mien fit`: from pictures to a model file that other commands read."""

import csv
from pathlib import Path

import pytest

from mien.model import Model
from tests.classic.world import colour_model, coloured
from tests.cli.conftest import Mien


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Write pictures of three colours, one of them damaged, with a manifest and a model."""
    found = coloured(tmp_path / "pictures", 60, age=[str(number) for number in range(60)])
    found.samples[8].path.write_bytes(b"no picture")
    found.write(tmp_path / "m.csv")
    colour_model(tmp_path)
    return tmp_path / "m.csv"


def test_from_pictures_to_a_model_file(mien: Mien, manifest: Path) -> None:
    made = mien("features", "colour.onnx", "m.csv", "-o", "f.safetensors", "--left-out", "l.csv")
    assert made.code == 0
    assert made.err.startswith("f.safetensors: 3 features of 59 pictures, ")
    assert "1: unreadable picture" in made.err
    assert "8.bmp" in Path("l.csv").read_text()
    found = mien(
        *("fit", "f.safetensors", "--task", "colour", "--model", "naive-bayes", "--model", "tree"),
        *("-o", "hues.onnx", "--table", "t.csv", "--report", "report", "--folds", "3"),
    )
    assert found.code == 0
    assert found.err.startswith("without features, and left out: 1 (")
    assert "hues.onnx: " in found.err
    head, *rows = found.out.splitlines()
    assert head.split()[:3] == ["model", "balance", "chosen"]
    assert {row.split()[0] for row in rows} == {"naive-bayes", "tree"}
    with Path("t.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["name"] for row in table} >= {"accuracy", "balanced_accuracy", "macro_f1"}
    assert Path("report/report.html").exists()
    assert Model.open("hues.onnx").card.name == "hues"
    read = mien("predict", "pictures/0.bmp", "--model", "hues.onnx", "--format", "jsonl")
    assert read.rows[0]["label"] == "red"
    again = mien("evaluate", "hues.onnx", "m.csv", "--split", "test")
    assert "note:" not in again.err  # the same split
    assert "100.0%" in again.out


def test_several_ways_to_balance_are_compared(mien: Mien, manifest: Path) -> None:
    mien("features", "colour.onnx", "m.csv", "-o", "f.safetensors")
    found = mien(
        *("fit", "f.safetensors", "--task", "age", "--model", "ridge", "--set", "alpha=1,10"),
        *("--balance", "none", "--balance", "over", "--table", "t.csv"),
    )
    assert found.code == 0
    assert "ridge has no model file: a network of whole pictures reads classes only" in found.err
    with Path("t.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["balance"] for row in table} == {"none", "over"}
    assert {row["chosen by"] for row in table} == {"balanced_mae"}
    assert {row["file bytes"] for row in table} == {""}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "mood"], "no labels 'mood'; they have colour, age"),
        (["--task", "colour", "--set", "C"], "write a parameter and its values, as in C=0.01,0.1"),
        (
            ["--task", "age", "--model", "ridge", "-o", "r.onnx"],
            "none of the models can be",
        ),
        (["--task", "colour", "--report", "r"], "it is about the file that -o names"),
    ],
)
def test_what_cannot_be_fitted(
    mien: Mien, manifest: Path, arguments: list[str], message: str
) -> None:
    mien("features", "colour.onnx", "m.csv", "-o", "f.safetensors")
    found = mien("fit", "f.safetensors", *arguments)
    assert found.code == 2
    assert message in found.err


def test_no_features(mien: Mien, manifest: Path) -> None:
    found = mien("fit", "m.csv", "--task", "colour")
    assert found.code == 2
    assert "m.csv: not a file of features; make one by `mien features`" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "f.safetensors"], "f.safetensors: this is a file to be read"),
        (["-o", "new.onnx", "--table", "no/t.csv"], "there is no folder no"),
        (["-o", "new.onnx", "--table", "new.onnx"], "--output and --table name the same file"),
        (["--seed", "5000000000"], "--seed"),
    ],
)
def test_nothing_is_lost_to_a_wrong_place(
    mien: Mien, manifest: Path, arguments: list[str], message: str
) -> None:
    mien("features", "colour.onnx", "m.csv", "-o", "f.safetensors")
    before = Path("f.safetensors").read_bytes()
    found = mien("fit", "f.safetensors", "--task", "colour", "--model", "tree", *arguments)
    assert (found.code, message in found.err) == (2, True), found.err
    assert Path("f.safetensors").read_bytes() == before
    assert not Path("new.onnx").exists()


def test_features_are_not_written_over_what_they_come_from(mien: Mien, manifest: Path) -> None:
    before = manifest.read_bytes()
    for places in (["-o", "m.csv"], ["-o", "f.safetensors", "--left-out", "m.csv"]):
        found = mien("features", "colour.onnx", "m.csv", *places)
        assert (found.code, "m.csv: this is a file to be read" in found.err) == (2, True)
    assert manifest.read_bytes() == before


def test_what_a_fit_made_is_described_by_its_network(mien: Mien, manifest: Path) -> None:
    mien("features", "colour.onnx", "m.csv", "-o", "f.safetensors")
    mien("fit", "f.safetensors", "--task", "colour", "--model", "tree", "-o", "hues.onnx")
    found = mien("models", "describe", "hues.onnx")
    assert (found.code, "made by `mien fit`" in found.err) == (2, True)
