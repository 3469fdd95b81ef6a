"""The watch's routes, added to the service's application."""

from typing import Final

from fastapi import Depends, FastAPI

from mien.serve import openapi
from mien.serve.service import check_access
from mien.watch.http import audience, cameras, page, tallies
from mien.watch.http.hub import Hub
from mien.watch.http.schemas import AreasBody, TallyBody, TallyRuns, TapBody

DESCRIPTION: Final = """
**Audience.** What cameras counted: visits, not people. Totals below k are hidden, and live totals
move in whole steps of k. `/v1/audience/events` sends server-sent events: `live`, with a
`LiveResult`, at once and then every two seconds. `/v1/privacy` states what is stored.
"""


def install(app: FastAPI, hub: Hub | None) -> None:
    """Add the routes.

    Args:
        app: The service's application, before its first request.
        hub: The watch; None for an application that only tells its OpenAPI document.
    """
    app.state.hub = hub
    guard = [Depends(check_access)]
    for router in (audience.router, cameras.router, tallies.router):
        app.include_router(router, dependencies=guard)
    app.include_router(page.router)
    app.description += DESCRIPTION
    openapi.install(app, [AreasBody, TallyBody, TapBody], [TallyRuns])
