"""What a watch is told: cameras, areas, opening hours, what is read and kept; a TOML file."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from mien import tomlfile
from mien.ages import GROUPS, checked_groups
from mien.errors import MienError
from mien.model import default_name
from mien.serve.settings import Settings
from mien.watch.areas import WHOLE, area_of_polygon
from mien.watch.sources.address import Address, AddressError, redacted

_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: Final[tuple[_Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Handling = Literal["apart", "leave-out", "count"]
"""What becomes of visits that may be none: stored under a kind of their own, not stored at all, or
counted like all others."""

_Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f/]{1,60}$")]
_Share = Annotated[float, Field(ge=0, le=1)]
_Topic = Annotated[str, Field(pattern=r"^[^\x00-\x1f+#/]{1,60}$")]
_Seconds = Annotated[float, Field(gt=0, le=86_400)]


class WatchError(MienError):
    """A configuration of a watch that cannot be carried out."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Area(_Part):
    """A named part of a camera's view.

    Attributes:
        name: The area's name.
        polygon: Its corners, x and y from 0 to 1 of the picture's width and height.
        ignore: Whether faces whose centre lies in it are passed over: posters, screens.
    """

    name: _Name
    polygon: Annotated[tuple[tuple[_Share, _Share], ...], Field(min_length=3, max_length=100)]
    ignore: bool = False

    @field_validator("polygon")
    @classmethod
    def _check_polygon(
        cls, polygon: tuple[tuple[float, float], ...]
    ) -> tuple[tuple[float, float], ...]:
        if abs(area_of_polygon(polygon)) < 1e-6:
            raise ValueError("its corners lie on one line")
        return polygon


def checked_areas(areas: Sequence[Area]) -> Sequence[Area]:
    """Return the areas of one camera, if they may stand side by side.

    Raises:
        ValueError: Two bear one name, or one bears that of the whole view.
    """
    names = [area.name for area in areas]
    _check_unique(names, "areas")
    if WHOLE in names:
        raise ValueError(f"{WHOLE!r} names the whole view; call the area otherwise")
    return areas


class Camera(_Part):
    """A camera.

    Attributes:
        name: The camera's name.
        source: Number of a webcam, a file, or the URL of a stream (rtsp, http, ...). `${NAME}` in
            a URL stands for an environment variable.
        credentials: Name of an environment variable that holds "user:password" for the URL.
        real_time: Whether a file is played at its own pace, as a camera would; streams always are.
        starts: When a file's recording began; None for what the file says of itself.
        detect_every: Faces are looked for in each so manieth frame; 0 for as often as
            `detections` a second allow.
        detections: With `detect_every` at 0: in at most so many frames a second.
        transport: How RTSP brings the pictures.
        foot: The point that decides about the area lies so many heights of the face below it.
        areas: The areas, of which the first that holds the point counts; none for the whole view.
    """

    name: _Name
    source: SecretStr
    credentials: str = ""
    real_time: bool = False
    starts: datetime | None = None
    detect_every: Annotated[int, Field(ge=0, le=1000)] = 0
    detections: Annotated[float, Field(gt=0, le=120)] = 10
    transport: Literal["tcp", "udp"] = "tcp"
    foot: Annotated[float, Field(ge=0, le=20)] = 0
    areas: Annotated[tuple[Area, ...], Field(max_length=50)] = ()

    @field_validator("source", mode="before")
    @classmethod
    def _number(cls, source: object) -> object:
        whole = isinstance(source, int) and not isinstance(source, bool)
        return str(source) if whole else source

    @model_validator(mode="after")
    def _check_areas(self) -> "Camera":
        checked_areas(self.areas)
        return self

    def address(self, environment: Mapping[str, str] = os.environ) -> Address:
        """Return where the pictures come from, with its credentials.

        Raises:
            WatchError: An environment variable is missing.
        """
        try:
            return Address.of(self.source.get_secret_value(), self.credentials, environment)
        except AddressError as error:
            raise WatchError(f"camera {self.name!r}: {error}") from None

    @property
    def shown(self) -> str:
        """The source without its credentials."""
        return redacted(self.source.get_secret_value())


