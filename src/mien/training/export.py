"""A trained network -> a model file: answers, weights in half precision, the card inside."""

import copy
import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Final, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from mien.card import KEY, Card
from mien.errors import ModelError
from mien.model import INPUT, Model
from mien.networks.multitask import MultiTaskNet, SingleScore
from mien.training.padding import settle_padding

_OPSET: Final = 17
_TOLERANCE: Final = 1e-4
_SMALL: Final = 96
"""Tensors of fewer numbers stay whole: the node that brings them back would take what they save."""


class _Answers(nn.Module):
    """The network as it is used: uint8 pixels in, probabilities (or a number) a task out."""

    def __init__(self, net: MultiTaskNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            torch.softmax(scores, dim=1) if scores.shape[1] > 1 else scores
            for scores in self.net(image).values()
        )


def scale_scores(
    net: MultiTaskNet, scalings: Mapping[str, tuple[NDArray[np.floating], NDArray[np.floating]]]
) -> None:
    """Fold calibration into the heads, so that every consumer gets calibrated probabilities.

    Args:
        net: The network.
        scalings: Task -> what each of its scores is multiplied by, and what is then added to it.
    """
    with torch.no_grad():
        for task, (scale, shift) in scalings.items():
            head = net.heads[task]
            last = [layer for layer in head.modules() if isinstance(layer, nn.Linear)][-1]
            factor = torch.as_tensor(np.asarray(scale, np.float32))
            added = torch.as_tensor(np.asarray(shift, np.float32))
            if isinstance(last, SingleScore):
                # The first label's score stays 0: what is added to it is taken from the other.
                factor, added = factor[1:], added[1:] - added[:1]
            last.weight.mul_(factor[:, None])
            last.bias.mul_(factor).add_(added)


def export(net: MultiTaskNet, card: Card, *, half: bool = True) -> bytes:
    """Return the model file of a network.

    Its tensors keep the names that they have in the network, so that another training can begin
    with them.

    Args:
        net: The network; its heads are the card's tasks, in order. It is left as it came.
        card: The card; its size is the input's.
        half: Whether weights are stored in half precision with a Cast node each, which onnxruntime
            folds when it opens the file; it computes in single precision.

    Raises:
        ModelError: The network cannot be exported, or its file's answers differ by more than 1e-4
            from PyTorch's with the same weights.
    """
    copied = copy.deepcopy(net).cpu()
    copied.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    # The whole module, for the exporter gives it back in the mode in which it came.
    module = _Answers(copied).eval()
    pixels = noise(card.input.size)
    if half:
        round_to_half(module)
    # For the wrapper alone: the exporter joins equal tensors under one name unless it is set.
    module.training = True
    graph = traced(module, pixels, [task.name for task in card.tasks])
    if half:
        halve(graph)
    data = with_card(graph.SerializeToString(), card)
    _check(module, pixels, data)
    return data


def traced(module: nn.Module, pixels: Tensor, names: list[str]) -> onnx.ModelProto:
    """Return the graph of a module that takes pictures, for any number of them.

    Args:
        module: Its forward takes pixels and gives one tensor a name.
        pixels: N x H x W x 3, uint8, with N at least 2.
        names: What its outputs are called.

    Raises:
        ModelError: The module cannot be exported.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that writes one plain file with a free batch size is called legacy.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Constants are folded all the same, as nothing here trains.
        warnings.filterwarnings("ignore", message=".*constant folding.*")
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
                # Exported as it stands, in inference mode, but without folding norms into
                # convolutions: the tensors keep their names. onnxruntime folds them itself.
                training=torch.onnx.TrainingMode.PRESERVE,
            )
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise ModelError(
                f"the network cannot be exported ({reason:.200}); choose another backbone"
            ) from error
    model = onnx.load_from_string(buffer.getvalue())
    settle_padding(model, pixels.numpy())
    shorten_names(model)
    return model


def shorten_names(model: onnx.ModelProto) -> None:
    """Take away the long names that say nothing to anybody, and what concerns training alone.

    Tensors with weights keep their names. The others are a twentieth of a small network's file.
    """
    graph = model.graph
    kept = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    short: dict[str, str] = {}
    for node in graph.node:
        node.ClearField("name")
        if node.op_type == "BatchNormalization":
            used = [each for each in node.attribute if each.name == "epsilon"]
            del node.attribute[:]
            node.attribute.extend(used)
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name and name not in kept:
                    names[place] = short.setdefault(name, f"t{len(short)}")
    del graph.value_info[:]


def with_card(data: bytes, card: Card) -> bytes:
    """Return a model file with another card inside."""
    model = onnx.load_from_string(data)
    helper.set_model_props(model, {KEY: card.to_json()})
    model.producer_name, model.producer_version = "mien", ""
    model.doc_string = ""
    onnx.checker.check_model(model)
    changed: bytes = model.SerializeToString()
    return changed


def _check(module: nn.Module, pixels: Tensor, data: bytes) -> None:
    with torch.no_grad():
        wanted = module(pixels)
    found = Model(data, "the exported network").run(pixels.numpy())
    worst = max(
        float((np.abs(output.numpy() - values) / np.maximum(1, np.abs(values))).max())
        for output, values in zip(wanted, found.values(), strict=True)
    )
    if not worst <= _TOLERANCE:
        raise ModelError(
            f"the exported network's answers differ from PyTorch's by {worst:.2g}; "
            f"at most {_TOLERANCE:g} is allowed"
        )


def round_to_half(module: nn.Module) -> None:
    """Round the weights that are to be halved, so that PyTorch computes with what is stored."""
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point() and _halves(tensor.shape):
                half = tensor.half()
                if half.isfinite().all():
                    tensor.copy_(half)


def _halves(shape: Sequence[int]) -> bool:
    """Say whether a tensor is halved: a small one would take more room for it."""
    return math.prod(shape) >= _SMALL


def halve(model: onnx.ModelProto) -> None:
    """Store large tensors as float16 where that holds them, each behind a Cast to float32."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or not _halves(tensor.dims):
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


def noise(side: int) -> Tensor:
    """Return three pictures of noise, the same each time: 3 x side x side x 3, uint8."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8))
