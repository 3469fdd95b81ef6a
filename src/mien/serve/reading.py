"""Routes that read pictures: /v1/analyze, /v1/classify and /v1/annotate."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from mien.analyzer import Reading
from mien.classifier import Ranking
from mien.draw import face_lines
from mien.serve.annotating import annotated
from mien.serve.bodies import Upload
from mien.serve.catalogue import Entry
from mien.serve.problems import Problem, of_pictures, responses
from mien.serve.requests import (
    BODY,
    DRAWN,
    REFUSALS,
    QueryOptions,
    check_any_read,
    described,
    options_of,
    pictures_of,
)
from mien.serve.schemas import (
    AnalyzeResult,
    ClassifyResult,
    picture_result,
    ranking_result,
)
from mien.serve.service import DirectRoute, Service, service_of

router = APIRouter(
    prefix="/v1",
    tags=["reading"],
    responses=responses(*REFUSALS, 404),
    route_class=DirectRoute,
)

_NAME: Final = "Name of the model; by default the service's first that fits."


class FaceOptions(QueryOptions):
    """What is to be read of faces."""

    model: str | None = Field(default=None, description=_NAME)
    tasks: str | None = Field(
        default=None,
        description="What to report, parted by commas; by default what the model's card "
        "names so. Race is reported only when named.",
        examples=["age,gender"],
    )
    faces: Literal["detect", "whole"] = Field(
        default="detect",
        description="detect: look for faces. whole: each picture is one face.",
    )
    min_face: float = Field(
        default=0, ge=0, le=1e6, description="Leave out faces narrower than this, in pixels."
    )
    max_faces: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="At most so many faces a picture, the largest.",
    )

    def names(self, entry: Entry) -> list[str]:
        """Return the names of the tasks to report.

        Raises:
            Problem: The model has no such task.
        """
        if self.tasks is None:
            return [task.name for task in entry.card.tasks if task.default]
        have = [task.name for task in entry.card.tasks]
        named = list(dict.fromkeys(part.strip() for part in self.tasks.split(",")))
        if not set(named) <= set(have):
            raise Problem(
                422,
                "no-such-task",
                f"The model {entry.name!r} reads {', '.join(have)}; name those, parted by commas.",
            )
        return named


class AnalyzeOptions(FaceOptions):
    """What is to be told of faces."""

    distribution: bool = Field(
        default=False, description="Whether ages bear the probabilities of all ages."
    )


class ClassifyOptions(QueryOptions):
    """What is to be told of whole pictures."""

    model: str | None = Field(default=None, description=_NAME)
    top: int = Field(default=5, ge=1, le=10_000, description="How many classes to give.")


async def read_faces(
    service: Service, uploads: Sequence[Upload], entry: Entry, options: FaceOptions
) -> list[Reading]:
    """Return the readings of pictures, with the faces that were asked for."""
    reader = entry.analyzer if options.faces == "detect" else entry.whole
    if reader is None:
        raise ValueError(f"{entry.name} reads no faces")
    readings: list[Reading] = await service.read(reader, uploads)
    for reading in readings:
        wide = [f for f in reading.faces if f.face is None or f.face.width >= options.min_face]
        reading.faces[:] = wide[: options.max_faces]
    return readings


@router.post(
    "/analyze",
    operation_id="analyze",
    summary="Read the faces of pictures",
    response_model=AnalyzeResult,
    openapi_extra={**BODY, "parameters": described(AnalyzeOptions)},
)
async def analyze(request: Request) -> Response:
    """Find the faces of each picture and read their attributes, the largest face first.

    A picture that cannot be read has an error in its place; if none can, the answer is 422.
    """
    service, options = service_of(request), options_of(request, AnalyzeOptions)
    entry = service.catalogue.choose(options.model, "face")
    names = options.names(entry)
    async with pictures_of(request) as pictures:
        readings = await read_faces(service, pictures, entry, options)
    check_any_read([reading.error for reading in readings])
    spread = options.distribution
    results = [picture_result(r, entry.card, names, distribution=spread) for r in readings]
    return as_json(AnalyzeResult(model=entry.name, pictures=results))


@router.post(
    "/classify",
    operation_id="classify",
    summary="Classify whole pictures",
    response_model=ClassifyResult,
    openapi_extra={**BODY, "parameters": described(ClassifyOptions)},
)
async def classify(request: Request) -> Response:
    """Give the most probable classes of each picture, the most probable first."""
    service, options = service_of(request), options_of(request, ClassifyOptions)
    entry = service.catalogue.choose(options.model, "picture")
    async with pictures_of(request) as pictures:
        rankings: list[Ranking] = await service.read(_classifier(entry), pictures)
    check_any_read([ranking.error for ranking in rankings])
    results = [ranking_result(ranking, options.top) for ranking in rankings]
    return as_json(ClassifyResult(model=entry.name, pictures=results))


def _classifier(entry: Entry) -> Any:
    return entry.classifier


@router.post(
    "/annotate",
    operation_id="annotate",
    summary="Draw the faces of a picture into it",
    response_class=Response,
    responses=dict(DRAWN),
    openapi_extra={**BODY, "parameters": described(FaceOptions)},
)
async def annotate(request: Request) -> Response:
    """Draw a box about each face of one picture, with what was read from it."""
    service, options = service_of(request), options_of(request, FaceOptions)
    entry = service.catalogue.choose(options.model, "face")
    names = options.names(entry)
    async with pictures_of(request) as pictures:
        if len(pictures) != 1:
            raise Problem(422, "too-many-pictures", f"{len(pictures)} pictures; send one.")
        (reading,) = await read_faces(service, pictures, entry, options)
        if reading.error:
            raise of_pictures({0: reading.error})
        lines = [face_lines(found, entry.card, names) for found in reading.faces]
        return await draw(service, pictures[0], reading, lines)


async def draw(
    service: Service, upload: Upload, reading: Reading, lines: Sequence[Sequence[str]]
) -> Response:
    """Answer with a picture that bears what was read from it."""
    limits = service.catalogue.limits
    with service.metrics.timed("draw"):
        data, form = await service.call(partial(annotated, upload, limits, reading, lines))
    return Response(data, media_type=form)


def as_json(answer: BaseModel) -> Response:
    """Answer with a model of the OpenAPI document."""
    return Response(answer.model_dump_json(), media_type="application/json")
