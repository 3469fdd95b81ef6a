"""A sweep: a recipe with some keys at several values each, one run for every combination."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.errors import RecipeError
from mien.training.run import RECIPE

_MOST: Final = 1000
_LAST: Final = "report.html"
"""What a run writes last."""


@dataclass(frozen=True)
class Point:
    """One combination of values.

    Attributes:
        name: What it is called, and its folder: "loss=l1,seed=2".
        changes: "key=value" changes of the recipe.
    """

    name: str
    changes: tuple[str, ...]


def points(axes: Sequence[str]) -> tuple[Point, ...]:
    """Return all combinations, the last axis changing fastest.

    Args:
        axes: "key=a,b,c" with a dotted key of the recipe; a comma inside brackets, braces or
            quotes does not part values.

    Raises:
        RecipeError: An axis is not written so, a key or a value stands twice, two combinations
            would share a folder, or there are more than 1,000.
    """
    parted = [_axis(axis) for axis in axes]
    keys = [key for key, _ in parted]
    for key in keys:
        if keys.count(key) > 1:
            raise RecipeError(f"--sweep names {key!r} twice; write all its values in one")
    count = 1
    for _, values in parted:
        count *= len(values)
    if count > _MOST:
        raise RecipeError(f"the sweep has {count:,} runs, more than {_MOST:,}; leave values out")
    words = _words(keys)
    found = []
    for values in itertools.product(*(values for _, values in parted)):
        name = ",".join(f"{words[k]}={_plain(v)}" for k, v in zip(keys, values, strict=True))
        changes = tuple(f"{key}={value}" for key, value in zip(keys, values, strict=True))
        found.append(Point(name, changes))
    names = [point.name for point in found]
    for name in names:
        if names.count(name) > 1:
            raise RecipeError(f"two runs of the sweep would be called {name!r}; values must differ")
    return tuple(found)


def is_finished(folder: Path) -> bool:
    """Say whether a run has come to its end: with its model file and its report."""
    return (folder / _LAST).exists()


def is_begun(folder: Path) -> bool:
    """Say whether a folder holds a run."""
    return (folder / RECIPE).exists()


def _axis(axis: str) -> tuple[str, tuple[str, ...]]:
    key, equals, text = axis.partition("=")
    values = _parted(text)
    if not equals or not key.strip() or not all(values):
        raise RecipeError(
            f"--sweep {axis!r}: a sweep is written key=a,b,c, as in optimiser.rate=1e-3,3e-3"
        )
    for value in values:
        if values.count(value) > 1:
            raise RecipeError(f"--sweep {axis!r}: {value!r} stands twice")
    return key.strip(), values


def _parted(text: str) -> tuple[str, ...]:
    """Part a text at its commas, but not inside brackets, braces or quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return tuple(part.strip() for part in parts)


def _words(keys: Sequence[str]) -> dict[str, str]:
    """Return key -> its last word; the whole key where two end alike."""
    last = [key.rpartition(".")[2] for key in keys]
    return {
        key: word if last.count(word) == 1 else key for key, word in zip(keys, last, strict=True)
    }


def _plain(value: str) -> str:
    """Return a value as part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", value).strip("-.") or "empty"
