"""Recipes as TOML files: read, changed by key=value, and checked; errors name the place."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mien.data.augment import Augmentation
from mien.errors import RecipeError
from mien.training import recipe as recipes
from mien.training.recipe import Recipe


def read(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        path: The TOML file.
        changes: "key=value" with a dotted key and a TOML value (or bare text), applied in order.

    Raises:
        RecipeError: The file is missing or says something that cannot be; the message names the
            key, and the nearest right one for an unknown key.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: not a TOML file ({error})") from error
    return checked(found, changes, str(path))


def checked(found: dict[str, Any], changes: Sequence[str], name: str) -> Recipe:
    """Return the recipe that tables make.

    Args:
        found: The tables, as TOML gives them.
        changes: As for `read`.
        name: What messages call it.

    Raises:
        RecipeError: As for `read`.
    """
    for change in changes:
        _apply(found, change)
    try:
        return Recipe.model_validate(found)
    except ValidationError as error:
        raise RecipeError(f"{name}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    """Say in one line what is wrong with a recipe: the place, what stands there, what to write."""
    errors = error.errors()
    # A misspelt key also leaves the right one missing: tell the cause, not the effect.
    first = next((found for found in errors if found["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), _keys(first["loc"][:-1]), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown key {place!r}{hint}"
    if first["type"] == "missing":
        return f"{place} is missing"
    said = first["msg"].removeprefix("Value error, ")
    got = "" if isinstance(first["input"], dict) else f", got {first['input']!r:.100}"
    return f"{place or 'the whole'}: {said}{got}"


def _apply(recipe: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"{change!r}: a change is written key=value, as in optimiser.rate=0.001")
    *parents, last = key.strip().split(".")
    place = recipe
    for name in parents:
        place = place.setdefault(name, {})
        if isinstance(place, list):
            raise RecipeError(
                f"{change!r}: {name!r} is a list, which is changed as a whole, "
                "as in stages=[{epochs = 3, size = 64}]"
            )
        if not isinstance(place, dict):
            raise RecipeError(f"{change!r}: {name!r} has no keys of its own")
    try:
        place[last] = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        place[last] = text


def _keys(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a table of the recipe may hold."""
    model: type[BaseModel] = Recipe
    for step in place:
        if isinstance(step, str):
            model = _TABLES.get(step, model)
    return list(model.model_fields)


_TABLES: Final[dict[str, type[BaseModel]]] = {
    "data": recipes.Data,
    "sets": recipes.DataSet,
    "input": recipes.Input,
    "augmentation": Augmentation,
    "network": recipes.Network,
    "tasks": recipes.Task,
    "stages": recipes.Stage,
    "optimiser": recipes.Optimiser,
    "choice": recipes.Choice,
    "plateau": recipes.Plateau,
    "machine": recipes.Machine,
    "file": recipes.ModelFile,
}
