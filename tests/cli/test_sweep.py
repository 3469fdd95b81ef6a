"""`mien train --sweep`: a run for each value; none is repeated, a stopped one goes on."""

from pathlib import Path

import pytest
import torch

from mien.training.run import recipe_of
from tests.cli.conftest import Mien

torch.set_num_threads(1)
SMALL = ("--set", "input.size=24", "--set", "optimiser.steps=2")
QUICK = ("--threads", "1", "--device", "cpu", "--set", "stages=[{epochs=1, size=24}]", *SMALL)
SWEEP = ("train", "toy.toml", *QUICK, "--sweep", "seed=1,2", "--run", "sweep")


def test_a_sweep_goes_on_and_repeats_nothing(place: Path, mien: Mien) -> None:
    found = mien(*SWEEP)
    assert found.code == 0, found.err
    lines = found.err.splitlines()
    assert [line for line in lines if line.startswith("run ")] == [
        "run 1 of 2: seed=1",
        "run 2 of 2: seed=2",
    ]
    folders = [Path("sweep") / name for name in ("seed=1", "seed=2")]
    assert [recipe_of(folder).seed for folder in folders] == [1, 2]
    first, second = ((folder / "model.onnx").read_bytes() for folder in folders)
    assert first != second
    # As if it had been killed while it measured the second.
    for name in ("model.onnx", "report.html"):
        (folders[1] / name).unlink()
    before = (folders[0] / "model.onnx").stat().st_mtime_ns
    again = mien(*SWEEP)
    assert again.code == 0, again.err
    assert "run 1 of 2: seed=1: has ended before" in again.err
    assert "epoch" not in again.err
    assert (folders[0] / "model.onnx").stat().st_mtime_ns == before
    assert (folders[1] / "model.onnx").read_bytes() == second
    ends = ("-o", "all.html", "-o", "all.csv", "-o", "all.json", "--rounds", "2")
    compared = mien("compare", "sweep", *ends)
    assert compared.code == 0, compared.err
    # Two seeds of one recipe are one line, with their spread.
    assert [line.split()[1] for line in compared.out.splitlines()[1:2]] == ["2"]
    assert "±" in compared.out
    assert all(Path(f"all.{kind}").stat().st_size for kind in ("html", "csv", "json"))


def test_what_cannot_be_compared(place: Path, mien: Mien) -> None:
    Path("empty").mkdir()
    found = mien("compare", "empty")
    assert (found.code, "holds no run that has ended" in found.err) == (2, True)
    found = mien("compare", "face", "-o", "all.pdf")
    assert (found.code, "name a file that ends in .csv, .json, .html" in found.err) == (2, True)


def test_a_run_that_fails_ends_no_sweep(place: Path, mien: Mien) -> None:
    arguments = ("--sweep", "network.backbone=no_such_net,test_resnet", "--run", "failing")
    found = mien("train", "toy.toml", *QUICK, *arguments)
    assert (found.code, Path("failing/backbone=test_resnet/report.html").exists()) == (2, True)
    assert "1 of 2 runs failed: backbone=no_such_net" in found.err


def test_nor_does_one_whose_data_do_not_fit_it(place: Path, mien: Mien) -> None:
    arguments = ("--sweep", "data.shares={none=1},{}", "--run", "unfit")
    found = mien("train", "toy.toml", *QUICK, *arguments)
    assert found.code == 2
    assert "1 of 2 runs failed" in found.err
    assert len(list(Path("unfit").glob("*/report.html"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "toy.csv", "--sweep", "seed=1,2"), "a sweep takes a recipe"),
        (("toy.toml", "--sweep", "seed=1,big"), "seed: Input should be a valid integer"),
        (("toy.toml", "--sweep", "sed=1,2"), "unknown key 'sed'; did you mean 'seed'?"),
        (("toy.toml", "--sweep", "seed"), "a sweep is written key=a,b,c"),
        (
            ("toy.toml", "--sweep", "seed=1,2", "--set", "machine.devices=2"),
            "train on one device each",
        ),
    ],
)
def test_what_no_sweep_can_be(
    arguments: tuple[str, ...], message: str, place: Path, mien: Mien
) -> None:
    found = mien("train", *arguments, "--run", "none")
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not Path("none").exists()


def test_a_sweep_does_not_fill_a_run_s_folder(place: Path, mien: Mien) -> None:
    Path("single").mkdir()
    Path("single/recipe.json").write_text("{}")
    found = mien("train", "toy.toml", "--sweep", "seed=1,2", "--run", "single")
    assert found.code == 2
    assert "single: holds a single run; name another folder" in found.err
