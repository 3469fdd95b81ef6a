"""Padding that a model file need not compute."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from mien.training.export import noise, traced
from mien.training.padding import settle_padding

COMPUTING = {"Shape", "Gather", "Ceil", "Slice", "Concat", "Pad"}


class Net(nn.Module):
    """Pictures of bytes through some layers, to four numbers."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = self.layers(image.permute(0, 3, 1, 2).float() / 255)
        return found.mean(dim=(2, 3))


class Reflected(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.pad(image, (1, 1, 1, 1), mode="reflect")


class Ones(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.pad(image, (1, 0, 1, 0), value=1.0)


class Twice(nn.Module):
    """One padded picture that two convolutions take."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)

    def forward(self, image: Tensor) -> Tensor:
        padded = nn.functional.pad(image, (1, 0, 1, 0))
        found: Tensor = self.first(padded) + self.second(padded)
        return found


def same(inputs: int, kernel: int, stride: int) -> nn.Module:
    """TensorFlow's convolution, which works its padding out from the picture."""
    return Conv2dSame(inputs, 4, kernel, stride)


def graph_of(net: nn.Module, side: int) -> onnx.ModelProto:
    torch.manual_seed(0)
    return traced(net.eval(), noise(side), ["out"])


def run(model: onnx.ModelProto, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    return found


def kinds(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


@pytest.mark.parametrize("side", [31, 32, 33, 34])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (3, 1), (2, 3), (1, 2)])
def test_what_depends_on_the_size_alone_is_not_computed(
    side: int, kernel: int, stride: int
) -> None:
    net = Net(same(3, kernel, stride), nn.ReLU(), same(4, 3, 2))
    model = graph_of(net, side)

    assert not COMPUTING & kinds(model).keys()
    assert kinds(model)["Conv"] == 2
    pixels = np.random.default_rng(1).integers(0, 256, (5, side, side, 3), np.uint8)
    with torch.no_grad():
        wanted = net(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(run(model, pixels), wanted, atol=1e-5)


def test_padding_adds_to_that_of_the_convolution() -> None:
    layers = (nn.ZeroPad2d((1, 2, 3, 4)), nn.Conv2d(3, 4, 3, padding=(1, 2)))
    model = graph_of(Net(*layers), 20)

    (convolution,) = (node for node in model.graph.node if node.op_type == "Conv")
    (pads,) = (list(item.ints) for item in convolution.attribute if item.name == "pads")
    assert pads == [4, 3, 5, 4]  # top, left, bottom, right


@pytest.mark.parametrize(
    "layers",
    [
        (Reflected(), nn.Conv2d(3, 4, 3)),
        (Ones(), nn.Conv2d(3, 4, 3)),
        (nn.ZeroPad2d(1), nn.MaxPool2d(2)),
        (nn.ZeroPad2d(-1), nn.Conv2d(3, 4, 3)),
        (Twice(),),
        (nn.Conv2d(3, 4, 3), nn.ZeroPad2d(1)),
    ],
    ids=["reflected", "ones", "a pool", "a cut", "two users", "the end"],
)
def test_other_padding_stays(layers: tuple[nn.Module, ...]) -> None:
    net = Net(*layers)
    model = graph_of(net, 16)

    assert kinds(model)["Pad"] == 1
    pixels = noise(16)
    with torch.no_grad():
        wanted = net(pixels).numpy()
    np.testing.assert_allclose(run(model, pixels.numpy()), wanted, atol=1e-5)


def test_padding_that_depends_on_the_number_of_pictures_stays() -> None:
    def constant(name: str, values: list[int]) -> onnx.TensorProto:
        return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)

    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["numbers"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node("Shape", ["image"], ["sizes"]),
        helper.make_node("Slice", ["sizes", "zero", "one"], ["count"]),
        helper.make_node(
            "Concat", ["none", "count", "zero", "zero", "zero", "none2"], ["pads"], axis=0
        ),
        helper.make_node("Pad", ["channels", "pads"], ["padded"]),
        helper.make_node("Conv", ["padded", "weight"], ["out"]),
    ]
    tensors = [
        constant("zero", [0]),
        constant("one", [1]),
        constant("none", [0, 0]),
        constant("none2", [0, 0]),
        helper.make_tensor("weight", TensorProto.FLOAT, [1, 3, 1, 1], [1.0, 1.0, 1.0]),
    ]
    graph = helper.make_graph(
        nodes,
        "counted",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    settle_padding(model, noise(8).numpy())

    assert kinds(model)["Pad"] == 1
    assert run(model, noise(8).numpy()).shape == (3, 1, 11, 8)
