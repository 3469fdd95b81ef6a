"""Calibration recovers what data was made with, and holds on fresh data made the same way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from mien import ages
from mien.evaluation.calibration import (
    age_margins,
    fit_scaling,
    temperature,
    vector_scaling,
)

Numbers = NDArray[np.float64]

torch.set_num_threads(1)


def softmax(scores: Numbers) -> Numbers:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("wanted", [0.5, 1.0, 2.5])
def test_the_temperature_that_the_scores_were_spoilt_by(wanted: float) -> None:
    rng = np.random.default_rng(0)
    honest = 2 * rng.normal(size=(8000, 5))
    draws = rng.random((8000, 1))
    truth = (softmax(honest).cumsum(axis=1) < draws).sum(axis=1).astype(np.int64)
    # The estimate's spread at 8,000 pictures is about 0.02 of its value.
    assert temperature(honest * wanted, truth) == pytest.approx(wanted, rel=0.06)


def test_the_temperature_makes_the_truth_most_likely() -> None:
    rng = np.random.default_rng(1)
    scores = 4 * rng.normal(size=(300, 4))
    truth = rng.integers(0, 4, 300)
    truth[:200] = scores[:200].argmax(axis=1)
    found = temperature(scores, truth)

    def likelihood(value: float) -> float:
        return float(np.log(softmax(scores / value)[np.arange(300), truth]).mean())

    others = np.geomspace(0.2, 5, 200)
    assert likelihood(found) >= max(map(likelihood, others)) - 1e-9
    assert 0.3 < found < 4


@pytest.mark.parametrize(("sign", "wanted"), [(1, 0.2), (-1, 5)])
def test_a_temperature_has_bounds(sign: float, wanted: float) -> None:
    scores = np.eye(3) * 3 * sign
    assert temperature(scores, np.arange(3)) == pytest.approx(wanted, rel=1e-3)


def draws(scores: Numbers, seed: int) -> NDArray[np.int64]:
    """Return a class a row, drawn from what the scores say."""
    shares = np.random.default_rng(seed).random((len(scores), 1))
    return np.asarray((softmax(scores).cumsum(axis=1) < shares).sum(axis=1), np.int64)


def test_the_scales_and_biases_that_the_scores_were_spoilt_by() -> None:
    honest = 2 * np.random.default_rng(0).normal(size=(20_000, 3))
    truth = draws(honest, 1)
    scale, bias = np.array([0.5, 1.0, 2.0]), np.array([1.0, -1.0, 0.0])
    found_scale, found_bias = vector_scaling((honest - bias) / scale, truth)
    assert found_scale == pytest.approx(scale, rel=0.06)
    # A bias that all classes share changes nothing.
    assert found_bias - found_bias[2] == pytest.approx(bias, abs=0.08)


def test_the_scaling_is_the_best_by_another_search() -> None:
    """The same penalised likelihood, written plainly and searched without gradients given."""
    rng = np.random.default_rng(2)
    scores = 3 * rng.normal(size=(400, 3))
    truth = draws(scores / 2 + [0.5, 0, -1], 3)
    start = temperature(scores, truth)

    def loss(numbers: Numbers) -> float:
        likely = softmax(scores * np.exp(numbers[:3]) / start + numbers[3:])
        surprise = log_loss(truth, likely, labels=range(3), normalize=False)
        return float(surprise + 30 / 2 * (numbers**2).sum())

    best = minimize(loss, np.zeros(6), method="BFGS").x
    scale, bias = fit_scaling(scores / start, truth, 30)
    assert scale == pytest.approx(np.exp(best[:3]), rel=1e-3)
    assert bias == pytest.approx(best[3:], abs=1e-3)


def test_of_two_classes_it_is_a_logistic_regression() -> None:
    """With pictures in plenty the prior does not count, and only the difference has a meaning."""
    scores = np.random.default_rng(0).normal(size=(20_000, 2))
    truth = draws(scores * [0.7, 1.8] + [0.3, -0.3], 4)
    (first, second), bias = vector_scaling(scores, truth)
    plain = LogisticRegression(C=np.inf).fit(scores, truth)
    assert [-first, second] == pytest.approx(plain.coef_[0].tolist(), abs=0.03)
    assert bias[1] - bias[0] == pytest.approx(plain.intercept_[0], abs=0.03)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(2, 6), st.floats(0.1, 8))
def test_scaling_is_never_less_likely_than_a_temperature(
    seed: int, count: int, classes: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = spread * rng.normal(size=(count, classes)).astype(np.float32)
    truth = rng.integers(0, rng.integers(1, classes + 1), count)
    scale, bias = vector_scaling(scores, truth)
    assert (scale > 0).all()
    by_scaling, by_temperature = (
        -np.log(softmax(raised.astype(np.float64))[np.arange(count), truth]).mean()
        for raised in (scores * scale + bias, scores / temperature(scores, truth))
    )
    assert by_scaling <= by_temperature + 1e-9


def test_few_pictures_move_little() -> None:
    """Eight pictures stay near the temperature; as many hundred that say the same do not."""
    scores = np.random.default_rng(0).normal(size=(8, 3))
    truth = np.array([2, 2, 2, 2, 0, 1, 2, 0])
    scale, bias = vector_scaling(scores, truth)
    assert np.abs(np.log(scale * temperature(scores, truth))).max() < 0.1
    assert np.abs(bias).max() < 0.1
    _, far = vector_scaling(np.tile(scores, (100, 1)), np.tile(truth, 100))
    assert far[2] - far[1] > 5 * (bias[2] - bias[1]) > 0.1


def test_what_only_chance_says_moves_little() -> None:
    """Where the temperature says it all the strongest prior serves the pictures left out best."""
    scores = 2 * np.random.default_rng(5).normal(size=(300, 4))
    truth = draws(scores, 6)
    scale, bias = vector_scaling(scores, truth)
    free_scale, free_bias = fit_scaling(scores / temperature(scores, truth), truth, 1e-6)
    assert np.abs(bias).max() < 0.5 * np.abs(free_bias).max()
    moved = np.log(scale * temperature(scores, truth))
    assert np.abs(moved).max() < 0.5 * np.abs(np.log(free_scale)).max()


def test_a_class_that_never_occurs_keeps_finite_numbers() -> None:
    scores = np.random.default_rng(0).normal(size=(200, 3))
    scale, bias = vector_scaling(scores, np.zeros(200, np.int64))
    assert np.isfinite([scale, bias]).all()
    assert bias.argmax() == 0


def test_scaling_again_gives_the_same_numbers() -> None:
    scores = np.random.default_rng(0).normal(size=(200, 3))
    truth = draws(scores, 0)
    first, again = vector_scaling(scores, truth), vector_scaling(scores, truth)
    assert np.array_equal(first, again)


def estimates(
    count: int, seed: int, spread: float = 3, error: float = 6, oldest: float = 95
) -> tuple[Numbers, Numbers]:
    """Return N distributions that claim to be off by `spread` years, and ages off by `error`."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(3, oldest, count)
    truth = np.clip(centre + error * rng.normal(size=count), 0, 120)
    curves = np.exp(-0.5 * ((np.arange(101) - centre[:, np.newaxis]) / spread) ** 2)
    return curves / curves.sum(axis=1, keepdims=True), truth


