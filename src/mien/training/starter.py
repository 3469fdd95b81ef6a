"""A recipe for those who bring none: made from their data, and from the model they begin with."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mien.data.groups import label_of
from mien.data.labels import AGE
from mien.data.manifest import Manifest
from mien.errors import DataError, RecipeError
from mien.model import Model
from mien.training.recipe import Recipe
from mien.training.recipe_file import checked

BACKBONE: Final = "tf_efficientnet_lite0"
"""The backbone whose ImageNet weights a package ships."""

_SIZE: Final = 128
_LEARNT: Final = 24_000
"""Pictures that the training shows in all: what such a network needs to adapt itself."""


def starter(
    data: Manifest, path: Path, name: str, begin: Model | None = None, changes: Sequence[str] = ()
) -> Recipe:
    """Return a recipe that learns a manifest's one label from good first weights.

    Ages are learnt from faces, any other label from whole pictures, unless the model to begin with
    is one of faces. The heads are warmed up while the backbone is frozen; then all learns.

    Args:
        data: The manifest.
        path: Where it lies.
        name: The new model's name.
        begin: The model file to begin with; its input and backbone are taken over. None begins
            with ImageNet weights and whole pictures.
        changes: "key=value" changes, as for `recipe_file.read`.

    Raises:
        DataError: The manifest has not just one label column, or one label only.
        RecipeError: The model says nothing of its network, or a change cannot be.
    """
    if len(data.tasks) != 1:
        raise DataError(
            f"{path}: has labels for {', '.join(data.tasks) or 'nothing'}; without a recipe one "
            "is learnt. Write a recipe with a [[tasks]] for each; see recipes/face.toml"
        )
    (task,) = data.tasks
    found = _recipe(name, path, begin, faces=task == AGE)
    if task == AGE:
        found["tasks"] = [{"name": task, "kind": "age"}]
    else:
        labels = sorted({label_of(sample, task) for sample in data.samples} - {""})
        if not labels:
            raise DataError(f"{path}: no picture has a label or a vote for {task}")
        if len(labels) < 2:
            raise DataError(f"{path}: all pictures have the label {labels[0]!r}; two are needed")
        found["tasks"] = [{"name": task, "kind": "classification", "labels": labels}]
    found |= _schedule(max(1, sum(sample.split == "train" for sample in data.samples)))
    return checked(found, changes, f"{path}")


def check_changes(changes: Sequence[str]) -> None:
    """Try changes on a recipe of no data: what is misspelt is told before any picture is read.

    Raises:
        RecipeError: There is no such key, or it is no change at all. Whether a value can be is told
            later, for it may be about a task that the data is yet to name.
    """
    found = _recipe("made", Path("none.csv"), None, faces=False)
    found["tasks"] = [{"name": "label", "kind": "classification", "labels": ["a", "b"]}]
    known = [change for change in changes if not change.strip().startswith("tasks.")]
    try:
        checked(found | _schedule(100), known, "--set")
    except RecipeError as error:
        if "unknown key" in str(error) or not str(error).startswith("--set: "):
            raise


def _recipe(name: str, path: Path, begin: Model | None, *, faces: bool) -> dict[str, Any]:
    network: object = {"backbone": BACKBONE, "weights": "package"}
    where: dict[str, Any] = {"size": _SIZE, "framing": "face" if faces else "centre"}
    if begin is not None:
        network = begin.card.recipe.get("network")
        if not isinstance(network, dict) or not network.get("backbone"):
            raise DataError(f"{begin.name}: its card names no network; begin with another model")
        network = network | {"weights": begin.name}
        told = begin.card.recipe.get("input")
        colours = told.get("colours", "rgb") if isinstance(told, dict) else "rgb"
        seen = begin.card.input
        where = {"size": seen.size, "framing": seen.framing, "colours": colours}
    return {
        "name": name,
        "description": f"Made from {path.name}" + (f" and {begin.name}." if begin else "."),
        "data": {"manifest": str(path)},
        "input": where,
        "network": network,
        "augmentation": {"light": 0.2, "zoom": 0.15, "erase": 0.1, "jpeg": 0.1},
    }


def _schedule(pictures: int) -> dict[str, Any]:
    batch = min(64, max(8, pictures // 8))
    steps = max(10, math.ceil(pictures / batch))
    epochs = min(30, max(4, round(_LEARNT / (steps * batch))))
    return {
        "optimiser": {"batch": batch, "steps": steps, "average": 0.99},
        "choice": {"patience": 8},
        "stages": [
            {"epochs": 2, "frozen": "backbone", "rate": 2e-3, "schedule": "constant"},
            {"epochs": epochs, "rate": 6e-4, "schedule": "one-cycle"},
        ],
    }
