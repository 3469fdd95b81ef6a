"""The recipes that come with mien: each is valid, and names a network that can be built."""

from pathlib import Path

import pytest
import torch

from mien.training.module import Trainee
from mien.training.network import network_of
from mien.training.recipe_file import read

torch.set_num_threads(1)
RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))

PUBLISHED = {
    "expression-published": 708_584,
    "cifar10-published": 9_176_018,
    "cifar10": 1_971_362,
    "animals-published": 2_166_179,
    "flowers-published": 2_167_205,
    "utkface-published": 3_568_747,
}
"""Recipe -> what its network learns, as published (for animals, with their three classes)."""


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_each_can_be_trained(path: Path) -> None:
    recipe = read(path)
    assert recipe.name == path.stem
    assert f"mien train recipes/{path.name}" in path.read_text(encoding="utf-8")
    assert recipe.data.manifest.suffix == ".csv"
    Trainee(recipe, weights=False).check()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_are_the_published_ones(name: str) -> None:
    (path,) = [path for path in RECIPES if path.stem == name]
    net = network_of(read(path), weights=False)
    assert sum(parameter.numel() for parameter in net.parameters()) == PUBLISHED[name]
