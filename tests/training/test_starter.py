"""Recipes made for those who bring none: fit to the data, and to the model they begin with."""

from pathlib import Path

import pytest
import torch

from mien.data.manifest import Manifest, Sample
from mien.errors import DataError
from mien.model import Model, packaged
from mien.training.module import Trainee
from mien.training.starter import BACKBONE, starter
from tests import tiny


def manifest(count: int, *labels: dict[str, str]) -> Manifest:
    samples = [
        Sample(Path(f"{number}.png"), "s", str(number), "train", labels[number % len(labels)])
        for number in range(count)
    ]
    return Manifest(tuple(samples))


CATS = ({"pet": "cat"}, {"pet": "dog"})


def test_a_classifier_of_whole_pictures() -> None:
    found = starter(manifest(800, *CATS), Path("pets.csv"), "pets")
    assert (found.name, found.data.manifest) == ("pets", Path("pets.csv"))
    assert (found.network.backbone, found.network.weights) == (BACKBONE, "package")
    assert found.input.framing == "centre"
    assert found.tasks[0].labels == ("cat", "dog")
    assert [stage.frozen for stage in found.stages] == ["backbone", "none"]


def test_ages_are_learnt_from_faces() -> None:
    for labels in ({"age": "3"}, {"age_low": "3", "age_high": "9"}):
        found = starter(manifest(8, labels), Path("ages.csv"), "ages")
        assert (found.tasks[0].name, found.tasks[0].kind, found.input.framing) == (
            "age",
            "age",
            "face",
        )


@pytest.mark.parametrize("pictures", [1, 5, 63, 800, 20_000, 200_000])
def test_the_more_pictures_the_fewer_epochs(pictures: int) -> None:
    found = starter(
        manifest(pictures, *CATS) if pictures > 1 else manifest(2, *CATS), Path("p"), "p"
    )
    steps = found.optimiser.steps
    assert 2 <= found.optimiser.batch <= 64
    assert steps >= 10
    shown = found.stages[1].epochs * steps * found.optimiser.batch
    assert pictures <= steps * found.optimiser.batch
    assert found.stages[1].epochs in (4, 30) or 12_000 < shown < 48_000


def test_votes_are_labels_too() -> None:
    votes = ({"mood/good": "3", "mood/bad": "1"}, {"mood/bad": "2"})
    (task,) = starter(manifest(40, *votes), Path("p.csv"), "p").tasks
    assert (task.name, task.labels) == ("mood", ("bad", "good"))


def test_changes_come_last() -> None:
    found = starter(manifest(9, *CATS), Path("p.csv"), "p", None, ["input.size=64", "seed=4"])
    assert (found.input.size, found.seed) == (64, 4)


def test_what_it_cannot_learn() -> None:
    with pytest.raises(
        DataError, match=r"p.csv: has labels for pet, mood; without a recipe one is"
    ):
        starter(manifest(4, {"pet": "cat", "mood": "good"}), Path("p.csv"), "p")
    with pytest.raises(DataError, match=r"p.csv: has labels for nothing"):
        starter(manifest(4, {}), Path("p.csv"), "p")
    with pytest.raises(DataError, match="all pictures have the label 'cat'; two are needed"):
        starter(manifest(4, {"pet": "cat"}), Path("p.csv"), "p")
    with pytest.raises(DataError, match="no picture has a label or a vote for pet"):
        starter(manifest(4, {"pet/cat": "0"}), Path("p.csv"), "p")


def test_the_input_and_the_network_of_the_model_it_begins_with() -> None:
    found = starter(manifest(40, *CATS), Path("p.csv"), "p", Model.open("face"))
    assert (found.input.size, found.input.framing) == (112, "face")
    assert (found.network.backbone, found.network.weights) == ("tf_efficientnet_lite0", "face")


@pytest.mark.parametrize("name", [model.name for model in packaged()])
def test_training_can_begin_with_every_packaged_model(name: str) -> None:
    labels = [{"age": "3"}, {"age": "40"}] if name != "cifar10" else CATS
    recipe = starter(manifest(40, *labels), Path("p.csv"), "p", Model.open(name))

    begun, anew = Trainee(recipe).net.backbone, Trainee(recipe, weights=False).net.backbone

    assert recipe.network.weights == name
    pairs = zip(begun.parameters(), anew.parameters(), strict=True)
    assert all(not torch.equal(one, other) for one, other in pairs if one.ndim > 1)


def test_a_model_that_says_nothing_of_its_network() -> None:
    model = Model(tiny.model_bytes(tiny.face_card()), "mute.onnx")
    with pytest.raises(DataError, match=r"mute\.onnx: its card names no network"):
        starter(manifest(40, *CATS), Path("p.csv"), "p", model)
