"""Hours, days and weeks of a time zone: where each begins, with daylight saving right.

A local day has 23, 24 or 25 hours; all arithmetic is done on UTC, all calendars on local dates.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mien.errors import MienError

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2999

Step = Literal["hour", "day", "week"]
"""Fixed periods; a week begins on Monday."""


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA data base.

    Raises:
        MienError: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MienError(
            f"there is no time zone {name!r}; give a name such as Europe/Berlin or UTC"
        ) from error


def hour_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning, in UTC, of the local hour that a moment lies in.

    In zones that are half an hour off, as India's, hours begin at half past in UTC.
    """
    local = moment.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return moment.astimezone(UTC) - into


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the beginning of a local day in UTC.

    Where the clocks skip midnight the day begins with its first moment.
    """
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    while start.astimezone(zone).date() < day:
        start += timedelta(minutes=15)
    return start


def period_of(moment: datetime, step: Step, zone: ZoneInfo) -> datetime:
    """Return the beginning, in UTC, of the period that a moment lies in."""
    if step == "hour":
        return hour_of(moment, zone)
    day = moment.astimezone(zone).date()
    if step == "week":
        day -= timedelta(days=day.weekday())
    return midnight(day, zone)


def next_period(start: datetime, step: Step, zone: ZoneInfo) -> datetime:
    """Return the beginning, in UTC, of the period after the one that begins at `start`."""
    if step == "hour":
        return start + timedelta(hours=1)
    day = start.astimezone(zone).date()
    return midnight(day + timedelta(days=7 if step == "week" else 1), zone)


def periods(
    begin: datetime, end: datetime, step: Step, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the whole periods, in UTC, that meet the time from `begin` to before `end`."""
    start = period_of(begin, step, zone)
    while start < end:
        after = next_period(start, step, zone)
        yield start, after
        start = after


def whole(begin: date, end: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the time from the first to the last of some local days, both included, in UTC.

    Raises:
        MienError: The last day lies before the first, or a year is none of this time.
    """
    if not (begin.year >= _FIRST_YEAR and end.year <= _LAST_YEAR):
        raise MienError(
            f"the days {begin} to {end} do not lie within {_FIRST_YEAR} to {_LAST_YEAR}; "
            "give others"
        )
    if end < begin:
        raise MienError(f"the last day, {end}, lies before the first, {begin}; exchange them")
    return midnight(begin, zone), midnight(end + timedelta(days=1), zone)
