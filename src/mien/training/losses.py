"""Losses of one task each: a value for each sample of a batch, and their mean over those labelled.

A target is N x classes (weights that sum to 1) for a classification, and N x 2 (the first and the
last value that are possible, equal where it is known) for an age or another number; nan where a
label is missing.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.recipe import Task

Loss = Callable[[Tensor, Tensor], Tensor]
"""Scores (N x outputs) and targets, all labelled -> N losses."""

_MEAN_WEIGHT: Final = 0.2
_VARIANCE_WEIGHT: Final = 0.05
_TINY: Final = 1e-8
"""Smaller probabilities of a teacher's count as this one, whose logarithm is finite."""


def loss_of(task: Task, shares: Sequence[float] = ()) -> Loss:
    """Return the loss that a task is trained by.

    Args:
        task: The recipe's task.
        shares: Share of each label in the training part, for balanced class weights.
    """
    if task.kind == "classification":
        weights = class_weights(task, shares)
        gamma = task.gamma if task.trained_by == "focal" else 0.0
        return partial(cross_entropy, smoothing=task.smoothing, gamma=gamma, weights=weights)
    if task.kind == "regression":
        return partial(number_loss, error=_ERRORS[task.trained_by])
    known = _AGE_LOSSES[task.trained_by]
    if known is dldl:
        known = partial(dldl, error_weight=task.error_weight)
    return partial(age_loss, known=known)


def taught_by(task: Task, temperature: float = 1.0) -> Loss:
    """Return the loss against what a teacher says: N x outputs, probabilities or one number.

    For a classification, and for an age's distribution, it is Kullback and Leibler's divergence
    from the teacher's distribution, both softened by a temperature, times its square so that the
    gradients keep their size (Hinton et al. 2015). For a number it is the task's own error.
    """
    if task.kind == "regression":
        error = _ERRORS[task.trained_by]
        return lambda scores, said: error(scores[:, 0], said[:, 0])
    return partial(divergence, temperature=temperature)


