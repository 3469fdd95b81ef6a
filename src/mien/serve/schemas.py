"""What goes out, as JSON: the models of the answers, and how readings become them."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mien.ages import Age
from mien.analyzer import Attribute, FaceReading, Reading
from mien.card import Card, Task
from mien.classifier import Ranking

Probability = Annotated[float, Field(ge=0, le=1)]

_AGE: Final[JsonValue] = {
    "kind": "age",
    "years": 31.4,
    "low": 24.2,
    "high": 39.0,
    "level": 0.9,
    "group": "youth",
}
_GENDER: Final[JsonValue] = {
    "kind": "classification",
    "label": "female",
    "probability": 0.98,
    "probabilities": {"male": 0.02, "female": 0.98},
}
_BOX: Final[JsonValue] = {"x": 172.1, "y": 80.6, "width": 104.2, "height": 140.9}
_POINTS: Final[JsonValue] = [
    [203.0, 136.1],
    [251.2, 133.8],
    [230.4, 164.0],
    [211.7, 184.5],
    [251.9, 182.3],
]
_FACE: Final[JsonValue] = {
    "box": _BOX,
    "score": 0.93,
    "landmarks": _POINTS,
    "attributes": {"age": _AGE, "gender": _GENDER},
}


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AgeValue(_Out):
    """An age with its interval."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _AGE})

    kind: Literal["age"]
    years: float = Field(description="The expected age.", ge=0)
    low: float = Field(description="Lower end of the interval, in years.", ge=0)
    high: float = Field(description="Upper end of the interval, in years.", ge=0)
    level: Probability = Field(description="How often such intervals hold the true age.")
    group: str = Field(description="Name of the age group that the years fall into.")
    distribution: list[Probability] | None = Field(
        default=None, description="Probabilities of the ages 0, 1, 2, ...; only if asked for."
    )


class ClassValue(_Out):
    """A class and how sure the network is of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _GENDER})

    kind: Literal["classification"]
    label: str = Field(description="The most probable label.")
    probability: Probability = Field(description="Its probability.")
    probabilities: dict[str, Probability] = Field(description="Every label's probability.")


class NumberValue(_Out):
    """A number."""

    kind: Literal["regression"]
    value: float
    unit: str = Field(description="What it counts.")


AttributeValue = Annotated[AgeValue | ClassValue | NumberValue, Field(discriminator="kind")]


class Box(_Out):
    """A box in pixels of the upright picture; it may reach beyond its border."""

    x: float = Field(description="Left edge.")
    y: float = Field(description="Upper edge.")
    width: float = Field(ge=0)
    height: float = Field(ge=0)


class FaceResult(_Out):
    """A face and what the network read from it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _FACE})

    box: Box | None = Field(
        description="Where the face lies; null for a picture taken whole without landmarks."
    )
    score: Probability | None = Field(description="The detector's confidence; null likewise.")
    landmarks: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(
        description="Right eye, left eye, nose tip, right and left mouth corner, as x and y in "
        "pixels; right and left are the person's own."
    )
    attributes: dict[str, AttributeValue] = Field(description="Task -> what was read.")


class PictureResult(_Out):
    """A picture and its faces; or the reason why it could not be read."""

    width: int = Field(description="Width of the upright picture; 0 if it was not read.", ge=0)
    height: int = Field(description="Its height; likewise.", ge=0)
    faces: list[FaceResult] = Field(description="Its faces, the largest first.")
    error: str | None = Field(description="Why the picture could not be read.")


class AnalyzeResult(_Out):
    """The faces of all pictures of a request."""

    model: str = Field(description="The model that read them.")
    pictures: list[PictureResult] = Field(description="One a picture, in the order they came.")


class GuessResult(_Out):
    """A class and its probability."""

    label: str
    probability: Probability


class RankingResult(_Out):
    """A picture and its most probable classes; or the reason why it could not be read."""

    classes: list[GuessResult] = Field(description="The most probable first.")
    error: str | None = Field(description="Why the picture could not be read.")


class ClassifyResult(_Out):
    """The classes of all pictures of a request."""

    model: str = Field(description="The model that classified them.")
    pictures: list[RankingResult] = Field(description="One a picture, in the order they came.")


class PicturesBody(_Out):
    """Pictures as base64."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"pictures": ["..."]}})

    pictures: list[str] = Field(
        description="Each picture's bytes as base64 text, or as a data URL.",
        min_length=1,
        max_length=1000,
        fail_fast=True,
    )


class ModelSummary(_Out):
    """A model of the service."""

    name: str
    kind: Literal["face", "picture"] = Field(description="Whether it reads faces or pictures.")
    bytes: int = Field(description="Size of its file.", ge=1)
    sha256: str = Field(description="SHA-256 of its file.", pattern="^[0-9a-f]{64}$")
    file: str = Field(description="Where its file is, on this service.")
    small: str | None = Field(
        description="Name of a smaller model that reads the same, for browsers that run it; null "
        "where there is none."
    )
    card: Card = Field(description="What its outputs mean, its measured errors, its terms.")


class ModelList(_Out):
    """The models of the service."""

    models: list[ModelSummary]
    detector: str = Field(description="Where the face detector's file is, on this service.")


def picture_result(
    reading: Reading, card: Card, tasks: Sequence[str], *, distribution: bool = False
) -> PictureResult:
    """Return what a client gets of a reading.

    Args:
        reading: The reading.
        card: The model's card.
        tasks: The tasks that were asked for; others are left out.
        distribution: Whether ages bear their distributions.
    """
    wanted = [card.task(name) for name in tasks]
    return PictureResult(
        width=reading.width,
        height=reading.height,
        faces=[_face(found, wanted, distribution) for found in reading.faces],
        error=reading.error.reason if reading.error else None,
    )


def _face(found: FaceReading, tasks: Sequence[Task], distribution: bool) -> FaceResult:
    face = found.face
    return FaceResult(
        box=Box(x=face.x, y=face.y, width=face.width, height=face.height) if face else None,
        score=min(1.0, face.score) if face else None,
        landmarks=face.landmarks.tolist() if face else [],
        attributes={
            task.name: _value(found.attributes[task.name], task, distribution) for task in tasks
        },
    )


def _value(
    found: Attribute | Age | float, task: Task, distribution: bool
) -> AgeValue | ClassValue | NumberValue:
    if isinstance(found, Age):
        return AgeValue(
            kind="age",
            years=found.years,
            low=found.low,
            high=found.high,
            level=found.level,
            group=found.group,
            distribution=[_share(p) for p in found.distribution] if distribution else None,
        )
    if isinstance(found, Attribute):
        return ClassValue(
            kind="classification",
            label=found.label,
            probability=_share(found.probability),
            probabilities={label: _share(p) for label, p in found.probabilities.items()},
        )
    return NumberValue(kind="regression", value=found, unit=task.unit)


def ranking_result(ranking: Ranking, top: int) -> RankingResult:
    """Return what a client gets of a ranking.

    Args:
        ranking: The ranking.
        top: How many classes to give.
    """
    return RankingResult(
        classes=[
            GuessResult(label=guess.label, probability=_share(guess.probability))
            for guess in ranking.guesses[:top]
        ],
        error=ranking.error.reason if ranking.error else None,
    )


def _share(probability: float) -> float:
    """Return a probability within 0 and 1, which single precision may miss by a hair."""
    return min(1.0, max(0.0, float(probability)))
