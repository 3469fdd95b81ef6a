"""Runs: what a training leaves; that it goes on as if never stopped; what it refuses."""

import csv
import dataclasses
import json
import math
import shutil
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from mien.data.manifest import Manifest
from mien.errors import DataError, MienError, OutputError, RecipeError
from mien.training import checkpoint
from mien.training.course import Course
from mien.training.history import Row
from mien.training.parts import Parts
from mien.training.recipe import Recipe
from mien.training.run import BEST, HISTORY, LAST, RECIPE, check, check_folder, fit, recipe_of
from tests.disk import files_of_at_most
from tests.runs import toy_recipe

torch.set_num_threads(1)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / HISTORY).open(newline="") as file:
        return list(csv.DictReader(file))


def assert_same_run(folder: Path, other: Path) -> None:
    """Compare weights, averages and the optimiser's state bit for bit, and the history's text."""
    for name in (LAST, BEST):
        one, two = (checkpoint.load(place / name) for place in (folder, other))
        assert (one["epoch"], one["global_step"]) == (two["epoch"], two["global_step"])
        for part in ("state_dict", "current_model_state"):
            assert list(one[part]) == list(two[part])
            assert all(torch.equal(one[part][key], two[part][key]) for key in one[part]), name
        states = (found["optimizer_states"][0]["state"] for found in (one, two))
        for mine, theirs in zip(*(state.values() for state in states), strict=True):
            assert all(torch.equal(mine[key], theirs[key]) for key in mine)
        assert one["course"] == two["course"]
    # All but the seconds that each epoch took.
    rows = [[row | {"seconds": ""} for row in history(place)] for place in (folder, other)]
    assert rows[0] == rows[1]


def test_what_a_run_leaves(whole: Path, recipe: Recipe) -> None:
    assert {path.name for path in whole.iterdir()} == {
        LAST,
        BEST,
        RECIPE,
        HISTORY,
        "environment.json",
    }
    assert recipe_of(whole) == recipe
    last = checkpoint.load(whole / LAST)
    assert last["epoch"] == 2
    assert last["global_step"] == 18


def test_its_history(whole: Path, recipe: Recipe) -> None:
    rows = history(whole)
    places = [(row["epoch"], row["stage"], row["size"]) for row in rows]
    assert places == [("1", "1", "24"), ("2", "2", "32"), ("3", "2", "32")]
    assert float(rows[-1]["rate"]) == pytest.approx(5e-6)
    assert all(float(row["seconds"]) > 0 for row in rows)
    weights = {task.name: task.weight for task in recipe.tasks}
    assert weights == {"age": 0.5, "gender": 1, "expression": 2}
    for row in rows:
        for total, one in (("loss", "loss/{}"), ("validation/loss", "validation/{}/loss")):
            parts = [weight * float(row[one.format(name)]) for name, weight in weights.items()]
            assert float(row[total]) == pytest.approx(sum(parts), rel=1e-4)
    first, last = float(rows[0]["loss"]), float(rows[-1]["loss"])
    assert last < 0.6 * first


def test_its_best_checkpoint_is_that_of_the_lowest_loss(whole: Path) -> None:
    losses = [float(row["validation/loss"]) for row in history(whole)]
    assert checkpoint.load(whole / BEST)["epoch"] == losses.index(min(losses))


def stop_in_epoch(number: int) -> Callable[[Row], None]:
    """Ctrl-C when an epoch has ended, just before its checkpoint is written."""

    def tell(row: Row) -> None:
        if row["epoch"] == str(number):
            signal.raise_signal(signal.SIGINT)

    return tell


def stop_at_step(number: int) -> Any:
    """Ctrl-C after so many steps of what is left."""

    def watch(items: Iterable[Any], total: int, /) -> Iterable[Any]:
        for step, item in enumerate(items):
            if step == number:
                signal.raise_signal(signal.SIGINT)
            yield item

    return watch


