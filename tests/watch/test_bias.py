"""How a camera reads ages otherwise than the calibration, found by tallies and taken back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.ages import GROUPS
from mien.watch.bias import Bias, measure, moving
from mien.watch.totals import Totals
from mien.watch.visit import BINS, shares

CENTRES = np.arange(BINS) * 5 + 2.5
# Readings of each age lie about it, with a standard deviation of 6 years.
LIKELY = np.exp(-0.5 * ((CENTRES[:, None] - CENTRES) / 6) ** 2)
LIKELY /= LIKELY.sum(axis=0)
# Half are children, half are in their forties.
MIX = np.isin(np.arange(BINS), [1, 8, 9]) * np.where(np.arange(BINS) == 1, 0.5, 0.25)


def tallied(offset: float, slope: float, people: int) -> Bias:
    """Return what a tally of so many people finds of a camera with such a bias."""
    read = LIKELY @ MIX @ moving(np.array([offset]), np.array([slope]))[0]
    taps = MIX @ shares(GROUPS)
    return measure(people * read, people * taps, LIKELY, GROUPS, 1000, np.random.default_rng(0))


@given(st.floats(-20, 20), st.floats(0.5, 2), st.integers(0, BINS - 1))
def test_nobody_is_lost_when_ages_move(offset: float, slope: float, place: int) -> None:
    moved = moving(np.array([offset]), np.array([slope]))[0, place]
    assert moved.sum() == pytest.approx(1)
    assert (moved >= 0).all()


def test_ages_move_by_the_offset_and_about_the_pivot() -> None:
    older = moving(np.array([10.0]), np.array([1.0]))[0]
    together = moving(np.array([0.0]), np.array([0.5]))[0]

    assert older[4].tolist() == np.eye(BINS)[6].tolist()
    assert older[-1, -1] == 1
    assert together[[0, 7, 13]].argmax(axis=1).tolist() == [3, 7, 10]


def test_undoing_takes_a_bias_back() -> None:
    bias = Bias(np.array([5.0]), np.array([1.0]))
    read = Totals(count=3, read={12: 1, 30: 1, 62: 1})

    assert np.eye(BINS)[8] @ bias.undoing[0] == pytest.approx(np.eye(BINS)[7])
    assert bias.undone(np.array([40.0, 3.0])).tolist() == [35, 0]
    assert bias.groups(read, GROUPS).tolist() == [1, 0, 1, 1, 0]


@pytest.mark.parametrize(("offset", "slope"), [(8, 1), (-8, 1), (0, 0.7)])
def test_a_tally_finds_a_large_bias(offset: float, slope: float) -> None:
    found = tallied(offset, slope, 100)

    assert found.centre.offset[0] == pytest.approx(offset, abs=3.5)
    assert found.centre.slope[0] == pytest.approx(slope, abs=0.15)
    low, high = np.quantile(found.offset, [0.05, 0.95])
    assert low <= offset <= high


def test_few_people_move_it_less_than_many() -> None:
    few, many = (abs(tallied(-8, 1, people).centre.offset[0]) for people in (5, 100))
    assert few < 0.7 * many


@pytest.mark.parametrize("people", [20, 100])
def test_where_taps_and_readings_agree_there_is_none(people: int) -> None:
    found = tallied(0, 1, people)

    assert abs(found.centre.offset[0]) < 0.7
    assert found.centre.slope[0] == pytest.approx(1, abs=0.05)
    assert np.mean(found.offset == 0) > 0.5


def test_ages_within_a_tapped_group_stay_open() -> None:
    # All taps are adults: whether they are read as 42 or as 52, nothing contradicts that.
    taps = np.array([0, 0, 0, 60, 0])
    young, old = (
        measure(
            60 * LIKELY[:, place], taps, LIKELY, GROUPS, 500, np.random.default_rng(0)
        ).centre.offset[0]
        for place in (8, 10)
    )
    assert abs(young) < 2
    assert abs(old) < 2
