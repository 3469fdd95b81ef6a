"""Networks without their heads: from model files, and from timm with weights of any place."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mien.card import Input
from mien.classic.extractor import of_backbone, of_model, open_extractor
from mien.errors import ModelError, RecipeError
from mien.faces import TEMPLATE
from mien.networks import torchvision_ops
from mien.networks.multitask import MultiTaskNet
from tests.classic.world import colour_model
from tests.tiny import SIZE

torch.set_num_threads(1)


def noise(side: int, count: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (count, side, side, 3), np.uint8)


def test_a_model_files_features(tmp_path: Path) -> None:
    found = of_model(str(colour_model(tmp_path)), threads=1)
    pixels = noise(SIZE)
    np.testing.assert_allclose(found.run(pixels), pixels.mean(axis=(1, 2)) / 255, atol=1e-5)
    assert found.origin.name == "tiny-colour"
    assert (found.origin.shape, found.origin.width) == ((3,), 3)
    assert found.origin.input == Input(size=SIZE, framing="centre")
    assert found.origin.licence == "Apache-2.0"


def test_a_model_files_map_is_what_its_features_are_the_mean_of() -> None:
    pooled, places = of_model("face"), of_model("face", layer="map")
    assert (pooled.origin.shape, places.origin.shape) == ((1280,), (4, 4, 1280))
    assert pooled.origin.backbone == "tf_efficientnet_lite0"
    pixels = noise(112, 2)
    maps = places.run(pixels)
    assert maps.shape == (2, 4 * 4 * 1280)
    means = maps.reshape(2, 16, 1280).mean(axis=1)
    np.testing.assert_allclose(means, pooled.run(pixels), atol=1e-4)
    assert pooled.origin.fingerprint != places.origin.fingerprint


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write first weights of a small network to a file."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "resnet.safetensors"
    save_file(MultiTaskNet("test_resnet", {}).get_submodule("backbone").state_dict(), path)
    return path


def test_a_backbone_with_a_local_file(weights: Path) -> None:
    found = of_backbone("test_resnet", str(weights), size=40, threads=1)
    pixels = noise(40)
    net = MultiTaskNet("test_resnet", {}, str(weights)).eval()
    with torch.no_grad():
        image = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - net.mean) * net.scale
        wanted = net.backbone(image).numpy()
    np.testing.assert_allclose(found.run(pixels), wanted, atol=5e-3)
    assert found.origin.weights == "resnet.safetensors"
    assert found.origin.input.size == 40


def test_a_backbones_map_stands_by_height_width_and_channel(weights: Path) -> None:
    found = of_backbone("test_resnet", str(weights), layer="map", size=64, threads=1)
    height, width, channels = found.origin.shape
    assert height == width > 1
    pooled = of_backbone("test_resnet", str(weights), size=64, threads=1)
    maps = found.run(noise(64)).reshape(3, height, width, channels)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), pooled.run(noise(64)), atol=1e-4)


def test_the_fingerprint_tells_what_changes_features(weights: Path) -> None:
    def of(size: int, framing: Literal["centre", "face"], source: str = str(weights)) -> str:
        return of_backbone("test_resnet", source, size=size, framing=framing).origin.fingerprint

    assert of(32, "centre") == of(32, "centre")
    torch.manual_seed(4)
    assert len({of(32, "centre"), of(48, "centre"), of(32, "face"), of(32, "centre", "none")}) == 4


def test_faces_are_cut_by_their_landmarks(weights: Path) -> None:
    found = of_backbone("test_resnet", str(weights), size=32, framing="face")
    assert found.origin.input == Input(size=32, framing="face", landmarks=TEMPLATE)


def test_vgg16_without_its_top_gives_25088_numbers(tmp_path: Path) -> None:
    torchvision_ops.ensure_importable()
    import timm

    with torch.device("meta"):
        shapes = timm.create_model("vgg16", num_classes=0).state_dict()
    state = {
        name: torch.full(tensor.shape, 1e-3)
        for name, tensor in shapes.items()
        if name.startswith("features.")
    }
    save_file(state, tmp_path / "vgg16.safetensors")
    found = of_backbone("vgg16", str(tmp_path / "vgg16.safetensors"), layer="map")
    assert found.origin.shape == (7, 7, 512)
    assert found.origin.width == 25_088
    assert found.origin.input.size == 224
    assert len(found.data) < 2.1 * 14_714_688  # the top's 119,545,856 weights are not in it


def test_a_name_leads_to_a_packaged_model_a_file_or_a_backbone(tmp_path: Path) -> None:
    assert open_extractor("face").origin.name == "face"
    assert open_extractor(str(colour_model(tmp_path))).origin.name == "tiny-colour"
    found = open_extractor("test_resnet", source="none", size=32)
    assert (found.origin.backbone, found.origin.weights) == ("test_resnet", "none")


def test_options_that_a_model_file_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="brings its own weights, size and framing"):
        open_extractor(str(colour_model(tmp_path)), size=64)


def test_an_unknown_backbone() -> None:
    with pytest.raises(RecipeError, match="did you mean"):
        open_extractor("efficientnet_lite00", source="none")


def test_a_model_that_looks_several_times_has_no_one_layer_of_features() -> None:
    with pytest.raises(ModelError, match="several changed copies"):
        open_extractor("cifar10")
