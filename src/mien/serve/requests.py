"""What the routes that take pictures share: the pictures of a request, whatever it is made of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from mien.errors import ImageError
from mien.serve import bodies
from mien.serve.bodies import Upload
from mien.serve.problems import of_pictures
from mien.serve.schemas import PicturesBody
from mien.serve.service import service_of

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


async def _pictures(request: Request) -> AsyncIterator[list[Upload]]:
    service = service_of(request)
    service.check_room()
    async with service.bodies.read(request) as body:
        match bodies.media_type(request):
            case bodies.MULTIPART:
                yield bodies.parse_multipart(request, body, FILE)
            case bodies.JSON:
                found = bodies.parse_json(body, PicturesBody)
                yield [Upload(text.encode(), base64=True) for text in found.pictures]
            case _:
                raise bodies.unsupported(request, bodies.MULTIPART, bodies.JSON)


Pictures = Annotated[list[Upload], Depends(_pictures)]
"""The pictures of a request; they count as held until it is answered."""


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
