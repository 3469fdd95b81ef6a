"""The published interfaces, unchanged: /image tells an age, /uploader draws expressions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mien.ages import Age
from mien.analyzer import Attribute, FaceReading, Reading
from mien.serve import bodies
from mien.serve.bodies import Upload
from mien.serve.problems import Problem, of_pictures, responses
from mien.serve.reading import as_json, draw
from mien.serve.requests import DRAWN, FILE, ONE_FILE, REFUSALS, form_of
from mien.serve.service import DirectRoute, Service, service_of

router = APIRouter(tags=["published"], responses=responses(*REFUSALS, 404), route_class=DirectRoute)

IMG: Final = "img"
NO_FACE: Final = "Can not find any face in this image"
_FORM: Final[dict[str, Any]] = {
    "schema": {
        "type": "object",
        "required": [IMG],
        "properties": {IMG: {"type": "string", "description": "Base64 text, or a data URL."}},
    }
}


class AgeAnswer(BaseModel):
    """An age and the name of its group."""

    model_config = ConfigDict(json_schema_extra={"example": {"age": 30, "cl_age": "Youth"}})

    age: int = Field(description="The age in whole years.", ge=0)
    cl_age: str = Field(description="Name of the age group.")


@asynccontextmanager
async def _img_of(request: Request) -> AsyncIterator[Upload]:
    service = service_of(request)
    service.check_room()
    async with service.bodies.read(request) as body:
        match bodies.media_type(request):
            case bodies.MULTIPART:
                yield bodies.parse_multipart(request, body, IMG)[0]
            case bodies.URLENCODED:
                yield bodies.parse_urlencoded(body, IMG)
            case _:
                raise bodies.unsupported(request, bodies.URLENCODED, bodies.MULTIPART)


@router.post(
    "/image",
    operation_id="readAge",
    summary="Tell the age of the face in a picture",
    response_model=AgeAnswer,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {bodies.URLENCODED: _FORM, bodies.MULTIPART: _FORM},
        }
    },
)
async def image(request: Request) -> Response:
    """Tell the age of the largest face; 422 where there is none."""
    async with _img_of(request) as upload:
        reading = await _read(service_of(request), upload, "age")
    if not reading.faces:
        raise Problem(422, "no-face", NO_FACE)
    age = reading.faces[0].attributes["age"]
    if not isinstance(age, Age):
        raise _lacking("age")
    answer = AgeAnswer(age=round(age.years), cl_age=age.group.capitalize())
    return as_json(answer)


@router.post(
    "/uploader",
    operation_id="drawExpressions",
    summary="Draw each face's expression into a picture",
    response_class=Response,
    responses=dict(DRAWN),
    openapi_extra=dict(ONE_FILE),
)
async def uploader(request: Request) -> Response:
    """Draw a box about each face, with its expression and how probable it is."""
    service = service_of(request)
    async with form_of(request, FILE) as upload:
        reading = await _read(service, upload, "expression")
        lines = [[_expression(found)] for found in reading.faces]
        return await draw(service, upload, reading, lines)


async def _read(service: Service, upload: Upload, task: str) -> Reading:
    entry = service.catalogue.choose(None, "face")
    if entry.analyzer is None or task not in [known.name for known in entry.card.tasks]:
        raise _lacking(task)
    reading: Reading = (await service.read(entry.analyzer, [upload]))[0]
    if reading.error:
        raise of_pictures({0: reading.error})
    return reading


def _expression(found: FaceReading) -> str:
    expression = found.attributes["expression"]
    if not isinstance(expression, Attribute):
        raise _lacking("expression")
    return f"{expression.label} {expression.probability:.0%}"


def _lacking(task: str) -> Problem:
    return Problem(404, "no-such-task", f"This service's model of faces reads no {task}.")
