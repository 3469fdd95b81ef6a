"""Ages from distributions: tables of known answers, and the rules that hold for all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien import ages
from mien.ages import GROUPS, LEVEL, checked_groups, expected, group_of, intervals, quantile
from mien.card import Interval

Floats = NDArray[np.float32]


def point(age: int, count: int = 101) -> Floats:
    row = np.zeros((1, count), np.float32)
    row[0, age] = 1
    return row


def margin(years: float, *, from_age: float = 0, level: float = LEVEL) -> Interval:
    return Interval(level=level, from_age=from_age, margin=years, pictures=100)


@st.composite
def distributions(draw: st.DrawFn) -> Floats:
    """One row of 2 to 101 ages: spread out, or with all but a few ages impossible."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(2, 101))
    weights = rng.random(count) ** draw(st.sampled_from([0.1, 1, 30]))
    weights[rng.random(count) < draw(st.sampled_from([0, 0.5, 0.95]))] = 0
    weights[rng.integers(count)] += 1e-3
    row: Floats = (weights / weights.sum()).astype(np.float32)
    return row[np.newaxis]


SHARES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("weights", "years"), [([1, 0, 0], 0), ([0, 0, 1], 2), ([1, 0, 1], 1), ([1, 1, 2], 1.25)]
)
def test_expected_is_the_mean(weights: list[float], years: float) -> None:
    distribution = np.array([weights]) / sum(weights)
    assert expected(distribution).tolist() == [years]
    assert expected(distribution[0]) == years


@pytest.mark.parametrize(
    ("weights", "share", "years"),
    [
        # One year's mass lies evenly between half a year before and half a year after.
        ([0, 0, 1, 0], 0.5, 2.0),
        ([0, 0, 1, 0], 0.05, 1.55),
        ([0, 0, 1, 0], 0.95, 2.45),
        ([0, 0, 1, 0], 1.0, 2.5),
        # Uniform over 0 to 4: from half a year below 0, of which nothing is told, to 4.5.
        ([1, 1, 1, 1, 1], 0.5, 2.0),
        ([1, 1, 1, 1, 1], 0.05, 0.0),
        ([1, 1, 1, 1, 1], 0.2, 0.5),
        ([1, 1, 1, 1, 1], 0.3, 1.0),
        ([1, 1, 1, 1, 1], 1.0, 4.5),
        # A gap is crossed at its lower end.
        ([0, 1, 0, 0, 1], 0.5, 1.5),
        ([0, 1, 0, 0, 1], 0.75, 4.0),
        ([1, 0, 0, 0, 0], 0.9, 0.4),
    ],
)
def test_quantile(weights: list[float], share: float, years: float) -> None:
    distribution = np.array([weights], float) / sum(weights)
    assert quantile(distribution, share)[0] == pytest.approx(years, abs=1e-9)


def test_each_row_has_its_own_quantile() -> None:
    rows = np.concatenate([point(3), point(70), point(100)])
    assert quantile(rows, 0.5).tolist() == [3, 70, 100]
    assert quantile(rows[:0], 0.5).shape == (0,)


@given(distribution=distributions(), first=SHARES, second=SHARES)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_quantiles_rise_with_the_share(distribution: Floats, first: float, second: float) -> None:
    low, high = sorted([first, second])
    assert quantile(distribution, low)[0] <= quantile(distribution, high)[0] + 1e-9
    assert quantile(distribution, low)[0] >= 0
    assert quantile(distribution, high)[0] <= distribution.shape[1] - 0.5


@given(distribution=distributions(), share=st.floats(0.01, 0.99))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_the_share_lies_below_the_quantile(distribution: Floats, share: float) -> None:
    years = quantile(distribution, share)[0]
    edges = np.arange(distribution.shape[1] + 1) - 0.5
    mass = np.concatenate([[0], np.cumsum(distribution[0], dtype=np.float64)])
    below = np.interp(years, edges, mass / mass[-1])
    # Of the half year below 0 nothing is told, so there the share may be passed.
    assert below == pytest.approx(share, abs=1e-6) or (years == 0 and below >= share)


