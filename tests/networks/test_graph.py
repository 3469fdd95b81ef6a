"""What tensors of a graph hang on, and what is computed on the way."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from mien.networks.graph import computing, needed, used


def node(kind: str, taken: list[str], made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, taken, [made], **attributes)


def choosing() -> list[onnx.NodeProto]:
    """Nodes of which one chooses between graphs that use what stands outside of them."""
    wide = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    branches = {
        f"{name}_branch": helper.make_graph([node("Neg", [outside], "x")], name, [], [wide])
        for name, outside in (("then", "a"), ("else", "b"))
    }
    return [
        node("Abs", ["start"], "a"),
        node("Relu", ["start"], "b"),
        node("Exp", ["start"], "c"),
        node("If", ["which"], "end", **branches),
    ]


def test_what_graphs_inside_a_node_use_is_used() -> None:
    assert sorted(used(choosing()[-1])) == ["a", "b", "which"]


def test_what_a_tensor_hangs_on_in_order() -> None:
    nodes = choosing()
    assert needed(nodes, ["end"]) == [nodes[0], nodes[1], nodes[3]]
    assert needed(nodes, ["c"]) == [nodes[2]]


def test_what_is_computed_on_the_way() -> None:
    graph = helper.make_graph(
        [
            node("Cast", ["image"], "numbers", to=TensorProto.FLOAT),
            node("Neg", ["numbers"], "minus"),
            node("Abs", ["minus"], "out"),
        ],
        "steps",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 2, 2, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    compute = computing(model, ["minus", "numbers"])
    for count in (1, 2):
        pixels = np.full((count, 2, 2, 3), 3, np.uint8)
        minus, numbers = compute(pixels)
        assert (minus == -3).all()
        assert (numbers == 3).all()
        assert minus.shape == pixels.shape
    assert [output.name for output in model.graph.output] == ["out"]
