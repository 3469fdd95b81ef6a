"""`mien models describe`: plain lines, counts in full digits, nothing cut."""

import json
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import Mien

torch.set_num_threads(1)
RECIPES = Path(__file__).parents[2] / "recipes"


def test_a_recipe(mien: Mien) -> None:
    found = mien("models", "describe", RECIPES / "expression-published.toml")
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0] == "expression-published: expression-cnn, 48 x 48 grey"
    assert "heads: expression 8" in lines
    assert "parameters: 711,784" in lines
    assert "trainable: 708,584; frozen: 3,200" in lines
    (last,) = [line.split() for line in lines if line.startswith("heads.expression ")]
    assert last == ["heads.expression", "Linear", "8", "8,200", "8,192"]


def test_a_recipe_that_is_changed(mien: Mien) -> None:
    recipe = RECIPES / "cifar10-published.toml"
    found = mien("models", "describe", recipe, "--set", "network.depth=1", "--json")
    layers = json.loads(found.out)["layers"]
    assert sum(layer["kind"] == "Conv2d" for layer in layers) == 2
    assert layers[0]["shape"] == [32, 32, 32]


def test_all_recipes(mien: Mien) -> None:
    found = mien("models", "describe", "--all", "--recipes", RECIPES)
    rows = {line.split()[0]: line for line in found.out.splitlines()}
    assert rows.keys() - {"name"} == {path.stem for path in RECIPES.glob("*.toml")}
    assert "age-cnn, attribute-cnn" in rows["utkface-published"]
    assert "age 1, gender 1, race 5" in rows["utkface-published"]
    assert "3,572,593" in rows["utkface-published"]
    as_json = mien("models", "describe", "--all", "--recipes", RECIPES, "--json")
    assert {one["name"] for one in json.loads(as_json.out)} == rows.keys() - {"name"}


def test_a_network_by_name_and_a_packaged_model(mien: Mien) -> None:
    found = json.loads(mien("models", "describe", "mobilenetv1_100", "--json").out)
    assert (found["parameters"], found["size"]) == (3_228_864, 224)
    face = json.loads(mien("models", "describe", "face", "--json").out)
    assert face["network"] == "tf_efficientnet_lite0"
    assert list(face["heads"]) == ["age", "gender", "race", "expression"]


def test_what_cannot_be_described(mien: Mien, sources: Path) -> None:
    for arguments, message in (
        ([], "name a network, a recipe or a model file, or say --all"),
        (["face", "--all"], "name a network, a recipe or a model file, or say --all"),
        (["resnett50"], "neither mien nor timm has a network called 'resnett50'; did you mean"),
        (["--all"], "recipes: holds no recipes; name their folder by --recipes"),
        (["resnet18", "--set", "a=1"], "--set changes a recipe"),
        ([str(sources / "face.onnx")], "its card tells no recipe"),
    ):
        found = mien("models", "describe", *arguments)
        assert found.code == 2
        assert message in found.err


def test_describing_without_its_packages(mien: Mien, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mien.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mien.training.summary", None)
    found = mien("models", "describe", "resnet18")
    assert (found.code, "pip install 'mien[train]'" in found.err) == (2, True)


def test_a_file_that_is_neither_recipe_nor_model(mien: Mien) -> None:
    Path("photo.jpg").write_bytes(b"picture")
    found = mien("models", "describe", "photo.jpg")
    assert (found.code, "neither a recipe, which ends in .toml" in found.err) == (2, True)
