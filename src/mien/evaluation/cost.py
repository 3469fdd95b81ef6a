"""What a model file costs: parameters, multiplications, bytes, and milliseconds a picture."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto

from mien.errors import ModelError
from mien.model import Model
from mien.networks.graph import computing

_WARM_UP: Final = 10
_WEIGHTS: Final = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.DOUBLE,
    TensorProto.INT8,
    TensorProto.INT32,
)
_CONVOLUTIONS: Final = ("Conv", "ConvInteger", "QLinearConv", "ConvTranspose")
_PRODUCTS: Final = ("MatMul", "Gemm", "MatMulInteger", "QLinearMatMul")


@dataclass(frozen=True)
class Size:
    """What a network holds and computes for one picture.

    Attributes:
        parameters: Numbers in its tensors, statistics of norms included.
        macs: Multiplications with addition in its convolutions and matrix products.
    """

    parameters: int
    macs: int


@dataclass(frozen=True)
class Speed:
    """How long one picture takes, in milliseconds: the median, and what 95 % stay below."""

    p50: float
    p95: float


def size_of(data: bytes, name: str) -> Size:
    """Return the size of the network in a model file.

    Args:
        data: The file's bytes.
        name: What messages call it.

    Raises:
        ModelError: Its graph cannot be followed.
    """
    try:
        model = onnx.load_from_string(data)
        shapes = _shapes(model)
        macs = sum(_macs(node, shapes) for node in model.graph.node)
    except Exception as error:
        # What onnxruntime fails with has no base of its own.
        raise ModelError(f"{name}: its network cannot be counted ({error!s:.200})") from error
    weights = [t for t in model.graph.initializer if t.data_type in _WEIGHTS and len(t.dims)]
    return Size(sum(prod(tensor.dims) for tensor in weights), macs)


def speeds(models: Sequence[Model], rounds: int, seed: int = 0) -> list[Speed]:
    """Return how long one picture takes each model, measured side by side.

    In every round each model reads one picture, in an order drawn anew, so that what else the
    machine does meets all alike.

    Args:
        models: Opened with as many threads as are to be measured.
        rounds: How many pictures each reads.
        seed: Seed of the order and the pictures.
    """
    rng = np.random.default_rng(seed)
    sides = {model.card.input.size for model in models}
    pictures = {side: rng.integers(0, 256, (1, side, side, 3), np.uint8) for side in sides}
    taken = np.empty((rounds, len(models)))
    for number in range(-_WARM_UP, rounds):
        for place in rng.permutation(len(models)).tolist():
            picture = pictures[models[place].card.input.size]
            begun = time.perf_counter()
            models[place].run(picture)
            if number >= 0:
                taken[number, place] = 1000 * (time.perf_counter() - begun)
    middle, most = np.percentile(taken, [50, 95], axis=0)
    return [Speed(float(a), float(b)) for a, b in zip(middle, most, strict=True)]


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor that a multiplication takes or gives, for one picture.

    By computing them: what shapes depend on is not always written where it could be inferred.
    """
    graph = model.graph
    found = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    known = found.keys() | {value.name for value in graph.input}
    nodes = [node for node in graph.node if node.op_type in _CONVOLUTIONS + _PRODUCTS]
    tensors = {name for node in nodes for name in (*node.input, *node.output) if name}
    names = sorted(tensors - known)
    (taken,) = (value for value in graph.input if value.name not in found)
    sizes = [size.dim_value for size in taken.type.tensor_type.shape.dim[1:]]
    values = computing(model, names)(np.zeros((1, *sizes), np.uint8))
    return found | {name: value.shape for name, value in zip(names, values, strict=True)}


def _macs(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    if node.op_type in _CONVOLUTIONS:
        place = 3 if node.op_type == "QLinearConv" else 1
        weight = shapes[node.input[place]]
        # Each number of the output takes one multiplication a weight of its filter.
        given = shapes[node.input[0]] if node.op_type == "ConvTranspose" else shapes[node.output[0]]
        return prod(given) * prod(weight[1:])
    if node.op_type in _PRODUCTS:
        one = shapes[node.input[0]]
        depth = one[0] if _transposed(node) else one[-1]
        return prod(shapes[node.output[0]]) * depth
    return 0


def _transposed(node: onnx.NodeProto) -> bool:
    return any(a.name == "transA" and a.i for a in node.attribute)
