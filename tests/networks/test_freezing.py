"""Freezing: what does not learn, counted from the input on; frozen norms keep their statistics."""

import pytest
import torch
from torch import nn

from mien.networks.freezing import freeze, frozen_layers, layers, rest_norms
from mien.networks.registry import Settings, create
from mien.networks.summary import without_memory

torch.set_num_threads(1)


def net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def learning(backbone: nn.Module) -> list[bool]:
    return [all(p.requires_grad for p in layer.parameters()) for layer in layers(backbone)]


def test_layers_are_those_with_weights() -> None:
    found = [type(layer) for layer in layers(net())]
    assert found == [nn.Conv2d, nn.BatchNorm2d, nn.Conv2d, nn.BatchNorm2d]


@pytest.mark.parametrize(
    ("frozen", "wanted"),
    [
        ("none", [True, True, True, True]),
        (1, [False, True, True, True]),
        (3, [False, False, False, True]),
        ("1 stage", [False, True, True, True]),
        ("2 stages", [False, False, True, True]),
        ("3 stages", [False, False, False, False]),
        ("backbone", [False, False, False, False]),
    ],
)
def test_what_learns(frozen: str | int, wanted: list[bool]) -> None:
    backbone = net()
    freeze(backbone, "backbone")
    freeze(backbone, frozen)
    assert learning(backbone) == wanted


def test_too_many_layers() -> None:
    with pytest.raises(ValueError, match="5 layers cannot be frozen: the backbone has 4"):
        frozen_layers(net(), 5)


@pytest.mark.parametrize(
    ("name", "stages", "last", "next_one"),
    [
        ("resnet50", 2, "layer1.2.bn3", "layer2.0.conv1"),
        ("tf_efficientnet_lite0", 3, "blocks.1.1.bn3", "blocks.2.0.conv_pw"),
        ("airbench", 1, "whiten", "blocks.0.0"),
    ],
)
def test_stages_of_known_networks(name: str, stages: int, last: str, next_one: str) -> None:
    with without_memory():
        backbone = create(name, Settings(size=64))
    freeze(backbone, f"{stages} stages")
    rests = {
        part: not any(p.requires_grad for p in module.parameters())
        for part, module in backbone.named_modules()
    }
    assert rests[last]
    assert not rests[next_one]
    found = frozen_layers(backbone, f"{stages} stages")
    assert found == layers(backbone)[: len(found)]


def test_too_many_stages() -> None:
    with without_memory():
        backbone = create("resnet18", Settings())
    with pytest.raises(ValueError, match="6 stages cannot be frozen: the backbone has 5"):
        frozen_layers(backbone, "6 stages")


@pytest.mark.parametrize("frozen", [2, "backbone"])
def test_frozen_norms_keep_their_statistics(frozen: str | int) -> None:
    backbone = net().train()
    rest_norms(backbone, frozen)
    first, second = (m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d))
    before = first.running_mean.clone(), second.running_mean.clone()  # type: ignore[union-attr]
    backbone(torch.randn(8, 3, 9, 9))
    assert first.running_mean is not None
    assert second.running_mean is not None
    assert torch.equal(first.running_mean, before[0])
    assert torch.equal(second.running_mean, before[1]) == (frozen == "backbone")