@pytest.fixture(scope="module")
def stopped(recipe: Recipe, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was stopped in its third and last epoch."""
    folder = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, parts, folder, resume=False, device="cpu", tell=stop_in_epoch(2))
    assert checkpoint.load(folder / LAST)["epoch"] == 1
    return folder


@pytest.mark.parametrize(
    "stop",
    [{"watch": stop_at_step(3)}, {"watch": stop_at_step(9)}, {"tell": stop_in_epoch(3)}],
    ids=["in the first epoch", "in the second", "at the end"],
)
def test_a_stopped_run_ends_as_if_it_was_not(
    stop: dict[str, Any], whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, parts, folder, resume=False, device="cpu", **stop)
    assert signal.getsignal(signal.SIGINT) == handler
    fit(recipe, parts, folder, resume=True, device="cpu")
    assert_same_run(folder, whole)


def filters(folder: Path) -> torch.Tensor:
    found: torch.Tensor = checkpoint.load(folder / LAST)["state_dict"][
        "net.backbone.whiten.filters"
    ]
    return found


def test_a_network_that_looks_at_pictures_first_does_so_once(
    manifest: Path, parts: Parts, tmp_path: Path
) -> None:
    """Also if it was stopped before its first checkpoint; but not if it knows others' weights."""
    net = {"backbone": "airbench", "width": 0.125}
    recipe = toy_recipe(manifest, network=net, stages=[{"epochs": 1}])
    fit(recipe, parts, tmp_path / "whole", resume=False, device="cpu")
    stopped = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, parts, stopped, resume=False, device="cpu", watch=stop_at_step(1))
    assert not (stopped / LAST).exists()
    fit(recipe, parts, stopped, resume=True, device="cpu")
    assert torch.equal(filters(stopped), filters(tmp_path / "whole"))

    known = recipe.model_copy(
        update={"network": recipe.network.model_copy(update={"weights": str(tmp_path / "whole")})}
    )
    shown = Parts(parts.whole, parts.choice, parts.train, parts.calibration)
    fit(known, shown, tmp_path / "again", resume=False, device="cpu")
    assert torch.equal(filters(tmp_path / "again"), filters(tmp_path / "whole"))


def test_a_stopped_run_can_be_moved(
    stopped: Path, whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stopped, tmp_path / "run"))
    seen: list[tuple[int, list[int]]] = []

    def watch(items: Iterable[Any], total: int, /) -> Iterable[Any]:
        seen.append((total, []))
        for item in items:
            yield item
            seen[-1][1].append(item)

    fit(recipe, parts, folder, resume=True, device="cpu", watch=watch)
    assert_same_run(folder, whole)
    assert seen == [(6, list(range(12, 18)))]
    assert checkpoint.load(stopped / LAST)["epoch"] == 1


