"""Backbones by name: our own, and all of timm's."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from mien.errors import RecipeError
from mien.networks import torchvision_ops
from mien.networks.activations import IN_TIMM, Activation
from mien.networks.plain import PLAIN, Shape
from mien.networks.whitened import WhitenedNet

GREY: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in a grey value (ITU-R BT.601)."""


@dataclass(frozen=True)
class Settings:
    """How a backbone is built, beyond its name.

    Attributes:
        size: Side of its input in pixels.
        grey: Whether it sees grey pictures of one channel.
        activation: Name of its activation; empty for its own.
        depth: Number of its blocks; 0 for its own. Of timm's EfficientNets and MobileNets the
            first so many are kept.
        width: What its numbers of channels are multiplied by.
        dropout: Share that is dropped within it in training; None for its own.
        pooled: Whether its features are taken as they are pooled, without the layers by which some
            of timm's networks (MobileNet-V3, VGG) widen them afterwards.
    """

    size: int = 224
    grey: bool = False
    activation: Activation | None = None
    depth: int = 0
    width: float = 1.0
    dropout: float | None = None
    pooled: bool = False


@dataclass(frozen=True)
class Own:
    """A network of our own.

    Attributes:
        build: Builds it.
        size: Side of the input that it was published for, in pixels.
        grey: Whether that is grey.
        activation: Its own activation.
    """

    build: Callable[[Shape], nn.Module]
    size: int
    grey: bool = False
    activation: Activation = "relu"


OWN: Final[dict[str, Own]] = {
    "expression-cnn": Own(PLAIN["expression-cnn"], 48, grey=True),
    "cifar-cnn": Own(PLAIN["cifar-cnn"], 32),
    "minivggnet": Own(PLAIN["minivggnet"], 32),
    "age-cnn": Own(PLAIN["age-cnn"], 96),
    "attribute-cnn": Own(PLAIN["attribute-cnn"], 96),
    "airbench": Own(WhitenedNet, 32, activation="gelu"),
}
"""Name -> a network of our own."""


_ALIASES: Final = {"xception": "legacy_xception", "inceptionv3": "inception_v3"}


def named(name: str) -> str:
    """Return what timm calls a network that is better known by another name."""
    return _ALIASES.get(name, name)


def create(name: str, settings: Settings) -> Any:
    """Build a backbone.

    Args:
        name: One of our own networks, or a network of timm's.
        settings: How it is built.

    Returns:
        A module from N x C x S x S to N x features, which has timm's `num_features` and
        `pretrained_cfg`.

    Raises:
        RecipeError: There is no such network, or it cannot be built so.
    """
    channels = 1 if settings.grey else 3
    name = named(name)
    if name in OWN:
        own = OWN[name]
        shape = Shape(
            settings.size,
            channels,
            settings.activation or own.activation,
            settings.depth,
            settings.width,
            settings.dropout,
        )
        return own.build(shape)
    return _timm(name, settings, channels)


def features_of(backbone: Any) -> int:
    """Return how many features a backbone gives; some widen them once more after the pooling."""
    return int(getattr(backbone, "head_hidden_size", backbone.num_features))


class Branches(nn.Module):
    """Backbones side by side that share nothing: one for each task.

    Args:
        branches: Task -> the name of its backbone.
        settings: How each is built.

    Attributes:
        num_features: Task -> how many features its backbone gives.
        pretrained_cfg: Pixels are only scaled to 0..1; each branch has its own mean and deviation.

    Raises:
        RecipeError: As for `create`.
    """

    def __init__(self, branches: Mapping[str, str], settings: Settings) -> None:
        super().__init__()
        channels = 1 if settings.grey else 3
        self.pretrained_cfg = {"mean": (0.0,) * channels, "std": (1.0,) * channels}
        self.num_features: dict[str, int] = {}
        for task, name in branches.items():
            branch = create(name, settings)
            self.add_module(task, branch)
            self.num_features[task] = features_of(branch)
            for key in ("mean", "std"):
                constant = torch.tensor(branch.pretrained_cfg[key]).view(1, -1, 1, 1)
                self.register_buffer(f"{key}_of_{task}", constant, persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return task -> N x features of N x C x S x S pictures, scaled to 0..1."""
        return {
            task: branch((image - self._of("mean", task)) / self._of("std", task))
            for task, branch in self.named_children()
        }

    def _of(self, key: str, task: str) -> Tensor:
        return self.get_buffer(f"{key}_of_{task}")


def _timm(name: str, settings: Settings, channels: int) -> Any:
    torchvision_ops.ensure_importable()
    import timm
    from timm.layers.create_act import get_act_layer

    if not timm.is_model(name):
        names = [*OWN, *timm.list_models()]
        near = difflib.get_close_matches(name, names, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise RecipeError(
            f"network.backbone: neither mien nor timm has a network called {name!r}{hint}"
        )
    if settings.width != 1 or settings.dropout is not None:
        raise RecipeError(
            f"network.backbone: {name} is timm's, whose width and dropout within are part of the "
            "name, as in mobilenetv2_050; leave network.width and network.inner_dropout out, or "
            f"take one of {', '.join(OWN)}"
        )
    options: dict[str, Any] = {"in_chans": channels, "num_classes": 0}
    if settings.activation:
        options["act_layer"] = get_act_layer(IN_TIMM[settings.activation])
    try:
        network: Any = timm.create_model(name, pretrained=False, **options)
    except TypeError as error:
        if not settings.activation:
            raise
        raise RecipeError(
            f"network.activation: {name} cannot take {settings.activation}; leave it out"
        ) from error
    if settings.depth:
        _cut(network, name, settings.depth)
    elif settings.pooled and features_of(network) != network.num_features:
        _leave_pooled(network, name)
    if channels == 1:
        cfg = network.pretrained_cfg
        means = {key: (sum(cfg[key]) / len(cfg[key]),) for key in ("mean", "std")}
        network.pretrained_cfg = cfg | means
    return network


_WIDENING: Final = ("conv_head", "norm_head", "act2", "pre_logits")
"""What timm calls the layers that widen pooled features."""


def _cut(network: Any, name: str, depth: int) -> None:
    """Keep the first blocks alone; the features are the last one's, pooled."""
    stages: Any = getattr(network, "blocks", ())
    rows = all(isinstance(stage, nn.Sequential) for stage in stages)
    if not rows or sum(map(len, stages)) < depth or not hasattr(network, "conv_head"):
        raise RecipeError(
            f"network.depth: {name} is timm's, and is not one that can be cut after {depth} blocks "
            "(EfficientNets and MobileNets can, up to their number of blocks); leave it out"
        )
    kept: list[nn.Sequential] = []
    for stage in stages:
        kept.append(stage[: depth - sum(map(len, kept))])
    network.blocks = nn.Sequential(*kept)
    convolutions = [part for part in network.blocks.modules() if isinstance(part, nn.Conv2d)]
    for layer in (*_WIDENING, "bn2"):
        if hasattr(network, layer):
            setattr(network, layer, nn.Identity())
    network.num_features = network.head_hidden_size = convolutions[-1].out_channels


def _leave_pooled(network: Any, name: str) -> None:
    """Take the layers away that widen pooled features."""
    found = [layer for layer in _WIDENING if hasattr(network, layer)]
    if not found:
        raise RecipeError(f"network.pooled: where {name} pools its features is not known")
    for layer in found:
        setattr(network, layer, nn.Identity())
    network.head_hidden_size = network.num_features
