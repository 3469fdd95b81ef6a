"""The OpenAPI document: FastAPI's own, with the parts that it cannot know of."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mien.serve.inference import InferenceRequest
from mien.serve.problems import ProblemDocument
from mien.serve.schemas import PicturesBody
from mien.serve.stream import StreamProblem, StreamReady, StreamResult, StreamStart

_REFERENCE: Final = "#/components/schemas/{model}"
_INPUTS: Final[list[type[BaseModel]]] = [PicturesBody, InferenceRequest, StreamStart]
_OUTPUTS: Final[list[type[BaseModel]]] = [
    ProblemDocument,
    StreamReady,
    StreamResult,
    StreamProblem,
]

_KEYS: Final = {
    "HTTPBearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, where the service asks for one.",
    },
    "APIKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same, as a header.",
    },
}
"""The two ways in which `mien.serve.service.check_access` takes a key."""

DESCRIPTION: Final = """Reads faces (age with an interval, gender, expression) and pictures.

Every error is a problem document (RFC 9457). Where the service asks for an API key, it is sent as
`Authorization: Bearer KEY` or `X-API-Key: KEY`. No picture is stored.

**Stream.** The WebSocket `/v1/stream` takes a camera's frames. The first message is a `StreamStart`
(JSON), answered by `StreamReady`; each binary message after it is a frame, an encoded picture,
numbered from 1. Each answer is a `StreamResult` or a `StreamProblem`. While a frame is read only
the newest one that came since is kept, so the stream never lags behind.
"""


def install(
    app: FastAPI,
    inputs: Sequence[type[BaseModel]] = (),
    outputs: Sequence[type[BaseModel]] = (),
) -> None:
    """Have the application make its document here, once.

    Args:
        app: The application.
        inputs: Further models of what goes in, that routes name but FastAPI does not know of.
        outputs: Likewise of what goes out.
    """

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app, [*_INPUTS, *inputs], [*_OUTPUTS, *outputs])
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(
    app: FastAPI, inputs: list[type[BaseModel]], outputs: list[type[BaseModel]]
) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for models, mode in ((inputs, "validation"), (outputs, "serialization")):
        _, extra = models_json_schema(
            [(model, mode) for model in models],  # type: ignore[misc]
            ref_template=_REFERENCE,
        )
        for name, schema in extra["$defs"].items():
            schemas.setdefault(name, schema)
    found["components"]["securitySchemes"] = dict(_KEYS)
    for operation in _operations(found):
        if "401" in operation["responses"]:
            operation["security"] = [{name: []} for name in _KEYS]
    schemas["Problem"] = schemas.pop("ProblemDocument")
    found["components"]["schemas"] = dict(sorted(schemas.items()))
    return found


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]
