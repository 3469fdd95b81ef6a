"""Routes of the audience: totals, live totals, and what is stored."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from functools import partial
from time import monotonic
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from mien.serve.problems import overloaded, responses
from mien.serve.service import Service, ServiceDep, service_of
from mien.watch import rows
from mien.watch.http import events
from mien.watch.http.answers import audience_result, live_result
from mien.watch.http.hub import Hub, HubDep, hub_of
from mien.watch.http.requests import refuse_unknown
from mien.watch.http.schemas import AudienceResult, Format, LiveResult, PrivacyResult
from mien.watch.privacy import statement

router = APIRouter(
    prefix="/v1",
    tags=["audience"],
    responses=responses(401, 429),
    dependencies=[Depends(refuse_unknown)],
)

_LOOK: Final = 0.5
_QUIET: Final = 15.0

_DAY: Final = {"examples": ["2026-11-02"]}


@router.get(
    "/audience",
    operation_id="audience",
    summary="Totals by area, age and time",
    response_model=AudienceResult,
    responses={
        200: {
            "description": "The totals.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **responses(422, 503),
    },
)
async def audience(
    hub: HubDep,
    service: ServiceDep,
    first: Annotated[
        date | None,
        Query(alias="from", description="The first local day; by default the last.", **_DAY),
    ] = None,
    last: Annotated[
        date | None,
        Query(alias="to", description="The last day, included; by default today.", **_DAY),
    ] = None,
    by: Annotated[
        str,
        Query(
            max_length=100,
            description="camera, area, age, and one of hour, day, week; parted by commas.",
        ),
    ] = "area,age",
    format: Annotated[Format, Query(description="How it is told.")] = "json",  # noqa: A002
) -> Any:
    """Tell how many visits there were, raw and corrected for what the model confuses.

    Small totals are hidden, and with them as many others as it takes that none follows by
    subtraction. The day that goes on is told in whole steps of k, its hours once they are
    over, and comes into no sum with other days.
    """
    words: list[Any] = [word.strip() for word in by.split(",") if word.strip()]
    answer = await hub.run(partial(hub.ask, first, last, words), service.settings.timeout)
    if format == "csv":
        text = rows.csv_text(answer.audience.rows, hub.config.schedule.zone)
        name = f"audience-{answer.first}-{answer.last}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="text/csv", headers=headers)
    return Response(
        audience_result(answer, words, hub).model_dump_json(by_alias=True),
        media_type="application/json",
    )


@router.get("/audience/live", operation_id="liveAudience", summary="Live totals")
async def live(hub: HubDep) -> LiveResult:
    """Tell today's visits and who is there now, in whole steps of k, and how the cameras are."""
    return live_result(hub.bulletin.newest, hub.config.privacy.k)


@router.get(
    "/audience/events",
    operation_id="audienceEvents",
    summary="Live totals as they change",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events named `live`, whose data is a `LiveResult`.",
            "content": {events.MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **responses(503),
    },
)
async def stream(request: Request) -> Response:
    """Send live totals at once, and again every two seconds, until the client goes away."""
    service, hub = service_of(request), hub_of(request)
    if hub.streams >= service.settings.max_streams:
        service.metrics.reject("streams")
        raise overloaded("streams", "Too many listen to live totals; try again later.", 5)
    hub.streams += 1
    service.metrics.streams.inc()

    def leave() -> None:
        hub.streams -= 1
        service.metrics.streams.dec()

    return events.EventStream(_editions(service, hub), leave)


async def _editions(service: Service, hub: Hub) -> AsyncIterator[str]:
    number, last = -1, monotonic()
    while True:
        edition = hub.bulletin.newest
        if edition.number != number:
            number, last = edition.number, monotonic()
            data = live_result(edition, hub.config.privacy.k).model_dump_json()
            yield events.event("live", data)
        elif monotonic() - last > _QUIET:
            last = monotonic()
            yield events.comment()
        if service.ending:
            return
        await asyncio.sleep(_LOOK)


@router.get("/privacy", operation_id="privacy", summary="What is stored, and what is shown")
async def privacy(hub: HubDep) -> PrivacyResult:
    """State what is stored, for how long, and what is shown of it; never a picture."""
    return PrivacyResult.model_validate(statement(hub.configuration()))
