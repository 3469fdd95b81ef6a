"""The network that begins with whitened patches: its size, its first layer, what does not learn."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from mien.errors import RecipeError
from mien.networks.freezing import freeze
from mien.networks.multitask import Heads, Looks, MultiTaskNet
from mien.networks.registry import Settings
from mien.networks.whitened import ShiftNorm, Whitening

torch.set_num_threads(1)
SMALL = Settings(size=32, width=0.125)


def network(settings: Settings = SMALL) -> MultiTaskNet:
    torch.manual_seed(0)
    return MultiTaskNet("airbench", {"label": 10}, settings=settings, head=Heads(dropout=0))


def pictures(count: int, side: int = 32) -> torch.Tensor:
    """Blurred noise, so that neighbouring pixels are alike."""
    generator = torch.Generator().manual_seed(1)
    rough = torch.rand(count, 3, side // 4, side // 4, generator=generator)
    smooth = functional.interpolate(rough, size=(side, side), mode="bilinear")
    return (255 * smooth).permute(0, 2, 3, 1).to(torch.uint8)


def test_it_is_the_published_one() -> None:
    learnt = sum(parameter.numel() for parameter in network(Settings(size=32)).parameters())
    convolutions = 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256)
    # Besides: the whitening layer's and the norms' biases, and the head.
    assert learnt == convolutions + 24 + 2 * (64 + 256 + 256) + 256 * 10 + 10


def test_the_first_layer_whitens_training_pictures() -> None:
    net = network()
    net.begin_with(pictures(64))
    layer = net.backbone.whiten
    assert isinstance(layer, Whitening)
    images = (pictures(64).permute(0, 3, 1, 2) - net.mean) * net.scale
    with torch.no_grad():
        found = layer(images)
    torch.testing.assert_close(found[:, :12], -found[:, 12:])
    flat = found[:, :12].transpose(0, 1).flatten(1)
    covariance = flat @ flat.T / flat.shape[1]
    off = covariance - covariance.diag().diag()
    assert off.abs().max() < 1e-3
    # Directions that hardly occur are kept below 1.
    assert 0.9 < covariance.diag().max() < 1.001


def test_what_it_began_with_never_learns() -> None:
    net = network()
    net.begin_with(pictures(8))
    before = net.backbone.whiten.filters.clone()
    freeze(net.backbone, "none")
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    net(pictures(8))["label"].square().sum().backward()
    optimiser.step()
    assert torch.equal(net.backbone.whiten.filters, before)
    assert "backbone.whiten.filters" in net.state_dict()
    assert net.backbone.whiten.bias.grad.abs().sum() > 0


def test_norms_learn_a_shift_and_no_scale() -> None:
    norm = ShiftNorm(4)
    assert [name for name, _ in norm.named_parameters()] == ["bias"]
    found = norm(5 * torch.randn(64, 4, 3, 3) + 2)
    torch.testing.assert_close(found.std(dim=(0, 2, 3)), torch.ones(4), rtol=0, atol=0.01)


def test_convolutions_begin_by_handing_on() -> None:
    layer = network().backbone.blocks[1][0]
    assert isinstance(layer, nn.Conv2d)
    image = torch.randn(1, layer.in_channels, 5, 5)
    torch.testing.assert_close(layer(image)[:, : layer.in_channels], image)


def test_blocks_for_which_there_are_no_pixels() -> None:
    with pytest.raises(RecipeError, match=r"network\.depth: 5 blocks halve pictures of 32 pixels"):
        network(Settings(size=32, depth=5))


def test_grey_and_coloured_pictures() -> None:
    found = network(Settings(size=32, width=0.125, grey=True)).eval()
    with torch.no_grad():
        assert found(pictures(2))["label"].shape == (2, 10)


def test_several_looks_are_averaged() -> None:
    net = network().eval()
    pixels = pictures(3)
    padded = functional.pad(pixels.permute(0, 3, 1, 2).float(), (1,) * 4, mode="reflect")
    shifted = [padded[:, :, :32, :32], padded[:, :, 2:, 2:]]
    looks = [pixels.float(), *(each.permute(0, 2, 3, 1) for each in shifted)]
    with torch.no_grad():
        scores = [net(look)["label"] + net(look.flip(2))["label"] for look in looks]
        net.looks = Looks(mirror=True, shift=1)
        found = net(pixels)["label"]
        net.looks = Looks(mirror=True)
        mirrored = net(pixels)["label"]
    wanted = scores[0] / 4 + scores[1] / 8 + scores[2] / 8
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(mirrored, scores[0] / 2)
