"""What the routes that take pictures share: the pictures of a request, and its options.

These routes take the bare request and go through its parts themselves. FastAPI's own way, by
parameters and dependencies, took a quarter of the time that a request has beside its picture.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError

from mien.errors import ImageError
from mien.serve import bodies
from mien.serve.bodies import Upload
from mien.serve.problems import of_pictures
from mien.serve.schemas import PicturesBody
from mien.serve.service import service_of

Options = TypeVar("Options", bound=BaseModel)

FILE: Final = "file"
DRAWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture, of the same size: JPEG for a JPEG, else PNG.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png")
        },
    }
}
"""The answer of what draws into a picture, for the OpenAPI document."""

REFUSALS: Final = (400, 401, 408, 413, 415, 422, 429, 500, 503)
"""Statuses of the problems that any route with pictures may answer with."""

BODY: Final[Mapping[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "Pictures: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, PBM, PGM or PPM.",
        "content": {
            bodies.MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": [FILE],
                    "properties": {
                        FILE: {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "The pictures; the field is repeated.",
                        }
                    },
                }
            },
            bodies.JSON: {"schema": {"$ref": "#/components/schemas/PicturesBody"}},
        },
    }
}
"""How the OpenAPI document describes a body of pictures."""

ONE_FILE: Final[Mapping[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            bodies.MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": [FILE],
                    "properties": {FILE: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
"""How it describes a form with one picture."""


@asynccontextmanager
async def pictures_of(request: Request) -> AsyncIterator[list[Upload]]:
    """Take in the pictures of a request; they count as held until the block ends.

    Raises:
        Problem: There is no room for any, or the body is not what it should be.
    """
    service = service_of(request)
    service.check_room()
    async with service.bodies.read(request) as body:
        match bodies.media_type(request):
            case bodies.MULTIPART:
                found = bodies.parse_multipart(request, body, FILE)
            case bodies.JSON:
                texts = bodies.parse_json(body, PicturesBody).pictures
                found = [Upload(text.encode(), base64=True) for text in texts]
                del texts
            case _:
                raise bodies.unsupported(request, bodies.MULTIPART, bodies.JSON)
        # The pictures wait for their turn; the body they came in need not.
        del body
        yield found


@asynccontextmanager
async def form_of(request: Request, field: str) -> AsyncIterator[Upload]:
    """Take in the first picture in a field of a multipart form, likewise."""
    service = service_of(request)
    service.check_room()
    async with service.bodies.read(request) as body:
        if bodies.media_type(request) != bodies.MULTIPART:
            raise bodies.unsupported(request, bodies.MULTIPART)
        yield bodies.parse_multipart(request, body, field)[0]


class QueryOptions(BaseModel):
    """Options in a request's address; one that is not known is refused, for it may be misspelt."""

    model_config = ConfigDict(extra="forbid")


def options_of(request: Request, model: type[Options]) -> Options:
    """Return the options in a request's address.

    Raises:
        RequestValidationError: One of them makes no sense.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise RequestValidationError(
            [{**item, "loc": ("query", *item["loc"])} for item in found]
        ) from None


def described(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return how the OpenAPI document describes such options."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            "description": schema["description"],
        }
        for name, schema in model.model_json_schema()["properties"].items()
    ]


def check_any_read(errors: Sequence[ImageError | None]) -> None:
    """Refuse a request none of whose pictures could be read.

    Args:
        errors: Each picture's error, or None.

    Raises:
        Problem: All of them failed.
    """
    failed = {number: error for number, error in enumerate(errors) if error}
    if len(failed) == len(errors):
        raise of_pictures(failed)
