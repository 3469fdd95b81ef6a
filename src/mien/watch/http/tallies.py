"""Routes of tallies: several people tap who passes, for calibration at the door."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from mien.errors import MienError
from mien.serve.problems import MEDIA_TYPE, Problem, ProblemDocument, overloaded, responses
from mien.serve.service import ServiceDep
from mien.watch.http.answers import door_result, running_tally
from mien.watch.http.hub import Hub, HubDep, no_such_tally
from mien.watch.http.requests import body_of, described, refuse_unknown
from mien.watch.http.schemas import (
    FinishedTally,
    RunningTally,
    TallyBody,
    TallyList,
    TallyRuns,
    TapBody,
)
from mien.watch.tallying import Running

router = APIRouter(
    prefix="/v1/tallies",
    tags=["tallies"],
    responses=responses(401, 429),
    dependencies=[Depends(refuse_unknown)],
)

_Id = Annotated[str, Path(max_length=64, description="The tally's id.")]
_BODY: Final = (400, 408, 413, 415, 422, 503)
_RUNS: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "description": "One goes on there already: join it.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/TallyRuns"}}},
    }
}


class _RunsError(Problem):
    """A tally goes on at that place; the problem tells which."""

    def __init__(self, running: RunningTally) -> None:
        super().__init__(
            409,
            "tally-runs",
            f"A tally goes on at {running.camera}, {running.area}: join it.",
            headers={"Location": f"/v1/tallies/{running.id}"},
        )
        self._running = running

    def document(self, request_id: str) -> ProblemDocument:
        """Return what the client gets."""
        known = super().document(request_id)
        return TallyRuns(**known.model_dump(), running=self._running)


@router.get(
    "", operation_id="listTallies", summary="Tallies, and what they say", responses=responses(503)
)
async def tallies(hub: HubDep, service: ServiceDep) -> TallyList:
    """Tell which tallies go on, and what the finished ones say of each place."""
    # Pages ask again and again while people tap: most of the time nothing needs the store.
    doors = hub.known_doors
    if doors is None:
        doors = await hub.run(hub.doors, service.settings.timeout)
    return TallyList(
        running=[running_tally(one) for one in hub.tallies.running()],
        doors=[door_result(*place, door) for place, door in sorted(doors.items())],
        groups=hub.groups,
    )


@router.post(
    "",
    operation_id="startTally",
    summary="Begin a tally",
    status_code=201,
    responses={**responses(*_BODY, 404), **_RUNS},
    openapi_extra=described(TallyBody),
)
async def start(request: Request, hub: HubDep) -> RunningTally:
    """Begin a tally at a camera's area; one goes on at a place at a time."""
    body = await body_of(request, TallyBody)
    hub.check_area(body.camera, body.area)
    try:
        running, new = hub.tallies.start(body.camera, body.area)
    except MienError as error:
        raise overloaded("too-many-tallies", f"{error}.", 60) from None
    if not new:
        raise _RunsError(running_tally(running))
    return running_tally(running)


@router.get(
    "/{tally}", operation_id="getTally", summary="Show a tally", responses=responses(404, 422)
)
async def show(tally: _Id, hub: HubDep) -> RunningTally:
    """Show a tally that goes on."""
    return running_tally(_find(hub, tally))


@router.post(
    "/{tally}/taps",
    operation_id="tap",
    summary="Tap a person who passes",
    responses=responses(*_BODY, 404),
    openapi_extra=described(TapBody),
)
async def tap(tally: _Id, request: Request, hub: HubDep) -> RunningTally:
    """Count one person of an age group."""
    body = await body_of(request, TapBody)
    running = _find(hub, tally)
    running.session.tap(body.group, body.who, body.id)
    return running_tally(running)


@router.delete(
    "/{tally}/taps",
    operation_id="untap",
    summary="Take back a tap",
    responses=responses(404, 422),
)
async def untap(
    tally: _Id,
    hub: HubDep,
    who: Annotated[
        str, Query(max_length=100, description="Whose last tap; as it was sent with the taps.")
    ] = "",
    name: Annotated[
        str, Query(alias="id", max_length=64, description="A name of its own, as a tap's.")
    ] = "",
) -> RunningTally:
    """Take back the last tap of one who taps; where there is none, nothing changes."""
    running = _find(hub, tally)
    running.session.undo(who, name)
    return running_tally(running)


@router.post(
    "/{tally}/finish",
    operation_id="finishTally",
    summary="Finish a tally",
    responses=responses(404, 422, 503),
)
async def finish(tally: _Id, hub: HubDep, service: ServiceDep) -> FinishedTally:
    """Compare the taps with the visits of that time, and keep the counts."""
    running = _find(hub, tally)
    made, door = await hub.run(partial(hub.finish, running), service.settings.timeout)
    return FinishedTally(
        taps=made.taps,
        people=made.people,
        visits=made.visits.count,
        door=door_result(made.camera, made.area, door),
    )


@router.delete(
    "/{tally}",
    operation_id="dropTally",
    summary="Drop a tally",
    status_code=204,
    response_class=Response,
    responses=responses(404, 422),
)
async def drop(tally: _Id, hub: HubDep) -> Response:
    """Forget a tally that goes on, and keep nothing of it."""
    if not hub.tallies.drop(tally):
        raise no_such_tally()
    return Response(status_code=204)


def _find(hub: Hub, name: str) -> Running:
    running = hub.tallies.find(name)
    if running is None:
        raise no_such_tally()
    return running
