"""Routes that read pictures: /v1/analyze, /v1/classify and /v1/annotate."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from mien.analyzer import Reading
from mien.classifier import Ranking
from mien.serve.annotating import annotated, face_lines
from mien.serve.bodies import Upload
from mien.serve.catalogue import Entry
from mien.serve.problems import Problem, of_pictures, responses
from mien.serve.requests import BODY, DRAWN, REFUSALS, Pictures, check_any_read
from mien.serve.schemas import (
    AnalyzeResult,
    ClassifyResult,
    picture_result,
    ranking_result,
)
from mien.serve.service import Service, ServiceDep

router = APIRouter(prefix="/v1", tags=["reading"], responses=responses(*REFUSALS, 404))

Name = Annotated[
    str | None,
    Query(description="Name of the model; by default the service's first that fits."),
]


@dataclass(frozen=True)
class FaceOptions:
    """What is to be read of faces.

    Attributes:
        model: Name of the model; None for the service's first that reads faces.
        tasks: The tasks to report, parted by commas; None for the model's default ones.
        faces: Where the faces of a picture are.
        min_face: Faces narrower than this many pixels are left out.
        max_faces: At most so many faces a picture; None for all.
    """

    model: str | None = None
    tasks: str | None = None
    faces: Literal["detect", "whole"] = "detect"
    min_face: float = 0
    max_faces: int | None = None

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


async def _face_options(
    model: Name = None,
    tasks: Annotated[
        str | None,
        Query(
            description="What to report, parted by commas; by default what the model's card "
            "names so. Race is reported only when named.",
            examples=["age,gender"],
        ),
    ] = None,
    faces: Annotated[
        Literal["detect", "whole"],
        Query(description="detect: look for faces. whole: each picture is one face."),
    ] = "detect",
    min_face: Annotated[
        float,
        Query(ge=0, le=1e6, description="Leave out faces narrower than this, in pixels."),
    ] = 0,
    max_faces: Annotated[
        int | None,
        Query(ge=1, le=10_000, description="At most so many faces a picture, the largest."),
    ] = None,
) -> FaceOptions:
    return FaceOptions(model, tasks, faces, min_face, max_faces)


FaceQuery = Annotated[FaceOptions, Depends(_face_options)]


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
    openapi_extra=dict(BODY),
)
async def analyze(
    service: ServiceDep,
    options: FaceQuery,
    pictures: Pictures,
    distribution: Annotated[
        bool, Query(description="Whether ages bear the probabilities of all ages.")
    ] = False,
) -> Any:
    """Find the faces of each picture and read their attributes, the largest face first.

    A picture that cannot be read has an error in its place; if none can, the answer is 422.
    """
    entry = service.catalogue.choose(options.model, "face")
    names = options.names(entry)
    readings = await read_faces(service, pictures, entry, options)
    check_any_read([reading.error for reading in readings])
    results = [picture_result(r, entry.card, names, distribution=distribution) for r in readings]
    return _json(AnalyzeResult(model=entry.name, pictures=results).model_dump_json())


@router.post(
    "/classify",
    operation_id="classify",
    summary="Classify whole pictures",
    response_model=ClassifyResult,
    openapi_extra=dict(BODY),
)
async def classify(
    service: ServiceDep,
    pictures: Pictures,
    model: Name = None,
    top: Annotated[int, Query(ge=1, le=10_000, description="How many classes to give.")] = 5,
) -> Any:
    """Give the most probable classes of each picture, the most probable first."""
    entry = service.catalogue.choose(model, "picture")
    rankings: list[Ranking] = await service.read(_classifier(entry), pictures)
    check_any_read([ranking.error for ranking in rankings])
    results = [ranking_result(ranking, top) for ranking in rankings]
    return _json(ClassifyResult(model=entry.name, pictures=results).model_dump_json())


def _classifier(entry: Entry) -> Any:
    return entry.classifier


@router.post(
    "/annotate",
    operation_id="annotate",
    summary="Draw the faces of a picture into it",
    response_class=Response,
    responses=dict(DRAWN),
    openapi_extra=dict(BODY),
)
async def annotate(service: ServiceDep, options: FaceQuery, pictures: Pictures) -> Response:
    """Draw a box about each face of one picture, with what was read from it."""
    entry = service.catalogue.choose(options.model, "face")
    names = options.names(entry)
    if len(pictures) != 1:
        raise Problem(422, "too-many-pictures", f"{len(pictures)} pictures; send one.")
    (reading,) = await read_faces(service, pictures, entry, options)
    if reading.error:
        raise of_pictures({0: reading.error})
    lines = [face_lines(found, entry.card, names) for found in reading.faces]
    limits = service.catalogue.limits
    with service.metrics.timed("draw"):
        data, form = await service.call(partial(annotated, pictures[0], limits, reading, lines))
    return Response(data, media_type=form)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
