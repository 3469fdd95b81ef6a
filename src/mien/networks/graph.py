"""ONNX graphs: what a tensor hangs on, and what a graph computes on the way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

FIRST_MEMBER: Final = "first."
"""Before the names of what the first network of an ensemble gives."""


def needed(nodes: Iterable[onnx.NodeProto], tensors: Sequence[str]) -> list[onnx.NodeProto]:
    """Return the nodes that some tensors hang on, in their order."""
    wanted = set(tensors)
    kept = []
    for node in reversed(list(nodes)):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(used(node))
    return kept[::-1]


def used(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names that a node takes, those that graphs inside it, as a loop's, use included."""
    yield from node.input
    for attribute in node.attribute:
        for inside in attribute.g.node:
            yield from used(inside)


def computing(
    model: onnx.ModelProto, tensors: Sequence[str]
) -> Callable[[NDArray[np.uint8]], list[NDArray[Any]]]:
    """Return what computes some tensors of a graph from pictures, the graph as it stands.

    Args:
        model: The graph, of one input.
        tensors: Names of tensors in it, none twice.
    """
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    del asked.graph.output[:]
    asked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in tensors)
    options = onnxruntime.SessionOptions()
    # As it stands: joined nodes would hide what lies between them.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(asked.SerializeToString(), options)
    (taken,) = session.get_inputs()
    return lambda pixels: list(session.run(list(tensors), {taken.name: pixels}))