def test_a_moved_run_still_knows_its_best_epoch(
    stopped: Path, recipe: Recipe, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its last epoch the network is thrown far off, so one before stays the best."""
    folder = Path(shutil.copytree(stopped, tmp_path / "run"))
    best = (folder / BEST).read_bytes()
    monkeypatch.setattr(Course, "rate", lambda *_: 5.0)
    fit(recipe, parts, folder, resume=True, device="cpu")
    losses = [float(row["validation/loss"]) for row in history(folder)]
    assert losses[2] > min(losses)
    assert (folder / BEST).read_bytes() == best


def test_a_finished_run_has_nothing_left_to_do(
    whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "run"))
    rows: list[Row] = []
    assert fit(recipe, parts, folder, resume=True, device="cpu", tell=rows.append) == folder / BEST
    assert rows == []
    assert_same_run(folder, whole)


def test_a_run_folder_is_not_used_twice(whole: Path, recipe: Recipe, parts: Parts) -> None:
    with pytest.raises(RecipeError, match="whole: holds a run already; go on with it by --resume"):
        fit(recipe, parts, whole, resume=False)


def test_a_run_goes_on_with_its_own_recipe_only(whole: Path, recipe: Recipe, parts: Parts) -> None:
    other = recipe.model_copy(update={"seed": 4})
    with pytest.raises(RecipeError, match=r"whole: its run was started with another recipe; see"):
        fit(other, parts, whole, resume=True)


def test_a_run_goes_on_with_its_own_data_only(
    whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "run"))
    other = dataclasses.replace(parts, whole=Manifest(parts.whole.samples[1:]))
    with pytest.raises(DataError, match=r"toy\.csv: the manifest has changed since the run began"):
        fit(recipe, other, folder, resume=True, device="cpu")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "run: holds no run to resume"),
        ("{", "recipe.json: not a recipe of this mien: "),
        ('{"name": "x", "nmae": 1}', "recipe.json: .* unknown key 'nmae'; did you mean 'name'"),
        ("\xff", "recipe.json: not a recipe of this mien"),
    ],
)
def test_folders_that_hold_no_run(
    content: str | None, message: str, recipe: Recipe, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if content is not None:
        (folder / RECIPE).write_text(content, encoding="latin-1")
    with pytest.raises(RecipeError, match=message):
        check_folder(recipe, folder, resume=True)
    with pytest.raises(RecipeError, match=message):
        recipe_of(folder)


def test_a_damaged_checkpoint(whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "run"))
    (folder / LAST).write_bytes((whole / LAST).read_bytes()[:-100])
    with pytest.raises(RecipeError, match=rf"{LAST}: not a whole training checkpoint"):
        fit(recipe, parts, folder, resume=True, device="cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"network": {"backbone": "test_vit2"}, "stages": [{"epochs": 1, "size": 32}]},
            "the network cannot be exported",
        ),
        ({"data": {"manifest": "x", "shares": {"people": 1}}}, "shares name people; .* moods, peo"),
        ({"version": "1\n2"}, "the recipe makes no valid model card: version: .*, got '1.n2'"),
    ],
)
def test_what_cannot_be_trained_leaves_no_run(
    change: dict[str, Any], message: str, manifest: Path, parts: Parts, tmp_path: Path
) -> None:
    with pytest.raises(MienError, match=message):
        fit(toy_recipe(manifest, **change), parts, tmp_path / "run", resume=False, device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": "test_resnett"}, "did you mean test_resnet"),
        ({"backbone": "test_convnext"}, "cannot take pictures of 24 x 24"),
        ({"backbone": "test_resnet", "weights": "nothing"}, "'nothing' is none of 'package', 'hub"),
    ],
)
def test_networks_are_tried_before_any_picture_is_read(
    change: dict[str, Any], message: str, manifest: Path
) -> None:
    with pytest.raises(RecipeError, match=message):
        check(toy_recipe(manifest, network=change))


def test_so_are_freezings(manifest: Path) -> None:
    recipe = toy_recipe(manifest, stages=[{"epochs": 1}, {"epochs": 1, "frozen": 999}])
    with pytest.raises(RecipeError, match=r"stages.1.frozen: 999 layers cannot be frozen: the bac"):
        check(recipe)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "abacus"])
def test_so_are_devices(device: str, recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match=f"the device '{device}' cannot be used with 1 devices"):
        check(recipe, device)


def test_a_run_of_another_version(whole: Path, recipe: Recipe, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "run"))
    check_folder(recipe, folder, resume=True)
    noted = json.loads((folder / "environment.json").read_text())
    noted |= {"layout": 99, "mien": "9.9"}
    (folder / "environment.json").write_text(json.dumps(noted))
    with pytest.raises(RecipeError, match=r"begun by mien 9.9, whose run folders \(layout 99\)"):
        check_folder(recipe, folder, resume=True)
    (folder / "environment.json").write_text("{")
    with pytest.raises(RecipeError, match=r"environment.json is missing or damaged; start another"):
        check_folder(recipe, folder, resume=True)


def test_early_stopping_ends_stages_and_then_the_run(
    manifest: Path, parts: Parts, tmp_path: Path
) -> None:
    """No epoch counts as better, so each stage of up to nine ends with its second."""
    stages = [{"epochs": 9, "size": 24, "frozen": "backbone"}, {"epochs": 9, "rate": 1e-4}]
    recipe = toy_recipe(manifest, stages=stages, choice={"patience": 1, "min_delta": 1e9})
    fit(recipe, parts, tmp_path / "run", resume=False, device="cpu")
    assert [row["stage"] for row in history(tmp_path / "run")] == ["1", "1", "2", "2"]
    rows: list[Row] = []
    fit(recipe, parts, tmp_path / "run", resume=True, device="cpu", tell=rows.append)
    assert rows == []


def test_what_is_frozen_stays_as_it_was(manifest: Path, parts: Parts, tmp_path: Path) -> None:
    """Weights and statistics alike, and the statistics also when all learns again."""
    first = {"epochs": 1, "frozen": "backbone"}
    average = {"rate": 5e-3, "batch": 10, "steps": 6, "average": 0.9}
    recipe = toy_recipe(manifest, stages=[first], optimiser=average)
    begun = {name: value.clone() for name, value in check(recipe).net.backbone.state_dict().items()}
    fit(recipe, parts, tmp_path / "frozen", resume=False, device="cpu")
    frozen = checkpoint.load(tmp_path / "frozen" / LAST)["state_dict"]
    recipe = toy_recipe(manifest, stages=[first, {"epochs": 1}], optimiser=average)
    fit(recipe, parts, tmp_path / "thawed", resume=False, device="cpu")
    thawed = checkpoint.load(tmp_path / "thawed" / LAST)["state_dict"]
    moved = []
    for name in begun:
        one, two = frozen[f"net.backbone.{name}"], thawed[f"net.backbone.{name}"]
        # To the last bit, though what is kept is a moving average.
        assert torch.equal(one, begun[name]), name
        if "running" in name:
            assert torch.equal(one, two), name
        elif not torch.equal(one, two):
            moved.append(name)
    assert len(moved) > 10
    assert not torch.equal(frozen["net.heads.age.weight"], thawed["net.heads.age.weight"])


def test_a_loss_that_is_no_number(
    recipe: Recipe, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = Course.rate

    def spoilt(course: Course, done: float) -> float:
        # Not a number from the third step of the second epoch on.
        return (
            rate(course, done)
            if (course.stage, course.epochs) == (0, 0) or done < 0.3
            else math.nan
        )

    monkeypatch.setattr(Course, "rate", spoilt)
    message = (
        r"the loss is not a number in epoch 2, at step 10 of the run \(age nan, gender nan, "
        r"expression nan\); the checkpoints of the epochs before stand. Start .* optimiser.rate"
    )
    with pytest.raises(RecipeError, match=message):
        fit(recipe, parts, tmp_path / "run", resume=False, device="cpu")
    assert len(history(tmp_path / "run")) == 1
    for name in (LAST, BEST):
        found = checkpoint.load(tmp_path / "run" / name)
        assert found["epoch"] == 0
        assert all(value.isfinite().all() for value in found["state_dict"].values())


def test_a_full_disk_keeps_the_last_checkpoint(
    stopped: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stopped, tmp_path / "run"))
    with files_of_at_most(1_000_000), pytest.raises(OutputError, match="safetensors: not written"):
        fit(recipe, parts, folder, resume=True, device="cpu")
    for name in (LAST, BEST):
        assert (folder / name).read_bytes() == (stopped / name).read_bytes()


def test_a_folder_that_cannot_be_made(recipe: Recipe, parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        OutputError, match=r"file/run: no folder can be made here \(Not a directory\)"
    ):
        fit(recipe, parts, tmp_path / "file" / "run", resume=False, device="cpu")


def test_the_network_that_was_checked_is_the_one_that_is_trained(
    recipe: Recipe, parts: Parts, whole: Path, tmp_path: Path
) -> None:
    """It is built once, and to the same weights as where a run builds it itself."""
    net = check(recipe, "cpu").net
    fit(recipe, parts, tmp_path / "run", resume=False, net=net, device="cpu")
    assert_same_run(tmp_path / "run", whole)
