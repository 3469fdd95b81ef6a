"""Hours, days and weeks, where clocks are changed too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import MienError
from mien.watch.periods import Step, hour_of, next_period, period_of, periods, whole, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 6, 1), 24),
        # Clocks go forward at midnight: the day begins at one.
        ("Africa/Cairo", date(2026, 4, 24), 23),
    ],
)
def test_days_have_23_to_25_hours(zone: str, day: date, hours: int) -> None:
    begin, end = whole(day, day, ZoneInfo(zone))

    assert end - begin == timedelta(hours=hours)
    assert len(list(periods(begin, end, "hour", ZoneInfo(zone)))) == hours
    assert begin.astimezone(ZoneInfo(zone)).date() == day
    assert (begin - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day


def test_the_hour_that_comes_twice_is_two() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = first + timedelta(hours=1)

    assert first.astimezone(BERLIN).hour == second.astimezone(BERLIN).hour == 2
    assert hour_of(second, BERLIN) - hour_of(first, BERLIN) == timedelta(hours=1)


def test_a_week_begins_on_monday() -> None:
    start = period_of(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), "week", BERLIN)

    assert start.astimezone(BERLIN).isoformat() == "2026-03-23T00:00:00+01:00"
    assert next_period(start, "week", BERLIN) - start == timedelta(hours=7 * 24 - 1)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.sampled_from(["hour", "day", "week"]),
)
def test_every_moment_lies_in_its_period(moment: datetime, name: str, step: Step) -> None:
    zone = ZoneInfo(name)
    start = period_of(moment, step, zone)

    assert start <= moment
    # Lord Howe turns its clocks by half an hour: the hour it repeats begins twice.
    assert moment < next_period(start, step, zone) or (name.endswith("Howe") and step == "hour")
    assert period_of(start, step, zone) == start


def test_refuses() -> None:
    with pytest.raises(MienError, match="Europe/Berlin or UTC"):
        zone_of("Mars/Olympus")
    with pytest.raises(MienError, match="exchange them"):
        whole(date(2026, 1, 2), date(2026, 1, 1), BERLIN)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_days_at_the_ends_of_all_time_are_refused(day: date) -> None:
    with pytest.raises(MienError, match="1970 to 2999"):
        whole(day, day, ZoneInfo("Europe/Paris"))
