"""Routes that tell of the models, and hand out their files: /v1/models and /v1/detector."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from mien.serve.catalogue import Catalogue, Entry, File
from mien.serve.problems import responses
from mien.serve.schemas import ModelList, ModelSummary
from mien.serve.service import ServiceDep

DETECTOR: Final = "/v1/detector/file"

router = APIRouter(prefix="/v1", tags=["models"], responses=responses(401, 429))

_FILE: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {
        200: {
            "description": "The ONNX file.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
        304: {"description": "The client has this file already."},
    },
}


def _summary(entry: Entry, catalogue: Catalogue) -> ModelSummary:
    return ModelSummary(
        name=entry.name,
        kind=entry.kind,
        bytes=len(entry.file.data),
        sha256=entry.file.digest,
        file=f"/v1/models/{entry.name}/file",
        small=catalogue.small(entry.name),
        card=entry.card,
    )


@router.get("/models", operation_id="listModels", summary="List the models")
async def list_models(service: ServiceDep) -> ModelList:
    """List the models with their cards: tasks, data, measured errors, terms of use."""
    found = service.catalogue
    models = [_summary(entry, found) for entry in found.entries.values()]
    return ModelList(models=models, detector=DETECTOR)


@router.get(
    "/models/{name}",
    operation_id="getModel",
    summary="Show a model",
    responses=responses(404, 422),
)
async def show_model(name: str, service: ServiceDep) -> ModelSummary:
    """Show one model with its card."""
    return _summary(service.catalogue.find(name), service.catalogue)


@router.get(
    "/models/{name}/file",
    operation_id="getModelFile",
    summary="Fetch a model's file",
    response_class=_FILE["response_class"],
    responses={**_FILE["responses"], **responses(404, 422)},
)
async def fetch_model(name: str, request: Request, service: ServiceDep) -> Response:
    """Fetch the ONNX file, to run it elsewhere: in a browser, say."""
    return _file(request, service.catalogue.find(name).file)


@router.get(
    "/detector/file",
    operation_id="getDetectorFile",
    summary="Fetch the face detector's file",
    response_class=_FILE["response_class"],
    responses=_FILE["responses"],
)
async def fetch_detector(request: Request, service: ServiceDep) -> Response:
    """Fetch the ONNX file of the face detector, as this service runs it."""
    return _file(request, service.catalogue.detector)


def _file(request: Request, file: File) -> Response:
    tag = f'"{file.digest}"'
    # Kept by the client, who asks each time whether it is still the one; another model of the
    # same name is so never taken for it.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [part.strip().removeprefix("W/") for part in _known(request).split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers=headers, media_type="application/octet-stream")


def _known(request: Request) -> str:
    return request.headers.get("if-none-match", "")
