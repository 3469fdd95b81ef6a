"""What a recipe's network consists of, and what of it learns in each stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from mien.errors import RecipeError
from mien.networks.freezing import freeze
from mien.networks.multitask import MultiTaskNet
from mien.networks.registry import OWN, Settings, create
from mien.networks.summary import Summary, summarise, without_memory
from mien.training.network import network_of
from mien.training.recipe import Recipe


@dataclass(frozen=True)
class Described:
    """A network and what it costs.

    Attributes:
        name: The recipe's name, or the network's.
        network: The backbone's name, or those of its branches.
        size: Side of its input in pixels.
        colours: "rgb" or "grey".
        heads: Task -> number of its outputs.
        summary: Its layers and their sums.
        stages: How many parameters learn in each stage.
    """

    name: str
    network: str
    size: int
    colours: str
    heads: Mapping[str, int]
    summary: Summary
    stages: tuple[int, ...]


def describe(recipe: Recipe) -> Described:
    """Describe the network that a recipe trains; no weights are loaded.

    Raises:
        RecipeError: There is no such network, or it cannot be built so.
    """
    try:
        with without_memory():
            net = network_of(recipe, weights=False)
    except (NotImplementedError, RuntimeError):
        # Some of timm's draw numbers that decide their shape.
        net = network_of(recipe, weights=False)
    size = recipe.input.size
    device = next(net.parameters()).device
    said = recipe.network
    return Described(
        name=recipe.name,
        network=said.backbone or ", ".join(dict.fromkeys(said.branches.values())),
        size=size,
        colours=recipe.input.colours,
        heads={task.name: 1 if task.single else task.outputs for task in recipe.tasks},
        summary=_summary(net, torch.zeros(1, size, size, 3, device=device), said.backbone),
        stages=tuple(_learning(net, stage.frozen) for stage in recipe.stages),
    )


def describe_backbone(name: str) -> Described:
    """Describe a network by its name alone, without heads, at the input size that is its own.

    Raises:
        RecipeError: There is no such network.
    """
    own = OWN.get(name)
    settings = Settings(size=own.size, grey=own.grey) if own else Settings()
    try:
        with without_memory():
            net: Any = create(name, settings)
    except (NotImplementedError, RuntimeError):
        net = create(name, settings)
    size = own.size if own else int(net.pretrained_cfg["input_size"][1])
    channels = 1 if settings.grey else 3
    example = torch.zeros(1, channels, size, size, device=next(net.parameters()).device)
    summary = _summary(net, example, name)
    colours = "grey" if settings.grey else "rgb"
    return Described(name, name, size, colours, {}, summary, (summary.trainable,))


def _summary(net: Any, example: torch.Tensor, name: str) -> Summary:
    try:
        return summarise(net, example)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise RecipeError(
            f"{name or 'a branch'} cannot take pictures of {example.shape[2]} pixels: "
            f"{str(error).strip():.200}"
        ) from error


def _learning(net: MultiTaskNet, frozen: str | int) -> int:
    try:
        freeze(net.backbone, frozen)
    except ValueError as error:
        raise RecipeError(f"stages: {error}") from error
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
