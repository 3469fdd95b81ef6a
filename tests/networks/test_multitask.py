"""The multi-task network: its outputs, its scaling of pixels, and names that cannot be used."""

import pytest
import torch

from mien.errors import RecipeError
from mien.networks.freezing import freeze
from mien.networks.multitask import Heads, MultiTaskNet
from mien.networks.registry import Settings, create, features_of

torch.set_num_threads(1)
HEADS = {"age": 101, "gender": 2}


def test_scores_for_each_task() -> None:
    net = MultiTaskNet("test_resnet", HEADS).eval()
    pixels = torch.randint(0, 256, (5, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        found = net(pixels)
        alone = net(pixels[2:3])
    assert {task: tuple(scores.shape) for task, scores in found.items()} == {
        "age": (5, 101),
        "gender": (5, 2),
    }
    torch.testing.assert_close(found["age"][2:3], alone["age"])


def test_pixels_are_scaled_as_the_backbone_wants_them() -> None:
    net = MultiTaskNet("test_resnet", HEADS).eval()
    pixels = torch.randint(0, 256, (2, 32, 40, 3), dtype=torch.uint8)
    config = net.backbone.pretrained_cfg
    mean, std = (torch.tensor(config[key]).view(3, 1, 1) for key in ("mean", "std"))
    image = (pixels.permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.no_grad():
        wanted = net.heads["gender"](net.backbone(image))
        torch.testing.assert_close(net(pixels)["gender"], wanted)
        torch.testing.assert_close(net(pixels.float())["gender"], wanted)


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "mobilenetv2_050", "test_vit2"])
def test_heads_fit_what_the_backbone_gives(name: str) -> None:
    """MobileNetV3 widens its features after pooling; others do not."""
    net = MultiTaskNet(name, HEADS).eval()
    size = net.backbone.pretrained_cfg["input_size"][1]
    with torch.no_grad():
        assert net(torch.zeros(1, size, size, 3, dtype=torch.uint8))["age"].shape == (1, 101)


def test_names_in_checkpoints_never_change() -> None:
    """A checkpoint of a finished run can be exported by a newer program."""
    names = list(MultiTaskNet("test_resnet", HEADS).state_dict())
    assert names[0].startswith("backbone.")
    assert [name for name in names if not name.startswith("backbone.")] == [
        "heads.age.weight",
        "heads.age.bias",
        "heads.gender.weight",
        "heads.gender.bias",
    ]


def test_dropout_only_in_training() -> None:
    net = MultiTaskNet("test_resnet", HEADS, head=Heads(dropout=0.5))
    pixels = torch.zeros(2, 32, 32, 3, dtype=torch.uint8)
    net.eval()
    assert torch.equal(net(pixels)["age"], net(pixels)["age"])
    net.train()
    assert not torch.equal(net(pixels)["age"], net(pixels)["age"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("minivgnet", "called 'minivgnet'; did you mean minivggnet"),
        (
            "mobilenetv3_smal_100",
            "called 'mobilenetv3_smal_100'; did you mean mobilenetv3_small_100",
        ),
        ("zzzzzz", "neither mien nor timm has a network called 'zzzzzz'$"),
        (
            "hf-hub:someone/some-model",
            "neither mien nor timm has a network called 'hf-hub:someone/some-model'",
        ),
        ("../../etc/passwd", "neither mien nor timm has a network called"),
    ],
)
def test_unknown_backbones(name: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        MultiTaskNet(name, HEADS)


@pytest.mark.parametrize("task", ["keys", "type", "training"])
def test_task_names_that_torch_keeps(task: str) -> None:
    with pytest.raises(RecipeError, match=f"a task cannot be called '{task}' in torch; choose"):
        MultiTaskNet("test_resnet", {task: 2})


def test_a_hidden_layer_in_each_head() -> None:
    head = Heads(units=256, activation="tanh")
    net = MultiTaskNet("mobilenetv1_100", {"age": 1}, head=head)
    assert sum(p.numel() for p in net.heads.parameters()) == 262_657
    assert [type(layer).__name__ for layer in net.heads["age"].children()] == [
        "Linear",
        "Tanh",
        "Linear",
    ]


def test_one_score_for_two_labels_is_a_sigmoid() -> None:
    head = Heads(single=frozenset(["gender"]))
    net = MultiTaskNet("test_resnet", HEADS, head=head).eval()
    pixels = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        scores = net(pixels)["gender"]
    torch.testing.assert_close(torch.softmax(scores, dim=1)[:, 1], torch.sigmoid(scores[:, 1]))
    assert sum(p.numel() for p in net.heads["gender"].parameters()) == 96 + 1


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("mobilenetv1_100", 3_228_864),
        ("mobilenetv2_100", 2_257_984),
        ("mobilenetv3_small_100", 939_120),
        ("mobilenetv3_large_100", 2_996_352),
        ("vgg16", 14_714_688),
    ],
)
def test_backbones_without_their_top_are_those_of_keras(name: str, total: int) -> None:
    """As many parameters, moving statistics among them, as Keras counts without the top."""
    with torch.device("meta"):
        net = create(name, Settings(pooled=True))
        assert net(torch.zeros(1, 3, 224, 224)).shape == (1, features_of(net))
    counted = [*net.parameters(), *(b for b in net.buffers() if b.ndim)]
    assert sum(tensor.numel() for tensor in counted) == total


def test_the_published_head_on_the_published_backbone() -> None:
    head = Heads(units=256, activation="tanh")
    with torch.device("meta"):
        net = MultiTaskNet("mobilenetv1_100", {"age": 1}, settings=Settings(pooled=True), head=head)
    counted = [*net.parameters(), *(b for b in net.backbone.buffers() if b.ndim)]
    assert sum(tensor.numel() for tensor in counted) == 3_491_521
    freeze(net.backbone, "backbone")
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == 262_657
