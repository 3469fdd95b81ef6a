"""Convolutions that a processor runs in bfloat16 without threads that wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_gradients: Final = torch.ops.aten.convolution_backward


class MixedConv2d(nn.Conv2d):
    """A convolution whose weights' gradients are computed by parts of the batch under autocast.

    oneDNN's threads wait for each other by spinning while they compute such gradients in bfloat16.
    As soon as anything else needs a core, if only the process that prepares the next batch, one of
    them sleeps while the others spin: a step took five to ten times as long. Here each thread has a
    part of the batch to itself, and the parts' gradients are added up in single precision.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's own name)
        """Return what the convolution makes of N x C x H x W."""
        if not (torch.is_autocast_enabled("cpu") and self.weight.requires_grad):
            return super().forward(input)
        found: Tensor = _Convolution.apply(  # type: ignore[no-untyped-call]
            input, self.weight, self.bias, (self.stride, self.padding, self.dilation, self.groups)
        )
        return found


def mix(net: nn.Module) -> None:
    """Make each plain convolution of a network one that suits mixed precision on a processor."""
    for module in net.modules():
        if (
            type(module) is nn.Conv2d
            and module.padding_mode == "zeros"
            and not isinstance(module.padding, str)
        ):
            module.__class__ = MixedConv2d


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor | None, how: Any) -> Tensor:
        dtype = torch.get_autocast_dtype("cpu")
        ctx.how, ctx.given = how, image.dtype
        image, low = image.to(dtype), weight.to(dtype)
        ctx.save_for_backward(image, low)
        with torch.autocast("cpu", enabled=False):
            return functional.conv2d(image, low, None if bias is None else bias.to(dtype), *how)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        image, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.how
        rest = (None, stride, padding, dilation, False, (0, 0), groups)
        of_image = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            only = (True, False, False)
            of_image = _gradients(gradient, image, weight, *rest, only)[0].to(ctx.given)
        if ctx.needs_input_grad[1]:
            of_weight = _of_weight(gradient, image, weight, *rest)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.float().sum((0, 2, 3))
        return of_image, of_weight, of_bias, None


def _of_weight(gradient: Tensor, image: Tensor, weight: Tensor, *rest: Any) -> Tensor:
    threads = torch.get_num_threads()
    parts = zip(gradient.chunk(threads), image.chunk(threads), strict=True)
    only = (False, True, False)
    under_way = [_pool(threads).submit(_gradients, *part, weight, *rest, only) for part in parts]
    total: Tensor = sum(part.result()[1].float() for part in under_way)
    return total


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return threads that each compute alone."""
    return ThreadPoolExecutor(threads, "mien-gradients", torch.set_num_threads, (1,))
