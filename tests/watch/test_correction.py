"""Corrected totals: on made-up models whose confusions are known, and on the packaged one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.ages import GROUPS
from mien.watch.bias import Bias, moving
from mien.watch.calibration import Calibration, of_card, packaged
from mien.watch.correction import Corrected, Corrector, expect, group_totals
from mien.watch.totals import UNIT, Totals, added, bin_of
from mien.watch.visit import BINS
from tests.tiny import face_card

NAMES = [name for name, _ in GROUPS]
CENTRES = np.arange(BINS) * 5 + 2


def made(count: int, seed: int, ages: NDArray[np.int64] | None = None) -> Calibration:
    """Return faces that a perfectly calibrated model reads through noise of 8 years."""
    rng = np.random.default_rng(seed)
    prior = np.exp(-0.5 * ((CENTRES - 30) / 18) ** 2)
    prior /= prior.sum()
    truth = np.asarray(
        ages
        if ages is not None
        else 5 * rng.choice(BINS, count, p=prior) + rng.integers(0, 5, count),
        np.int64,
    )
    seen = truth + rng.normal(0, 8, len(truth))
    ages_of = np.exp(-0.5 * ((seen[:, None] - CENTRES) / 8) ** 2) * prior
    ages_of /= ages_of.sum(axis=1, keepdims=True)
    years = np.asarray(ages_of @ CENTRES, np.float64)
    return Calibration(truth, years, ages_of, np.ones(len(truth), bool), prior, {})


def stored(faces: Calibration) -> Totals:
    found = Totals(count=len(faces.truth))
    for years, ages in zip(faces.years, faces.ages, strict=True):
        found.read[int(years)] = found.read.get(int(years), 0) + 1
        place = bin_of(years)
        sums = found.sums.get(place, [0] * BINS)
        found.sums[place] = [a + round(b * UNIT) for a, b in zip(sums, ages, strict=True)]
    return found


def values(found: Corrected) -> NDArray[np.float64]:
    return np.array([found.corrected[name].value for name in NAMES])


def adjusted(found: Corrected) -> NDArray[np.float64]:
    return np.array(list((found.adjusted or {}).values()))


def test_children_and_old_people_are_found_behind_middling_readings() -> None:
    known = made(4000, 1)
    ages = np.repeat([7, 72], [300, 100])
    door = made(0, 2, ages)

    found = Corrector(known)(stored(door))

    truth = np.array([300, 0, 0, 0, 100])
    raw = np.array(list(found.raw.values()))
    adjusted = np.array(list((found.adjusted or {}).values()))
    assert np.abs(values(found) - truth).sum() < 0.4 * np.abs(raw - truth).sum()
    assert np.abs(adjusted - truth).sum() < 0.4 * np.abs(raw - truth).sum()
    assert values(found).sum() == pytest.approx(400)
    assert adjusted.sum() == pytest.approx(400)


def test_the_mix_of_the_calibration_stays_as_it_is() -> None:
    known = made(4000, 1)

    found = Corrector(known)(stored(known))

    truth = np.bincount(np.searchsorted([f for _, f in GROUPS], known.truth, "right") - 1)
    assert values(found) == pytest.approx(truth, abs=0.02 * 4000)


@pytest.mark.parametrize("seed", range(3))
def test_ends_stand_about_the_value_and_widen_with_doubt_of_the_calibration(seed: int) -> None:
    door = made(200, 10 + seed)
    sure, unsure = Corrector(made(4000, 1)), Corrector(made(200, 1))

    certain, doubtful = sure(stored(door)), unsure(stored(door))

    for found in (certain, doubtful):
        assert all(e.low <= e.value <= e.high for e in found.corrected.values())

    widths = [sum(e.high - e.low for e in f.corrected.values()) for f in (certain, doubtful)]
    assert widths[0] < widths[1]


def test_equal_totals_give_equal_intervals() -> None:
    door = stored(made(100, 3))
    first, second = (Corrector(made(500, 1))(door) for _ in range(2))
    assert first.corrected == second.corrected


def test_readings_that_no_mix_of_ages_explains_are_said() -> None:
    known = made(4000, 1)
    door = made(400, 2)
    narrow = replace(
        door, years=np.full(400, 47.0), ages=np.tile(np.eye(BINS)[bin_of(47)], (400, 1))
    )
    correct = Corrector(known)

    good, odd = correct(stored(door)), correct(stored(narrow))

    assert good.warning == ""
    assert good.fit is not None
    assert good.fit > 0.01
    assert "tally at the door" in odd.warning


def test_the_warning_is_rare_where_the_assumption_holds() -> None:
    known = made(3000, 1)
    correct = Corrector(known, resamples=100)
    warned = [bool(correct(stored(made(150, 50 + day))).warning) for day in range(40)]
    assert sum(warned) <= 2


def test_nobody_is_nobody() -> None:
    found = Corrector(packaged())(Totals())
    assert set(found.raw.values()) == {0}
    assert {(e.value, e.low, e.high) for e in found.corrected.values()} == {(0, 0, 0)}
    assert found.warning == ""


def test_without_faces_the_card_alone_corrects() -> None:
    card = face_card(priors={"age": [1 / 101] * 101})
    door = stored(made(300, 3))

    found = Corrector(of_card(card))(door)

    assert (found.adjusted, found.fit, found.warning) == (None, None, "")
    assert found.misfit is None
    assert values(found).sum() == pytest.approx(300)


def test_people_who_never_face_the_camera_are_added_where_a_tally_knows_them() -> None:
    capture = np.full((50, 5), 0.5)
    found = Corrector(made(2000, 1))(stored(made(200, 4)), capture)

    assert found.passed is not None
    for name in NAMES:
        assert found.passed[name].value == pytest.approx(2 * found.corrected[name].value)
        assert found.passed[name].high >= found.passed[name].low


def test_what_a_camera_reads_otherwise_is_taken_back_where_tallies_know_it() -> None:
    door = made(400, 5)
    ages = door.ages @ moving(np.array([-10.0]), np.ones(1))[0]
    read = stored(replace(door, years=np.maximum(door.years - 10, 0), ages=ages))
    bias = Bias(np.full(20, -10.0), np.ones(20))
    correct = Corrector(made(4000, 1))

    plain, found = correct(read), correct(read, biased=[(read, bias)])

    truth = np.bincount(np.searchsorted([f for _, f in GROUPS], door.truth, "right") - 1)
    for before, after in (
        (values(plain), values(found)),
        (adjusted(plain), adjusted(found)),
    ):
        assert np.abs(after - truth).sum() < 0.5 * np.abs(before - truth).sum()
    assert found.raw == plain.raw
    assert values(found).sum() == pytest.approx(400)


def test_only_the_part_that_a_tally_knows_is_moved() -> None:
    known, other = stored(made(200, 5)), stored(made(200, 6))
    correct = Corrector(made(4000, 1))
    none = Bias(np.zeros(20), np.ones(20))

    plain = correct(added([known, other]))
    found = correct(added([known, other]), biased=[(known, none)])

    assert values(found) == pytest.approx(values(plain))
    assert found.adjusted == pytest.approx(plain.adjusted)
    assert (found.fit, found.misfit) == (plain.fit, plain.misfit)


def test_expectation_maximisation_finds_known_shares() -> None:
    # Two kinds of people who are read right four times in five.
    likelihood = np.zeros((1, 2, BINS))
    likelihood[0, :, 0], likelihood[0, :, 1] = (0.8, 0.2), (0.2, 0.8)
    read = np.array([[0.8 * 900 + 0.2 * 100, 0.2 * 900 + 0.8 * 100]])

    found = expect(read, likelihood, pseudo=1e-9)

    assert found[0, :2] == pytest.approx([900, 100], abs=1)


@given(st.lists(st.floats(0, 100), min_size=BINS, max_size=BINS))
def test_nobody_is_lost_between_bins_and_groups(bins: list[float]) -> None:
    row = np.array([bins])
    found = group_totals(row, GROUPS)
    assert found.sum() == pytest.approx(row.sum())
    assert (found >= 0).all()


def test_a_cut_bin_goes_where_its_neighbours_are() -> None:
    bins = np.zeros((2, BINS))
    bins[:, 2] = 10
    bins[0, 1], bins[1, 3] = 100, 100

    children, teens = group_totals(bins, GROUPS)[:, 0] - [100, 0]

    assert children > 9
    assert teens < 2


def test_the_packaged_calibration_is_that_of_the_packaged_model() -> None:
    assert packaged().mismatch("face") is None
    assert len(packaged().truth) > 1500
    assert "test" not in packaged().about["part"]
