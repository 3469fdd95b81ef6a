"""Ready-made classifiers on the command line."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from skimage import data

from tests.cli.conftest import Mien

torch.set_num_threads(1)


def test_a_file_of_weights_becomes_a_model_file(mien: Mien, sources: Path) -> None:
    save_file(timm.create_model("test_resnet", num_classes=1000).state_dict(), "w.safetensors")
    made = mien("models", "imagenet", "test_resnet", "--weights", "w.safetensors", "-o", "own.onnx")
    assert made.code == 0
    assert "own.onnx: " in made.err
    found = mien("predict", sources / "red.png", "--model", "own.onnx", "--top", "3")
    assert [row["rank"] for row in found.rows] == [1, 2, 3]


def test_top_classes_by_the_packaged_weights(
    mien: Mien, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cat: NDArray[np.uint8] = data.chelsea()  # type: ignore[no-untyped-call]
    Image.fromarray(cat).save("cat.png")
    found = mien("predict", "cat.png", "--model", "imagenet/tf_efficientnet_lite0", "--top", "4")
    assert found.code == 0
    assert {row["label"] for row in found.rows} >= {"tabby", "Egyptian cat", "tiger cat"}
    chances = [row["probability"] for row in found.rows]
    assert chances == sorted(chances, reverse=True)


def test_a_network_that_there_is_not(mien: Mien, sources: Path) -> None:
    found = mien("predict", sources / "red.png", "--model", "imagenet/vgg61")
    assert found.code == 2
    assert "imagenet/vgg61: neither mien nor timm has a network called 'vgg61'" in found.err
