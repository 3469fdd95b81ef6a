"""What a recipe's network consists of, and what of it learns in each stage."""

from pathlib import Path

import pytest
import torch

from mien.errors import RecipeError
from mien.networks.registry import OWN
from mien.training.network import network_of
from mien.training.recipe_file import read
from mien.training.summary import describe, describe_backbone
from tests.runs import toy_recipe

torch.set_num_threads(1)
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize(
    ("name", "parameters", "heads"),
    [
        ("expression-published", 711_784, {"expression": 8}),
        ("cifar10-published", 9_176_018, {"label": 10}),
        ("flowers-published", 2_168_613, {"label": 5}),
        ("utkface-published", 3_572_593, {"age": 1, "gender": 1, "race": 5}),
    ],
)
def test_published_networks(name: str, parameters: int, heads: dict[str, int]) -> None:
    found = describe(read(RECIPES / f"{name}.toml"))
    assert found.summary.parameters == parameters
    assert found.heads == heads


def test_what_learns_in_each_stage() -> None:
    """MobileNet V1 with the published head: 3,491,521, of which the head's learn at first."""
    changes = ["network.backbone=mobilenetv1_100", "network.weights=none"]
    found = describe(read(RECIPES / "facial-age-published.toml", changes))
    assert found.summary.parameters == 3_491_521
    assert found.stages[0] == 262_657
    assert found.stages[0] < found.stages[1] < found.summary.trainable


def test_every_parameter_stands_in_a_layer() -> None:
    recipe = toy_recipe(Path("toy.csv"))
    found = describe(recipe)
    assert sum(layer.parameters for layer in found.summary.layers) == found.summary.parameters
    learnt = sum(p.numel() for p in network_of(recipe).parameters())
    assert found.stages == (learnt, learnt)


@pytest.mark.parametrize("name", [*OWN, "vgg19", "inception_v3", "legacy_xception"])
def test_a_network_by_its_name(name: str) -> None:
    found = describe_backbone(name)
    assert (found.name, found.heads) == (name, {})
    assert found.summary.layers
    assert found.summary.macs > 1e6


def test_networks_that_there_are_not() -> None:
    with pytest.raises(RecipeError, match="did you mean resnet50"):
        describe_backbone("resnet_50")
    small = toy_recipe(
        Path("toy.csv"),
        network={"backbone": "test_convnext"},
        input={"size": 24, "framing": "face"},
        stages=[{"epochs": 1}],
    )
    with pytest.raises(RecipeError, match="test_convnext cannot take pictures of 24 pixels"):
        describe(small)
