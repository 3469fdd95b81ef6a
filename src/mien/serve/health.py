"""Routes for those who run the service: /healthz, /readyz and /metrics."""

from typing import Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from mien.serve.problems import responses
from mien.serve.service import ServiceDep, check_access

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """That the service is well."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", operation_id="health", summary="Whether the service is alive")
async def healthz() -> Health:
    """Answer as long as the service is alive."""
    return Health()


@router.get(
    "/readyz",
    operation_id="ready",
    summary="Whether the service is ready",
    responses=responses(503),
)
async def readyz(service: ServiceDep) -> Health:
    """Answer 200 once the models are loaded and warmed up, 503 before and while it ends."""
    service.check_ready()
    return Health()


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **responses(401, 429),
    },
    dependencies=[Depends(check_access)],
)
async def metrics(service: ServiceDep) -> Response:
    """Tell requests, latency by stage, batch sizes, queue depth and refusals, of all workers."""
    return Response(
        await service.figures(),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )
