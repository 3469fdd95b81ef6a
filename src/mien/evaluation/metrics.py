"""Figures of merit from predictions and true labels; arrays in, numbers out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Classes = NDArray[np.int64]


@dataclass(frozen=True)
class AgeErrors:
    """How far age estimates lie from the truth, in years.

    Attributes:
        mae: Mean absolute error.
        median: Median absolute error.
        within5: Share of estimates that are off by 5 years or less.
        bias: Mean of estimate minus truth.
        coverage: Share of intervals that hold the truth.
        width: Mean width of the intervals.
    """

    mae: float
    median: float
    within5: float
    bias: float
    coverage: float
    width: float


def age_errors(truth: Numbers, years: Numbers, low: Numbers, high: Numbers) -> AgeErrors:
    """Return the errors of N ages.

    Args:
        truth: N true ages in years.
        years: N estimates.
        low: N lower ends of the intervals.
        high: N upper ends.

    Raises:
        ValueError: N is 0.
    """
    _check(truth)
    errors = np.abs(years - truth)
    return AgeErrors(
        mae=float(errors.mean()),
        median=float(np.median(errors)),
        within5=float((errors <= 5).mean()),
        bias=float((years - truth).mean()),
        coverage=float(((low <= truth) & (truth <= high)).mean()),
        width=float((high - low).mean()),
    )


@dataclass(frozen=True)
class ClassErrors:
    """How often classes are told right.

    Attributes:
        accuracy: Share of right answers.
        balanced_accuracy: Mean over the classes that occur of each one's share of right answers.
        calibration_error: Expected calibration error: how far confidence lies from accuracy,
            over 15 bins of confidence (Guo et al. 2017).
    """

    accuracy: float
    balanced_accuracy: float
    calibration_error: float


def class_errors(truth: Classes, probabilities: NDArray[np.floating[Any]]) -> ClassErrors:
    """Return the errors of N classifications.

    Args:
        truth: N true classes by index.
        probabilities: N x classes.

    Raises:
        ValueError: N is 0.
    """
    _check(truth)
    right = probabilities.argmax(axis=1) == truth
    recalls = [right[truth == label].mean() for label in np.unique(truth)]
    return ClassErrors(
        accuracy=float(right.mean()),
        balanced_accuracy=float(np.mean(recalls)),
        calibration_error=_calibration_error(right, probabilities.max(axis=1)),
    )


def confusion(truth: Classes, predicted: Classes, classes: int) -> NDArray[np.int64]:
    """Return counts, classes x classes: true ones down, predicted ones across."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def _calibration_error(right: NDArray[np.bool_], confidence: NDArray[np.floating[Any]]) -> float:
    bins = np.minimum((confidence * 15).astype(int), 14)
    gaps = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _check(truth: Numbers | Classes) -> None:
    if not len(truth):
        raise ValueError("there is nothing to measure: no labels were given")