class Hours(_Part):
    """Opening hours.

    Attributes:
        days: The days, "mon" to "sun".
        opens: When, on those days; local time.
        closes: When; at or before `opens` it is on the next day.
    """

    days: Annotated[tuple[_Day, ...], Field(min_length=1)] = DAYS
    opens: time
    closes: time

    @field_validator("opens", "closes")
    @classmethod
    def _check_local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("a local time without a zone, as in 09:00:00")
        return value


class Schedule(_Part):
    """When the cameras are watched.

    Attributes:
        time_zone: Name of the time zone, "Europe/Paris" for example.
        hours: The opening hours; none for always.
    """

    time_zone: str = "UTC"
    hours: tuple[Hours, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone of that name; one is Europe/Paris") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    def is_open(self, moment: datetime) -> bool:
        """Return whether a moment (with a time zone) lies within the opening hours."""
        if not self.hours:
            return True
        local = moment.astimezone(self.zone)
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        now = local.time()
        for hours in self.hours:
            overnight = hours.closes <= hours.opens
            if today in hours.days and hours.opens <= now and (overnight or now < hours.closes):
                return True
            if overnight and yesterday in hours.days and now < hours.closes:
                return True
        return False


class Expression(_Part):
    """Expressions are read only for a purpose that somebody has written down.

    Attributes:
        purpose: Why they are read; it is shown to whoever asks what is stored.
    """

    purpose: Annotated[str, Field(min_length=10, max_length=500, pattern=r"\S+\s+\S+")]


class Tasks(_Part):
    """What is read of a face besides its age.

    Attributes:
        gender: Whether gender is read.
        expression: The purpose for which expressions are read; None: they are not.
    """

    gender: bool = False
    expression: Expression | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_race(cls, found: object) -> object:
        if isinstance(found, dict) and "race" in found:
            raise ValueError("race is never read of people who pass a camera; take it out")
        return found


class Tracking(_Part):
    """How faces become visits.

    Attributes:
        confirm: A track is one once its face was found so often; twice is enough where so many
            frames would take longer than a second.
        hidden: Somebody who is out of sight for less than so many seconds stays the same visit.
        border: So many frames in a row decide that somebody is in another area.
        min_face: Faces narrower than so many pixels are passed over.
        detect_size: Working size of the detector in pixels; larger finds smaller faces.
        crops: A visit's age is fused from at most so many crops, the best.
        reads: At most so many crops of one face are read a second.
    """

    confirm: Annotated[int, Field(ge=1, le=100)] = 3
    hidden: Annotated[float, Field(gt=0, le=60)] = 2.0
    border: Annotated[int, Field(ge=1, le=100)] = 3
    min_face: Annotated[float, Field(ge=0)] = 20
    detect_size: Annotated[int, Field(ge=160, le=4096)] = 1280
    crops: Annotated[int, Field(ge=1, le=50)] = 5
    reads: Annotated[float, Field(gt=0, le=30)] = 2.0


class Limits(_Part):
    """Which stays may be no visits.

    Attributes:
        still_after: A face that has not moved for so many seconds is a picture on a wall.
        still_motion: It has not moved if its centre kept within so many of its widths.
        still: What becomes of such faces.
        long_after: A stay of more than so many seconds is one of staff.
        long: What becomes of such stays.
    """

    still_after: _Seconds = 120
    still_motion: Annotated[float, Field(ge=0, le=1)] = 0.1
    still: Handling = "apart"
    long_after: _Seconds = 1800
    long: Handling = "apart"


class Store(_Part):
    """Where visits are kept, and how long.

    Attributes:
        url: The database's URL, for SQLAlchemy; `${NAME}` stands for an environment variable.
        keep_days: Visits older than this are deleted; their totals stay.
        outbox: Folder in which visits wait until the database has them.
    """

    url: str = "sqlite:///mien-watch.sqlite3"
    keep_days: Annotated[int, Field(ge=1, le=3660)] = 30
    outbox: Path = Path("mien-outbox")


class Privacy(_Part):
    """What is shown of what is kept.

    Attributes:
        k: Totals below this are hidden.
    """

    k: Annotated[int, Field(ge=1, le=1000)] = 5


class Mqtt(_Part):
    """A broker that live totals go to.

    Attributes:
        host: The broker.
        port: Its port.
        credentials: Name of an environment variable that holds "user:password".
        tls: Whether the connection is encrypted, and the broker's certificate checked.
        prefix: The first part of all topics.
        discovery: The first part of Home Assistant's topics; empty to announce nothing.
    """

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    credentials: str = ""
    tls: bool = False
    prefix: _Topic = "mien"
    discovery: _Topic | Literal[""] = "homeassistant"

    def login(self, environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
        """Return user and password; both empty where none are needed.

        Raises:
            WatchError: The environment variable is missing.
        """
        if not self.credentials:
            return "", ""
        if self.credentials not in environment:
            raise WatchError(f"mqtt: the environment variable {self.credentials} is not set")
        user, _, password = environment[self.credentials].partition(":")
        return user, password


class Serve(Settings):
    """The HTTP service beside the cameras: all that `mien serve` can be told, but for `workers`.

    Attributes:
        enabled: Whether it is served without being asked for on the command line.
    """

    enabled: bool = True

    @model_validator(mode="after")
    def _check_workers(self) -> "Serve":
        if self.workers != 1:
            raise ValueError("cameras and service share one process; leave workers out")
        return self


class Config(_Part):
    """All that a watch is told.

    Attributes:
        cameras: The cameras; their names differ.
        model: A packaged model's name, or a model file; by default what `MIEN_MODEL` names.
        threads: Processor cores to use; 0 for all.
        age_groups: Names of the age groups with the first age of each, rising from 0.
        schedule: When the cameras are watched.
        tasks: What is read besides the age.
        tracking: How faces become visits.
        limits: Which stays may be no visits.
        store: Where visits are kept.
        privacy: What is shown of them.
        mqtt: Where live totals are published; None for nowhere.
        serve: The HTTP service beside the cameras; None for none.
    """

    cameras: Annotated[tuple[Camera, ...], Field(min_length=1, max_length=64)]
    model: str = Field(default_factory=default_name)
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    age_groups: tuple[tuple[_Name, float], ...] = tuple(GROUPS)
    schedule: Schedule = Schedule()
    tasks: Tasks = Tasks()
    tracking: Tracking = Tracking()
    limits: Limits = Limits()
    store: Store = Store()
    privacy: Privacy = Privacy()
    mqtt: Mqtt | None = None
    serve: Serve | None = None

    _check_groups = field_validator("age_groups")(checked_groups)

    @field_validator("cameras")
    @classmethod
    def _check_cameras(cls, cameras: tuple[Camera, ...]) -> tuple[Camera, ...]:
        _check_unique([camera.name for camera in cameras], "cameras")
        return cameras


def read(path: Path) -> Config:
    """Read and check a configuration.

    Args:
        path: The TOML file.

    Raises:
        WatchError: The file is missing or says something that cannot be; the message names the
            key, and the nearest right one for an unknown key, and shows no credentials.
    """
    return checked(tomlfile.read(path, WatchError), str(path))


def checked(found: Mapping[str, Any], name: str) -> Config:
    """Return the configuration that tables make.

    Args:
        found: The tables, as TOML gives them.
        name: What messages call it.

    Raises:
        WatchError: As for `read`.
    """
    try:
        return Config.model_validate(found)
    except ValidationError as error:
        raise WatchError(redacted(f"{name}: {tomlfile.explain(error, Config)}")) from None


def of_source(source: str, **changes: Any) -> Config:
    """Return the configuration for one camera and nothing said but its source.

    Args:
        source: As for `Camera.source`.
        changes: Further keys of the camera's.
    """
    return checked({"cameras": [{"name": "camera", "source": source, **changes}]}, "--camera")


def _check_unique(names: list[str], what: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"two {what} are called {repeated[0]!r}")
