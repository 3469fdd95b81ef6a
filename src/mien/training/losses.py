"""Losses of one task each, over the samples of a batch that have its label."""

import torch
from torch import Tensor
from torch.nn import functional


def soft_cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy against label distributions.

    Args:
        scores: N x classes, before softmax.
        target: N x classes, each row summing to 1, or all nan where the label is missing.

    Returns:
        A scalar; 0 with a gradient of 0 where every label is missing.
    """
    known = ~target[:, 0].isnan()
    if not known.any():
        return _nothing(scores)
    return functional.cross_entropy(scores[known], target[known])


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
    years = torch.arange(scores.shape[1], dtype=scores.dtype, device=scores.device)
    return torch.softmax(scores, dim=1) @ years


def age_loss(scores: Tensor, target: Tensor) -> Tensor:
    """Return the mean loss of ages, some of which are known only by an interval.

    A known age costs the cross-entropy to its label distribution, plus a smooth L1 of the expected
    age. An interval costs minus the logarithm of the probability of all its whole years.

    Args:
        scores: N x ages, before softmax.
        target: N x 2, the first and the last year, equal for a known age, nan where missing; older
            than the last age counts as the last age.

    Returns:
        A scalar; 0 with a gradient of 0 where every age is missing.
    """
    known = ~target[:, 0].isnan()
    if not known.any():
        return _nothing(scores)
    scores, target = scores[known], target[known].clamp(max=scores.shape[1] - 1)
    exact = target[:, 0] == target[:, 1]
    losses = interval_surprise(scores[~exact], target[~exact]).sum()
    ages = target[exact, 0]
    distributions = age_distribution(ages, scores.shape[1])
    losses = losses + functional.cross_entropy(scores[exact], distributions, reduction="sum")
    errors = functional.smooth_l1_loss(expected_age(scores[exact]), ages, reduction="sum")
    return (losses + 0.2 * errors) / len(scores)


def interval_surprise(scores: Tensor, target: Tensor) -> Tensor:
    """Return minus the log-probability that an age lies in an interval.

    Args:
        scores: N x ages, before softmax.
        target: N x 2, the interval's first and last year.

    Returns:
        N numbers of at least 0.
    """
    years = torch.arange(scores.shape[1], dtype=target.dtype, device=scores.device)
    inside = (years >= target[:, :1].floor()) & (years <= target[:, 1:].ceil())
    logits = functional.log_softmax(scores, dim=1)
    return -torch.logsumexp(logits.masked_fill(~inside, -torch.inf), dim=1)


def _nothing(scores: Tensor) -> Tensor:
    """Return 0, through which gradients of 0 flow whatever the scores are."""
    return scores[:0].sum()
