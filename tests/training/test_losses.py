"""Losses against the same sums in numpy; a missing label costs nothing and teaches nothing."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mien.training.losses import (
    age_distribution,
    age_loss,
    class_weights,
    cross_entropy,
    dldl,
    expected_age,
    interval_surprise,
    loss_of,
    mean_loss,
    share_l2,
    share_log,
    taught_by,
)
from mien.training.recipe import LOSSES, Task

torch.set_num_threads(1)
NAN = float("nan")
Numbers = NDArray[np.float64]

AGES = partial(age_loss, known=dldl)


def log_softmax(scores: Numbers) -> Numbers:
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def softmax(scores: Numbers) -> Numbers:
    return np.asarray(np.exp(log_softmax(scores)))


def some_scores(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(rows, columns, generator=generator)).requires_grad_()


def plain(tensor: torch.Tensor) -> Numbers:
    return tensor.detach().double().numpy()


def known(*ages: float) -> torch.Tensor:
    """Return the targets of ages that are known exactly."""
    return torch.tensor(ages)[:, None].repeat(1, 2)


def task(kind: str, **changes: Any) -> Task:
    labels = ("a", "b", "c") if kind == "classification" else ()
    return Task(name="x", kind=kind, labels=labels, **changes)


def test_cross_entropy() -> None:
    scores = some_scores(4, 3)
    target = torch.tensor([[1.0, 0, 0], [0.25, 0.75, 0], [0, 0, 1], [0.2, 0.3, 0.5]])
    wanted = -(plain(target) * log_softmax(plain(scores))).sum(axis=1)
    np.testing.assert_allclose(plain(cross_entropy(scores, target)), wanted, rtol=1e-4)


def test_smoothing_focus_and_weights() -> None:
    scores = some_scores(4, 3)
    target = torch.eye(3)[[0, 1, 2, 0]]
    found = cross_entropy(scores, target, smoothing=0.3, gamma=2, weights=(1, 2, 0.5))
    smooth = plain(target) * 0.7 + 0.1
    logs = log_softmax(plain(scores))
    wanted = -(smooth * logs * (1 - np.exp(logs)) ** 2 * [1, 2, 0.5]).sum(axis=1)
    np.testing.assert_allclose(plain(found), wanted, rtol=1e-5)


def test_the_task_says_how_it_is_trained() -> None:
    scores, target = some_scores(4, 3), torch.eye(3)[[0, 1, 2, 0]]
    focal = loss_of(task("classification", loss="focal", gamma=3.0, smoothing=0.1))
    wanted = cross_entropy(scores, target, smoothing=0.1, gamma=3.0)
    assert torch.equal(focal(scores, target), wanted)
    balanced = loss_of(task("classification", class_weights="balanced"), (0.5, 0.25, 0.25))
    wanted = cross_entropy(scores, target, weights=(2 / 3, 4 / 3, 4 / 3))
    torch.testing.assert_close(balanced(scores, target), wanted)


@pytest.mark.parametrize(
    ("given", "shares", "wanted"),
    [
        ("none", (0.9, 0.1, 0.0), (1, 1, 1)),
        ("balanced", (0.5, 0.25, 0.25), (2 / 3, 4 / 3, 4 / 3)),
        ("balanced", (0.75, 0.25, 0.0), (2 / 3, 2, 0)),
        ({"b": 5.0}, (), (1, 5, 1)),
    ],
)
def test_class_weights(given: Any, shares: tuple[float, ...], wanted: tuple[float, ...]) -> None:
    found = class_weights(task("classification", class_weights=given), shares)
    assert found == pytest.approx(wanted)
    if shares:
        assert np.dot(found, shares) == pytest.approx(1)


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


def by_definition(name: str, shares: Numbers, age: float) -> float:
    """Return a loss of one age by the formula of its source, in whole sums over the years."""
    years = np.arange(len(shares))
    mean = sum(j * p for j, p in zip(years, shares, strict=True))
    entropies = -np.log(shares[round(age)])
    if name == "cross-entropy":
        return float(entropies)
    if name == "mean-variance":
        variance = sum(p * (j - mean) ** 2 for j, p in zip(years, shares, strict=True))
        return float(entropies + 0.2 * (mean - age) ** 2 / 2 + 0.05 * variance)
    if name == "expected-l1":
        return float(abs(mean - age))
    if name == "expected-l2":
        return float((mean - age) ** 2)
    if name == "share-l2":
        return float(sum(p * (j - p * age) ** 2 for j, p in zip(years, shares, strict=True)))
    if name == "share-log":
        pairs = zip(np.maximum(years, 1), shares, strict=True)
        return float(sum(p * (np.log(j) - p * np.log(age)) ** 2 for j, p in pairs))
    curve = np.exp(-0.5 * ((years - age) / (1.5 + 0.03 * age)) ** 2)
    off = abs(mean - age)
    smooth = off**2 / 2 if off < 1 else off - 0.5
    return float(-(curve / curve.sum() * np.log(shares)).sum() + 0.2 * smooth)


@pytest.mark.parametrize("name", LOSSES["age"])
def test_age_losses(name: str) -> None:
    ages = [30.0, 2.0, 71.0, 100.0, 116.0]
    scores = some_scores(5, 101)
    found = loss_of(task("age", loss=name))(scores, known(*ages))
    rows = zip(softmax(plain(scores)), np.minimum(ages, 100), strict=True)
    wanted = [by_definition(name, shares, age) for shares, age in rows]
    np.testing.assert_allclose(plain(found), wanted, rtol=1e-4)


def test_the_weight_of_the_expected_age() -> None:
    scores, target = some_scores(3, 101), known(30.0, 2.0, 71.0)
    found = [
        plain(loss_of(task("age", error_weight=weight))(scores, target)) for weight in (0, 0.2, 1)
    ]
    np.testing.assert_allclose(found[1] - found[0], 0.2 * (found[2] - found[0]), rtol=1e-3)
    assert (found[2] > found[0]).all()


@pytest.mark.parametrize("name", LOSSES["age"])
def test_intervals_cost_the_surprise_of_all_their_years(name: str) -> None:
    scores = some_scores(4, 101)
    target = torch.tensor([[20.0, 29.0], [35.0, 35.0], [70.0, 130.0], [0.0, 100.0]])
    found = plain(loss_of(task("age", loss=name))(scores, target))
    shares = softmax(plain(scores))
    assert found[0] == pytest.approx(-np.log(shares[0, 20:30].sum()), rel=1e-5)
    assert found[1] == pytest.approx(by_definition(name, shares[1], 35), rel=1e-4)
    assert found[2] == pytest.approx(-np.log(shares[2, 70:].sum()), rel=1e-5)
    assert found[3] == pytest.approx(0, abs=1e-6)


def test_an_interval_draws_the_age_inside() -> None:
    scores = torch.zeros(1, 101, requires_grad=True)
    optimiser = torch.optim.SGD([scores], lr=20.0)
    for _ in range(50):
        optimiser.zero_grad()
        interval_surprise(scores, torch.tensor([[20.0, 29.0]])).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert 19.5 < expected_age(scores).item() < 29.5


@pytest.mark.parametrize("name", LOSSES["regression"])
def test_numbers(name: str) -> None:
    scores = torch.tensor([[1.0], [5.0], [-2.0], [3.0]])
    target = torch.tensor([[1.5, 1.5], [2.0, 2.0], [0.0, 4.0], [0.0, 4.0]])
    off = np.array([0.5, 3, 2, 0])
    wanted = {
        "l1": off,
        "l2": off**2,
        "smooth-l1": np.where(off < 1, off**2 / 2, off - 0.5),
    }[name]
    found = loss_of(task("regression", loss=name))(scores, target)
    np.testing.assert_allclose(plain(found), wanted, rtol=1e-6)


def test_an_age_beyond_the_last_counts_as_the_last() -> None:
    scores = some_scores(1, 20)
    last, beyond = (AGES(scores, known(age)) for age in (19.0, 90.0))
    assert torch.equal(last, beyond)


CASES = [(cross_entropy, [0.0, 1.0, 0.0], 3), (AGES, [10.0, 10.0], 30)]


@pytest.mark.parametrize(("loss", "label", "outputs"), CASES, ids=["classes", "ages"])
def test_a_missing_label_costs_and_teaches_nothing(
    loss: Any, label: list[float], outputs: int
) -> None:
    target = torch.full((4, len(label)), NAN)
    target[1] = target[3] = torch.tensor(label)
    scores = some_scores(4, outputs)
    mixed = mean_loss(loss, scores, target)
    (slope,) = torch.autograd.grad(mixed, scores)
    alone = scores.detach()[[1, 3]].requires_grad_()
    wanted = mean_loss(loss, alone, target[[1, 3]])
    (slope_alone,) = torch.autograd.grad(wanted, alone)
    assert torch.equal(mixed, wanted)
    torch.testing.assert_close(slope[[1, 3]], slope_alone)
    assert not slope[[0, 2]].any()


@pytest.mark.parametrize(("loss", "label", "outputs"), CASES, ids=["classes", "ages"])
@pytest.mark.parametrize("scale", [1.0, float("inf"), NAN])
def test_a_batch_without_labels_costs_and_teaches_nothing(
    loss: Any, label: list[float], outputs: int, scale: float
) -> None:
    scores = (torch.full((4, outputs), scale)).requires_grad_()
    found = mean_loss(loss, scores, torch.full((4, len(label)), NAN))
    (slope,) = torch.autograd.grad(found, scores)
    assert (found.item(), found.shape) == (0, ())
    assert torch.equal(slope, torch.zeros_like(slope))


def test_a_mixture_costs_both_its_labels_by_their_shares() -> None:
    scores = some_scores(3, 3)
    target = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [NAN, NAN, NAN]])
    partners, kept = torch.tensor([1, 2, 0]), torch.tensor([0.75, 0.5, 0.25])
    found = mean_loss(cross_entropy, scores, target, partners, kept)
    logs = log_softmax(plain(scores))
    # The second one's partner has no label, and the third has none itself.
    costs = 0.75 * -logs[0, 0] + 0.25 * -logs[0, 1] + 0.5 * -logs[1, 1] + 0.75 * -logs[2, 0]
    assert found.item() == pytest.approx(costs / (0.75 + 0.25 + 0.5 + 0.75), rel=1e-5)


def test_what_is_not_mixed_costs_the_same() -> None:
    scores, target = some_scores(3, 3), torch.eye(3)
    found = mean_loss(cross_entropy, scores, target, torch.arange(3), torch.ones(3))
    assert torch.equal(found, mean_loss(cross_entropy, scores, target))


def test_a_step_with_missing_labels_leaves_that_head_alone() -> None:
    """With one task's labels only, the other task's head gets a gradient of exactly zero."""
    features = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    age, mood = torch.nn.Linear(6, 20), torch.nn.Linear(6, 3)
    total = mean_loss(AGES, age(features), torch.full((4, 2), NAN))
    total = total + mean_loss(cross_entropy, mood(features), torch.eye(3)[[0, 1, 2, 0]])
    total.backward()  # type: ignore[no-untyped-call]
    assert age.weight.grad is not None
    assert not age.weight.grad.any()
    assert mood.weight.grad is not None
    assert mood.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("temperature", [1.0, 3.0])
@pytest.mark.parametrize(
    "task",
    [
        Task(name="age", kind="age", ages=5),
        Task(name="mood", kind="classification", labels=tuple("abcde")),
    ],
)
def test_the_divergence_from_a_teacher(task: Task, temperature: float) -> None:
    scores = some_scores(3, 5).detach()
    said = torch.softmax(some_scores(3, 5, seed=1).detach(), dim=1)
    loss = taught_by(task, temperature)(scores, said)
    powers = np.asarray(said.double()) ** (1 / temperature)
    softened = powers / powers.sum(axis=1, keepdims=True)
    own = log_softmax(np.asarray(scores.double()) / temperature)
    wanted = temperature**2 * (softened * (np.log(softened) - own)).sum(axis=1)
    assert loss.tolist() == pytest.approx(wanted.tolist(), rel=1e-4)
    assert taught_by(task, temperature)(said.log(), said).tolist() == pytest.approx(
        [0] * 3, abs=1e-5
    )


def test_a_teacher_that_is_quite_sure_gives_finite_gradients() -> None:
    scores = some_scores(2, 3).requires_grad_()
    said = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    loss = taught_by(Task(name="mood", kind="classification", labels=tuple("abc")), 4.0)
    torch.autograd.backward(loss(scores, said).sum())
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_a_number_from_a_teacher() -> None:
    task = Task(name="weight", kind="regression", loss="l1")
    found = taught_by(task)(torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [1.5]]))
    assert found.tolist() == [2.0, 0.5]


def test_the_published_shares_are_0_at_other_ages_too() -> None:
    """Why they lead astray: p_j = j / y for ages that sum up to y, or log j / log y."""

    def scores(shares: dict[int, float]) -> torch.Tensor:
        found = torch.full((1, 101), -60.0, dtype=torch.float64)
        for age, share in shares.items():
            found[0, age] = math.log(share)
        return found

    five, six = (torch.tensor([y], dtype=torch.float64) for y in (5.0, 6.0))
    astray = {2: math.log(2) / math.log(6), 3: math.log(3) / math.log(6)}
    for loss, wrong, age in ((share_l2, {1: 0.2, 4: 0.8}, five), (share_log, astray, six)):
        assert loss(scores({int(age): 1.0}), age).item() == pytest.approx(0, abs=1e-9)
        assert loss(scores(wrong), age).item() == pytest.approx(0, abs=1e-9)
