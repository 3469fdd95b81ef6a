"""Routes of the cameras: how they are, what they see now, and their areas."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from mien import draw
from mien.serve.problems import responses
from mien.serve.service import ServiceDep
from mien.watch.http.answers import camera_result
from mien.watch.http.hub import HubDep
from mien.watch.http.requests import body_of, described, refuse_unknown
from mien.watch.http.schemas import AreasBody, CameraResult

router = APIRouter(
    prefix="/v1/cameras",
    tags=["cameras"],
    responses=responses(401, 429),
    dependencies=[Depends(refuse_unknown)],
)

_Name = Annotated[str, Path(max_length=60, description="The camera's name.", examples=["door"])]


@router.get("", operation_id="listCameras", summary="How the cameras are")
async def cameras(hub: HubDep) -> list[CameraResult]:
    """Tell how each camera is, since when, and which areas it has."""
    return [camera_result(status, hub.config.privacy.k) for status in hub.cameras()]


@router.get(
    "/{name}/still",
    operation_id="still",
    summary="What a camera sees now",
    response_class=Response,
    responses={
        200: {
            "description": "The newest picture, to draw areas on.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        **responses(404, 422, 503),
    },
)
async def still(name: _Name, hub: HubDep, service: ServiceDep) -> Response:
    """Show the newest picture once; it is stored nowhere."""
    pixels = hub.still(name)
    data = await service.call(partial(draw.encode, pixels, ".jpg"))
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.put(
    "/{name}/areas",
    operation_id="setAreas",
    summary="Draw a camera's areas anew",
    responses=responses(400, 404, 408, 409, 413, 415, 422, 503),
    openapi_extra=described(AreasBody),
)
async def set_areas(
    name: _Name, request: Request, hub: HubDep, service: ServiceDep
) -> CameraResult:
    """Give a camera other areas: at once, and in the configuration's file."""
    hub.camera(name)
    body = await body_of(request, AreasBody)
    status = await hub.run(partial(hub.redraw, name, body.areas), service.settings.timeout)
    return camera_result(status, hub.config.privacy.k)
