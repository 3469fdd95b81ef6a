"""Our own small networks: plain chains of convolutions, as published, and what a word changes.

Each is built for one input size, for its features are flattened, not pooled. Weights begin as in
Keras (Glorot and Bengio 2010, biases of 0), and batch norms have its constants, as the published
networks had.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from mien.errors import RecipeError
from mien.networks.activations import ACTIVATIONS, Activation

_NORM_EPS: Final = 1e-3
_NORM_MOMENTUM: Final = 0.01


@dataclass(frozen=True)
class Shape:
    """What a plain network is built for, and how it differs from the published one.

    Attributes:
        size: Side of its input in pixels.
        channels: 3 for colours, 1 for grey.
        activation: Name of its activation.
        depth: Number of its blocks of convolutions; 0 for as many as published.
        width: What its numbers of channels and units are multiplied by.
        dropout: Share that is dropped within it in training; None for its own.
    """

    size: int
    channels: int = 3
    activation: Activation = "relu"
    depth: int = 0
    width: float = 1.0
    dropout: float | None = None


class PlainNet(nn.Module):
    """A chain of layers from pictures to flat features.

    Args:
        layers: The layers by name, in order.
        features: How many features the last one gives.

    Attributes:
        num_features: How many features it gives.
        pretrained_cfg: The mean and deviation that pixels are scaled by, as in timm.
    """

    def __init__(self, layers: Sequence[tuple[str, nn.Module]], features: int) -> None:
        super().__init__()
        self.num_features = features
        for name, layer in layers:
            self.add_module(name, layer)
        channels = next(m.in_channels for m in self.modules() if isinstance(m, nn.Conv2d))
        self.pretrained_cfg = {"mean": (0.0,) * channels, "std": (1.0,) * channels}

    def forward(self, image: Tensor) -> Tensor:
        """Return N x features of N x C x S x S pictures, scaled to 0..1."""
        for layer in self.children():
            image = layer(image)
        return image


class _Chain:
    """Builds a plain network layer by layer, counting channels and pixels as it goes."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        self._shape = shape
        self._side, self._channels = shape.size, shape.channels
        self._dropout = dropout if shape.dropout is None else shape.dropout
        self._layers: list[tuple[str, nn.Module]] = []
        self._units = 0

    def conv(self, filters: int) -> "_Chain":
        """3 x 3, same size."""
        made = round(filters * self._shape.width)
        layer = nn.Conv2d(self._channels, made, 3, padding=1)
        self._channels = made
        return self._add("conv", _begun(layer))

    def depthwise(self) -> "_Chain":
        """3 x 3, each channel by itself."""
        layer = nn.Conv2d(self._channels, self._channels, 3, padding=1, groups=self._channels)
        return self._add("depthwise", _begun(layer))

    def activate(self) -> "_Chain":
        return self._add("activation", ACTIVATIONS[self._shape.activation]())

    def norm(self) -> "_Chain":
        kind: Callable[..., nn.Module] = nn.BatchNorm1d if self._units else nn.BatchNorm2d
        count = self._units or self._channels
        return self._add("norm", kind(count, eps=_NORM_EPS, momentum=_NORM_MOMENTUM))

    def pool(self, factor: int) -> "_Chain":
        if self._side < factor:
            raise RecipeError(
                f"network.depth: pictures of {self._shape.size} pixels are one pixel wide before "
                f"block {self._count('pool') + 1} of pooling; take fewer blocks or a larger input"
            )
        self._side //= factor
        return self._add("pool", nn.MaxPool2d(factor))

    def drop(self) -> "_Chain":
        return self._add("dropout", nn.Dropout(self._dropout))

    def flatten(self) -> "_Chain":
        self._units = self._channels * self._side**2
        return self._add("flatten", nn.Flatten())

    def dense(self, units: int) -> "_Chain":
        made = round(units * self._shape.width)
        layer = nn.Linear(self._units, made)
        self._units = made
        return self._add("dense", _begun(layer))

    def built(self) -> PlainNet:
        return PlainNet(self._layers, self._units)

    def _add(self, kind: str, layer: nn.Module) -> "_Chain":
        self._layers.append((f"{kind}{self._count(kind) + 1}", layer))
        return self

    def _count(self, kind: str) -> int:
        return sum(name.rstrip("0123456789") == kind for name, _ in self._layers)


def expression_cnn(shape: Shape) -> PlainNet:
    """Six blocks and a dense layer for grey faces of 48 pixels (FER+): 711,784 with 8 labels."""
    net = _Chain(shape, 0.1)
    for block, filters in enumerate(_blocks((32, 32, 64, 64, 128, 256), shape)):
        net.conv(filters).activate().norm()
        if block:
            net.pool(2)
        net.drop()
    return net.flatten().dense(1024).activate().norm().built()


def cifar_cnn(shape: Shape) -> PlainNet:
    """Three pairs of convolutions and two dense layers (CIFAR-10): 9,176,018 with 10 labels."""
    net = _Chain(shape, 0.3)
    for filters in _blocks((32, 64, 128), shape):
        net.conv(filters).activate().drop().conv(filters).activate().pool(2)
    net.flatten().drop()
    return net.dense(2500).activate().drop().dense(1500).activate().built()


def minivggnet(shape: Shape) -> PlainNet:
    """Two pairs of convolutions and a dense layer: 2,168,613 with 5 labels at 32 pixels."""
    net = _Chain(shape, 0.25)
    for filters in _blocks((32, 64), shape):
        net.conv(filters).activate().norm().conv(filters).activate().norm().pool(2).drop()
    return net.flatten().dense(512).activate().norm().built()


def age_cnn(shape: Shape) -> PlainNet:
    """The age branch of the multi-branch network: 3,016,939 with one number at 96 pixels."""
    net = _Chain(shape, 0.25)
    net.depthwise().activate().norm().conv(32).activate().norm().pool(3).drop()
    for filters in _blocks((64, 128, 256, 1024), shape):
        net.conv(filters).activate().norm()
    return net.pool(2).flatten().activate().built()


def attribute_cnn(shape: Shape) -> PlainNet:
    """The gender and race branches of it: 277,569 with one score, 278,085 with five."""
    net = _Chain(shape, 0.25)
    filters = _blocks((16, 32, 32), shape)
    for block, count in enumerate(filters):
        net.conv(count).activate().norm().pool(2 if block else 3)
        if block < len(filters) - 1:
            net.drop()
    return net.flatten().dense(128).activate().norm().built()


PLAIN: Final[dict[str, Callable[[Shape], PlainNet]]] = {
    "expression-cnn": expression_cnn,
    "cifar-cnn": cifar_cnn,
    "minivggnet": minivggnet,
    "age-cnn": age_cnn,
    "attribute-cnn": attribute_cnn,
}
"""Name -> what builds the network."""


def _blocks(published: tuple[int, ...], shape: Shape) -> list[int]:
    """Return the filters of each block: the first of those published, the last ones repeated."""
    depth = shape.depth or len(published)
    return [published[min(block, len(published) - 1)] for block in range(depth)]


def _begun(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Give a layer Keras' first weights."""
    fields = math.prod(layer.weight.shape[2:])
    fan_in, fan_out = layer.weight.shape[1] * fields, layer.weight.shape[0] * fields
    with torch.no_grad():
        layer.weight.uniform_(-1, 1).mul_(math.sqrt(6 / (fan_in + fan_out)))
        if layer.bias is not None:
            layer.bias.zero_()
    return layer
