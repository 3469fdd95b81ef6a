"""`mien train`: from a recipe to a model file; stopped by Ctrl-C or killed, it goes on the same."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mien.data.manifest import read
from mien.model import Model
from mien.training.checkpoint import load
from tests.cli.conftest import Mien
from tests.labelled import noise, save

torch.set_num_threads(1)
MAIN = "from mien.cli import main; main()"


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
    assert last == f"{folder / 'model.onnx'}: 0.8 MB; see {folder / 'report.html'}"
    assert [line.split()[0] for line in found.out.splitlines()] == ["age", "gender", "expression"]
    assert Model.open(folder / "model.onnx").card.metrics
    names = {"recipe.json", "environment.json", "history.csv", "metrics.csv", "evaluation.json"}
    names |= {"last.safetensors", "best.safetensors", "model.onnx", "report.html"}
    names |= {"predictions.npz"}
    found_names = {path.name for path in folder.iterdir()}
    assert names <= found_names
    assert {Path(name).suffix for name in found_names - names} == {".png"}


def test_its_model_is_measured_alike(whole: Path, mien: Mien) -> None:
    found = mien("evaluate", whole / "model.onnx", "toy.csv", "--threads", "1", "--format", "json")
    assert (found.code, found.err) == (0, "")
    known = json.loads((whole / "evaluation.json").read_text())
    assert json.loads(found.out)["confusions"] == known["confusions"]
    assert [m["value"] for m in json.loads(found.out)["metrics"]] == [
        m["value"] for m in known["metrics"]
    ]


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
    place, run = whole.parents[1], "runs/stopped"
    child = start(place, run)
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert err.endswith(f"stopped; go on with: mien train --resume {run}\ninterrupted\n")
    assert load(place / run / "last.safetensors")["epoch"] >= 0
    assert not (place / run / "model.onnx").exists()


def without_seconds(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [row | {"seconds": ""} for row in csv.DictReader(file)]


def test_a_killed_run_ends_as_if_it_was_not(whole: Path, mien: Mien) -> None:
    place, run = whole.parents[1], "runs/killed"
    child = start(place, run)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    found = mien("train", "--resume", run, "--threads", "1", "--device", "cpu")
    assert found.code == 0
    histories = [without_seconds(folder / "history.csv") for folder in (place / run, whole)]
    assert histories[0] == histories[1]
    for name in ("model.onnx", "metrics.csv", "evaluation.json"):
        assert (place / run / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "mien: name a recipe, a folder of labelled pictures by --data, or a run to --resume"),
        (["toy.toml", "--data", "pictures"], "give a recipe or --data, not both"),
        (["toy.toml", "--from", "face"], "--from goes with --data"),
        (["--data", "missing"], "missing: not a folder"),
        (
            ["--data", "toy.csv", "--run", "x"],
            "toy.csv: has labels for expression, age, gender; wit",
        ),
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimizer.rate=1", "mien: --set: unknown key 'optimizer'; did you mean 'optimiser'?"),
        ("optimiser.rat=1", "unknown key 'optimiser.rat'"),
        ("rate", "a change is written key=value"),
    ],
)
def test_a_misspelt_key_is_told_before_a_folder_is_read(
    mien: Mien, tmp_path: Path, change: str, message: str
) -> None:
    (tmp_path / "animals" / "cats").mkdir(parents=True)
    found = mien("train", "--data", "animals", "--set", change, "-o", "x")
    assert (found.code, message in found.err) == (2, True), found.err
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


@pytest.fixture(scope="module")
def colours(world: Path) -> Path:
    """Return a folder of red and of blue pictures."""
    for number in range(60):
        pixels = noise(number, 40, 40) // 4
        pixels[:, :, 2 * (number % 2)] += 150
        save(world / "colours" / ("blue" if number % 2 else "red") / f"{number}.png", pixels)
    return world / "colours"


QUICK = ("--threads", "1", "--device", "cpu", "--set", "stages=[{epochs=3, rate=5e-3}]")
SMALL = ("--set", "input.size=32", "--set", "network={backbone='test_resnet'}")


def test_a_folder_is_learnt_without_a_recipe(place: Path, colours: Path, mien: Mien) -> None:
    found = mien("train", "--data", "colours", *QUICK, *SMALL)
    assert found.code == 0, found.err
    model = Model.open("runs/colours/model.onnx")
    assert (model.card.name, model.card.input.framing) == ("colours", "centre")
    assert model.card.tasks[0].labels == ("blue", "red")
    read = mien("predict", "colours/red/0.png", "--model", "runs/colours/model.onnx", "--top", "1")
    assert '"label": "red"' in read.out


def test_a_folder_is_learnt_from_a_model(place: Path, colours: Path, mien: Mien) -> None:
    if not Path("runs/colours/model.onnx").exists():
        mien("train", "--data", "colours", *QUICK, *SMALL)
    begin = ("--from", "runs/colours/model.onnx")
    found = mien("train", "--data", "colours", "--run", "runs/again", *begin, *QUICK)
    assert found.code == 0, found.err
    first, second = (Model.open(f"runs/{name}/model.onnx").card for name in ("colours", "again"))
    begun, again = (dict(card.recipe["network"]) for card in (first, second))  # type: ignore[call-overload]
    assert again == begun | {"weights": "model.onnx"}
    assert second.input == first.input
    # It began with the other's heads as well, and so knew all of it from the first epoch on.
    assert "heads that begin anew" not in found.err
    assert "accuracy 100.0%" in next(line for line in found.err.splitlines() if "epoch 1 " in line)


def test_a_class_with_one_picture(place: Path, mien: Mien) -> None:
    """It is trained on, and so it cannot be chosen by, calibrated or tested; that is no error."""
    for number in range(12):
        save(place / "rare" / ("dodo" if number == 0 else "hen") / f"{number}.png", noise(number))
    found = mien("train", "--data", "rare", *QUICK, *SMALL, "--run", "runs/rare")
    parts = [s for s in read(Path("runs/rare/manifest.csv")).samples if s.labels["label"] == "dodo"]
    assert [sample.split for sample in parts] == ["train"]
    assert found.code == 2
    assert "is too small: one half chooses the best epoch" in found.err
    # Nothing came of it, and so the folder is looked at anew.
    for number in range(12, 60):
        save(place / "rare" / "dodo" / f"{number}.png", noise(number))
    mien("train", "--data", "rare", *QUICK, *SMALL, "--run", "runs/rare")
    assert len(read(Path("runs/rare/manifest.csv")).samples) == 60


def test_folders_that_teach_nothing(place: Path, mien: Mien) -> None:
    save(place / "alone" / "cat" / "1.png", noise(1))
    found = mien("train", "--data", "alone")
    assert found.code == 2
    assert "all pictures have the label 'cat'; two are needed" in found.err


def test_two_processes_train_one_network(place: Path, whole: Path) -> None:
    """By Lightning's strategy, named in one word; one of the two speaks and writes."""
    machine = ("--set", "machine.devices=2", "--set", "machine.strategy=ddp")
    # The strategy starts the other process by the same command, which must be a file's name.
    program = str(Path(sys.executable).with_name("mien"))
    command = [program, "train", "toy.toml", "--run", "runs/two", *machine]
    command += ["--threads", "1", "--device", "cpu"]
    found = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=240)
    assert found.returncode == 0, found.stderr
    assert found.stderr.count("epoch 1 of 3") == 1
    assert found.stdout.count("gender") == 1
    (*_, last) = without_seconds(place / "runs" / "two" / "history.csv")
    assert float(last["validation/gender/accuracy"]) <= 1
    assert Model.open(place / "runs" / "two" / "model.onnx").card.metrics
