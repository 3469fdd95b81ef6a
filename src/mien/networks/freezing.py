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
        frozen: "none", "backbone" for all, how many of the first layers, or of the first stages
            as in "2 stages".

    Raises:
        ValueError: The backbone does not have so many layers or stages.
    """
    found = layers(backbone)
    if frozen == "none":
        return []
    if frozen == "backbone":
        return found
    if isinstance(frozen, str) and not frozen.isdigit():
        return _first_stages(backbone, int(frozen.split()[0]))
    if int(frozen) > len(found):
        raise ValueError(f"{frozen} layers cannot be frozen: the backbone has {len(found)}")
    return found[: int(frozen)]


def _first_stages(backbone: nn.Module, count: int) -> list[nn.Module]:
    """Return the layers of the first stages.

    Stages are what timm says of its networks (the stem, then blocks of one resolution or width);
    of others they are the parts at the top that have weights.
    """
    matcher = getattr(backbone, "group_matcher", None)
    if matcher is None:
        parts = [part for part in backbone.children() if any(True for _ in part.parameters())]
        stages = [layers(part) for part in parts]
    else:
        from timm.models._manipulate import group_with_matcher

        named = backbone.named_parameters()
        groups = group_with_matcher(named, matcher(coarse=True))
        modules = dict(backbone.named_modules())
        stages = [
            # Of weight and bias of one layer it is named once.
            list(dict.fromkeys(modules[name.rpartition(".")[0]] for name in names))
            for _, names in sorted(groups.items())
        ]
    if count > len(stages):
        raise ValueError(f"{count} stages cannot be frozen: the backbone has {len(stages)}")
    return [layer for stage in stages[:count] for layer in stage]


def freeze(backbone: nn.Module, frozen: str | int) -> None:
    """Let the backbone's first layers or stages learn nothing, and all others learn."""
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
