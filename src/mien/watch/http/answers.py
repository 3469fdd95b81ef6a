"""What the watch knows, as the models that go out."""

from datetime import UTC

from mien.watch.audience import Row
from mien.watch.bulletin import Edition
from mien.watch.correction import Estimate as Interval
from mien.watch.http.hub import Answer, Hub
from mien.watch.http.schemas import (
    Apart,
    AreaResult,
    AudienceResult,
    AudienceRow,
    CameraResult,
    DoorResult,
    Estimate,
    LiveResult,
    LiveTotal,
    RecorderResult,
    RunningTally,
)
from mien.watch.run import Status
from mien.watch.store.recorder import State
from mien.watch.suppression import stepped
from mien.watch.tally import Door
from mien.watch.tallying import Running


def audience_result(answer: Answer, by: list[str], hub: Hub) -> AudienceResult:
    """Return the answer to a query."""
    found = answer.audience
    return AudienceResult(
        **{"from": answer.first, "to": answer.last},
        by=by,
        zone=answer.zone,
        k=hub.config.privacy.k,
        groups=hub.groups,
        corrected=not hub.problem,
        rows=[_row(row) for row in found.rows],
        apart=Apart(**found.apart),
        notes=[*found.notes, *([hub.problem] if hub.problem else [])],
    )


def _row(row: Row) -> AudienceRow:
    return AudienceRow(
        start=None if row.start is None else row.start.astimezone(UTC),
        camera=row.camera,
        area=row.area,
        age=row.age,
        hidden=row.hidden,
        visits=row.visits,
        corrected=_maybe(row.corrected),
        adjusted=None if row.adjusted is None else round(row.adjusted, 2),
        passed=_maybe(row.passed),
        dwell=None if row.dwell is None else round(row.dwell, 1),
        dwell_p90=None if row.dwell_p90 is None else round(row.dwell_p90, 1),
        peak=None if row.peak is None else round(row.peak, 2),
    )


def _maybe(found: Interval | None) -> Estimate | None:
    return None if found is None else _estimate(found, 2)


def _estimate(found: Interval, digits: int = 4) -> Estimate:
    value, low, high = (round(float(end), digits) for end in found)
    return Estimate(value=value, low=low, high=high)


def camera_result(status: Status, k: int) -> CameraResult:
    """Return how a camera is."""
    health = status.health
    return CameraResult(
        name=status.name,
        source=status.source,
        state=health.state,
        since=health.since,
        reason=health.reason,
        width=health.width,
        height=health.height,
        rate=health.rate,
        frames=health.frames,
        dropped=health.dropped,
        damaged=health.damaged,
        losses=health.losses,
        failed=status.failed,
        present=stepped(len(status.present), k),
        areas=[
            AreaResult(name=area.name, polygon=list(area.polygon), ignore=area.ignore)
            for area in status.areas
        ],
    )


def live_result(edition: Edition, k: int) -> LiveResult:
    """Return live totals."""
    return LiveResult(
        time=edition.time,
        k=k,
        totals=[
            LiveTotal(
                camera=one.camera,
                area=one.area,
                visits=one.visits,
                ages=one.ages,
                present=one.present,
            )
            for one in edition.totals
        ],
        cameras=[camera_result(status, k) for status in edition.cameras],
        recorder=_recorder(edition.recorder),
        problem=edition.problem,
    )


def _recorder(state: State | None) -> RecorderResult | None:
    if state is None:
        return None
    # Why visits wait may name the database or a folder, which are nobody's matter here.
    problem = "visits wait; the log says why" if state.problem else ""
    return RecorderResult(
        waiting=state.waiting,
        held=state.held,
        stored=state.stored,
        refused=state.refused,
        damaged=state.damaged,
        lost=state.lost,
        problem=problem,
        since=state.since,
    )


def running_tally(running: Running) -> RunningTally:
    """Return a tally that goes on."""
    session = running.session
    return RunningTally(
        id=running.id,
        camera=session.camera,
        area=session.area,
        started=session.started,
        counts=session.counts,
    )


def door_result(camera: str, area: str, door: Door) -> DoorResult:
    """Return what all tallies at a camera's area say."""
    return DoorResult(
        camera=camera,
        area=area,
        tallies=door.tallies,
        people=door.people,
        newest=door.newest,
        capture=_estimate(door.capture),
        captures={name: _estimate(found) for name, found in door.captures.items()},
        bias={name: _estimate(found) for name, found in door.bias.items()},
        older=_estimate(door.older),
        slope=_estimate(door.slope),
        drift=None if door.drift is None else _estimate(door.drift),
    )
