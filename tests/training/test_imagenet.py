"""Model files of ready-made classifiers: what they say, and that they are made once."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from mien.errors import ModelError
from mien.model import Model
from mien.networks.multitask import MultiTaskNet
from mien.training import imagenet

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "test_resnet.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=1000).state_dict(), path)
    return path


def test_a_model_file_and_what_may_begin_with_it(file: Path, tmp_path: Path) -> None:
    data = imagenet.model_file("test_resnet", file)
    card = Model(data).card
    assert (card.name, card.input.framing) == ("imagenet-test-resnet", "centre")
    assert len(card.task("label").labels) == 1000
    path = tmp_path / "first.onnx"
    path.write_bytes(data)
    net = MultiTaskNet("test_resnet", {"label": 1000}, str(path))
    assert net.begun == ["label"]


def test_it_is_made_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[str] = []
    make = imagenet.model_file

    def counted(name: str) -> bytes:
        made.append(name)
        return make(name, file)

    monkeypatch.setattr(imagenet, "model_file", counted)
    pixels = np.zeros((1, 160, 160, 3), np.uint8)
    first, second = (imagenet.open_model("imagenet/test_resnet", threads=1) for _ in range(2))
    assert made == ["test_resnet"]
    np.testing.assert_array_equal(first.run(pixels)["label"], second.run(pixels)["label"])
    (kept,) = tmp_path.rglob("*.onnx")
    kept.write_bytes(b"damaged")
    imagenet.open_model("imagenet/test_resnet", threads=1)
    assert made == ["test_resnet"] * 2


@pytest.mark.parametrize("name", ["imagenet/../x", "imagenet/", "imagenet/nothing-of-this-name"])
def test_names_of_no_network(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="neither mien nor timm has a network"):
        imagenet.open_model(name)
    assert not list(tmp_path.iterdir())
