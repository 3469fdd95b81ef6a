"""What a network consists of: layers as a picture passes them, counted as Keras does."""

import pytest
import torch
from torch import nn

from mien.networks.registry import OWN, Settings, create
from mien.networks.summary import Summary, summarise, without_memory

torch.set_num_threads(1)


def of(*layers: nn.Module) -> Summary:
    return summarise(nn.Sequential(*layers), torch.zeros(1, 3, 8, 8))


def test_layers_and_what_they_add_up_to() -> None:
    grouped = nn.Conv2d(3, 6, 3, padding=1, groups=3)
    found = of(grouped, nn.BatchNorm2d(6), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, 5))
    assert [(layer.name, layer.kind, layer.shape) for layer in found.layers] == [
        ("0", "Conv2d", (6, 8, 8)),
        ("1", "BatchNorm2d", (6, 8, 8)),
        ("2", "MaxPool2d", (6, 4, 4)),
        ("3", "Flatten", (96,)),
        ("4", "Linear", (5,)),
    ]
    # Each of the six filters sees one channel; a norm has two moving statistics a channel.
    assert [layer.parameters for layer in found.layers] == [60, 24, 0, 0, 485]
    assert [layer.macs for layer in found.layers] == [6 * 64 * 9, 0, 0, 0, 480]
    assert (found.parameters, found.trainable) == (569, 557)
    assert found.macs == 6 * 64 * 9 + 480
    assert found.bytes == 4 * 569
    # Biases and norms are kept in single precision.
    assert found.half_bytes == 2 * (54 + 480) + 4 * (6 + 24 + 5)


def test_it_leaves_no_hooks_behind() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 1))
    summarise(net, torch.zeros(1, 3, 8, 8))
    with pytest.raises(RuntimeError, match="channels"):
        summarise(net, torch.zeros(1, 1, 8, 8))
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("name", [*OWN, "resnet50", "mobilenetv3_small_100"])
def test_without_memory_as_with_it(name: str) -> None:
    settings = Settings(size=64)
    real = summarise(create(name, settings), torch.zeros(1, 3, 64, 64))
    with without_memory():
        assert summarise(create(name, settings), torch.zeros(1, 3, 64, 64)) == real


def test_published_multiplications() -> None:
    """ResNet-50 at 224 pixels: 4.09 billion, as is published everywhere."""
    with without_memory():
        found = summarise(create("resnet50", Settings()), torch.zeros(1, 3, 224, 224))
    assert round(found.macs / 1e9, 2) == 4.09
