"""What a model file costs, counted by hand beside it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.errors import ModelError
from mien.evaluation.cost import size_of, speeds
from mien.model import Model
from tests import tiny


def test_a_linear_map_of_three_colours() -> None:
    size = size_of(tiny.model_bytes(tiny.colour_card()), "tiny")
    assert (size.parameters, size.macs) == (9, 9)


def test_convolutions_by_groups_and_a_dense_layer() -> None:
    """8 x 8 pictures: 3x3 to 4 channels, then one filter a channel at stride 2, then 64 to 5."""
    rng = np.random.default_rng(0)
    weights = {
        "a": rng.normal(size=(4, 3, 3, 3)),
        "b": rng.normal(size=(4, 1, 3, 3)),
        "c": rng.normal(size=(64, 5)),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "a"], ["y"], pads=[1] * 4),
        helper.make_node("Conv", ["y", "b"], ["z"], pads=[1] * 4, strides=[2, 2], group=4),
        helper.make_node("Flatten", ["z"], ["f"]),
        helper.make_node("MatMul", ["f", "c"], ["out"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8, 3])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 5])
    constants = [numpy_helper.from_array(w.astype(np.float32), n) for n, w in weights.items()]
    graph = helper.make_graph(nodes, "net", [image], [out], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    size = size_of(model.SerializeToString(), "net")
    assert size.parameters == 4 * 27 + 4 * 9 + 64 * 5
    assert size.macs == 64 * 4 * 27 + 16 * 4 * 9 + 64 * 5


def test_a_graph_that_cannot_be_followed_is_refused() -> None:
    model = onnx.load_from_string(tiny.model_bytes(tiny.colour_card()))
    model.graph.node[-2].input[0] = "nowhere"
    with pytest.raises(ModelError, match="broken: its network cannot be counted"):
        size_of(model.SerializeToString(), "broken")


def test_speeds_come_in_the_order_of_the_models() -> None:
    models = [Model(tiny.model_bytes(tiny.colour_card()), threads=1) for _ in range(3)]
    found = speeds(models, 5)
    assert len(found) == 3
    assert all(0 < speed.p50 <= speed.p95 for speed in found)
