"""What a request to the watch brings: small bodies of JSON."""

from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from mien.serve import bodies
from mien.serve.problems import Problem
from mien.serve.service import service_of

Body = TypeVar("Body", bound=BaseModel)

MOST_BYTES: Final = 500_000
"""50 areas of 100 corners each, written with all digits, are less than half of it."""


async def body_of(request: Request, model: type[Body]) -> Body:
    """Return a request's body as a model.

    Raises:
        Problem: It is too large, too slow, or no such JSON.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise _too_large()
    if bodies.media_type(request) != bodies.JSON:
        raise bodies.unsupported(request, bodies.JSON)
    async with service_of(request).bodies.read(request) as body:
        if len(body) > MOST_BYTES:
            raise _too_large()
        return bodies.parse_json(body, model)


def refuse_unknown(request: Request) -> None:
    """Refuse a parameter in a request's address that its route does not know: it may be misspelt.

    Raises:
        RequestValidationError: There is one.
    """
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        told = f"there is no such parameter; there are {', '.join(sorted(known)) or 'none'}"
        raise RequestValidationError([{"loc": ("query", unknown[0]), "msg": told}])


def _too_large() -> Problem:
    return Problem(
        413, "body-too-large", f"The body is larger than {MOST_BYTES:,} bytes; send less."
    )


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return what the OpenAPI document says of a body."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {bodies.JSON: {"schema": schema}}}}
