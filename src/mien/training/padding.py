"""Padding whose size is known beforehand: written into convolutions, instead of computed each time.

Networks with TensorFlow's "same" padding, as timm's `tf_` ones, work out from each picture's size
how much a convolution of stride 2 pads, and pad by a step of its own. A model file takes pictures
of one size, so both are needless, and cost a quarter of a small network's time.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from mien.networks.graph import computing, needed, used

_Numbers = NDArray[np.int64]

_BATCH_AND_CHANNELS: Final = 2
"""How many axes stand before a picture's own."""


def settle_padding(model: onnx.ModelProto, pixels: NDArray[np.uint8]) -> None:
    """Fold padding with zeros into the convolutions that follow it, and drop what computed it.

    The graph's answers stay the same. Padding of another kind, or whose size depends on more than
    the pictures' size, is left as it is.

    Args:
        model: The graph; it is changed.
        pixels: N x H x W x 3, with N at least 2: pictures of the size that it takes.
    """
    graph = model.graph
    known = dict(_settled(model, pixels))
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in used(node):
            users.setdefault(name, []).append(node)
    results = {output.name for output in graph.output}
    for pad in [node for node in graph.node if node.output[0] in known]:
        after = users.get(pad.output[0], [])
        if len(after) == 1 and pad.output[0] not in results and _takes_padding(after[0], pad):
            _pad_more(after[0], known[pad.output[0]])
            after[0].input[0] = pad.input[0]
    kept = needed(graph.node, sorted(results))
    taken = {name for node in kept for name in used(node)} | results
    tensors = [tensor for tensor in graph.initializer if tensor.name in taken]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(tensors)


def _settled(model: onnx.ModelProto, pixels: NDArray[np.uint8]) -> Iterator[tuple[str, _Numbers]]:
    """Yield, for each step that pads a picture's own axes with zeros, its output and how much."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    pads = [
        node for node in model.graph.node if node.op_type == "Pad" and _with_zeros(node, constants)
    ]
    if not pads:
        return
    names = sorted({pad.input[1] for pad in pads})
    compute = computing(model, names)
    one, more = (dict(zip(names, compute(batch), strict=True)) for batch in (pixels[:1], pixels))
    for pad in pads:
        name = pad.input[1]
        ends = one[name].reshape(2, -1)
        if np.array_equal(one[name], more[name]) and not ends[:, :_BATCH_AND_CHANNELS].any():
            own = ends[:, _BATCH_AND_CHANNELS:]
            if (own >= 0).all():
                yield pad.output[0], own.ravel()


def _with_zeros(pad: onnx.NodeProto, constants: dict[str, NDArray[np.generic]]) -> bool:
    mode = next((item.s for item in pad.attribute if item.name == "mode"), b"constant")
    value = pad.input[2] if len(pad.input) > 2 else ""
    zero = not value or (value in constants and not np.any(constants[value]))
    return mode == b"constant" and zero and len(pad.input) <= 3


def _takes_padding(node: onnx.NodeProto, pad: onnx.NodeProto) -> bool:
    own = next((item.s for item in node.attribute if item.name == "auto_pad"), b"NOTSET")
    return node.op_type == "Conv" and node.input[0] == pad.output[0] and own == b"NOTSET"


def _pad_more(convolution: onnx.NodeProto, amounts: _Numbers) -> None:
    for attribute in convolution.attribute:
        if attribute.name == "pads":
            summed = np.asarray(attribute.ints) + amounts
            del attribute.ints[:]
            attribute.ints.extend(map(int, summed))
            return
    convolution.attribute.append(helper.make_attribute("pads", list(map(int, amounts))))
