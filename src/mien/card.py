"""The model card: what a model file means, stored inside it as JSON."""

import json
import math
from collections import Counter
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mien.errors import ModelError

KEY: Final = "mien.card"
SCHEMA: Final = 1
_NEAREST_LANDMARKS: Final = 0.05

# Shown on terminals, so without escape sequences; a line stands in tables, so without breaks.
_Text = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")]
_Line = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]
_Label = Annotated[_Line, Field(min_length=1)]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Input(_Part):
    """What the network takes: uint8, N x size x size x 3, RGB.

    Attributes:
        size: Side of the input in pixels.
        framing: "face": the square view in which a face's landmarks best meet `landmarks`.
            "centre": the largest square about the picture's centre.
        landmarks: Five points in units of the view: right eye, left eye, nose tip, right and left
            mouth corner (the person's own right and left). Only for faces.
    """

    size: Annotated[int, Field(ge=1, le=4096)]
    framing: Literal["face", "centre"]
    landmarks: tuple[tuple[float, float], ...] = ()

    @model_validator(mode="after")
    def _check_landmarks(self) -> "Input":
        if len(self.landmarks) != (5 if self.framing == "face" else 0):
            raise ValueError("framing 'face' takes five landmarks, 'centre' none")
        # Were they one point, the view of a face would be endless.
        if self.landmarks and math.dist(*self.landmarks[:2]) < _NEAREST_LANDMARKS:
            raise ValueError(f"the eyes lie less than {_NEAREST_LANDMARKS} of the view apart")
        return self


class Interval(_Part):
    """How an age's interval is widened so that it holds as often as it says.

    Attributes:
        level: Share of people whose age lies inside, for example 0.9.
        from_age: The margin is that of people of at least this age; the first one is also that of
            younger people.
        margin: Years that their intervals need at both ends beyond the distribution's central
            interval; may be negative. As nobody's age is known, an interval is widened by the mean
            of the margins over the distribution.
        pictures: How many pictures the margin was measured on.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    from_age: float
    margin: float
    pictures: _Count


class Task(_Part):
    """What one output of the network means; the output bears the task's name.

    Attributes:
        name: The task's name.
        kind: "classification": probabilities of `labels`. "age": probabilities of the ages
            0, 1, 2, ... years. "regression": one number.
        labels: The classes, in the order of the output.
        ages: How many ages the output has.
        unit: What a regression's number counts.
        default: Whether the task is reported without being asked for.
        intervals: For an age: the measured margins, by rising `from_age`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Literal["classification", "age", "regression"]
    labels: tuple[_Label, ...] = ()
    ages: _Count = 0
    unit: _Line = ""
    default: bool = True
    intervals: tuple[Interval, ...] = ()

    @property
    def outputs(self) -> int:
        """How many numbers the output holds for one picture."""
        return {"classification": len(self.labels), "age": self.ages, "regression": 1}[self.kind]

    @model_validator(mode="after")
    def _check_outputs(self) -> "Task":
        if self.outputs < (1 if self.kind == "regression" else 2):
            raise ValueError(f"task {self.name!r} of kind {self.kind!r} needs at least two outputs")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"task {self.name!r} names a label twice")
        return self

    @model_validator(mode="after")
    def _check_intervals(self) -> "Task":
        if any(low.from_age >= high.from_age for low, high in pairwise(self.intervals)):
            raise ValueError(f"the intervals of task {self.name!r} do not rise by from_age")
        return self


class Data(_Part):
    """A data set that the weights were trained on, with the terms of its use."""

    name: _Line
    pictures: _Count
    terms: _Text


class Metric(_Part):
    """One measured figure.

    Attributes:
        task: What was measured, "age" for example.
        name: "mae", "accuracy", ...
        value: The figure.
        pictures: How many pictures it was measured on.
        by: What the pictures were grouped by, and ...
        group: ... which group this is; both empty for all pictures.
        low: Lower end of the figure's bootstrap interval, where it is known, and ...
        high: ... its upper end.
    """

    task: _Line
    name: _Line
    value: float
    pictures: _Count
    by: _Line = ""
    group: _Line = ""
    low: float | None = None
    high: float | None = None


