"""Which parts of a network learn: layers frozen from the input on, their norms left in peace."""

from torch import nn
from torch.nn.modules.batchnorm import _NormBase


def layers(backbone: nn.Module) -> list[nn.Module]:
    """Return the backbone's layers that have weights of their own, in their order."""
    return [module for module in backbone.modules() if any(True for _ in module.parameters(False))]


def frozen_layers(backbone: nn.Module, frozen: str | int) -> list[nn.Module]:
    """Return the layers that do not learn.

    Args:
        backbone: The network without its heads.
        frozen: "none", "backbone" for all, or how many of the first layers.

    Raises:
        ValueError: The backbone does not have so many layers.
    """
    found = layers(backbone)
    if frozen == "none":
        return []
    if frozen == "backbone":
        return found
    if int(frozen) > len(found):
        raise ValueError(f"{frozen} layers cannot be frozen: the backbone has {len(found)}")
    return found[: int(frozen)]


def freeze(backbone: nn.Module, frozen: str | int) -> None:
    """Let the backbone's first layers learn nothing, and all others learn."""
    backbone.requires_grad_(True)
    for layer in frozen_layers(backbone, frozen):
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad = False


def rest_norms(backbone: nn.Module, frozen: str | int) -> None:
    """Put the batch norms among the backbone's first layers into inference mode.

    In training mode a norm would replace the statistics it came with by those of the batches at
    hand: the usual way in which a frozen network is spoilt.
    """
    for layer in frozen_layers(backbone, frozen):
        if isinstance(layer, _NormBase):
            layer.eval()
