"""What a network consists of: its layers, their shapes and parameters, and what one picture costs.

Parameters are counted as Keras does: moving means and variances of batch norms are parameters that
do not learn. Multiplications are those of convolutions and linear layers; what attention multiplies
besides its layers is not counted.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase


@dataclass(frozen=True)
class Layer:
    """One layer as a picture passes it.

    Attributes:
        name: Its name in the network.
        kind: What it is, as torch calls it.
        shape: Of what it gives for one picture.
        parameters: How many it has, moving statistics among them.
        macs: Multiplications, each with an addition, for one picture.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Summary:
    """A network's layers and what they add up to.

    Attributes:
        layers: In the order in which a picture passes them; those with nothing to count too.
        parameters: Of the whole network, moving statistics among them.
        trainable: Those that learn, where nothing is frozen.
        macs: Multiplications, each with an addition, for one picture.
        bytes: Size of the weights in single precision.
        half_bytes: Size where matrices and filters are stored in half precision.
    """

    layers: tuple[Layer, ...]
    parameters: int
    trainable: int
    macs: int
    bytes: int
    half_bytes: int


def summarise(net: nn.Module, example: Tensor) -> Summary:
    """Let a network see one example, and say what it consists of.

    Args:
        net: The network, on any device, "meta" among them; it is left in inference mode.
        example: A batch of one, on the same device.

    Raises:
        RuntimeError: The network cannot take the example.
    """
    layers: list[Layer] = []
    names = {module: name for name, module in net.named_modules()}

    def passed(module: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            shape = tuple(output.shape[1:])
            own = sum(tensor.numel() for tensor in counted(module, recurse=False))
            kind = type(module).__name__
            layers.append(Layer(names[module], kind, shape, own, _macs(module, shape)))

    hooks = [module.register_forward_hook(passed) for module in net.modules() if _counts(module)]
    try:
        with torch.no_grad():
            net.eval()(example)
    finally:
        for hook in hooks:
            hook.remove()
    tensors = list(counted(net))
    return Summary(
        layers=tuple(layers),
        parameters=sum(tensor.numel() for tensor in tensors),
        trainable=sum(parameter.numel() for parameter in net.parameters()),
        macs=sum(layer.macs for layer in layers),
        bytes=sum(4 * tensor.numel() for tensor in tensors),
        half_bytes=sum((2 if tensor.ndim > 1 else 4) * tensor.numel() for tensor in tensors),
    )


def counted(net: nn.Module, *, recurse: bool = True) -> Iterator[Tensor]:
    """Yield the tensors whose numbers count as parameters: what is learnt, and what is kept.

    How many batches a norm has seen is neither, nor are constants that no checkpoint holds.
    """
    yield from net.parameters(recurse)
    for module in net.modules() if recurse else [net]:
        kept = module.state_dict(keep_vars=True)
        for name, buffer in module.named_buffers(recurse=False):
            if name in kept and buffer.ndim:
                yield buffer


@contextmanager
def without_memory() -> Iterator[None]:
    """Let networks be built of shapes alone, in no time, whatever their size."""
    with torch.device("meta"):
        yield


def _counts(module: nn.Module) -> bool:
    """Say whether a module is a layer of its own: it has weights, or nothing within it."""
    own = any(True for _ in counted(module, recurse=False))
    leaf = not any(True for _ in module.children())
    return own or (leaf and not isinstance(module, nn.Identity))


def _macs(module: nn.Module, shape: Iterable[int]) -> int:
    weight = getattr(module, "weight", None)
    filters = getattr(module, "filters", weight)
    if isinstance(module, _NormBase) or not isinstance(filters, Tensor) or filters.ndim < 2:
        return 0
    # Each number given is a sum over the weights that lead to it.
    return math.prod(shape) * math.prod(filters.shape[1:])
