"""The network under training: its optimiser, the sizes that it can take."""

from pathlib import Path

import pytest
import torch

from mien.errors import RecipeError
from mien.training.module import Trainee
from tests.runs import toy_recipe

torch.set_num_threads(1)


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
        trainee.check()


def test_trying_the_sizes_changes_nothing() -> None:
    trainee = Trainee(toy_recipe(Path("toy.csv")))
    before = {name: value.clone() for name, value in trainee.state_dict().items()}
    trainee.check()
    assert trainee.net.training
    assert all(torch.equal(value, before[name]) for name, value in trainee.state_dict().items())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adamw", torch.optim.AdamW),
        ("adam", torch.optim.Adam),
        ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop),
    ],
)
def test_optimisers(name: str, kind: type[torch.optim.Optimizer]) -> None:
    settings = {"name": name, "rate": 0.5, "momentum": 0.7, "weight_decay": 0.3}
    found = Trainee(toy_recipe(Path("toy.csv"), optimiser=settings)).configure_optimizers()
    assert type(found) is kind
    assert [group["weight_decay"] for group in found.param_groups] == [0.3, 0]
    assert found.param_groups[0]["lr"] == 0.5
    if "momentum" in found.defaults:
        assert found.defaults["momentum"] == 0.7


def test_norms_may_learn_their_shifts_faster() -> None:
    """Their decay stays as strong as that of the weights, for it counts once more with the rate."""
    settings = {"name": "sgd", "rate": 0.5, "weight_decay": 0.4, "norm_bias_rate": 8.0}
    trainee = Trainee(toy_recipe(Path("toy.csv"), optimiser=settings))
    weights, others, shifts = trainee.configure_optimizers().param_groups
    norms = [m for m in trainee.net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {id(p) for p in shifts["params"]} == {id(norm.bias) for norm in norms}
    assert (shifts["factor"], shifts["weight_decay"]) == (8, 0.05)
    assert (weights["factor"], weights["weight_decay"]) == (1, 0.4)
    assert (others["factor"], others["weight_decay"]) == (1, 0)
    count = sum(len(group["params"]) for group in (weights, others, shifts))
    assert count == len(list(trainee.net.parameters()))


def test_a_rate_that_decays_with_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"rate": 0.5, "schedule": "constant", "decay": 0.25}
    trainee = Trainee(toy_recipe(Path("toy.csv"), optimiser=settings))
    assert trainee.rate(0.5) == 0.5
    monkeypatch.setattr(Trainee, "global_step", 6)
    assert trainee.rate(0.5) == 0.2
