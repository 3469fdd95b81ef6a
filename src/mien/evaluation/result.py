"""What an evaluation found: figures, matrices and examples, and the JSON that keeps them."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mien.card import Confusion, Metric
from mien.errors import DataError, printable, shortened

AUGMENTED: Final = "augmentation.png"
"""A sheet of pictures before and after augmentation, which the report shows."""

BY_WIDTH: Final = "face_width"
"""What a card calls the grouping of figures by the width of the face."""

BY_CONDITION: Final = "condition"
"""What a card calls the grouping of figures by what was done to the pictures."""

GROUPINGS: Final = ("gender", "race", "age_group", "decade", "source")
"""What `Metric.by` may be, but for the empty text of a figure over all pictures."""


class _Part:
    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class ClassFigures(_Part):
    """How well one class of a classification is told.

    Attributes:
        task: The classification.
        label: The class.
        precision: Share of the pictures read as this class that are of it; 0 where none is.
        recall: Share of the pictures of this class that are read as it; 0 where there is none.
        f1: Harmonic mean of the two.
        support: Pictures of this class.
    """

    task: str
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Reliability(_Part):
    """How often a classification is right, by how sure it is: one entry a bin that is not empty.

    Attributes:
        task: The classification.
        confidence: Mean probability of the answers in each of 15 equal bins.
        accuracy: Share of these answers that are right.
        counts: How many they are.
    """

    task: str
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_lengths(self.task, self.confidence, self.accuracy, self.counts)


class Decade(NamedTuple):
    """The errors of ten years of true age.

    Attributes:
        from_age: The first of the ten years.
        pictures: How many were measured.
        mae: Mean absolute error in years.
        bias: Mean of estimate minus truth in years.
        coverage: Share of intervals that hold the truth.
    """

    from_age: int
    pictures: int
    mae: float
    bias: float
    coverage: float


@dataclass(frozen=True)
class AgeFigures(_Part):
    """The errors of an age task over the years, and points to draw; all as printed.

    Attributes:
        task: The age task.
        decades: The errors by decade of true age; decades without a picture are left out.
        truth: True ages of at most 5,000 pictures, a seeded sample.
        estimate: Their estimates.
        low: The lower ends of their intervals.
        high: The upper ends.
    """

    task: str
    decades: tuple[Decade, ...]
    truth: tuple[float, ...]
    estimate: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_lengths(self.task, self.truth, self.estimate, self.low, self.high)


@dataclass(frozen=True)
class Gap(_Part):
    """How far the best and the worst group of a grouping lie apart in one figure.

    Attributes:
        task: What was measured.
        name: The figure.
        by: What the pictures were grouped by.
        best: The group with the best figure, among those of enough pictures.
        worst: The group with the worst one.
        value: The difference, at least 0.
        low: Lower end of its interval, where it is known.
        high: Upper end.
        pictures: How many pictures the two groups have together.
    """

    task: str
    name: str
    by: str
    best: str
    worst: str
    value: float
    low: float | None
    high: float | None
    pictures: int


@dataclass(frozen=True)
class WidthFigure(_Part):
    """A figure over faces that were shrunk to one width.

    Attributes:
        task: What was measured.
        name: "mae" of an age or another number, "accuracy" of a classification.
        width: Width of the faces in pixels.
        value: The figure.
        low: Lower end of its bootstrap interval.
        high: Upper end.
        pictures: How many pictures hold a face of at least this width, and a label.
    """

    task: str
    name: Literal["mae", "accuracy"]
    width: int
    value: float
    low: float
    high: float
    pictures: int


@dataclass(frozen=True)
class ConditionFigure(_Part):
    """A figure over pictures to which something was done, as a camera or a network does it.

    Attributes:
        task: What was measured.
        name: "mae" of an age or another number, "accuracy" of a classification.
        condition: What was done: "32 pixels wide", "grey", "dark" or "jpeg".
        value: The figure.
        low: Lower end of its bootstrap interval.
        high: Upper end.
        plain: The figure over the same pictures as they are.
        pictures: How many they are.
    """

    task: str
    name: Literal["mae", "accuracy"]
    condition: str
    value: float
    low: float
    high: float
    plain: float
    pictures: int


@dataclass(frozen=True)
class LabelCount(_Part):
    """How many pictures of a label, or of a group of ages, the data holds.

    Attributes:
        task: The task.
        label: The label, or the group.
        parts: Part -> its pictures.
    """

    task: str
    label: str
    parts: dict[str, int]


@dataclass(frozen=True)
class Sampled(_Part):
    """A picture drawn by chance, with all that a classification said of it.

    Attributes:
        task: The classification.
        path: The picture's file.
        truth: Its label.
        probabilities: The probability of each label, in the task's order.
    """

    task: str
    path: str
    truth: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Example(_Part):
    """A picture that was read very well or very badly.

    Attributes:
        task: What was read.
        kind: Whether it is among the best or the worst of the task.
        path: The picture's file.
        truth: What its label says; "20-29" for an age known by an interval.
        said: What the model said.
        score: Probability of the true class; for an age or another number the distance from the
            truth.
    """

    task: str
    kind: Literal["best", "worst"]
    path: str
    truth: str
    said: str
    score: float


@dataclass(frozen=True)
class GreyAgreement(_Part):
    """How often a colour picture and its small grey copy get the same class.

    Attributes:
        task: The classification.
        share: The share of equal answers.
        low: Lower end of its bootstrap interval.
        high: Upper end.
        pictures: How many colour pictures were compared.
    """

    task: str
    share: float
    low: float
    high: float
    pictures: int


@dataclass(frozen=True)
class Evaluation(_Part):
    """What a model file is worth on one part of a manifest.

    Attributes:
        model: The model's name.
        version: The model's version.
        split: Name of the part.
        split_hash: Hash over which picture lies in which part of the manifest.
        data_fingerprint: Hash over the whole manifest.
        pictures: How many pictures were measured.
        seed: Seed of all that was drawn: resamples, and samples of pictures.
        level: Level of the bootstrap intervals.
        metrics: The figures over all pictures and by group; see `GROUPINGS`.
        gaps: The gaps between the best and the worst group of people.
        confusions: One matrix a classification.
        classes: The figures of every class.
        reliability: One curve a classification.
        ages: One entry an age task with pictures of known age.
        widths: The figures at several widths of the face; empty where not measured.
        conditions: The figures of changed pictures; empty where not measured.
        examples: The best and the worst pictures of every task.
        samples: Some pictures of every classification, drawn by chance.
        counts: The pictures of each label in each part of the manifest.
        grey: Colour against grey; None where not measured.
        machine: What it was measured on.
    """

    model: str
    version: str
    split: str
    split_hash: str
    data_fingerprint: str
    pictures: int
    seed: int
    level: float
    metrics: tuple[Metric, ...]
    gaps: tuple[Gap, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    classes: tuple[ClassFigures, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    ages: tuple[AgeFigures, ...] = ()
    widths: tuple[WidthFigure, ...] = ()
    conditions: tuple[ConditionFigure, ...] = ()
    examples: tuple[Example, ...] = ()
    samples: tuple[Sampled, ...] = ()
    counts: tuple[LabelCount, ...] = ()
    grey: GreyAgreement | None = None
    machine: str = ""

    def value(self, task: str, name: str) -> float:
        """Return a figure over all pictures.

        Raises:
            KeyError: It was not measured.
        """
        for metric in self.metrics:
            if (metric.task, metric.name, metric.by) == (task, name, ""):
                return metric.value
        raise KeyError(f"{task} {name}")

    @property
    def card_metrics(self) -> tuple[Metric, ...]:
        """The figures that a model's card keeps: all, by width of the face, by condition.

        To six digits, which is more than any of them means.
        """
        by_width = (_as_metric(one, BY_WIDTH, str(one.width)) for one in self.widths)
        by_condition = (_as_metric(one, BY_CONDITION, one.condition) for one in self.conditions)
        return tuple(map(_rounded, (*self.metrics, *by_width, *by_condition)))

    def to_json(self) -> str:
        """Return the text of `evaluation.json`."""
        return _adapter().dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> "Evaluation":
        """Read what `to_json` wrote.

        Args:
            text: The JSON text.
            where: Name of the file, for messages.

        Raises:
            DataError: It is not an evaluation.
        """
        try:
            return _adapter().validate_json(text, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            reason = printable(shortened(f"{place}: {first['msg']}"))
            raise DataError(
                f"{where}: not an evaluation: {reason}. Run `mien evaluate --report` again."
            ) from error


@cache
def _adapter() -> TypeAdapter[Evaluation]:
    return TypeAdapter(Evaluation)


def _as_metric(figure: WidthFigure | ConditionFigure, by: str, group: str) -> Metric:
    return Metric(
        task=figure.task,
        name=figure.name,
        value=figure.value,
        pictures=figure.pictures,
        by=by,
        group=group,
        low=figure.low,
        high=figure.high,
    )


def _rounded(metric: Metric) -> Metric:
    parts = {name: getattr(metric, name) for name in ("value", "low", "high")}
    return metric.model_copy(
        update={name: x if x is None else float(f"{x:.6g}") for name, x in parts.items()}
    )


def _check_lengths(task: str, *columns: tuple[Any, ...]) -> None:
    if len(set(map(len, columns))) > 1:
        raise ValueError(f"the columns of task {task!r} are not equally long")
