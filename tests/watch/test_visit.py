"""Visits, and ages by bins and groups."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.ages import GROUPS
from mien.watch.visit import BINS, Visit, binned, group_totals, shares

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES = (1.0, *[0.0] * (BINS - 1))


def visit(**changes: object) -> Visit:
    known = {
        "camera": "door",
        "area": "hall",
        "entered": NOON,
        "left": NOON + timedelta(seconds=4),
        "ages": AGES,
        "years": 2.0,
        "low": 0.0,
        "high": 5.0,
        "group": "child",
        "quality": 1.0,
    }
    return Visit(**(known | changes))  # type: ignore[arg-type]


def test_dwell_is_in_seconds() -> None:
    assert visit().dwell == 4


def test_each_visit_has_a_name_of_its_own() -> None:
    assert visit().id != visit().id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entered": datetime(2026, 3, 1, 12)}, "time zone"),
        ({"left": NOON - timedelta(seconds=1)}, "before it enters"),
        ({"ages": (1.0,)}, "21 bins"),
    ],
)
def test_refuses(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        visit(**changes)


def test_bins_take_five_years_each_and_the_last_all_older() -> None:
    years = np.zeros(131)
    years[[4, 5, 9, 99, 100, 130]] = 1

    found = binned(years)

    assert found[:2].tolist() == [1, 2]
    assert found[-2:].tolist() == [1, 2]


@given(st.lists(st.floats(0, 1), min_size=101, max_size=101))
def test_nobody_is_lost_on_the_way_to_groups(years: list[float]) -> None:
    totals = group_totals(binned(np.array(years)), GROUPS)

    assert totals.sum() == pytest.approx(sum(years))


def test_a_bin_cut_by_a_group_is_shared_by_years() -> None:
    assert shares(GROUPS)[2].tolist() == [0.6, 0.4, 0, 0, 0]
    assert shares(GROUPS)[-1].tolist() == [0, 0, 0, 0, 1]
