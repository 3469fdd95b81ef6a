"""The parameters of an estimator chosen by cross-validation on the training part."""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.classic.balance import Balance, balanced, weights
from mien.classic.estimators import Choice, Estimator
from mien.classic.learning import Part
from mien.errors import DataError
from mien.evaluation.metrics import balanced_measure, class_measure, regression_measure

FALLING: Final = ("mae", "balanced_mae", "rmse")
"""The figures that are better where they are lower."""

_FIGURES: Final = {
    "classification": ("accuracy", "balanced_accuracy", "macro_f1"),
    "regression": FALLING,
}

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows to learn from, and rows to measure on."""


@dataclass(frozen=True)
class Plan:
    """How to fit.

    Attributes:
        models: Names of estimators; ("all",) for all of the task's kind.
        balance: How classes (of numbers: groups) are made equally frequent.
        by: The figure that chooses, on the left-out folds; empty: accuracy or mae, or, where
            classes are balanced, balanced_accuracy or balanced_mae.
        folds: Into how many folds cross-validation parts the training part.
        grid: Parameter -> values to try instead of an estimator's own.
        seed: Seed of folds, resampling and estimators.
    """

    models: tuple[str, ...]
    balance: Balance = "none"
    by: str = ""
    folds: int = 5
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    seed: int = 0

    def figure(self, kind: str) -> str:
        """Return the figure that chooses.

        Raises:
            DataError: It is none of the kind's.
        """
        have = _FIGURES[kind]
        wanted = self.by or have[self.balance != "none"]
        if wanted not in have:
            raise DataError(f"no figure {wanted!r} to choose by; there are {', '.join(have)}")
        return wanted


@dataclass(frozen=True)
class Tried:
    """What one choice of parameters was worth on the left-out folds: mean and spread."""

    choice: Choice
    mean: float
    spread: float


class Clock:
    """Counts the seconds that each estimator takes, and which solvers do not converge."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.unfinished: list[str] = []

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Time a block for an estimator."""
        from sklearn.exceptions import ConvergenceWarning

        begun = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun
        for one in caught:
            if not issubclass(one.category, ConvergenceWarning):
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
            elif name not in self.unfinished:
                self.unfinished.append(name)


def folds_of(part: Part, plan: Plan) -> list[Fold]:
    """Part the training part: no copy of a picture on both sides, classes as even as may be.

    Raises:
        DataError: There are fewer than two folds, or than two unlike pictures.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    units = part.units
    count = min(plan.folds, len(np.unique(units)))
    # A class that has fewer pictures than there are folds would be missing from most.
    count = min(count, max(2, int(np.bincount(part.classes).max(initial=0))))
    if count < 2:
        raise DataError("cross-validation needs two folds or more, and as many unlike pictures")
    parting = StratifiedGroupKFold(count, shuffle=True, random_state=plan.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(parting.split(part.rows, part.classes, units))


def fitted(one: Estimator, choice: Choice, plan: Plan, part: Part) -> Any:
    """Return an estimator's pipeline, fitted on a part that is balanced as the plan says.

    Raises:
        DataError: It cannot be fitted with these parameters, or the classes cannot be balanced.
    """
    pipeline = one.build(choice, plan.seed)
    rows, values = balanced(part.rows, part.values, part.classes, plan.balance, plan.seed)
    weighed = {"model__sample_weight": weights(part.classes)} if plan.balance == "weights" else {}
    with _explained(one, choice):
        return pipeline.fit(rows, values, **weighed)


@contextmanager
def _explained(one: Estimator, choice: Choice) -> Iterator[None]:
    """Say which parameters scikit-learn refuses, some of them only when it is asked."""
    try:
        yield
    except ValueError as error:
        told = ", ".join(f"{name}={value}" for name, value in choice.items())
        reason = str(error).partition("\n")[0]
        raise DataError(f"{one.name} cannot be fitted with {told}: {reason:.300}") from error


def tried(
    one: Estimator, choice: Choice, plan: Plan, part: Part, folds: Sequence[Fold], figure: str
) -> Tried:
    """Return what a choice of parameters is worth on the folds that it was not fitted to.

    Predicted labels are learnt, and not measured by.

    Raises:
        DataError: It cannot be fitted, or all labels are predicted.
    """
    found = []
    for inside, outside in folds:
        known = outside[part.known[outside]]
        if not len(known):
            continue
        pipeline = fitted(one, choice, plan, part.some(inside))
        left = part.some(known)
        with _explained(one, choice):
            predicted = pipeline.predict(left.rows)
        found.append(_worth(predicted, left, figure))
    if not found:
        raise DataError(
            "all training labels are predicted: nothing can be chosen by them; label some pictures"
        )
    return Tried(choice, float(np.mean(found)), float(np.std(found)))


def best(found: Sequence[Tried], figure: str) -> Tried:
    """Return the best choice; of equal ones the first."""
    sign = -1 if figure in FALLING else 1
    return max(found, key=lambda one: sign * one.mean)


def _worth(predicted: NDArray[Any], part: Part, figure: str) -> float:
    if figure == "balanced_mae":
        errors = np.abs(predicted - part.values)
        return balanced_measure(errors, part.tens).values()[figure]
    if figure in FALLING:
        return regression_measure(part.values, predicted).values()[figure]
    count = int(max(predicted.max(), part.values.max())) + 1
    return class_measure(part.values, np.eye(count)[predicted]).values()[figure]
