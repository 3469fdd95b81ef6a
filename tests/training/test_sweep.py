"""Sweeps: which runs there are, what they are called, and what cannot be."""

from pathlib import Path

import pytest

from mien.errors import RecipeError
from mien.training import recipe_file, sweep
from tests.runs import RECIPE


def test_the_last_axis_changes_fastest() -> None:
    found = sweep.points(["seed=1,2", "tasks.age.loss=share-l2, dldl-v2"])
    assert [point.name for point in found] == [
        "seed=1,loss=share-l2",
        "seed=1,loss=dldl-v2",
        "seed=2,loss=share-l2",
        "seed=2,loss=dldl-v2",
    ]
    assert found[1].changes == ("seed=1", "tasks.age.loss=dldl-v2")


@pytest.mark.parametrize(
    ("axis", "names"),
    [
        ("optimiser.rate=1e-3", ["rate=1e-3"]),
        (
            "stages=[{epochs=1, size=24}],[{epochs=2}]",
            ["stages=epochs-1-size-24", "stages=epochs-2"],
        ),
        ("description='one, two',three", ["description=one-two", "description=three"]),
        ("network.weights=../face.onnx,none", ["weights=face.onnx", "weights=none"]),
    ],
)
def test_names_are_those_of_folders(axis: str, names: list[str]) -> None:
    assert [point.name for point in sweep.points([axis])] == names


def test_keys_that_end_alike_are_told_apart() -> None:
    (point,) = sweep.points(["tasks.age.weight=2", "tasks.gender.weight=3"])
    assert point.name == "tasks.age.weight=2,tasks.gender.weight=3"


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["seed"], r"--sweep 'seed': a sweep is written key=a,b,c"),
        (["=1,2"], "written key=a,b,c"),
        (["seed="], "written key=a,b,c"),
        (["seed=1,,2"], "written key=a,b,c"),
        (["seed=1,1"], r"--sweep 'seed=1,1': '1' stands twice"),
        (["seed=1,2", "seed=3"], "names 'seed' twice"),
        (["name=a b,a-b"], "two runs of the sweep would be called 'name=a-b'"),
        ([f"seed={','.join(map(str, range(1001)))}"], "has 1,001 runs, more than 1,000"),
    ],
)
def test_what_cannot_be(axes: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        sweep.points(axes)


def test_a_point_changes_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "toy.toml").write_text(RECIPE)
    point = sweep.points(["seed=8", "tasks.age.loss=share-log", "stages.1.epochs=5"])[0]
    found = recipe_file.read(tmp_path / "toy.toml", point.changes)
    assert (found.seed, found.task("age").trained_by, found.epochs) == (8, "share-log", 6)
