"""Figures of merit from predictions and true labels; each a function of sums over the pictures."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Classes = NDArray[np.int64]
Rows = NDArray[np.bool_] | NDArray[np.int64]

BINS: Final = 15
"""Into how many equal bins of confidence answers are sorted."""


@dataclass(frozen=True, eq=False)
class Measure:
    """What N pictures contribute to some figures.

    Being sums, the contributions give the figures of any part or resample of the pictures by one
    matrix product.

    Attributes:
        names: The figures, in order.
        sums: N x K, what each picture adds to the sums.
        figures: From R x K sums to R values of each figure but the medians; nan where a figure
            has no meaning.
        medians: Figures that are medians, with N values each.
    """

    names: tuple[str, ...]
    sums: Numbers
    figures: Callable[[Numbers], dict[str, Numbers]]
    medians: dict[str, Numbers] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sums)

    def part(self, rows: Rows) -> "Measure":
        """Return the measure of some of the pictures: a mask, or indices."""
        medians = {name: values[rows] for name, values in self.medians.items()}
        return replace(self, sums=self.sums[rows], medians=medians)

    def values(self) -> dict[str, float]:
        """Return the figures over all N pictures.

        Raises:
            ValueError: N is 0.
        """
        if not len(self):
            raise ValueError("there is nothing to measure: no labels were given")
        found = {name: float(row[0]) for name, row in self.figures(self.sums.sum(0)[None]).items()}
        found |= {name: float(np.median(values)) for name, values in self.medians.items()}
        return {name: found[name] for name in self.names}


def means(**values: NDArray[np.generic]) -> Measure:
    """Return a measure whose figures are the means of N values each."""
    names = tuple(values)
    columns = [np.ones(len(column)) for column in list(values.values())[:1]]
    columns += [np.asarray(column, np.float64) for column in values.values()]

    def figures(sums: Numbers) -> dict[str, Numbers]:
        return {name: sums[:, k] / sums[:, 0] for k, name in enumerate(names, start=1)}

    return Measure(names, np.stack(columns, axis=1), figures)


def age_measure(truth: Numbers, years: Numbers, low: Numbers, high: Numbers) -> Measure:
    """Return the errors of N ages.

    The figures: `mae`, mean absolute error; `median`, median absolute error; `within5`, share of
    estimates that are off by 5 years or less; `bias`, mean of estimate minus truth; `coverage`,
    share of intervals that hold the truth; `width`, mean width of the intervals.

    Args:
        truth: N true ages in years.
        years: N estimates.
        low: N lower ends of the intervals.
        high: N upper ends.
    """
    errors = np.abs(years - truth)
    measure = means(
        mae=errors,
        within5=errors <= 5,
        bias=years - truth,
        coverage=(low <= truth) & (truth <= high),
        width=high - low,
    )
    names = ("mae", "median", "within5", "bias", "coverage", "width")
    return replace(measure, names=names, medians={"median": errors})


def interval_measure(first: Numbers, last: Numbers, years: Numbers) -> Measure:
    """Return how often the whole year of N estimates lies where the age is known to lie.

    The figure is `in_interval`; where the intervals are the bins of a data set, it is the accuracy
    over these bins.

    Args:
        first: N first years that the age may be.
        last: N last years.
        years: N estimates.
    """
    whole = np.floor(years)
    return means(in_interval=(first <= whole) & (whole <= last))


def regression_measure(truth: Numbers, found: Numbers) -> Measure:
    """Return the errors of N numbers.

    The figures: `mae`; `rmse`, root of the mean squared error; `r2`, share of the variance that is
    explained, nan where the truth does not vary; `bias`, mean of estimate minus truth.

    Args:
        truth: N true numbers.
        found: N estimates.
    """
    error = found - truth
    # About its mean, so that no digit is lost where the spread is small.
    centred = truth - (truth.mean() if len(truth) else 0.0)
    columns = [np.ones(len(truth)), np.abs(error), error, error**2, centred, centred**2]

    def figures(sums: Numbers) -> dict[str, Numbers]:
        count, absolute, signed, squared, first, second = sums.T
        spread = second - first**2 / count
        varied = spread > 1e-12 * np.maximum(second, np.finfo(np.float64).tiny)
        unexplained = np.divide(squared, spread, out=np.full(len(sums), np.nan), where=varied)
        return {
            "mae": absolute / count,
            "rmse": np.sqrt(squared / count),
            "r2": 1 - unexplained,
            "bias": signed / count,
        }

    return Measure(("mae", "rmse", "r2", "bias"), np.stack(columns, axis=1), figures)


def balanced_measure(errors: Numbers, groups: Classes) -> Measure:
    """Return the error of N numbers when every group counts alike.

    The figure is `balanced_mae`: the mean over the groups that occur of each one's mean absolute
    error. Of ages by decade it says what the rare ages are worth, which the plain mean hides.

    Args:
        errors: N absolute errors.
        groups: N groups, by index from 0.
    """
    own = np.eye(int(groups.max(initial=0)) + 1)[groups]

    def figures(sums: Numbers) -> dict[str, Numbers]:
        count, absolute = np.split(sums, 2, axis=1)
        return {"balanced_mae": _mean(absolute / np.maximum(count, 1), count > 0)}

    sums = np.concatenate([own, own * errors[:, np.newaxis]], axis=1)
    return Measure(("balanced_mae",), sums, figures)


def class_measure(truth: Classes, probabilities: NDArray[np.floating[Any]]) -> Measure:
    """Return how often N classifications are right.

    The figures: `accuracy`, share of right answers; `balanced_accuracy`, mean over the classes
    that occur of each one's share of right answers; `calibration_error`, expected calibration
    error, how far confidence lies from accuracy over 15 bins of confidence (Guo et al. 2017);
    `macro_precision` and `macro_f1`, means over the classes that occur.

    Args:
        truth: N true classes by index.
        probabilities: N x classes.
    """
    predicted = probabilities.argmax(axis=1)
    right = predicted == truth
    confidence = probabilities.max(axis=1).astype(np.float64)
    classes = np.eye(probabilities.shape[1])
    gaps = (right - confidence)[:, None] * np.eye(BINS)[bins(confidence)]
    parts = [
        np.ones((len(truth), 1)),
        gaps,
        classes[truth],
        classes[predicted],
        classes[truth] * right[:, None],
    ]
    edges = np.cumsum([part.shape[1] for part in parts])[:-1]

    def figures(sums: Numbers) -> dict[str, Numbers]:
        count, gap, support, read, hits = np.split(sums, edges, axis=1)
        occurs = support > 0
        recall, precision = hits / np.maximum(support, 1), hits / np.maximum(read, 1)
        f1 = 2 * hits / np.maximum(support + read, 1)
        return {
            "accuracy": hits.sum(1) / count[:, 0],
            "balanced_accuracy": _mean(recall, occurs),
            "calibration_error": np.abs(gap).sum(1) / count[:, 0],
            "macro_precision": _mean(precision, occurs),
            "macro_f1": _mean(f1, occurs),
        }

    names = ("accuracy", "balanced_accuracy", "calibration_error", "macro_precision", "macro_f1")
    return Measure(names, np.concatenate(parts, axis=1), figures)


def bins(confidence: NDArray[np.floating[Any]]) -> Classes:
    """Return the bin of each confidence from 0 to 1, by index."""
    return np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)


def _mean(values: Numbers, which: NDArray[np.bool_]) -> Numbers:
    found: Numbers = (values * which).sum(1) / which.sum(1)
    return found
