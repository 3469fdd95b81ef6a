"""Our own networks: as many parameters as published, and what one word changes."""

import pytest
import torch
from torch import nn

from mien.errors import RecipeError
from mien.networks.activations import ACTIVATIONS, Activation
from mien.networks.multitask import Heads, MultiTaskNet
from mien.networks.plain import PLAIN, Shape
from mien.networks.registry import Settings, create, features_of

torch.set_num_threads(1)
GREY_48 = Settings(size=48, grey=True)
EXPRESSION = {"expression": 8}
UTKFACE = {"age": 1, "gender": 2, "race": 5}


def trainable(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def total(net: nn.Module) -> int:
    """Count as Keras does: moving means and variances are parameters that do not learn."""
    norms = (m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d))
    return trainable(net) + sum(2 * norm.num_features for norm in norms)


def test_the_expression_network_is_the_published_one() -> None:
    net = MultiTaskNet("expression-cnn", EXPRESSION, settings=GREY_48)
    assert (total(net), trainable(net)) == (711_784, 708_584)


def test_the_cifar_network_is_the_published_one() -> None:
    net = MultiTaskNet("cifar-cnn", {"label": 10}, settings=Settings(size=32))
    assert (total(net), trainable(net)) == (9_176_018, 9_176_018)


def test_minivggnet_is_the_published_one() -> None:
    assert total(MultiTaskNet("minivggnet", {"label": 5}, settings=Settings(size=32))) == 2_168_613


def test_the_multi_branch_network_is_the_published_one() -> None:
    branches = {"age": "age-cnn", "gender": "attribute-cnn", "race": "attribute-cnn"}
    head = Heads(single=frozenset(["gender"]))
    net = MultiTaskNet(branches, UTKFACE, settings=Settings(size=96), head=head)
    parts = {
        task: total(net.backbone.get_submodule(task)) + total(net.heads[task]) for task in UTKFACE
    }
    assert parts == {"age": 3_016_939, "gender": 277_569, "race": 278_085}
    assert total(net) == 3_572_593
    with torch.no_grad():
        scores = net.eval()(torch.full((2, 96, 96, 3), 90, dtype=torch.uint8))
    assert {task: tuple(found.shape) for task, found in scores.items()} == {
        "age": (2, 1),
        "gender": (2, 2),
        "race": (2, 5),
    }
    assert scores["gender"][:, 0].tolist() == [0, 0]


def test_a_shared_trunk_with_three_heads() -> None:
    head = Heads(single=frozenset(["gender"]))
    net = MultiTaskNet("age-cnn", UTKFACE, settings=Settings(size=96), head=head)
    # Each head reads the flattened 16 x 16 pixels of 1024 channels.
    assert total(net) == 3_016_939 + (1 + 5) * (16 * 16 * 1024 + 1)


def test_branches_share_nothing() -> None:
    branches = {"age": "test_resnet", "mood": "attribute-cnn"}
    net = MultiTaskNet(branches, {"age": 1, "mood": 3}, settings=Settings(size=32))
    net(torch.zeros(2, 32, 32, 3))["mood"].sum().backward()
    learnt = {name for name, p in net.named_parameters() if p.grad is not None}
    assert learnt == {name for name, _ in net.named_parameters() if ".mood." in name}


