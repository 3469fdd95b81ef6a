"""Losses against the same sums in numpy; a missing label costs nothing and teaches nothing."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mien.training.losses import age_distribution, age_loss, expected_age, soft_cross_entropy

torch.set_num_threads(1)
NAN = float("nan")
Numbers = NDArray[np.float64]


def log_softmax(scores: Numbers) -> Numbers:
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def softmax(scores: Numbers) -> Numbers:
    return np.asarray(np.exp(log_softmax(scores)))


def cross_entropy(scores: Numbers, target: Numbers) -> float:
    return float(-(target * log_softmax(scores)).sum(axis=1).mean())


def some_scores(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(rows, columns, generator=generator)).requires_grad_()


def test_soft_cross_entropy() -> None:
    scores = some_scores(4, 3)
    target = torch.tensor([[1.0, 0, 0], [0.25, 0.75, 0], [0, 0, 1], [0.2, 0.3, 0.5]])
    wanted = cross_entropy(scores.detach().double().numpy(), target.double().numpy())
    assert soft_cross_entropy(scores, target).item() == pytest.approx(wanted, rel=1e-5)


def test_age_distribution() -> None:
    found = age_distribution(torch.tensor([0.0, 30.5, 100.0]), 101).double().numpy()
    for row, age in zip(found, [0.0, 30.5, 100.0], strict=True):
        curve = np.exp(-0.5 * ((np.arange(101) - age) / (1.5 + 0.03 * age)) ** 2)
        np.testing.assert_allclose(row, curve / curve.sum(), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found[1] @ np.arange(101) == pytest.approx(30.5, abs=0.01)


def test_expected_age() -> None:
    scores = torch.full((2, 101), -100.0)
    scores[0, 30] = scores[1, 20] = scores[1, 41] = 0
    torch.testing.assert_close(expected_age(scores), torch.tensor([30.0, 30.5]))


@pytest.mark.parametrize("ages", [[30.0, 2.0, 71.5], [100.0, 101.0, 116.0]])
def test_age_loss(ages: list[float]) -> None:
    scores = some_scores(3, 101)
    given = scores.detach().double().numpy()
    truth = np.minimum(ages, 100)
    curves = -0.5 * ((np.arange(101) - truth[:, None]) / (1.5 + 0.03 * truth[:, None])) ** 2
    away = np.abs(softmax(given) @ np.arange(101) - truth)
    smooth = np.where(away < 1, away**2 / 2, away - 0.5).mean()
    wanted = cross_entropy(given, softmax(curves)) + 0.2 * smooth
    found = age_loss(scores, torch.tensor(ages)[:, None])
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def test_an_age_beyond_the_last_counts_as_the_last() -> None:
    scores = some_scores(1, 20)
    last, beyond = (age_loss(scores, torch.tensor([[age]])) for age in (19.0, 90.0))
    assert torch.equal(last, beyond)


@pytest.mark.parametrize("loss", [soft_cross_entropy, age_loss])
def test_a_missing_label_costs_and_teaches_nothing(loss: object) -> None:
    assert callable(loss)
    width = 1 if loss is age_loss else 3
    target = torch.full((4, width), NAN)
    target[1] = target[3] = torch.tensor([10.0] if width == 1 else [0.0, 1.0, 0.0])
    scores = some_scores(4, 30 if width == 1 else 3)
    mixed = loss(scores, target)
    (slope,) = torch.autograd.grad(mixed, scores)
    alone = scores.detach()[[1, 3]].requires_grad_()
    known = loss(alone, target[[1, 3]])
    (wanted,) = torch.autograd.grad(known, alone)
    assert torch.equal(mixed, known)
    torch.testing.assert_close(slope[[1, 3]], wanted)
    assert not slope[[0, 2]].any()


@pytest.mark.parametrize("loss", [soft_cross_entropy, age_loss])
@pytest.mark.parametrize("scale", [1.0, float("inf"), NAN])
def test_a_batch_without_labels_costs_and_teaches_nothing(loss: object, scale: float) -> None:
    assert callable(loss)
    width = 1 if loss is age_loss else 3
    scores = (torch.full((4, 5 if width == 1 else 3), scale)).requires_grad_()
    found = loss(scores, torch.full((4, width), NAN))
    (slope,) = torch.autograd.grad(found, scores)
    assert (found.item(), found.shape) == (0, ())
    assert torch.equal(slope, torch.zeros_like(slope))


def test_a_step_with_missing_labels_leaves_that_head_alone() -> None:
    """With one task's labels only, the other task's head gets a gradient of exactly zero."""
    features = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    age, mood = torch.nn.Linear(6, 20), torch.nn.Linear(6, 3)
    total = age_loss(age(features), torch.full((4, 1), NAN))
    total = total + soft_cross_entropy(mood(features), torch.eye(3)[[0, 1, 2, 0]])
    total.backward()  # type: ignore[no-untyped-call]
    assert age.weight.grad is not None
    assert not age.weight.grad.any()
    assert mood.weight.grad is not None
    assert mood.weight.grad.abs().sum() > 0
