"""Figures of merit against tables worked out by hand, and against scikit-learn."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference

from mien.evaluation.metrics import (
    Measure,
    age_measure,
    balanced_measure,
    bins,
    class_measure,
    interval_measure,
    means,
    regression_measure,
)

Numbers = NDArray[np.float64]


def test_ages() -> None:
    truth = np.array([10.0, 20.0, 30.0, 40.0])
    years = np.array([12.0, 15.0, 30.0, 50.5])  # off by 2, -5, 0, 10.5
    low = np.array([10.0, 10.0, 31.0, 30.0])  # the third lies outside
    high = np.array([14.0, 20.0, 35.0, 61.0])
    assert age_measure(truth, years, low, high).values() == {
        "mae": (2 + 5 + 0 + 10.5) / 4,
        "median": 3.5,
        "within5": 0.75,
        "bias": (2 - 5 + 0 + 10.5) / 4,
        "coverage": 0.75,
        "width": (4 + 10 + 4 + 31) / 4,
    }


def test_an_estimate_counts_by_its_whole_year() -> None:
    first, last = np.array([20.0] * 5), np.array([29.0] * 5)
    years = np.array([19.9, 20.0, 25.3, 29.9, 30.0])
    measure = interval_measure(first, last, years)
    assert measure.sums[:, 1].tolist() == [0, 1, 1, 1, 0]
    assert measure.values() == {"in_interval": 0.6}


def test_numbers_as_scikit_learn_tells_them() -> None:
    rng = np.random.default_rng(0)
    truth = 1e6 + rng.normal(size=200)
    found = truth + rng.normal(0.3, 0.5, 200)
    assert regression_measure(truth, found).values() == pytest.approx(
        {
            "mae": reference.mean_absolute_error(truth, found),
            "rmse": reference.root_mean_squared_error(truth, found),
            "r2": reference.r2_score(truth, found),
            "bias": np.mean(found - truth),
        }
    )


def test_numbers_that_do_not_vary_have_no_explained_variance() -> None:
    found = regression_measure(np.array([5.1, 5.1, 5.1]), np.array([5.0, 5.1, 5.2])).values()
    assert np.isnan(found["r2"])
    assert found["rmse"] == pytest.approx(np.sqrt(0.02 / 3))


def test_classes() -> None:
    truth = np.array([0, 0, 0, 1, 2, 2])
    probabilities = np.array(
        [
            [0.9, 0.1, 0.0],  # right, sure to 0.9
            [0.9, 0.0, 0.1],  # right
            [0.1, 0.9, 0.0],  # wrong
            [0.0, 0.5, 0.5],  # right, the first of two equals
            [0.5, 0.2, 0.3],  # wrong
            [0.2, 0.3, 0.5],  # right
        ]
    )
    found = class_measure(truth, probabilities).values()
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    # Confidence 0.9: 2 of 3 right; confidence 0.5: 2 of 3 right.
    assert found["calibration_error"] == pytest.approx((0.9 - 2 / 3) / 2 + (2 / 3 - 0.5) / 2)
    assert found["macro_precision"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 2 / 3) / 3)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40),
    st.integers(0, 99),
)
def test_classes_as_scikit_learn_tells_them(pairs: list[tuple[int, int]], seed: int) -> None:
    truth, favoured = np.array(pairs, np.int64).T
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(5), len(pairs))
    probabilities = (probabilities + np.eye(5)[favoured]) / 2
    predicted = probabilities.argmax(axis=1)
    found = class_measure(truth, probabilities).values()
    report = reference.classification_report(
        truth, predicted, labels=np.unique(truth), output_dict=True, zero_division=0
    )
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert found["balanced_accuracy"] == pytest.approx(report["macro avg"]["recall"])
    assert found["macro_precision"] == pytest.approx(report["macro avg"]["precision"])
    assert found["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert found["calibration_error"] == pytest.approx(calibration_error(truth, probabilities))


def calibration_error(truth: NDArray[np.int64], probabilities: Numbers) -> float:
    """The expected calibration error as its definition reads, picture by picture."""
    total = 0.0
    for number in range(15):
        inside = [
            (row.max(), row.argmax() == label)
            for row, label in zip(probabilities, truth, strict=True)
            if number / 15 <= row.max() < (number + 1) / 15
        ]
        if inside:
            confidence, right = np.mean(inside, axis=0)
            total += len(inside) / len(truth) * abs(confidence - right)
    return total


def test_a_class_that_does_not_occur_counts_for_nothing() -> None:
    probabilities = np.array([[1.0, 0, 0], [1.0, 0, 0]])
    found = class_measure(np.array([0, 2]), probabilities).values()
    assert found["balanced_accuracy"] == found["calibration_error"] == 0.5
    assert found["macro_precision"] == 0.25


def test_bins_hold_both_ends() -> None:
    edges = np.array([0.0, 0.06, 0.07, 0.999, 1.0, 1.0000001])
    assert bins(edges).tolist() == [0, 0, 1, 14, 14, 14]


MEASURES: dict[str, Callable[[np.random.Generator], Measure]] = {
    "means": lambda r: means(a=r.normal(size=30), b=r.random(30) < 0.5),
    "ages": lambda r: age_measure(*r.normal(40, 9, (4, 30))),
    "numbers": lambda r: regression_measure(*r.normal(size=(2, 30))),
    "classes": lambda r: class_measure(r.integers(0, 3, 30), r.dirichlet(np.ones(3), 30)),
}


@pytest.mark.parametrize("kind", MEASURES)
def test_a_part_of_a_measure_is_the_measure_of_that_part(kind: str) -> None:
    """By a mask and by indices; so the figures by group are those of the group alone."""
    whole = MEASURES[kind](np.random.default_rng(1))
    mask = np.arange(30) % 3 == 0
    by_mask, by_index = whole.part(mask), whole.part(np.flatnonzero(mask))
    assert len(by_mask) == 10
    assert by_mask.values() == by_index.values()
    assert list(by_mask.values()) == list(whole.names)
    assert by_mask.values() != whole.values()


def test_a_part_has_the_figures_of_its_pictures() -> None:
    truth, years, low, high = np.random.default_rng(1).normal(40, 9, (4, 30))
    part = age_measure(truth, years, low, high).part(np.arange(30) < 7).values()
    alone = age_measure(truth[:7], years[:7], low[:7], high[:7]).values()
    assert part == pytest.approx(alone)


def test_nothing_to_measure() -> None:
    none = np.array([])
    for measure in (
        age_measure(none, none, none, none),
        class_measure(none.astype(np.int64), np.empty((0, 3))),
        regression_measure(none, none),
    ):
        with pytest.raises(ValueError, match="nothing to measure"):
            measure.values()


def test_balanced_error_counts_every_group_alike() -> None:
    errors = np.array([1.0, 1.0, 1.0, 9.0, 5.0, 3.0])
    groups = np.array([0, 0, 0, 3, 2, 2])
    measure = balanced_measure(errors, groups)
    assert measure.values() == {"balanced_mae": pytest.approx((1 + 9 + 4) / 3)}
    # A group that a part lacks does not count.
    assert measure.part(groups != 3).values()["balanced_mae"] == pytest.approx(2.5)