class Confusion(_Part):
    """Counts of true labels (rows) and predicted ones (columns) on the test part."""

    task: _Line
    labels: tuple[_Label, ...]
    counts: tuple[tuple[_Count, ...], ...]

    @model_validator(mode="after")
    def _check_counts(self) -> "Confusion":
        if {len(self.counts), *map(len, self.counts)} != {len(self.labels)}:
            raise ValueError(f"the confusion of task {self.task!r} is not labels x labels")
        return self


class Card(_Part):
    """All that a user of a model file must know.

    Attributes:
        schema_version: Version of this description.
        name: The model's name.
        version: The model's version.
        description: One sentence: what it reads and how it was made.
        licence: Licence of the weights.
        use: What the weights may be used for, in a few words.
        input: What the network takes.
        tasks: What its outputs mean.
        data: What it was trained on.
        data_fingerprint: Hash over the training manifest.
        split_hash: Hash over which picture lay in which part.
        metrics: What was measured on the test part.
        confusions: Confusion matrices of the test part.
        priors: Task -> the shares of its labels (or ages) in the training part.
        limits: What it should not be used for, and where it is known to fail.
        recipe: The recipe that made it, in full.
        created: Date of its making, ISO 8601.
        created_by: The program and its version.
    """

    schema_version: Annotated[int, Field(ge=1, le=SCHEMA)] = SCHEMA
    name: _Label
    version: _Line
    description: _Text
    licence: _Text
    use: _Text
    input: Input
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    data: tuple[Data, ...] = ()
    data_fingerprint: str = ""
    split_hash: str = ""
    metrics: tuple[Metric, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    priors: dict[str, tuple[float, ...]] = {}
    limits: _Text = ""
    recipe: dict[str, object] = {}
    created: _Line = ""
    created_by: _Line = ""

    @property
    def terms(self) -> str:
        """What the weights may be used for, as a sentence for whoever starts to use them."""
        use = f"its weights may be used for {self.use}" if self.use else "its terms are not stated"
        return f"model {self.name} {self.version}: {use}"

    @model_validator(mode="after")
    def _check_names(self) -> "Card":
        [(name, count)] = Counter(task.name for task in self.tasks).most_common(1)
        if count > 1:
            raise ValueError(f"two tasks are called {name!r}")
        return self

    def task(self, name: str) -> Task:
        """Return a task by name.

        Raises:
            ModelError: The model has no such task.
        """
        for task in self.tasks:
            if task.name == name:
                return task
        have = ", ".join(task.name for task in self.tasks)
        raise ModelError(f"the model {self.name!r} has no task {name!r}; it has {have}")

    def to_json(self) -> str:
        """Return the text that the model file holds."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str, where: str) -> "Card":
        """Read a card.

        Args:
            text: The JSON text.
            where: Name of the model file, for messages.

        Raises:
            ModelError: It is not a card, or one of a newer schema.
        """
        try:
            found = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"{where}: its model card is not JSON ({error}). Export the model again."
            ) from error
        version = found.get("schema_version") if isinstance(found, dict) else None
        if isinstance(version, int | float) and version > SCHEMA:
            raise ModelError(
                f"{where}: its model card has schema {version}; this mien knows {SCHEMA} and "
                "older. Update mien."
            )
        try:
            return cls.model_validate_json(text, strict=True)
        except ValidationError as error:
            raise ModelError(
                f"{where}: its model card is not valid: {_first(error)}. Export the model again."
            ) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _first(error: ValidationError) -> str:
    """Say what is wrong first: where, why, and what stands there."""
    first: Any = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "the whole"
    found = "" if isinstance(first["input"], dict | list) else f", not {first['input']!r:.60}"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}{found}"
