"""`mien train`: from a recipe to a model file; stopped by Ctrl-C or killed, it goes on the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mien.model import Model
from mien.training.checkpoint import load
from tests.cli.conftest import Mien
from tests.runs import RECIPE, toy_manifest

torch.set_num_threads(1)
MAIN = "from mien.cli import main; main()"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a manifest and a recipe, and the run that was not stopped."""
    folder = tmp_path_factory.mktemp("world")
    toy_manifest(folder)
    (folder / "toy.toml").write_text(RECIPE)
    return folder


@pytest.fixture
def place(world: Path, monkeypatch: pytest.MonkeyPatch, mien: Mien) -> Path:
    """Work in that folder."""
    monkeypatch.chdir(world)
    return world


@pytest.fixture
def whole(place: Path, mien: Mien) -> Path:
    """Return the folder of a run that was not stopped."""
    if not (place / "runs" / "toy").exists():
        mien("train", "toy.toml", "--threads", "1", "--device", "cpu")
    return place / "runs" / "toy"


def test_train(place: Path, mien: Mien) -> None:
    found = mien("train", "toy.toml", "--threads", "1", "--device", "cpu")
    assert found.code == 0
    folder = Path("runs/toy")
    first, *epochs, last = found.err.splitlines()
    assert first.startswith("toy: 48 pictures to train on, ")
    assert first.endswith(f"; no landmarks found in 72; run folder {folder}")
    assert [line.split(":")[0] for line in epochs] == [f"epoch {n} of 3" for n in (1, 2, 3)]
    assert last == f"{folder / 'model.onnx'}: 0.8 MB"
    assert [line.split()[0] for line in found.out.splitlines()] == ["age", "gender", "expression"]
    assert Model.open(folder / "model.onnx").card.metrics
    names = {"recipe.json", "history.csv", "metrics.csv", "model.onnx"}
    assert {p.name for p in folder.iterdir()} == names | {"last.safetensors", "best.safetensors"}


def test_its_model_is_measured_alike(whole: Path, mien: Mien) -> None:
    found = mien("evaluate", whole / "model.onnx", "toy.csv", "--threads", "1")
    assert (found.code, found.err) == (0, "")
    card = Model.open(whole / "model.onnx").card
    mae = next(m.value for m in card.metrics if (m.task, m.name, m.by) == ("age", "mae", ""))
    assert f"age         12 pictures, MAE {mae:.2f} years" in found.out


def test_a_finished_run_is_finished_again(whole: Path, mien: Mien) -> None:
    before = (whole / "model.onnx").read_bytes()
    (whole / "model.onnx").unlink()
    found = mien("train", "--resume", whole, "--threads", "1", "--device", "cpu")
    assert found.code == 0
    assert "epoch" not in found.err
    assert (whole / "model.onnx").read_bytes() == before


def start(place: Path, run: str) -> "subprocess.Popen[str]":
    """Start a training of its own, with many steps an epoch, and wait until it has a checkpoint."""
    command = [sys.executable, "-c", MAIN, "train", "toy.toml", "--run", run]
    command += ["--threads", "1", "--device", "cpu"]
    child = subprocess.Popen(
        command, cwd=place, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not (place / run / "last.safetensors").exists():
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return child


def test_ctrl_c(whole: Path) -> None:
    """As from a terminal, it meets the loading process too."""
    place = whole.parents[1]
    for number in range(5):
        run = f"runs/stopped{number}"
        child = start(place, run)
        os.killpg(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=60)
        # Python swallows an interrupt that falls into an object's end, as into the loader's.
        if child.returncode != 0:
            break
    assert child.returncode == 130, err
    assert err.endswith(f"stopped; go on with: mien train --resume {run}\ninterrupted\n")
    assert load(place / run / "last.safetensors")["epoch"] >= 0
    assert not (place / run / "model.onnx").exists()


def test_a_killed_run_ends_as_if_it_was_not(whole: Path, mien: Mien) -> None:
    place, run = whole.parents[1], "runs/killed"
    child = start(place, run)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    found = mien("train", "--resume", run, "--threads", "1", "--device", "cpu")
    assert found.code == 0
    for name in ("model.onnx", "history.csv", "metrics.csv"):
        assert (place / run / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "mien: name a recipe, or a run to --resume"),
        (["missing.toml"], "mien: missing.toml: cannot be read (No such file"),
        (["toy.toml", "--set", "optimiser.rat=1"], "key 'optimiser.rat'; did you mean 'rate'?"),
        (
            ["toy.toml", "--set", "data.manifest=missing.csv", "--run", "x"],
            "missing.csv: cannot be",
        ),
        (
            ["toy.toml", "--set", "network.backbone=test_resne", "--run", "x"],
            "did you mean test_resn",
        ),
        (["toy.toml"], "mien: runs/toy: holds a run already; go on with it by --resume"),
        (["--resume", "runs/none"], "mien: runs/none: holds no run to resume"),
        (["toy.toml", "--resume", "runs/toy"], "--resume takes its recipe from the run folder"),
        (["--resume", "runs/toy", "--set", "seed=1"], "--resume takes its recipe from the run f"),
        (["toy.toml", "--device", "abacus"], "'abacus' is not one of 'auto', 'cpu', 'cuda', 'mps'"),
        (["toy.toml", "--threads", "-1"], "Invalid value for '--threads': "),
    ],
)
def test_wrong_use(arguments: list[str], message: str, whole: Path, mien: Mien) -> None:
    found = mien("train", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not Path("x").exists()


def test_training_without_its_packages(mien: Mien, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mien.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", None)
    found = mien("train", "toy.toml")
    assert (found.code, found.out) == (2, "")
    assert (
        "not installed (pytorch_lightning); install them by: pip install 'mien[train]'" in found.err
    )
