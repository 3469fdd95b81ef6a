"""Errors as problem documents (RFC 9457): what was received, and what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from mien.errors import ImageError, MienError, ModelError, printable, shortened

MEDIA_TYPE: Final = "application/problem+json"
_URN: Final = "urn:mien:problem:"


class PictureProblem(BaseModel):
    """Why one picture of a request could not be read."""

    picture: int = Field(description="Number of the picture in the request, from 0.", ge=0)
    detail: str = Field(description="What was received, and what to do.")


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        title="Problem",
        json_schema_extra={
            "example": {
                "type": "urn:mien:problem:unreadable-picture",
                "title": "Unprocessable Content",
                "status": 422,
                "detail": "picture 0: not a picture in a known format",
                "request_id": "5f0c7c0e3d5b4f0c9a3f0d4b8a7e6c21",
                "pictures": [{"picture": 0, "detail": "not a picture in a known format"}],
            }
        },
    )

    type: str = Field(description="What kind of problem it is; stable.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What was received, and what to do.")
    request_id: str = Field(description="The request's id, also in the service's log.")
    pictures: list[PictureProblem] = Field(
        default=[], description="The pictures that could not be read."
    )


class Problem(Exception):  # noqa: N818 (the standard's own word)
    """A request that is refused.

    Args:
        status: HTTP status.
        kind: What kind of problem it is: "queue-full".
        detail: What was received, and what to do.
        headers: Further headers of the answer.
        pictures: The pictures that could not be read.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        pictures: list[PictureProblem] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers = dict(headers or {})
        self.pictures = pictures or []

    def document(self, request_id: str) -> ProblemDocument:
        """Return what the client gets."""
        return ProblemDocument(
            type=_URN + self.kind,
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            request_id=request_id,
            pictures=self.pictures,
        )

    def response(self, request_id: str) -> Response:
        """Return the answer."""
        body = self.document(request_id).model_dump_json()
        return Response(body, self.status, self.headers, MEDIA_TYPE)


def overloaded(kind: str, detail: str, seconds: int = 1) -> Problem:
    """Return the problem of a service that has no room, which is worth another try."""
    return Problem(503, kind, detail, headers={"Retry-After": str(seconds)})


def of_pictures(errors: Mapping[int, ImageError]) -> Problem:
    """Return the problem of a request none of whose pictures could be read."""
    found = [PictureProblem(picture=n, detail=error.reason) for n, error in errors.items()]
    detail = "; ".join(f"picture {item.picture}: {item.detail}" for item in found)
    return Problem(422, "unreadable-picture", shortened(detail), pictures=found)


def of_exception(error: Exception) -> Problem:
    """Return the problem that an exception amounts to."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return Problem(422, "invalid-request", _described(error))
        case HTTPException():
            kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
            detail = _DETAILS.get(error.status_code, str(error.detail))
            return Problem(error.status_code, kind, detail, headers=error.headers)
        case ImageError():
            return Problem(422, "unreadable-picture", error.reason)
        case ModelError():
            return Problem(500, "model-failed", "The network failed on this picture.")
        case MienError():
            return Problem(422, "invalid-request", str(error))
    return Problem(500, "internal-error", "Something failed inside; the log has the request's id.")


_DETAILS: Final = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address does not take that method; the header Allow lists those it takes.",
}


def _described(error: RequestValidationError) -> str:
    """Say what is wrong with a request, without repeating what it holds."""
    places = [
        f"{printable('.'.join(map(str, item['loc'][1:]))) or 'the body'}: {item['msg']}"
        for item in error.errors()
    ]
    return shortened("; ".join(places)) or "The request is not valid."


def install(app: FastAPI) -> None:
    """Have the application answer every error with a problem document."""

    async def answer(request: Request, error: Exception) -> Response:
        return of_exception(error).response(request_id_of(request.scope))

    for kind in (Problem, RequestValidationError, HTTPException, MienError):
        app.add_exception_handler(kind, answer)


def request_id_of(scope: Mapping[str, Any]) -> str:
    """Return a request's id; empty before it got one."""
    return str(scope.get("state", {}).get("request_id", ""))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of errors with these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }
