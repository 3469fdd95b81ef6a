"""Ready-made classifiers: timm's networks with their own last layer, from a package or a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from skimage import data

from mien.errors import ModelError
from mien.networks import imagenet

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a whole network, its last layer included, as timm names them."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "test_resnet.safetensors"
    net = timm.create_model("test_resnet", num_classes=imagenet.CLASSES)
    save_file(net.state_dict(), path)
    return path


def test_labels_are_a_thousand_different_ones() -> None:
    found = imagenet.labels()
    assert len(set(found)) == imagenet.CLASSES
    assert found[0] == "tench"
    assert found[388] == "giant panda"
    # Two classes are called so: a bird and a machine.
    assert [name for name in found if name.startswith("crane")] == [
        "crane (n02012849)",
        "crane (n03126707)",
    ]


def test_a_file_of_weights(file: Path) -> None:
    net = imagenet.classifier("test_resnet", file)
    torch.manual_seed(0)
    own: Any = timm.create_model("test_resnet", num_classes=imagenet.CLASSES).eval()
    pixels = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    mean, std = (torch.tensor(own.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        wanted = own((pixels.permute(0, 3, 1, 2) / 255 - mean) / std)
        torch.testing.assert_close(net(pixels)[imagenet.TASK], wanted)


def test_weights_that_a_package_ships() -> None:
    net = imagenet.classifier("tf_efficientnet_lite0")
    cat: NDArray[np.uint8] = data.chelsea()  # type: ignore[no-untyped-call]
    pixels = torch.from_numpy(cat[:224, 100:324].copy())[None]
    with torch.no_grad():
        scores = net(pixels)[imagenet.TASK][0]
    found = [imagenet.labels()[place] for place in scores.topk(3).indices]
    assert set(found) <= {"tabby", "tiger cat", "Egyptian cat", "lynx", "Persian cat"}


def test_what_cannot_be_had(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="called 'resnett50'; did you mean resnet50"):
        imagenet.classifier("resnett50")
    with pytest.raises(ModelError, match=r"imagenet/resnet18: those of .*: \d+ of its \d+ tensors"):
        imagenet.classifier("resnet18", file)
    path = tmp_path / "no.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="is not a safetensors file of weights"):
        imagenet.classifier("test_resnet", path)
    lacking = tmp_path / "lacking.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=0).state_dict(), lacking)
    with pytest.raises(ModelError, match="its last layer, do not fit: 2 of its 2 tensors"):
        imagenet.classifier("test_resnet", lacking)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    message = "hub's weights for 'resnet18' could not be .* mien models imagenet resnet18 --weights"
    with pytest.raises(ModelError, match=message):
        imagenet.classifier("resnet18")