@pytest.mark.parametrize(("spread", "error"), [(3, 6), (9, 6), (6, 6)])
def test_intervals_hold_as_often_as_they_say(spread: float, error: float) -> None:
    """Too bold, too shy, and honest distributions: all are brought to 90 % in every group."""
    margins = age_margins(*estimates(4000, 1, spread, error))
    assert [margin.from_age for margin in margins] == [0, 13, 18, 36, 60]
    assert all(margin.level == 0.9 for margin in margins)
    fresh, truth = estimates(20_000, 2, spread, error)
    low, high = ages.intervals(fresh, margins)
    inside = (low <= truth) & (truth <= high)
    # 4,000 calibration pictures leave a spread of about 0.006 over all, 0.02 in the small groups.
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    for first, last in zip([0, 13, 18, 36, 60], [13, 18, 36, 60, 200], strict=True):
        group = (first <= truth) & (truth < last)
        assert inside[group].mean() == pytest.approx(0.9, abs=0.06)


def test_people_who_are_taken_for_others_are_held_too() -> None:
    """Of the teens two thirds look like youths, with some doubt; margins guard the true group."""
    rng = np.random.default_rng(5)
    truth = np.repeat([15.0, 25.0], [300, 2700])
    taken = np.where((truth < 18) & (rng.random(3000) < 2 / 3), 23.0, truth)
    doubt = np.where(taken == truth, 0.02, 0.3)
    curves = np.exp(-0.5 * ((np.arange(101) - taken[:, np.newaxis]) / 1.5) ** 2)
    curves /= curves.sum(axis=1, keepdims=True)
    distributions = (1 - doubt[:, np.newaxis]) * curves
    distributions[:, 16] += doubt
    low, high = ages.intervals(distributions, age_margins(distributions, truth))
    inside = (low <= truth) & (truth <= high)
    assert inside[truth < 18].mean() > 0.85


