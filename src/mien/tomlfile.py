"""Settings as TOML files: read, and what is wrong in them said in one line."""

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mien.errors import MienError


def read(path: Path, error: type[MienError]) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Args:
        path: The file.
        error: What to raise.

    Raises:
        MienError: Of the class asked for: the file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except IsADirectoryError as found:
        raise error(f"{path}: a folder; name a TOML file") from found
    except OSError as found:
        raise error(f"{path}: cannot be read ({found.strerror}); check the path") from found
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as found:
        raise error(f"{path}: not a TOML file ({found})") from found


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Say in one line what is wrong with settings: the place, what stands there, what to write.

    Args:
        error: What pydantic found.
        model: What the settings were to be: its keys are searched for the nearest right one.
    """
    errors = error.errors()
    # A misspelt key also leaves the right one missing: tell the cause, not the effect.
    first = next((found for found in errors if found["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _keys(model, first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown key {place!r}{hint}"
    if first["type"] == "missing":
        return f"{place} is missing"
    said = first["msg"].removeprefix("Value error, ")
    got = "" if isinstance(first["input"], dict) else f", got {first['input']!r:.100}"
    return f"{place or 'the whole'}: {said}{got}"


def _keys(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a table at a place may hold."""
    found = [model]
    for step in place:
        # Numbers count the entries of a list, whose kind the field before them tells.
        if isinstance(step, str):
            inner = [
                table
                for outer in found
                if step in outer.model_fields
                for table in _tables(outer.model_fields[step].annotation)
            ]
            found = inner or found
    return list(dict.fromkeys(key for table in found for key in table.model_fields))


def _tables(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models in a field's annotation: inside of tuples, unions and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)