def test_each_branch_sees_pixels_scaled_as_it_wants_them() -> None:
    net = MultiTaskNet({"a": "test_resnet", "b": "minivggnet"}, {"a": 2, "b": 2}).eval()
    pixels = torch.randint(0, 256, (2, 224, 224, 3)).float()
    image = pixels.permute(0, 3, 1, 2) / 255
    config = net.backbone.a.pretrained_cfg
    mean, std = (torch.tensor(config[key]).view(3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        found = net(pixels)
        torch.testing.assert_close(found["a"], net.heads["a"](net.backbone.a((image - mean) / std)))
        torch.testing.assert_close(found["b"], net.heads["b"](net.backbone.b(image)))


def test_grey_is_made_within_the_network() -> None:
    net = MultiTaskNet("expression-cnn", EXPRESSION, settings=GREY_48).eval()
    pixels = torch.randint(0, 256, (2, 48, 48, 3), dtype=torch.uint8)
    grey = (pixels.double() @ torch.tensor([0.299, 0.587, 0.114]).double())[:, :, :, None]
    with torch.no_grad():
        wanted = net.heads["expression"](net.backbone((grey / 255).permute(0, 3, 1, 2).float()))
        torch.testing.assert_close(net(pixels)["expression"], wanted)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(name: str, activation: Activation) -> None:
    settings = Settings(size=48, activation=activation, width=0.125)
    net = MultiTaskNet(name, {"label": 3}, settings=settings).eval()
    kinds = {type(module) for module in net.modules()}
    assert kinds & {type(make()) for make in ACTIVATIONS.values()} == {
        type(ACTIVATIONS[activation]())
    }
    with torch.no_grad():
        assert net(torch.zeros(1, 48, 48, 3))["label"].isfinite().all()


@pytest.mark.parametrize(("depth", "convolutions"), [(1, 2), (2, 4), (4, 8)])
def test_depth_is_the_number_of_blocks(depth: int, convolutions: int) -> None:
    net = MultiTaskNet("minivggnet", {"label": 2}, settings=Settings(size=32, depth=depth))
    assert sum(isinstance(module, nn.Conv2d) for module in net.modules()) == convolutions
    assert net(torch.zeros(2, 32, 32, 3))["label"].shape == (2, 2)


def test_width_multiplies_channels_and_units() -> None:
    net = MultiTaskNet("cifar-cnn", {"label": 2}, settings=Settings(size=32, width=0.5))
    found = [m for m in net.backbone.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.weight.shape[0] for layer in found] == [16, 16, 32, 32, 64, 64, 1250, 750]


def test_dropout_within_the_network() -> None:
    settings = Settings(size=32, dropout=0.4)
    net = MultiTaskNet("cifar-cnn", {"label": 2}, settings=settings)
    found = {m.p for m in net.backbone.modules() if isinstance(m, nn.Dropout)}
    assert found == {0.4}


def test_more_pooling_than_there_are_pixels() -> None:
    with pytest.raises(RecipeError, match=r"network\.depth: pictures of 48 pixels are one pixel"):
        MultiTaskNet("expression-cnn", EXPRESSION, settings=Settings(size=48, depth=7))


def test_what_is_fixed_in_a_network_of_timms() -> None:
    with pytest.raises(RecipeError, match=r"network\.backbone: test_resnet is timm's, whose width"):
        MultiTaskNet("test_resnet", EXPRESSION, settings=Settings(width=0.5))
    with pytest.raises(RecipeError, match=r"network\.depth: test_resnet is timm's, and is not one"):
        MultiTaskNet("test_resnet", EXPRESSION, settings=Settings(depth=3))
    with pytest.raises(RecipeError, match=r"network\.depth: test_efficientnet is timm's"):
        MultiTaskNet("test_efficientnet", EXPRESSION, settings=Settings(depth=100))


def test_the_first_blocks_of_a_network_of_timms() -> None:
    whole = create("test_efficientnet", Settings()).eval()
    cut = create("test_efficientnet", Settings(depth=2)).eval()
    kept = {name: whole.state_dict()[name] for name in cut.state_dict()}
    assert 0 < len(kept) < len(whole.state_dict())
    assert not any("conv_head" in name for name in kept)
    cut.load_state_dict(kept)
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        blocks = [block for stage in whole.blocks for block in stage][:2]
        wanted = nn.Sequential(whole.conv_stem, whole.bn1, *blocks)(image).mean(dim=(2, 3))
        torch.testing.assert_close(cut(image), wanted)
    assert features_of(cut) == wanted.shape[1]
    with pytest.raises(RecipeError, match=r"network\.activation: vgg11 cannot take prelu"):
        MultiTaskNet("vgg11", EXPRESSION, settings=Settings(activation="prelu"))


def test_an_activation_of_a_network_of_timms() -> None:
    net = MultiTaskNet("test_resnet", EXPRESSION, settings=Settings(activation="leaky-relu"))
    kinds = {type(module) for module in net.modules()}
    assert nn.LeakyReLU in kinds
    assert nn.ReLU not in kinds


def test_a_grey_network_of_timms() -> None:
    net = MultiTaskNet("test_resnet", EXPRESSION, settings=Settings(grey=True)).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 32, 32, 3))["expression"].shape == (1, 8)


def test_first_weights_are_keras_own() -> None:
    net = PLAIN["minivggnet"](Shape(32))
    layer = net.conv2
    assert isinstance(layer, nn.Conv2d)
    limit = (6 / (9 * 32 + 9 * 32)) ** 0.5
    assert 0.95 * limit < float(layer.weight.detach().abs().max()) <= limit
    assert layer.bias is not None
    assert not layer.bias.any()
