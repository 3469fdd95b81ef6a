"""What goes in and out, as JSON: the models of the watch's routes."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from mien.serve.problems import ProblemDocument
from mien.watch.config import Area, checked_areas
from mien.watch.sources.health import State

_ESTIMATE: Final[JsonValue] = {"value": 128.0, "low": 117.0, "high": 139.0}
_ROW: Final[JsonValue] = {
    "start": None,
    "camera": None,
    "area": "shelf",
    "age": "adult",
    "hidden": False,
    "visits": 131,
    "corrected": _ESTIMATE,
    "adjusted": 126.0,
    "passed": None,
    "dwell": None,
    "dwell_p90": None,
    "peak": None,
}
_POLYGON: Final[JsonValue] = [[0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [0.0, 1.0]]
_CAMERA: Final[JsonValue] = {
    "name": "door",
    "source": "rtsp://***@10.0.0.5/live",
    "state": "live",
    "since": "2026-11-02T08:00:03Z",
    "reason": "",
    "width": 1280,
    "height": 720,
    "rate": 12.5,
    "frames": 45120,
    "dropped": 3,
    "damaged": 0,
    "losses": 0,
    "failed": 0,
    "present": 5,
    "areas": [{"name": "shelf", "polygon": _POLYGON, "ignore": False}],
}
_TALLY: Final[JsonValue] = {
    "id": "1d4f0c7ad3c04a59a37c5b1f3f0f6d52",
    "camera": "door",
    "area": "shelf",
    "started": "2026-11-02T09:30:00Z",
    "counts": {"child": 2, "teen": 5, "youth": 11, "adult": 17, "senior": 4},
}
_DOOR: Final[JsonValue] = {
    "camera": "door",
    "area": "shelf",
    "tallies": 2,
    "people": 81,
    "newest": "2026-11-02T10:00:00Z",
    "capture": {"value": 0.82, "low": 0.75, "high": 0.89},
    "captures": {"adult": {"value": 0.85, "low": 0.74, "high": 0.97}},
    "bias": {"adult": {"value": 0.03, "low": -0.05, "high": 0.11}},
    "older": {"value": 1.8, "low": -0.4, "high": 4.1},
    "slope": {"value": 0.93, "low": 0.82, "high": 1.05},
    "drift": {"value": -0.04, "low": -0.15, "high": 0.07},
}

Format = Literal["json", "csv"]
"""How totals are told."""

Text = Annotated[str, Field(min_length=1, max_length=100)]


TapId = Annotated[
    str,
    Field(
        max_length=64,
        description="A name of the tap's own, if it has one: sent again, because the answer was "
        "lost, it counts once.",
    ),
]


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Estimate(_Out):
    """A figure with its 90 % interval."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _ESTIMATE})

    value: float
    low: float
    high: float


class AudienceRow(_Out):
    """One total; what is hidden is null."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _ROW})

    start: datetime | None = Field(description="When its period begins; null for the whole time.")
    camera: str | None = Field(description="The camera; null for all.")
    area: str | None = Field(description="The area; null for all.")
    age: str | None = Field(description="The age group; null for all.")
    hidden: bool = Field(
        description="Whether the total, or a part of it, is hidden because it is small. A number "
        "beside it is then what is shown of its parts: at least so many."
    )
    visits: int | None = Field(description="Visits, for an age group as they were read.")
    corrected: Estimate | None = Field(
        description="Visits of the age group, corrected for what the model confuses."
    )
    adjusted: float | None = Field(description="The same by the matrix of confusions.")
    passed: Estimate | None = Field(
        description="People who passed, where tallies tell the capture rate."
    )
    dwell: float | None = Field(description="Median stay in seconds; only without an age group.")
    dwell_p90: float | None = Field(description="The stay that 90 % do not exceed; likewise.")
    peak: float | None = Field(
        description="Most people at once, as a mean over five minutes; likewise."
    )


class Apart(_Out):
    """What is counted apart from visits."""

    still: int = Field(description="Faces that never moved.")
    long: int = Field(description="Long stays, as of staff.")


class AudienceResult(_Out):
    """The answer to a query: visits, not people."""

    first: date = Field(alias="from", description="The first local day.")
    last: date = Field(alias="to", description="The last, included.")
    by: list[str] = Field(description="What the totals are parted by.")
    zone: str = Field(description="The time zone of days and hours.")
    k: int = Field(description="Totals from 1 to below this are hidden.")
    groups: list[str] = Field(description="The age groups, the youngest first.")
    corrected: bool = Field(
        description="Whether totals are corrected with held-out faces of this very model; if not, "
        "by its card alone."
    )
    rows: list[AudienceRow]
    apart: Apart
    notes: list[str] = Field(description="What must stand beside the figures.")


class AreaResult(_Out):
    """A named part of a camera's view."""

    name: str
    polygon: list[tuple[float, float]] = Field(
        description="Its corners, x and y from 0 to 1 of the picture's width and height."
    )
    ignore: bool = Field(description="Whether faces in it are passed over: posters, screens.")


