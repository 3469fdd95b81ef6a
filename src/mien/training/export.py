"""A trained network -> a model file: probabilities, weights in half precision, the card inside."""

import io
import math
import warnings
from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from mien.card import KEY, Card
from mien.errors import ModelError
from mien.model import INPUT, Model
from mien.networks.multitask import MultiTaskNet

_OPSET: Final = 17
_TOLERANCE: Final = 1e-4
_HALF_TOLERANCE: Final = 0.02
_SMALL: Final = 256


class _Probabilities(nn.Module):
    """The network as it is used: uint8 pixels in, probabilities out."""

    def __init__(self, net: MultiTaskNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.softmax(scores, dim=1) for scores in self.net(image).values())


def divide_scores(net: MultiTaskNet, temperatures: Mapping[str, float]) -> None:
    """Fold temperatures into the heads, so that every consumer gets calibrated probabilities."""
    with torch.no_grad():
        for task, temperature in temperatures.items():
            head = net.heads[task]
            for parameter in head.parameters():
                parameter.div_(temperature)


def export(net: MultiTaskNet, card: Card) -> bytes:
    """Return the model file of a network.

    Weights are stored in half precision with a Cast node each, which onnxruntime folds when it
    opens the file; it computes in single precision.

    Args:
        net: The network; its heads are the card's tasks, in order.
        card: The card; its size is the input's.

    Raises:
        ModelError: The network cannot be exported, or its file's probabilities differ from
            PyTorch's by more than 1e-4 before, or 0.02 after the weights were halved.
    """
    net.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    # The whole module, for the exporter gives it back in the mode in which it came.
    module = _Probabilities(net).eval()
    pixels = _noise(card.input.size)
    graph = _graph(module, pixels, [task.name for task in card.tasks])
    _check(module, pixels, with_card(graph.SerializeToString(), card), _TOLERANCE)
    _halve(graph)
    data = with_card(graph.SerializeToString(), card)
    _check(module, pixels, data, _HALF_TOLERANCE)
    return data


def _graph(module: nn.Module, pixels: Tensor, names: list[str]) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that writes one plain file with a free batch size is called legacy.
        warnings.simplefilter("ignore", DeprecationWarning)
        # What it cannot follow depends on sizes alone; all but the number of pictures are fixed.
        warnings.filterwarnings("ignore", message="Converting a tensor to a Python")
        try:
            torch.onnx.export(
                module,
                (pixels[1:],),  # fewer than the check gives it: the number must stay free
                cast("str", buffer),  # its stub names paths alone; a stream is taken too
                input_names=[INPUT],
                output_names=names,
                dynamic_axes={name: {0: "n"} for name in [INPUT, *names]},
                opset_version=_OPSET,
                dynamo=False,
            )
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise ModelError(
                f"the network cannot be exported ({reason:.200}); choose another backbone"
            ) from error
    return onnx.load_from_string(buffer.getvalue())


def with_card(data: bytes, card: Card) -> bytes:
    """Return a model file with another card inside."""
    model = onnx.load_from_string(data)
    helper.set_model_props(model, {KEY: card.to_json()})
    model.producer_name, model.producer_version = "mien", ""
    model.doc_string = ""
    onnx.checker.check_model(model)
    changed: bytes = model.SerializeToString()
    return changed


def _check(module: nn.Module, pixels: Tensor, data: bytes, tolerance: float) -> None:
    with torch.no_grad():
        wanted = module(pixels)
    found = Model(data, "the exported network").run(pixels.numpy())
    worst = max(
        float(np.abs(output.numpy() - values).max())
        for output, values in zip(wanted, found.values(), strict=True)
    )
    if not worst <= tolerance:
        raise ModelError(
            f"the exported network's probabilities differ from PyTorch's by {worst:.2g}; "
            f"at most {tolerance:g} is allowed"
        )


def _halve(model: onnx.ModelProto) -> None:
    """Store large tensors as float16 where that holds them, each behind a Cast to float32."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) < _SMALL:
            continue
        with np.errstate(over="ignore"):
            half = numpy_helper.to_array(tensor).astype(np.float16)
        if not np.isfinite(half).all():
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _noise(side: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8))
