"""ONNX graphs cut and joined: the part of a model file before its heads, and another head on it."""

from collections.abc import Sequence
from typing import Final

import onnx
from onnx import helper

from mien.errors import ModelError
from mien.networks.graph import FIRST_MEMBER, needed, used

FEATURES: Final = "features"
"""The output of what computes features."""

_HEADS: Final = "net.heads."
"""Before the names of the heads' tensors in a model file that mien trained."""

_DENSE: Final = ("Gemm", "MatMul")
_POOLING: Final = ("GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax")
_SHAPING: Final = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast")


def before_heads(model: onnx.ModelProto) -> str:
    """Return the name of the tensor that all heads of a model begin with.

    In a file that mien trained the heads are known by their tensors' names; in any other the last
    matrix product before each output is the head. Of an ensemble the first network counts.

    Raises:
        ModelError: The outputs do not share one last layer, or have none.
    """
    graph = _first_member(model.graph)
    constant = _constants(graph)
    named = _entries(graph, constant)
    found = named or {_last_product(graph, constant, output.name) for output in graph.output}
    if len(found) != 1 and len(graph.output) == 1:
        raise ModelError(
            "the network looks at several changed copies of a picture, so no one layer holds its "
            "features; take another model"
        )
    if len(found) != 1:
        raise ModelError(
            f"the network's {len(graph.output)} outputs do not share one last layer, so it has no "
            "features to store; take a network with one trunk"
        )
    return found.pop()


def before_pooling(model: onnx.ModelProto, tensor: str) -> str:
    """Return the name of the feature map that a tensor is pooled from.

    Raises:
        ModelError: It is not pooled.
    """
    makers = {name: node for node in model.graph.node for name in node.output}
    while tensor in makers:
        node = makers[tensor]
        if node.op_type in _POOLING:
            return str(node.input[0])
        if node.op_type not in _SHAPING:
            break
        tensor = node.input[0]
    raise ModelError("the network's features are not pooled from a map; leave out --map")


def cut(model: onnx.ModelProto, tensor: str) -> onnx.ModelProto:
    """Return the part of a model that computes one tensor, as its only output.

    All tensors keep their names; nothing is said of the output's shape.
    """
    graph = model.graph
    nodes = needed(graph.node, [tensor])
    taken = {name for node in nodes for name in used(node)}
    part = helper.make_graph(
        nodes,
        "part",
        [value for value in graph.input if value.name in taken],
        [helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None)],
        [value for value in graph.initializer if value.name in taken],
    )
    return model_of(part, [model])


def append(
    model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], output: str, columns: int
) -> onnx.ModelProto:
    """Return a model that goes on with more nodes, to one output of N x columns numbers."""
    graph = onnx.GraphProto()
    graph.CopyFrom(model.graph)
    graph.node.extend(nodes)
    del graph.output[:]
    made = helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, ["n", columns])
    graph.output.append(made)
    return model_of(graph, [model])


def join(first: onnx.ModelProto, second: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that gives the output of the first to the second.

    The first's tensors keep their names; no name of the second's may be among them, but for the
    first's output, which is the second's input.
    """
    graph = onnx.GraphProto()
    graph.CopyFrom(first.graph)
    graph.node.extend(second.graph.node)
    graph.initializer.extend(second.graph.initializer)
    del graph.output[:]
    graph.output.extend(second.graph.output)
    return model_of(graph, [first, second])


def model_of(graph: onnx.GraphProto, parts: Sequence[onnx.ModelProto]) -> onnx.ModelProto:
    """Return the model of a graph that was made of parts of models, with their operators."""
    opsets: dict[str, int] = {}
    for part in parts:
        for entry in part.opset_import:
            opsets[entry.domain] = max(entry.version, opsets.get(entry.domain, 1))
    domains = {node.domain for node in graph.node} | {""}
    imports = [
        helper.make_opsetid(domain, version)
        for domain, version in sorted(opsets.items())
        if domain in domains
    ]
    version = max(part.ir_version for part in parts)
    made = helper.make_model(graph, opset_imports=imports, ir_version=version)
    made.producer_name = "mien"
    return made


def _first_member(graph: onnx.GraphProto) -> onnx.GraphProto:
    """Return the first network of an ensemble with its own outputs; of all else the graph."""
    outputs = [f"{FIRST_MEMBER}{output.name}" for output in graph.output]
    nodes = needed(graph.node, outputs)
    if not set(outputs) <= {name for node in nodes for name in node.output}:
        return graph
    values = [helper.make_tensor_value_info(o, onnx.TensorProto.FLOAT, None) for o in outputs]
    return helper.make_graph(nodes, graph.name, list(graph.input), values, list(graph.initializer))


def _constants(graph: onnx.GraphProto) -> set[str]:
    """Return the names of the tensors that hang on no input."""
    found = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if all(name in found for name in node.input):
            found.update(node.output)
    return found


def _entries(graph: onnx.GraphProto, constant: set[str]) -> set[str]:
    """Return what the heads of a network that mien trained are given."""
    inside: set[str] = {name for name in constant if name.startswith(_HEADS)}
    found: set[str] = set()
    for node in graph.node:
        if not inside.intersection(node.input):
            continue
        if not set(node.output) <= constant:
            found.update(name for name in node.input if name not in inside | constant)
        inside.update(node.output)
    return found


def _last_product(graph: onnx.GraphProto, constant: set[str], tensor: str) -> str:
    makers = {name: node for node in graph.node for name in node.output}
    while tensor in makers:
        node = makers[tensor]
        data = [name for name in node.input if name not in constant]
        if not data:
            break
        if node.op_type in _DENSE:
            return str(data[0])
        tensor = data[0]
    raise ModelError(
        f"the output {tensor!r} comes from no matrix product, so the network has no features before"
    )
