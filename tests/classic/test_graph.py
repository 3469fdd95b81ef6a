"""Graphs cut before their heads, and joined with others."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien import model as models
from mien.classic import graph
from mien.errors import ModelError
from mien.model import Model, open_session
from tests.tiny import colour_card, face_card, model_bytes


def network(*nodes: onnx.NodeProto, outputs: tuple[str, ...]) -> onnx.ModelProto:
    weights = [
        numpy_helper.from_array(np.eye(3, dtype=np.float32), name)
        for name in ("w", "net.heads.a.0.weight", "net.heads.a.2.weight", "net.heads.b.weight")
    ]
    made = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in outputs],
        weights,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def product(data: str, weight: str, output: str) -> onnx.NodeProto:
    return helper.make_node("MatMul", [data, weight], [output])


def test_a_head_of_several_layers_is_left_out_as_a_whole() -> None:
    model = network(
        product("x", "w", "h"),
        product("h", "net.heads.a.0.weight", "i"),
        helper.make_node("Tanh", ["i"], ["j"]),
        product("j", "net.heads.a.2.weight", "a"),
        product("h", "net.heads.b.weight", "b"),
        outputs=("a", "b"),
    )
    assert graph.before_heads(model) == "h"


def test_a_file_of_another_maker_ends_with_its_last_product() -> None:
    model = network(
        product("x", "w", "h"),
        product("h", "w", "i"),
        helper.make_node("Softmax", ["i"], ["a"]),
        outputs=("a",),
    )
    assert graph.before_heads(model) == "h"


@pytest.mark.parametrize("name", ["net.heads.b.weight", "w"])
def test_branches_without_a_common_trunk(name: str) -> None:
    model = network(
        helper.make_node("Relu", ["x"], ["g"]),
        helper.make_node("Abs", ["x"], ["h"]),
        product("g", name, "a"),
        product("h", name, "b"),
        outputs=("a", "b"),
    )
    with pytest.raises(ModelError, match="2 outputs do not share one last layer"):
        graph.before_heads(model)


def test_no_product_at_all() -> None:
    model = network(helper.make_node("Relu", ["x"], ["a"]), outputs=("a",))
    with pytest.raises(ModelError, match="comes from no matrix product"):
        graph.before_heads(model)


def test_the_packaged_model_is_cut_before_its_heads() -> None:
    whole = onnx.load(models.find("face"))
    tensor = graph.before_heads(whole)
    part = graph.cut(whole, tensor)
    kept = {value.name for value in part.graph.initializer}
    assert not any(name.startswith("net.heads.") for name in kept)
    assert len(kept) == len(whole.graph.initializer) - 2 * len(whole.graph.output)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    (features,) = open_session(part.SerializeToString(), "part").run(None, {"image": pixels})
    weights = {t.name: numpy_helper.to_array(t) for t in whole.graph.initializer}
    scores = (
        features @ weights["net.heads.gender.weight.half"].astype(np.float32).T
        if ("net.heads.gender.weight.half" in weights)
        else features @ weights["net.heads.gender.weight"].T
    )
    scores += weights["net.heads.gender.bias"]
    wanted = Model.open("face").run(pixels, ["gender"])["gender"]
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(raised / raised.sum(axis=1, keepdims=True), wanted, atol=1e-4)


def test_what_is_not_pooled_has_no_map() -> None:
    model = network(helper.make_node("Relu", ["x"], ["h"]), product("h", "w", "a"), outputs=("a",))
    with pytest.raises(ModelError, match="not pooled from a map; leave out --map"):
        graph.before_pooling(model, "h")


def test_the_map_lies_before_the_pooling() -> None:
    whole = onnx.load_from_string(model_bytes(colour_card()))
    assert graph.before_heads(whole) == "means"
    with pytest.raises(ModelError):  # scaled after its pooling
        graph.before_pooling(whole, "means")
    assert graph.before_pooling(whole, "sums") == "pixels"


def test_join_keeps_both_parts_operators() -> None:
    first = graph.cut(onnx.load_from_string(model_bytes(face_card())), "means")
    second = network(product("means", "w", "a"), outputs=("a",))
    second.graph.input[0].name = "means"
    second.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    whole = graph.join(first, second)
    assert [(entry.domain, entry.version) for entry in whole.opset_import] == [("", 17)]
    pixels = np.full((2, 16, 16, 3), 51, np.uint8)
    (found,) = open_session(whole.SerializeToString(), "whole").run(None, {"image": pixels})
    np.testing.assert_allclose(found, np.full((2, 3), 0.2), atol=1e-6)
