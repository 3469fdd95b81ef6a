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
    place: Any = recipe
    for name in parents:
        place = (
            _entry(place, name, change) if isinstance(place, list) else place.setdefault(name, {})
        )
        if not isinstance(place, dict | list):
            raise RecipeError(f"{change!r}: {name!r} has no keys of its own")
    if isinstance(place, list):
        raise RecipeError(
            f"{change!r}: {parents[-1]!r} is a list; change one of its entries, as in "
            "tasks.age.weight=2 or stages.0.epochs=3, or the whole, as in stages=[{epochs = 3}]"
        )
    try:
        place[last] = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        place[last] = text


def _entry(entries: list[Any], name: str, change: str) -> Any:
    """Return the entry of a list that a change means: by its `name`, or by its number from 0."""
    for place, entry in enumerate(entries):
        if name == str(place) or (isinstance(entry, dict) and entry.get("name") == name):
            return entry
    names = [e["name"] if isinstance(e, dict) and "name" in e else n for n, e in enumerate(entries)]
    raise RecipeError(
        f"{change!r}: there is no entry {name!r} here; there are {', '.join(map(str, names))}"
    )