@given(distribution=distributions(), years=st.floats(-30, 30))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_an_interval_holds_the_expected_age(distribution: Floats, years: float) -> None:
    low, high = intervals(distribution, [margin(years)])
    assert 0 <= low[0] <= expected(distribution)[0] <= high[0]


def test_without_margins_the_central_interval_stands() -> None:
    distribution = np.full((1, 100), 0.01, np.float32)
    low, high = intervals(distribution, [])
    assert [low[0], high[0]] == pytest.approx([4.5, 94.5], abs=1e-4)


@pytest.mark.parametrize(
    ("age", "low", "high"),
    [
        # From age 10 a margin of 2, from 20 one of 5; younger people take the first.
        (4, 1.55, 6.45),
        (10, 7.55, 12.45),
        (19, 16.55, 21.45),
        (20, 14.55, 25.45),
        (100, 94.55, 105.45),
        (1, 0, 3.45),
    ],
)
def test_the_margin_of_an_age_widens_both_ends(age: int, low: float, high: float) -> None:
    margins = [margin(2, from_age=10), margin(5, from_age=20)]
    found = intervals(point(age), margins)
    assert [found[0][0], found[1][0]] == pytest.approx([low, high])


def test_margins_are_weighed_by_the_distribution() -> None:
    """A quarter of the distribution lies at 10, the rest at 30: a quarter of that margin."""
    distribution = (point(10) + 3 * point(30)) / 4
    bare, found = (intervals(distribution, m) for m in ([], [margin(8), margin(4, from_age=20)]))
    assert [bare[0][0] - found[0][0], found[1][0] - bare[1][0]] == pytest.approx([5, 5])


def test_margins_of_another_level_are_passed_over() -> None:
    margins = [margin(9, level=0.5), margin(2), margin(7, from_age=20, level=0.5)]
    low, high = intervals(point(30), margins)
    assert [low[0], high[0]] == pytest.approx([27.55, 32.45])


def test_a_negative_margin_narrows_to_the_expected_age_and_not_beyond() -> None:
    low, high = intervals(point(30), [margin(-0.2)])
    assert [low[0], high[0]] == pytest.approx([29.75, 30.25])
    low, high = intervals(point(30), [margin(-4)])
    assert [low[0], high[0]] == [30, 30]


@pytest.mark.parametrize(
    ("years", "group"),
    [
        (0, "child"),
        (12.99, "child"),
        (13, "teen"),
        (17.9, "teen"),
        (18, "youth"),
        (35.9, "youth"),
        (36, "adult"),
        (59.9, "adult"),
        (60, "senior"),
        (116, "senior"),
    ],
)
def test_group_of(years: float, group: str) -> None:
    assert group_of(years) == group


def test_groups_can_be_ones_own() -> None:
    groups = (("minor", 0), ("major", 17.5))
    assert checked_groups(groups) is groups
    assert [group_of(years, groups) for years in (17.4, 17.5)] == ["minor", "major"]
    assert checked_groups(GROUPS) is GROUPS


@pytest.mark.parametrize(
    "groups",
    [
        (),
        (("all", 1),),
        (("a", 0), ("b", 20), ("c", 20)),
        (("a", 0), ("b", 20), ("c", 10)),
        (("a", 0), ("b", float("nan"))),
    ],
)
def test_groups_that_do_not_rise_from_0_are_refused(groups: ages.Groups) -> None:
    with pytest.raises(ValueError, match=r"begin at 0 and rise.*; not \("):
        checked_groups(groups)


def test_read_puts_all_of_it_together() -> None:
    rows = np.concatenate([point(5), point(40)])
    child, adult = ages.read(rows, [margin(1)], (("young", 0), ("old", 30)))
    assert (child.years, child.group, adult.years, adult.group) == (5, "young", 40, "old")
    assert [adult.low, adult.high, adult.level] == pytest.approx([38.55, 41.45, 0.9])
    np.testing.assert_array_equal(adult.distribution, rows[1])
    assert ages.read(rows[:0], []) == []
