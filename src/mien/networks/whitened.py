"""A small network that learns CIFAR-10 in minutes: airbench (Jordan 2024, arXiv:2404.00498)."""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import RecipeError
from mien.networks.activations import ACTIVATIONS
from mien.networks.plain import Shape

_WIDTHS: Final = (64, 256, 256)
_NORM_EPS: Final = 1e-12
_NORM_MOMENTUM: Final = 0.4
_LEAST_VARIANCE: Final = 5e-4
_SCALE: Final = 1 / 9
"""What the features are multiplied by, so that a high learning rate suits the head too."""


class Whitening(nn.Module):
    """A first convolution of 2 x 2 whose filters make patches of training pictures white.

    Its filters are the eigenvectors of the patches' covariance, each over the root of its
    eigenvalue, and their negatives. They do not learn; its biases do. Before `begin_with` they
    are drawn by chance.

    Args:
        channels: Channels of the pictures.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        patch = channels * 4
        first = torch.randn(patch, channels, 2, 2)
        # A buffer, so that no stage lets it learn.
        self.register_buffer("filters", torch.cat([first, -first]))
        self.bias = nn.Parameter(torch.zeros(2 * patch))

    def begin_with(self, images: Tensor) -> None:
        """Take the filters from N x C x S x S pictures."""
        filters = self.get_buffer("filters")
        size = filters.shape[1:]
        patches = functional.unfold(images, 2).transpose(1, 2).reshape(-1, size.numel()).double()
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        # Noise in directions that hardly occur is not to be blown up without bounds.
        white = (vectors / (values + _LEAST_VARIANCE).sqrt()).T.flip(0).reshape(-1, *size)
        with torch.no_grad():
            filters.copy_(torch.cat([white, -white]))

    def forward(self, image: Tensor) -> Tensor:
        """Return N x 8C x (S - 1) x (S - 1)."""
        filters = self.get_buffer("filters")
        if not self.training:
            return functional.conv2d(image, filters, self.bias)
        # Apart: the gradient of a convolution's own bias alone is slow in bfloat16.
        return functional.conv2d(image, filters) + self.bias[:, None, None]


class ShiftNorm(nn.BatchNorm2d):
    """A batch norm whose shift is learnt and whose scale is not."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=_NORM_EPS, momentum=_NORM_MOMENTUM)
        del self.weight
        self.register_buffer("weight", torch.ones(channels), persistent=False)


class WhitenedNet(nn.Module):
    """A whitening layer, then blocks of two convolutions each, then the largest of each channel.

    Args:
        shape: What it is built for; `depth` counts the blocks, whose widths are 64, 256, 256.

    Attributes:
        num_features: How many features it gives.
        pretrained_cfg: The mean and deviation of CIFAR-10's pixels.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        depth = shape.depth or len(_WIDTHS)
        activation = ACTIVATIONS[shape.activation]
        side, channels = shape.size - 1, 8 * shape.channels
        self.whiten = Whitening(shape.channels)
        self.activation = activation()
        self.blocks = nn.Sequential()
        for block in range(depth):
            made = round(_WIDTHS[min(block, len(_WIDTHS) - 1)] * shape.width)
            self.blocks.append(_block(channels, made, activation(), activation()))
            channels, side = made, side // 2
        if side < 1:
            raise RecipeError(
                f"network.depth: {depth} blocks halve pictures of {shape.size} pixels to nothing; "
                "take fewer, or a larger input"
            )
        self.drop = nn.Dropout(shape.dropout or 0.0)
        self.num_features = channels
        mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
        if shape.channels == 1:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)  # type: ignore[assignment]
        self.pretrained_cfg = {"mean": mean, "std": std}

    def begin_with(self, images: Tensor) -> None:
        """Take from training pictures what the network begins with.

        Args:
            images: N x C x S x S, scaled by mean and deviation.
        """
        self.whiten.begin_with(images)

    def forward(self, image: Tensor) -> Tensor:
        """Return N x features of N x C x S x S pictures, scaled by mean and deviation."""
        found: Tensor = self.drop(self.blocks(self.activation(self.whiten(image))))
        return found.amax(dim=(2, 3)) * _SCALE


def _block(channels: int, made: int, first: nn.Module, second: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        _conv(channels, made),
        nn.MaxPool2d(2),
        ShiftNorm(made),
        first,
        _conv(made, made),
        ShiftNorm(made),
        second,
    )


def _conv(channels: int, made: int) -> nn.Conv2d:
    """3 x 3, same size; at first it hands on its input as far as it has room for it."""
    layer = nn.Conv2d(channels, made, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5))
        nn.init.dirac_(layer.weight[:channels])
    return layer