def divergence(scores: Tensor, said: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return N divergences of the scores' distributions from given ones.

    Args:
        scores: N x classes (or ages), before softmax.
        said: N x classes (or ages): probabilities.
        temperature: Both are softened by it: probabilities to the power of its inverse.
    """
    softened = functional.log_softmax(said.clamp(min=_TINY).log() / temperature, dim=1)
    logs = functional.log_softmax(scores / temperature, dim=1)
    return temperature**2 * (softened.exp() * (softened - logs)).sum(dim=1)


def mean_loss(
    loss: Loss,
    scores: Tensor,
    target: Tensor,
    partners: Tensor | None = None,
    kept: Tensor | None = None,
) -> Tensor:
    """Return the mean loss over the labelled samples of a batch.

    Args:
        loss: The task's loss.
        scores: N x outputs.
        target: N targets.
        partners: Index of the sample that is mixed into each.
        kept: Share of each sample that is its own; the rest is its partner's.

    Returns:
        A scalar; 0 with a gradient of 0 where every label is missing.
    """
    weights = torch.ones(len(scores), dtype=scores.dtype, device=scores.device)
    if partners is not None and kept is not None:
        scores = torch.cat([scores, scores])
        target = torch.cat([target, target[partners]])
        weights = torch.cat([kept, 1 - kept]).to(scores.dtype)
    known = ~target[:, 0].isnan() & (weights > 0)
    if not known.any():
        # Gradients of 0 flow through it whatever the scores are.
        return scores[:0].sum()
    weights = weights[known]
    return (loss(scores[known].float(), target[known]) * weights).sum() / weights.sum()


def class_weights(task: Task, shares: Sequence[float]) -> tuple[float, ...]:
    """Return the weight of each label; all 1 where the task has none.

    Balanced weights are inverse to the labels' shares, and 1 for a picture on average.
    """
    if task.class_weights == "none":
        return (1.0,) * len(task.labels)
    if task.class_weights == "balanced":
        present = sum(share > 0 for share in shares)
        return tuple(1 / (present * share) if share > 0 else 0.0 for share in shares)
    return tuple(task.class_weights.get(label, 1.0) for label in task.labels)


def cross_entropy(
    scores: Tensor,
    target: Tensor,
    *,
    smoothing: float = 0.0,
    gamma: float = 0.0,
    weights: Sequence[float] = (),
) -> Tensor:
    """Return cross-entropies against label distributions; with `gamma` focal (Lin et al. 2017).

    Args:
        scores: N x classes, before softmax.
        target: N x classes, each row summing to 1.
        smoothing: Share of the target that is spread over all classes.
        gamma: Each class's part is weighted by (1 - its probability) to this power.
        weights: Weight of each class.
    """
    target = target * (1 - smoothing) + smoothing / scores.shape[1]
    logs = functional.log_softmax(scores, dim=1)
    parts = -target * logs
    if gamma:
        parts = parts * (1 - logs.exp()) ** gamma
    if weights:
        parts = parts * torch.tensor(weights, dtype=scores.dtype, device=scores.device)
    return parts.sum(dim=1)


def number_loss(scores: Tensor, target: Tensor, *, error: Loss) -> Tensor:
    """Return the losses of single numbers; within an interval its nearest value is the truth.

    Args:
        scores: N x 1.
        target: N x 2.
        error: Estimates (N) and truths (N) -> N losses.
    """
    values = scores[:, 0]
    nearest = torch.maximum(torch.minimum(values.detach(), target[:, 1]), target[:, 0])
    return error(values, nearest)


def age_loss(scores: Tensor, target: Tensor, *, known: Loss) -> Tensor:
    """Return the losses of age distributions, some of which are known only by an interval.

    Args:
        scores: N x ages, before softmax.
        target: N x 2, years; older than the last age counts as the last age.
        known: Scores and N known ages -> N losses.
    """
    target = target.clamp(max=scores.shape[1] - 1)
    exact = target[:, 0] == target[:, 1]
    losses = torch.empty(len(scores), dtype=scores.dtype, device=scores.device)
    losses[exact] = known(scores[exact], target[exact, 0])
    losses[~exact] = interval_surprise(scores[~exact], target[~exact])
    return losses


def interval_surprise(scores: Tensor, target: Tensor) -> Tensor:
    """Return minus the log-probability that an age lies in an interval.

    Args:
        scores: N x ages, before softmax.
        target: N x 2, the interval's first and last year.

    Returns:
        N numbers of at least 0.
    """
    years = _years(scores)
    inside = (years >= target[:, :1].floor()) & (years <= target[:, 1:].ceil())
    logs = functional.log_softmax(scores, dim=1)
    return -torch.logsumexp(logs.masked_fill(~inside, -torch.inf), dim=1)


def age_distribution(ages: Tensor, count: int) -> Tensor:
    """Return label distributions for ages: normal curves over whole years.

    Their width grows with the age, 1.5 + 0.03 age years, as people's guesses do (label
    distribution learning: Gao et al. 2017).

    Args:
        ages: N, years.
        count: How many ages the distribution covers, from 0.

    Returns:
        N x count, each row summing to 1.
    """
    years = torch.arange(count, dtype=ages.dtype, device=ages.device)
    width = (1.5 + 0.03 * ages)[:, None]
    return torch.softmax(-0.5 * ((years - ages[:, None]) / width) ** 2, dim=1)


def expected_age(scores: Tensor) -> Tensor:
    """Return the mean of the age distributions, N, in years."""
    return torch.softmax(scores, dim=1) @ _years(scores)


def dldl(scores: Tensor, ages: Tensor, error_weight: float = 0.2) -> Tensor:
    """Cross-entropy to the label distribution and the expected age's error (Gao et al. 2018).

    Their second version, DLDL-v2, takes the absolute error; a smooth one does not jump at 0.
    """
    distribution = cross_entropy(scores, age_distribution(ages, scores.shape[1]))
    return distribution + error_weight * _smooth_l1(expected_age(scores), ages)


def one_age(scores: Tensor, ages: Tensor) -> Tensor:
    """Cross-entropy to the one whole year that is nearest."""
    return functional.cross_entropy(scores, ages.round().long(), reduction="none")


def mean_variance(scores: Tensor, ages: Tensor) -> Tensor:
    """Cross-entropy, half the squared error of the mean, and the variance (Pan et al. 2018)."""
    mean = expected_age(scores)
    spread = (_years(scores) - mean[:, None]) ** 2
    variance = (torch.softmax(scores, dim=1) * spread).sum(dim=1)
    error = (mean - ages) ** 2 / 2
    return one_age(scores, ages) + _MEAN_WEIGHT * error + _VARIANCE_WEIGHT * variance


def share_l2(scores: Tensor, ages: Tensor) -> Tensor:
    """Sum over the ages j of p_j (j - p_j y)^2, as published with the multi-branch network."""
    shares = torch.softmax(scores, dim=1)
    return (shares * (_years(scores) - shares * ages[:, None]) ** 2).sum(dim=1)


def share_log(scores: Tensor, ages: Tensor) -> Tensor:
    """Sum over the ages j of p_j (log j - p_j log y)^2, as published; ages below 1 count as 1."""
    shares = torch.softmax(scores, dim=1)
    logs = _years(scores).clamp(min=1).log()
    return (shares * (logs - shares * ages.clamp(min=1).log()[:, None]) ** 2).sum(dim=1)


def _years(scores: Tensor) -> Tensor:
    return torch.arange(scores.shape[1], dtype=scores.dtype, device=scores.device)


def _l1(values: Tensor, truth: Tensor) -> Tensor:
    return (values - truth).abs()


def _l2(values: Tensor, truth: Tensor) -> Tensor:
    return (values - truth) ** 2


def _smooth_l1(values: Tensor, truth: Tensor) -> Tensor:
    return functional.smooth_l1_loss(values, truth, reduction="none")


_ERRORS: Final[dict[str, Loss]] = {"l1": _l1, "l2": _l2, "smooth-l1": _smooth_l1}

_AGE_LOSSES: Final[dict[str, Loss]] = {
    "dldl-v2": dldl,
    "cross-entropy": one_age,
    "mean-variance": mean_variance,
    "expected-l1": lambda scores, ages: _l1(expected_age(scores), ages),
    "expected-l2": lambda scores, ages: _l2(expected_age(scores), ages),
    "share-l2": share_l2,
    "share-log": share_log,
}
