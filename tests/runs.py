"""A small world that is learnt in seconds: red and blue pictures of two sources, and its recipe."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.manifest import Manifest, Sample
from mien.training.recipe import Recipe
from tests.labelled import noise, sample_of, save

RECIPE = """
name = "toy"
description = "Tells red pictures from blue ones."
licence = "Apache-2.0"
use = "tests"
seed = 3

[data]
manifest = "toy.csv"
shares = { people = 0.6, moods = 0.4 }
sets = [{ name = "people", terms = "free" }]

[input]
size = 32
framing = "face"

[augmentation]
noise = 0.5

[network]
backbone = "test_resnet"

[[tasks]]
name = "age"
kind = "age"
weight = 0.5

[[tasks]]
name = "gender"
kind = "classification"
labels = ["male", "female"]

[[tasks]]
name = "expression"
kind = "classification"
labels = ["calm", "wild"]
weight = 2.0

[[stages]]
epochs = 1
size = 24

[[stages]]
epochs = 2
size = 32

[optimiser]
rate = 5e-3
batch = 10
steps = 6
average = 0.5
"""

PARTS = ("train", "train", "validation", "test")


def toy_manifest(folder: Path) -> Path:
    """Write pictures and their manifest: red is 20, male, calm; blue is 60, female, wild.

    Half of the pictures have an age and a gender, the other half an expression.
    """
    samples: list[Sample] = []
    for number in range(96):
        red, moods = number % 2 == 0, number // 2 % 2 == 0
        pixels = noise(number, 40, 40) // 4
        pixels[:, :, 0 if red else 2] += 150
        path = save(folder / "pictures" / f"{number}.bmp", np.asarray(pixels, np.uint8))
        mood = {"expression": "calm" if red else "wild"}
        person = {"age": "20" if red else "60", "gender": "male" if red else "female"}
        source = "moods" if moods else "people"
        labels = mood if moods else person
        samples.append(sample_of(path, labels, PARTS[number // 4 % len(PARTS)], source))
    path = folder / "toy.csv"
    Manifest(tuple(samples)).write(path)
    return path


def toy_recipe(manifest: Path, **changes: Any) -> Recipe:
    """Return the recipe, with some of its keys replaced."""
    found = tomllib.loads(RECIPE)
    found["data"]["manifest"] = manifest
    return Recipe.model_validate(found | changes)