def test_margins_have_the_sign_of_the_error() -> None:
    too_bold, too_shy = (age_margins(*estimates(3000, 3, spread, 6)) for spread in (2, 12))
    assert all(margin.margin > 3 for margin in too_bold)
    # Nobody is younger than 0, so children's distributions lean to what is too old.
    assert all(margin.margin < -2 for margin in too_shy[1:])


def groups(*counts: int) -> list[tuple[float, int]]:
    """Margins for so many children, teens, youths, adults and seniors: first age and pictures."""
    centres = np.repeat([6.0, 15.0, 27.0, 48.0, 70.0], counts)
    distributions = np.eye(101)[centres.astype(int)]
    found = age_margins(distributions, centres)
    assert sum(margin.pictures for margin in found) == sum(counts)
    return [(margin.from_age, margin.pictures) for margin in found]


def test_each_group_of_twenty_has_a_margin_of_its_own() -> None:
    assert groups(20, 20, 20, 20, 20) == [(0, 20), (13, 20), (18, 20), (36, 20), (60, 20)]


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ((20, 19, 20, 20, 19), [(0, 39), (18, 20), (36, 39)]),
        ((0, 0, 0, 3, 100), [(0, 103)]),
        ((3, 100, 100, 100, 100), [(0, 103), (18, 100), (36, 100), (60, 100)]),
        ((0, 0, 500, 500, 0), [(0, 500), (36, 500)]),
        ((0, 0, 0, 200, 0), [(0, 200)]),
        ((3, 3, 3, 3, 3), [(0, 15)]),
        ((0, 0, 0, 0, 1), [(0, 1)]),
        ((12, 12, 12, 60, 12), [(0, 36), (36, 72)]),
    ],
)
def test_smaller_groups_are_joined(
    counts: tuple[int, ...], wanted: list[tuple[float, int]]
) -> None:
    assert groups(*counts) == wanted


@pytest.mark.parametrize(("children", "youths", "wanted"), [(1, 9, [0, 13]), (9, 1, [0, 18])])
def test_a_small_group_joins_the_harder_neighbour(
    children: float, youths: float, wanted: list[float]
) -> None:
    """Ten teens between children and youths whose ages are read off by so many years."""
    truth = np.repeat([6.0, 15.0, 27.0], [200, 10, 200])
    off = np.repeat([children, 5.0, youths], [200, 10, 200])
    found = age_margins(np.eye(101)[(truth + off).astype(int)], truth)
    assert [margin.from_age for margin in found] == wanted
    assert max(margin.pictures for margin in found) == 210


def test_the_margin_counts_the_picture_that_comes() -> None:
    """Of 9 pictures the largest excess is needed for 90 %; of 19 the second largest."""
    for count, rank in ((9, 9), (19, 18), (99, 90)):
        distributions = np.eye(101)[np.full(count, 48)]
        low, high = (ages.quantile(distributions[:1], share)[0] for share in (0.05, 0.95))
        # So small that all are adults.
        excess = np.arange(1.0, count + 1) / 10
        (found,) = age_margins(distributions, high + excess)
        assert found.margin == pytest.approx(rank / 10)
        (found,) = age_margins(distributions, low - excess)
        assert found.margin == pytest.approx(rank / 10)


def test_nothing_to_calibrate_on() -> None:
    none = np.empty(0, np.int64)
    with pytest.raises(ValueError, match="no picture with a label"):
        age_margins(np.empty((0, 101)), np.empty(0))
    with pytest.raises(ValueError, match="no picture with a label"):
        temperature(np.empty((0, 3)), none)
    with pytest.raises(ValueError, match="no picture with a label"):
        vector_scaling(np.empty((0, 3)), none)
