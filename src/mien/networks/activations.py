"""Activations by name, one word in a recipe."""

from collections.abc import Callable
from typing import Final, Literal

from torch import nn

Activation = Literal["relu", "leaky-relu", "prelu", "tanh", "sigmoid", "gelu"]

ACTIVATIONS: Final[dict[Activation, Callable[[], nn.Module]]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
}
"""Name -> a new activation. One of PReLU learns a single slope for all of its channels."""

IN_TIMM: Final[dict[Activation, str]] = {name: name.replace("-", "_") for name in ACTIVATIONS}
"""Name -> what timm calls it."""