class CameraResult(_Out):
    """How a camera is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _CAMERA})

    name: str
    source: str = Field(description="Its source, without credentials.")
    state: State = Field(description="How it is.")
    since: datetime = Field(description="Since when.")
    reason: str = Field(description="Why it is stalled, lost or ended early.")
    width: int = Field(description="Width of its pictures in pixels; 0 before the first.")
    height: int = Field(description="Their height; likewise.")
    rate: float = Field(description="Frames a second that come.")
    frames: int = Field(description="Frames that came.")
    dropped: int = Field(description="Frames left out for want of time.")
    damaged: int = Field(description="Packets that could not be decoded.")
    losses: int = Field(description="How often the source went away.")
    failed: int = Field(description="Frames that could not be worked on.")
    present: int = Field(description="Faces before it now, in whole steps of k.")
    areas: list[AreaResult] = Field(description="Its areas; none for the whole view.")


class LiveTotal(_Out):
    """One area's totals since local midnight, all in whole steps of k."""

    camera: str
    area: str
    visits: int
    ages: dict[str, int] = Field(
        description="Age group -> visits, as read; they need not add up to `visits`."
    )
    present: int = Field(description="People there now.")


class RecorderResult(_Out):
    """How visits come to the database; visits in whole steps of k."""

    waiting: int = Field(description="Visits on the local disk that the database does not have.")
    held: int = Field(description="Visits in memory alone, because the disk takes none.")
    stored: int = Field(description="Visits that the database took since the start.")
    refused: int = Field(description="Visits that it refused for good, exactly.")
    damaged: int = Field(description="Lines of the outbox that could not be read, exactly.")
    lost: int = Field(description="Visits lost, exactly.")
    problem: str = Field(description="Why visits wait; empty while all is well.")
    since: datetime = Field(description="Since when.")


class LiveResult(_Out):
    """Live totals of all areas, and how the cameras are."""

    time: datetime
    k: int = Field(description="The step of all totals.")
    totals: list[LiveTotal]
    cameras: list[CameraResult]
    recorder: RecorderResult | None = Field(description="Null where no cameras are watched.")
    problem: str = Field(description="Why the totals are old or missing; empty while all is well.")


class AreasBody(_In):
    """The areas of a camera, drawn anew."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "example": {"areas": [{"name": "shelf", "polygon": _POLYGON, "ignore": False}]}
        },
    )

    areas: Annotated[list[Area], Field(max_length=50)] = Field(
        description="All of them, of which the first that holds a point counts; none for the "
        "whole view."
    )

    _check = field_validator("areas")(checked_areas)


class TallyBody(_In):
    """Where people are to be tapped."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"camera": "door", "area": "shelf"}}
    )

    camera: Text
    area: Text


class TapBody(_In):
    """One person who passed."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"group": "adult", "who": "left-hand side"}}
    )

    group: Text = Field(description="The age group.")
    who: Annotated[str, Field(max_length=100)] = Field(
        default="", description="Any name of whoever taps, for taking back; it is not kept."
    )
    id: TapId = ""


class RunningTally(_Out):
    """A tally that goes on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _TALLY})

    id: str
    camera: str
    area: str
    started: datetime
    counts: dict[str, int] = Field(description="Age group -> taps so far.")


class TallyRuns(ProblemDocument):
    """A tally runs at that place already; join it."""

    model_config = ConfigDict(title="TallyRuns", json_schema_extra={})

    running: RunningTally = Field(description="The tally that runs.")


class DoorResult(_Out):
    """What all tallies at a camera's area say."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _DOOR})

    camera: str
    area: str
    tallies: int = Field(description="How many there were.")
    people: int = Field(description="How many people were tapped.")
    newest: datetime = Field(description="When the newest ended.")
    capture: Estimate = Field(
        description="Share of the people that became visits; above 1 where some count twice."
    )
    captures: dict[str, Estimate] = Field(
        description="Age group -> the same, drawn towards that of all."
    )
    bias: dict[str, Estimate] = Field(
        description="Age group -> its share among the readings less its share among the taps."
    )
    older: Estimate = Field(
        description="Years by which ages are read higher here than the calibration reads them, at "
        "35; corrected totals allow for it."
    )
    slope: Estimate = Field(
        description="Years that are read here for each year of difference in age: below 1 where "
        "ages are drawn together. Corrected totals allow for it."
    )
    drift: Estimate | None = Field(
        description="The newest tally's capture less that of the earlier ones; null for one."
    )


class TallyList(_Out):
    """The tallies that run, and what finished ones say."""

    running: list[RunningTally]
    doors: list[DoorResult]
    groups: list[str] = Field(description="The age groups that can be tapped, the youngest first.")


class FinishedTally(_Out):
    """A finished tally."""

    taps: dict[str, int] = Field(description="Age group -> people who passed.")
    people: int = Field(description="All of them.")
    visits: int = Field(description="Visits that mien counted there in that time.")
    door: DoorResult


class OfVisits(_Out):
    """What is stored."""

    of_a_visit: list[str] = Field(description="What is stored of each visit.")
    never: list[str] = Field(description="What is never stored.")
    keep_days: int = Field(description="Visits older than this are deleted.")
    totals: str
    outbox: str


class Purpose(_Out):
    """Why expressions are read."""

    purpose: str


class Shown(_Out):
    """What is shown of what is stored."""

    k: int
    rule: str
    live: str


class NamedAreas(_Out):
    """A camera and its areas."""

    name: str
    areas: list[str]


class TableResult(_Out):
    """A table of the database."""

    holds: str
    columns: dict[str, str] = Field(description="Column -> its type.")


class PrivacyResult(_Out):
    """What is stored, how long, and what is shown of it."""

    what: str
    stored: OfVisits
    gender: bool = Field(description="Whether gender is read.")
    expression: Purpose | None = Field(description="Null where expressions are not read.")
    shown: Shown
    cameras: list[NamedAreas]
    table: dict[str, TableResult] = Field(
        alias="schema", description="The database's tables, by their names."
    )
