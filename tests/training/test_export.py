"""Model files of networks: PyTorch's answers at half the size, for any number of pictures."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto

from mien.card import KEY, Card, Input, Task
from mien.errors import ModelError
from mien.faces import TEMPLATE
from mien.model import Model
from mien.networks.multitask import Heads, Looks, MultiTaskNet
from mien.training.export import export, scale_scores, with_card
from tests import tiny

torch.set_num_threads(1)
TASKS = (
    Task(name="age", kind="age", ages=101, unit="years"),
    Task(name="gender", kind="classification", labels=("male", "female")),
)


def card(size: int = 32, **changes: Any) -> Card:
    framed = Input(size=size, framing="face", landmarks=TEMPLATE)
    return tiny.face_card(input=framed, tasks=TASKS, **changes)


def network(backbone: str = "test_resnet", seed: int = 0, scale: float = 1) -> MultiTaskNet:
    """A network with sharp answers, whose norms have seen pictures."""
    torch.manual_seed(seed)
    net = MultiTaskNet(backbone, {task.name: task.outputs for task in TASKS})
    net.train()
    with torch.no_grad():
        net(pictures(16))
        for head in net.heads.values():
            for parameter in head.parameters():
                parameter.mul_(scale)
    return net


def pictures(count: int, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=generator)


def answers(net: MultiTaskNet, pixels: torch.Tensor) -> dict[str, NDArray[np.float32]]:
    with torch.no_grad():
        scores = net.eval()(pixels)
    return {task: torch.softmax(rows, dim=1).numpy() for task, rows in scores.items()}


@pytest.fixture(scope="module")
def net() -> MultiTaskNet:
    return network(scale=20)


@pytest.fixture(scope="module")
def file(net: MultiTaskNet) -> bytes:
    return export(net, card(description="Ảnh"))


@pytest.mark.parametrize("count", [1, 2, 3, 70])
def test_it_answers_as_the_network_does(count: int, net: MultiTaskNet, file: bytes) -> None:
    pixels = pictures(count)
    wanted = answers(net, pixels)
    found = Model(file, threads=1).run(pixels.numpy())
    assert wanted["gender"].max() > 0.7
    for task, rows in wanted.items():
        np.testing.assert_allclose(found[task], rows, atol=2e-3)
        np.testing.assert_allclose(found[task].sum(axis=1), 1, atol=1e-5)


def test_no_picture_is_no_error(file: bytes) -> None:
    assert Model(file).run(np.empty((0, 32, 32, 3), np.uint8))["age"].shape == (0, 101)


def test_another_kind_of_backbone() -> None:
    net = network("test_efficientnet")
    pixels = pictures(5)
    found = Model(export(net, card()), threads=1).run(pixels.numpy())
    for task, rows in answers(net, pixels).items():
        np.testing.assert_allclose(found[task], rows, atol=2e-3)


def test_a_network_that_cannot_be_exported() -> None:
    """This one resizes its map of positions in a way that ONNX does not know."""
    net = network("test_vit2")
    with pytest.raises(
        ModelError, match=r"the network cannot be exported \(.*; choose another"
    ) as e:
        export(net, card())
    assert len(str(e.value)) < 300


def test_its_weights_take_half_the_room(net: MultiTaskNet, file: bytes) -> None:
    single = 4 * sum(parameter.numel() for parameter in net.parameters())
    assert 0.5 * single < len(file) < 0.55 * single
    tensors = onnx.load_from_string(file).graph.initializer
    large = [tensor for tensor in tensors if np.prod(tensor.dims) >= 96]
    assert {tensor.data_type for tensor in large} == {TensorProto.FLOAT16}
    assert len(large) > 5


def test_weights_beyond_half_precision_are_kept_whole() -> None:
    net = network()
    with torch.no_grad():
        net.backbone.conv1[0].weight[0, 0, 0, 0] = 1e6
    pixels = pictures(4)
    found = Model(export(net, card()), threads=1).run(pixels.numpy())
    for task, rows in answers(net, pixels).items():
        np.testing.assert_allclose(found[task], rows, atol=2e-3)


SCALINGS = {
    "age": (np.full(101, 0.5, np.float32), np.zeros(101, np.float32)),
    "gender": (np.array([2.0, 1.5], np.float32), np.array([0.1, -0.4], np.float32)),
}


def test_calibration_is_folded_in(file: bytes, net: MultiTaskNet) -> None:
    warmer = network(scale=20)
    scale_scores(warmer, SCALINGS)
    pixels = pictures(6)
    with torch.no_grad():
        scores = net.eval()(pixels)
    found = Model(export(warmer, card()), threads=1).run(pixels.numpy())
    for task, (scale, shift) in SCALINGS.items():
        scaled = scores[task] * torch.tensor(scale) + torch.tensor(shift)
        wanted = torch.softmax(scaled, dim=1).numpy()
        np.testing.assert_allclose(found[task], wanted, atol=2e-3)
        assert np.abs(found[task] - Model(file).run(pixels.numpy())[task]).max() > 0.02


def test_calibration_of_a_single_score() -> None:
    labels = {"gender": 2}
    head = Heads(single=frozenset(["gender"]))
    net = MultiTaskNet("test_resnet", labels, head=head).eval()
    pixels = pictures(6)
    scale, shift = np.array([0.3, 1.7]), np.array([0.2, -0.5])
    with torch.no_grad():
        scaled = net(pixels)["gender"] * torch.tensor(scale) + torch.tensor(shift)
        scale_scores(net, {"gender": (scale, shift)})
        found = torch.softmax(net(pixels)["gender"], dim=1)
    torch.testing.assert_close(found, torch.softmax(scaled, dim=1).float())


def test_the_card_lies_inside(file: bytes) -> None:
    assert Model(file).card == card(description="Ảnh")
    (stored,) = onnx.load_from_string(file).metadata_props
    assert stored.key == KEY
    assert json.loads(stored.value)["name"] == "tiny-face"


@pytest.mark.parametrize("looks", [Looks(mirror=True), Looks(shift=2), Looks(True, 1)])
def test_several_looks_within_the_file(looks: Looks, net: MultiTaskNet, file: bytes) -> None:
    changed = copy.deepcopy(net)
    changed.looks = looks
    pixels = pictures(5)
    found = Model(export(changed, card()), threads=1).run(pixels.numpy())
    for task, rows in answers(changed, pixels).items():
        np.testing.assert_allclose(found[task], rows, atol=2e-3)
        assert np.abs(rows - answers(net, pixels)[task]).max() > 0.005
    assert len(found["age"]) == 5


def test_single_precision(net: MultiTaskNet, file: bytes) -> None:
    data = export(net, card(), half=False)
    assert len(data) > 1.8 * len(file)
    pixels = pictures(4)
    found = Model(data, threads=1).run(pixels.numpy())
    for task, rows in answers(net, pixels).items():
        np.testing.assert_allclose(found[task], rows, atol=1e-5)


def test_half_precision_is_that_of_rounded_weights(net: MultiTaskNet, file: bytes) -> None:
    rounded = copy.deepcopy(net)
    with torch.no_grad():
        for tensor in rounded.state_dict().values():
            if tensor.is_floating_point() and tensor.numel() >= 96:
                tensor.copy_(tensor.half())
    pixels = pictures(6)
    found = Model(file, threads=1).run(pixels.numpy())
    for task, rows in answers(rounded, pixels).items():
        np.testing.assert_allclose(found[task], rows, atol=1e-5)


def test_another_training_can_begin_with_the_file(
    net: MultiTaskNet, file: bytes, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx").write_bytes(file)
    outputs = {"age": 101, "gender": 2, "mood": 3}
    other = MultiTaskNet("test_resnet", outputs, str(tmp_path / "m.onnx"))
    assert other.begun == ["age", "gender"]
    for name, value in other.backbone.state_dict().items():
        wanted = net.backbone.state_dict()[name]
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(value, wanted, atol=1e-3, rtol=1e-3)


def test_another_card(file: bytes) -> None:
    other = card(version="2", limits="Not for identifying people.")
    changed = with_card(file, other)
    assert Model(changed).card == other
    assert len(onnx.load_from_string(changed).metadata_props) == 1
    pixels = pictures(3).numpy()
    before, after = Model(file).run(pixels), Model(changed).run(pixels)
    np.testing.assert_array_equal(after["age"], before["age"])


def test_the_file_is_no_pickle_and_names_no_place(file: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(file)
    assert b"/site-packages/" not in file
    assert b".py" not in file
    graph = onnx.load_from_string(file)
    assert (graph.producer_name, graph.doc_string) == ("mien", "")


def test_the_same_network_gives_the_same_file(file: bytes) -> None:
    assert export(network(scale=20), card(description="Ảnh")) == file


def test_the_network_is_left_as_it_came() -> None:
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    export(net, card())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_network_whose_answers_are_no_numbers() -> None:
    net = network()
    with torch.no_grad():
        net.heads["age"].bias[0] = float("nan")  # type: ignore[operator]
    with pytest.raises(ModelError, match=r"finite numbers|differ from PyTorch's by nan"):
        export(net, card())


def test_names_are_short_where_no_weights_bear_them(file: bytes) -> None:
    graph = onnx.load_from_string(file).graph
    weights = {tensor.name.removesuffix(".half") for tensor in graph.initializer}
    assert "net.backbone.conv1.0.weight" in weights
    ends = {value.name for value in (*graph.input, *graph.output)}
    between = {name for node in graph.node for name in node.output} - weights - ends
    assert between
    assert all(len(name) <= 6 for name in between)
    assert not any(node.name for node in graph.node)
