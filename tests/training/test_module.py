"""The network under training: its schedule, its optimiser, the sizes that it can take."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import RecipeError
from mien.training.module import Trainee, learning_rate
from mien.training.recipe import Optimiser
from tests.runs import toy_recipe

torch.set_num_threads(1)


def test_the_rate_rises_then_falls() -> None:
    optimiser = Optimiser(rate=0.25, warm_up=0.2, steps=100)
    rates = np.array([learning_rate(optimiser, step, 10) for step in range(1001)])
    assert rates[0] == pytest.approx(0.01)
    assert rates[200] == rates.max() == pytest.approx(0.25)
    assert rates[1000] == pytest.approx(0.00025)
    assert (np.diff(rates[:201]) > 0).all()
    assert (np.diff(rates[200:]) < 0).all()
    # Half way up and half way down lies the mean of both ends.
    assert rates[100] == pytest.approx((0.01 + 0.25) / 2)
    assert rates[600] == pytest.approx((0.25 + 0.00025) / 2)


@settings(deadline=None)
@given(
    st.floats(1e-6, 10),
    st.floats(0.001, 0.999),
    st.integers(1, 300),
    st.integers(1, 50),
    st.integers(0, 20_000),
)
def test_the_rate_stays_within_its_bounds(
    rate: float, warm_up: float, steps: int, epochs: int, step: int
) -> None:
    found = learning_rate(Optimiser(rate=rate, warm_up=warm_up, steps=steps), step, epochs)
    assert rate / 1000 * (1 - 1e-9) <= found <= rate * (1 + 1e-9)
    if step >= steps * epochs:
        assert found == pytest.approx(rate / 1000)


def test_biases_and_norms_are_not_decayed() -> None:
    trainee = Trainee(toy_recipe(Path("toy.csv")))
    decayed, free = trainee.configure_optimizers().param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.02, 0)
    kinds = {
        id(parameter): type(module)
        for module in trainee.net.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if name == "weight"
    }
    assert {kinds[id(parameter)] for parameter in decayed["params"]} == {
        torch.nn.Conv2d,
        torch.nn.Linear,
    }
    assert torch.nn.Conv2d not in {kinds.get(id(parameter)) for parameter in free["params"]}
    assert len(decayed["params"]) + len(free["params"]) == len(list(trainee.net.parameters()))


def test_sizes_that_a_backbone_cannot_take() -> None:
    trainee = Trainee(toy_recipe(Path("toy.csv"), network={"backbone": "test_convnext"}))
    message = "network.backbone: test_convnext cannot take pictures of 24 x 24 pixels: .*size"
    with pytest.raises(RecipeError, match=message):
        trainee.check_sizes()


def test_trying_the_sizes_changes_nothing() -> None:
    trainee = Trainee(toy_recipe(Path("toy.csv")))
    before = {name: value.clone() for name, value in trainee.state_dict().items()}
    trainee.check_sizes()
    assert trainee.net.training
    assert all(torch.equal(value, before[name]) for name, value in trainee.state_dict().items())
