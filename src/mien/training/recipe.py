"""A recipe: the TOML file that says all of a training: data, network, stages, schedule."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mien.data.augment import Augmentation
from mien.errors import RecipeError
from mien.model import INPUT


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSet(_Part):
    """A data set's name as manifests call it, and the terms of its use, for the model card."""

    name: str
    terms: str


class Data(_Part):
    """What is trained on.

    Attributes:
        manifest: The manifest, relative to the working folder.
        shares: Source -> its share of every batch; empty: all pictures alike.
        sets: The data sets and their terms.
    """

    manifest: Path
    shares: dict[str, Annotated[float, Field(gt=0)]] = {}
    sets: tuple[DataSet, ...] = ()


class Input(_Part):
    """What the network takes: its size in pixels, and how it is cut from a picture."""

    size: Annotated[int, Field(ge=16, le=1024)]
    framing: Literal["face", "centre"] = "face"


class Network(_Part):
    """The backbone (a name of timm's), its first weights, and the dropout before the heads."""

    backbone: str
    weights: str = "none"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2


class Task(_Part):
    """One output to train.

    Attributes:
        name: Name of the task, and of the manifest's column.
        kind: What the output means.
        labels: The classes of a classification.
        ages: How many ages an age distribution covers: 0 to `ages` - 1 years.
        weight: Weight of its loss.
        default: Whether use reports it without being asked.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Literal["classification", "age"]
    labels: tuple[str, ...] = ()
    ages: Annotated[int, Field(ge=2, le=131)] = 101
    weight: Annotated[float, Field(gt=0)] = 1.0
    default: bool = True

    @property
    def outputs(self) -> int:
        """How many scores the head gives."""
        return self.ages if self.kind == "age" else len(self.labels)

    @model_validator(mode="after")
    def _check(self) -> "Task":
        if self.name == INPUT:
            raise ValueError(f"{INPUT!r} is the name of the network's input; choose another name")
        if self.kind == "age" and self.labels:
            raise ValueError("an age takes no labels")
        if self.kind == "classification" and len(set(self.labels)) < max(2, len(self.labels)):
            raise ValueError("a classification takes two labels or more, each of them once")
        return self


class Stage(_Part):
    """Some epochs at one input size."""

    epochs: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=16, le=1024)]


class Optimiser(_Part):
    """AdamW under a one-cycle schedule.

    Attributes:
        rate: Highest learning rate.
        weight_decay: Decoupled weight decay.
        warm_up: Share of the steps in which the rate rises.
        batch: Pictures in a batch.
        steps: Batches in an epoch.
        average: Decay of the averaged weights, which are the ones kept.
    """

    rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warm_up: Annotated[float, Field(gt=0, lt=1)] = 0.15
    batch: Annotated[int, Field(ge=2)] = 64
    steps: Annotated[int, Field(ge=1)] = 250
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998


class Recipe(_Part):
    """All of a training; an unknown key is refused.

    Attributes:
        name: The model's name.
        version: The model's version.
        description: One sentence for the card.
        licence: Licence of the weights.
        use: What the weights may be used for.
        limits: What they should not be used for.
        seed: Seed of everything that is drawn.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: str = "1"
    description: str = ""
    licence: str = ""
    use: str = ""
    limits: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: Data
    input: Input
    augmentation: Augmentation = Augmentation()
    network: Network
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    optimiser: Optimiser = Optimiser()

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        if len({task.name for task in self.tasks}) < len(self.tasks):
            raise ValueError("each task needs a name of its own")
        if self.input.framing == "centre" and [t.kind for t in self.tasks] != ["classification"]:
            raise ValueError(
                "a network of whole pictures (framing 'centre') has one task, a "
                "classification: `mien predict` reads no other"
            )
        if max(stage.size for stage in self.stages) > self.input.size:
            raise ValueError(f"no stage's size may exceed the input's, {self.input.size} pixels")
        return self

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    def size_at(self, epoch: int) -> int:
        """Return the input size of an epoch, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        return self.stages[-1].size


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
    for change in changes:
        _apply(found, change)
    try:
        return Recipe.model_validate(found)
    except ValidationError as error:
        raise RecipeError(f"{path}: {explain(error)}") from error


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
    "data": Data,
    "sets": DataSet,
    "input": Input,
    "augmentation": Augmentation,
    "network": Network,
    "tasks": Task,
    "stages": Stage,
    "optimiser": Optimiser,
}
