"""Figures of merit against tables worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.evaluation.metrics import AgeErrors, ClassErrors, age_errors, class_errors, confusion


def test_ages() -> None:
    truth = np.array([10.0, 20.0, 30.0, 40.0])
    years = np.array([12.0, 15.0, 30.0, 50.5])  # off by 2, -5, 0, 10.5
    low = np.array([10.0, 10.0, 31.0, 30.0])  # the third lies outside
    high = np.array([14.0, 20.0, 35.0, 61.0])
    assert age_errors(truth, years, low, high) == AgeErrors(
        mae=(2 + 5 + 0 + 10.5) / 4,
        median=3.5,
        within5=0.75,
        bias=(2 - 5 + 0 + 10.5) / 4,
        coverage=0.75,
        width=(4 + 10 + 4 + 31) / 4,
    )


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
    found = class_errors(truth, probabilities)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    # Confidence 0.9: 2 of 3 right; confidence 0.5: 2 of 3 right.
    assert found.calibration_error == pytest.approx((0.9 - 2 / 3) / 2 + (2 / 3 - 0.5) / 2)


def test_a_class_that_does_not_occur_counts_for_nothing() -> None:
    probabilities = np.array([[1.0, 0, 0], [1.0, 0, 0]])
    found = class_errors(np.array([0, 2]), probabilities)
    assert found == ClassErrors(accuracy=0.5, balanced_accuracy=0.5, calibration_error=0.5)


def test_full_confidence_that_is_right_is_calibrated() -> None:
    found = class_errors(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert found == ClassErrors(accuracy=1, balanced_accuracy=1, calibration_error=0)


def test_confusion() -> None:
    found = confusion(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 2]), 4)
    assert found.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50))
def test_a_confusion_holds_the_accuracies(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs, np.int64).T
    counts = confusion(truth, predicted, 5)
    found = class_errors(truth, np.eye(5)[predicted])
    assert counts.sum() == len(pairs)
    assert counts.sum(axis=1).tolist() == np.bincount(truth, minlength=5).tolist()
    assert counts.trace() / len(pairs) == pytest.approx(found.accuracy)
    occur = counts.sum(axis=1) > 0
    recalls = counts.diagonal()[occur] / counts.sum(axis=1)[occur]
    assert recalls.mean() == pytest.approx(found.balanced_accuracy)
    assert found.calibration_error == pytest.approx(1 - found.accuracy)


def test_nothing_to_measure() -> None:
    none = np.array([])
    with pytest.raises(ValueError, match="nothing to measure"):
        age_errors(none, none, none, none)
    with pytest.raises(ValueError, match="nothing to measure"):
        class_errors(none.astype(np.int64), np.empty((0, 3)))
