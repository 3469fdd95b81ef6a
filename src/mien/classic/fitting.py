"""Features -> fitted classifiers and regressors: chosen, calibrated, and measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.card import Card, Metric
from mien.classic.choosing import FALLING, Clock, Plan, Tried, best, fitted, folds_of, tried
from mien.classic.estimators import Estimator, named
from mien.classic.learning import Material
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError
from mien.evaluation.bootstrap import Resampling, estimates
from mien.evaluation.calibration import Scaling, temperature_scaling, vector_scaling
from mien.evaluation.evaluate import measure
from mien.evaluation.metrics import balanced_measure
from mien.evaluation.result import Evaluation

LEAST: Final = 1e-6
"""What a probability of a classifier counts as at least, before its logarithm is taken."""


@dataclass(frozen=True, eq=False)
class Answering:
    """A fitted pipeline, and what makes its answers honest.

    Attributes:
        pipeline: scikit-learn's.
        scale: Of a classification: what each class's score is multiplied by, and ...
        shift: ... what is then added, before the softmax. Both empty for numbers.
    """

    pipeline: Any
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return N x classes calibrated probabilities, or N x 1 numbers."""
        if not len(self.scale):
            return np.asarray(self.pipeline.predict(rows), np.float64)[:, np.newaxis]
        return _softmax(scores(self.pipeline, rows) * self.scale + self.shift)


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fitted estimator.

    Attributes:
        estimator: What kind it is.
        plan: How it was fitted.
        figure: The figure that chose its parameters, and ...
        chosen: ... these, with that figure over the left-out folds.
        answering: What answers.
        seconds: How long choosing and fitting took.
        evaluation: What it is worth on the test part.
    """

    estimator: Estimator
    plan: Plan
    figure: str
    chosen: Tried
    answering: Answering
    seconds: float
    evaluation: Evaluation


def fit(
    material: Material,
    card: Card,
    plan: Plan,
    *,
    watch: Watcher = unwatched,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Fitted]:
    """Fit estimators, each with the parameters that cross-validation chooses.

    The folds part the training part by groups of identical pictures, and evenly by class. Only
    what is learnt from is balanced, never a fold that measures. Probabilities are calibrated on
    the validation part, figures measured on the test part, which nothing before has seen.

    Args:
        material: What is learnt from.
        card: What the evaluation is to say of the model; its one task is the material's.
        plan: How.
        watch: Progress over all choices of parameters.
        tell: Gets what a user should know, as that a solver did not converge.

    Returns:
        The fitted ones, the best by cross-validation first.

    Raises:
        DataError: There is no such estimator or parameter, or the pictures are too few.
    """
    figure = plan.figure(material.kind)
    every = named(material.kind, plan.models)
    _check_parameters(every, plan)
    wanted = [one for one in every if _can(one, plan, tell)]
    folds = folds_of(material.train, plan)
    tries = [(one, choice) for one in wanted for choice in one.choices(plan.grid)]
    clock = Clock()
    found: dict[str, list[Tried]] = {one.name: [] for one in wanted}
    refused: dict[str, list[DataError]] = {one.name: [] for one in wanted}
    for one, choice in watch(tries, len(tries)):
        with clock.of(one.name):
            try:
                found[one.name].append(tried(one, choice, plan, material.train, folds, figure))
            except DataError as error:
                refused[one.name].append(error)
    made = []
    for one in wanted:
        if not found[one.name]:
            raise refused[one.name][0]
        # As 25 neighbours among 16 pictures: other values of the parameter were tried.
        for reason in refused[one.name]:
            tell(f"left out: {reason}")
        chosen = best(found[one.name], figure)
        with clock.of(one.name):
            pipeline = fitted(one, chosen.choice, plan, material.train)
        answering = Answering(pipeline, *_calibrated(pipeline, material, plan))
        evaluation = _measured(answering, material, card, plan)
        seconds = clock.seconds[one.name]
        made.append(Fitted(one, plan, figure, chosen, answering, seconds, evaluation))
    for name in clock.unfinished:
        tell(f"{name}: its solver stopped before it converged, with some of its parameters")
    return _sorted(made)


def compare(
    material: Material,
    card: Card,
    plans: Sequence[Plan],
    *,
    watch: Watcher = unwatched,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Fitted]:
    """Fit by several plans, which differ in how classes are balanced, and choose by one figure.

    Args:
        material: What is learnt from.
        card: As for `fit`.
        plans: At least one.
        watch: As for `fit`.
        tell: As for `fit`.

    Returns:
        All that was fitted, the best by cross-validation first.

    Raises:
        DataError: As for `fit`.
    """
    even = next((plan for plan in plans if plan.balance != "none"), plans[0])
    by = even.figure(material.kind)
    same = [replace(plan, by=by) for plan in plans]
    return _sorted([one for p in same for one in fit(material, card, p, watch=watch, tell=tell)])


def _sorted(made: Sequence[Fitted]) -> list[Fitted]:
    return sorted(made, key=lambda one: one.chosen.mean * (1 if one.figure in FALLING else -1))


def scores(pipeline: Any, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return N x classes scores before softmax: log-probabilities, or distances to the border."""
    if hasattr(pipeline, "predict_proba"):
        return np.asarray(np.log(np.maximum(pipeline.predict_proba(rows), LEAST)), np.float64)
    found = np.asarray(pipeline.decision_function(rows), np.float64)
    return found if found.ndim == 2 else np.stack([-found, found], axis=1)


def _check_parameters(wanted: Sequence[Estimator], plan: Plan) -> None:
    known = {name for one in wanted for name in one.parameters()}
    unknown = sorted(plan.grid.keys() - known)
    if unknown:
        raise DataError(
            f"no parameter {unknown[0]!r} in {', '.join(one.name for one in wanted)}; there are "
            f"{', '.join(sorted(known))}"
        )


def _can(one: Estimator, plan: Plan, tell: Callable[[str], None]) -> bool:
    if plan.balance != "weights" or one.weighed:
        return True
    if plan.models != ("all",):
        raise DataError(f"{one.name} knows no weights of pictures; balance by another way")
    tell(f"{one.name} is left out: it knows no weights of pictures")
    return False


def _calibrated(pipeline: Any, material: Material, plan: Plan) -> Scaling:
    """Return what makes a classification's probabilities honest; nothing for numbers."""
    if material.kind == "regression":
        return np.empty(0), np.empty(0)
    part = material.validation
    found = scores(pipeline, part.rows)
    if plan.balance == "none":
        return vector_scaling(found, part.values)
    # Shifts would take the classes back to how frequent they are in the validation part.
    return temperature_scaling(found, part.values)


def _measured(answering: Answering, material: Material, card: Card, plan: Plan) -> Evaluation:
    part, task = material.test, material.task
    output = answering(part.rows).astype(np.float32)
    result = measure(card, material.manifest, "test", {task.name: output}, seed=plan.seed)
    metrics = result.metrics
    if task.kind == "regression":
        errors = np.abs(output[:, 0] - part.values)
        measured = estimates(balanced_measure(errors, part.tens), part.units, Resampling(plan.seed))
        metrics += tuple(
            Metric(task=task.name, name=name, pictures=len(errors), **value._asdict())
            for name, value in measured.items()
        )
    return replace(
        result,
        metrics=metrics,
        split_hash=material.split_hash,
        data_fingerprint=material.data_fingerprint,
    )


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return found
