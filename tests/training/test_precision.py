"""Convolutions in mixed precision on a processor: they give what single precision gives, nearly."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mien.training import run
from mien.training.parts import Parts
from mien.training.precision import MixedConv2d, mix
from mien.training.recipe import Recipe

CONVOLUTIONS: list[dict[str, Any]] = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 3, "stride": 2, "bias": False},
    {"kernel_size": 1},
    {"kernel_size": 3, "padding": 2, "dilation": 2},
    {"kernel_size": 5, "padding": 2, "groups": 4},
]


def gradients(layer: nn.Conv2d, image: Tensor) -> list[Tensor]:
    """Return an output and the gradients by image, weights and bias, under autocast."""
    image = image.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(image)
    found.float().square().mean().backward()
    layers = [part.grad for part in (layer.weight, layer.bias) if part is not None]
    return [found.detach(), *(grad for grad in (image.grad, *layers) if grad is not None)]


@pytest.mark.parametrize("pictures", [1, 3, 8])
@pytest.mark.parametrize("how", CONVOLUTIONS, ids=str)
def test_it_gives_what_autocast_gives(how: dict[str, Any], pictures: int) -> None:
    torch.manual_seed(0)
    layer, image = nn.Conv2d(8, 16, **how), torch.randn(pictures, 8, 9, 9)
    other = deepcopy(layer)
    mix(other)
    assert type(other) is MixedConv2d
    for mine, theirs in zip(gradients(other, image), gradients(layer, image), strict=True):
        assert mine.dtype == theirs.dtype
        scale = theirs.float().abs().max()
        # A bfloat16 has 8 bits.
        assert (mine.float() - theirs.float()).abs().max() < scale / 100


def test_without_autocast_nothing_changes() -> None:
    layer, image = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 9, 9)
    before = layer(image)
    mix(layer)
    assert torch.equal(layer(image), before)


def test_weights_that_do_not_learn_take_the_usual_way() -> None:
    layer, image = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 9, 9, requires_grad=True)
    mix(layer.requires_grad_(False))
    with torch.autocast("cpu", torch.bfloat16):
        layer(image).float().sum().backward()
    assert layer.weight.grad is None
    assert image.grad is not None


def test_other_convolutions_stay_as_they_are() -> None:
    class Own(nn.Conv2d):
        pass

    net = nn.Sequential(
        Own(3, 4, 3), nn.Conv2d(4, 4, 3, padding="same"), nn.Conv2d(4, 4, 3, padding_mode="reflect")
    )
    before = [type(layer) for layer in net]
    mix(net)
    assert [type(layer) for layer in net] == before


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_run_mixes_where_its_recipe_says_so(
    precision: str, recipe: Recipe, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed: list[nn.Module] = []

    def record(net: nn.Module) -> None:
        mixed.append(net)
        mix(net)

    monkeypatch.setattr(run, "mix", record)
    machine = recipe.machine.model_copy(update={"precision": precision})
    recipe = recipe.model_copy(update={"machine": machine})
    run.fit(recipe, parts, tmp_path / "run", resume=False)
    assert len(mixed) == (precision == "bf16-mixed")
    for net in mixed:
        assert any(isinstance(module, MixedConv2d) for module in net.modules())
