"""What the tests of training share: a small world, its recipe, and a run that was not stopped."""

from pathlib import Path

import pytest
import torch

from mien.training.parts import Parts, load_parts
from mien.training.recipe import Recipe
from mien.training.run import BEST, fit
from tests.runs import toy_manifest, toy_recipe

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_manifest(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def recipe(manifest: Path) -> Recipe:
    return toy_recipe(manifest)


@pytest.fixture(scope="session")
def parts(recipe: Recipe, manifest: Path) -> Parts:
    return load_parts(recipe, manifest.parent / "stores", threads=1)


@pytest.fixture(scope="session")
def whole(recipe: Recipe, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was not stopped: three epochs of six steps."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert fit(recipe, parts, folder, resume=False, device="cpu") == folder / BEST
    return folder
