"""Read and edit a few fields of an ONNX file without the onnx package, a training dependency.

An ONNX file is a Protocol Buffers message, a flat run of (key, value) fields. Only the few field
numbers named below, from onnx.proto, are looked at; everything else is copied as it stands.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_GRAPH = 7
_GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 11, 12, 13
_VALUE_TYPE = 2
_TYPE_TENSOR = 1
_TENSOR_SHAPE = 2
_SHAPE_DIM = 1
_DIM_PARAM = 2
# Readers differ on larger keys: some cut them to 32 bits, and so see another field.
_KEYS = 2**32

_TENSORS: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "other file"},
}
"""Message -> its fields in which, at whatever depth, a tensor may lie."""

_Message = TypeVar("_Message", bytes, memoryview)


def names_other_files(model: bytes) -> bool:
    """Return whether a model keeps tensors in other files, which onnxruntime would open.

    Args:
        model: A serialised ONNX model.

    Raises:
        ValueError: The bytes are not a Protocol Buffers message.
    """
    waiting = [("model", memoryview(model))]
    while waiting:
        part, message = waiting.pop()
        if part == "other file":
            return True
        inside = _TENSORS[part]
        waiting += [
            (inside[number], value)
            for number, kind, value in _fields(message)
            if number in inside and kind == _BYTES
        ]
    return False


def network_digest(model: bytes) -> str:
    """Return a hash of a model's graph and weights alone; what else the file says does not count.

    Args:
        model: A serialised ONNX model.

    Raises:
        ValueError: The bytes are not a Protocol Buffers message.
    """
    digest = hashlib.sha256()
    for number, _, value in _fields(memoryview(model)):
        if number == _MODEL_GRAPH:
            digest.update(value)
    return digest.hexdigest()


def with_symbolic_shapes(
    model: bytes, input_axes: dict[int, str], output_axes: dict[int, str]
) -> bytes:
    """Return the model with the size of some axes left open.

    Args:
        model: A serialised ONNX model whose graph computes with any size, though it declares one.
        input_axes: Axis number -> the symbol that replaces its fixed size, in every graph input.
        output_axes: The same for the outputs; each output gets symbols of its own.

    Returns:
        The edited serialised model, without the recorded shapes of intermediate values.

    Raises:
        ValueError: The bytes are not a Protocol Buffers message.
    """
    return _edit_path(model, (_MODEL_GRAPH,), lambda g: _open_graph(g, input_axes, output_axes))


def _open_graph(graph: bytes, input_axes: dict[int, str], output_axes: dict[int, str]) -> bytes:
    out = bytearray()
    outputs = 0
    for number, kind, value in _fields(graph):
        if number == _GRAPH_VALUE_INFO:
            continue
        if (number, kind) == (_GRAPH_INPUT, _BYTES):
            value = _open_value(value, input_axes)
        elif (number, kind) == (_GRAPH_OUTPUT, _BYTES):
            outputs += 1
            value = _open_value(value, {a: f"{name}_{outputs}" for a, name in output_axes.items()})
        out += _field(number, kind, value)
    return bytes(out)


def _open_value(value: bytes, axes: dict[int, str]) -> bytes:
    path = (_VALUE_TYPE, _TYPE_TENSOR, _TENSOR_SHAPE)
    return _edit_path(value, path, lambda shape: _rename_axes(shape, axes))


def _rename_axes(shape: bytes, names: dict[int, str]) -> bytes:
    out = bytearray()
    axis = 0
    for number, kind, value in _fields(shape):
        if (number, kind) == (_SHAPE_DIM, _BYTES):
            if axis in names:
                value = _field(_DIM_PARAM, _BYTES, names[axis].encode())
            axis += 1
        out += _field(number, kind, value)
    return bytes(out)


def _edit_path(message: bytes, path: tuple[int, ...], edit: Callable[[bytes], bytes]) -> bytes:
    """Apply `edit` to every nested message that is reached by the field numbers in `path`."""
    if not path:
        return edit(message)
    return b"".join(
        _field(
            number,
            kind,
            _edit_path(value, path[1:], edit) if (number, kind) == (path[0], _BYTES) else value,
        )
        for number, kind, value in _fields(message)
    )


def _fields(message: _Message) -> Iterator[tuple[int, int, _Message]]:
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        if key >= _KEYS:
            raise ValueError(f"not an ONNX file: key {key} at byte {position}")
        number, kind = key >> 3, key & 7
        start = position
        if kind == _VARINT:
            _, position = _read_varint(message, position)
        elif kind == _BYTES:
            length, start = _read_varint(message, position)
            position = start + length
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"not an ONNX file: unknown wire type {kind} at byte {start}")
        if position > len(message):
            raise ValueError(f"not a whole ONNX file: it ends inside field {number}")
        yield number, kind, message[start:position]


def _field(number: int, kind: int, value: bytes) -> bytes:
    length = _varint(len(value)) if kind == _BYTES else b""
    return _varint(number << 3 | kind) + length + value


def _read_varint(message: bytes | memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise ValueError(f"not an ONNX file: broken number at byte {position}")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
