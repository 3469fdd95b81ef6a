"""Recipes as TOML files: read, changed by key=value, and checked; errors name the place."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mien import tomlfile
from mien.errors import RecipeError
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
    return checked(tomlfile.read(path, RecipeError), changes, str(path))


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
        raise RecipeError(f"{name}: {tomlfile.explain(error, Recipe)}") from error


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
