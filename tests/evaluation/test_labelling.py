"""Predicted labels: where there are none, with their probabilities, and never taken for truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.card import Task
from mien.data import manifest as manifests
from mien.data.batches import Target
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError, ModelError
from mien.evaluation.evaluate import evaluate
from mien.evaluation.labelling import label
from mien.model import Model
from tests.labelled import sample_of, save
from tests.tiny import COLOUR, colour_card, face_card, model_bytes

LABELS = COLOUR.labels
SHADES = {"red": (250, 20, 20), "green": (20, 250, 20), "blue": (20, 20, 250), "grey": (99, 99, 99)}


def flat(folder: Path, name: str, part: str, **labels: str) -> Sample:
    pixels = np.full((20, 20, 3), SHADES[name.partition("-")[0]], np.uint8)
    pixels[0, 0] = len(name), len(part), 0  # so that no two have the same content
    return sample_of(save(folder / f"{name}.png", pixels), labels, part)


@pytest.fixture
def colours(tmp_path: Path) -> Manifest:
    return Manifest(
        (
            flat(tmp_path, "red", "train", colour="blue"),
            flat(tmp_path, "green", "train"),
            flat(tmp_path, "grey", "train"),
            flat(tmp_path, "blue-a", ""),
            flat(tmp_path, "blue-bc", "test"),
            flat(tmp_path, "green-voted", "train", **{"colour/red": "3"}),
        )
    )


def opened(**changes: object) -> Model:
    return Model(model_bytes(colour_card(**changes)), threads=1)


def test_what_lacks_a_label_gets_one(colours: Manifest, tmp_path: Path) -> None:
    found = label(colours, [opened()], "colour")
    assert (found.predicted, found.unsure) == (2, 1)
    labels = [sample.labels for sample in found.manifest.samples]
    for row in (0, 2, 4, 5):
        assert found.manifest.samples[row] == colours.samples[row]
    assert {name: labels[1][name] for name in ("colour", "colour:predicted")} == {
        "colour": "green",
        "colour:predicted": "tiny-colour 1",
    }
    assert labels[3]["colour"] == "blue"
    found.manifest.write(tmp_path / "m.csv")
    again = manifests.read(tmp_path / "m.csv")
    assert again.samples == found.manifest.samples
    assert again.tasks == ["colour"]


def test_a_training_learns_the_probabilities(colours: Manifest) -> None:
    model = opened()
    found = label(colours, [model], "colour", confidence=0.0)
    grey = found.manifest.samples[2]
    learnt = Target("colour", LABELS).of(grey)
    crop = np.full((1, 16, 16, 3), 99, np.uint8)
    np.testing.assert_allclose(learnt, model.run(crop)["colour"][0], atol=1e-3)
    assert found.unsure == 0


def test_several_models_are_averaged_by_the_names_of_their_labels(colours: Manifest) -> None:
    turned = Task(name="colour", kind="classification", labels=("blue", "green", "red"))
    other = opened(name="other", version="3", tasks=(turned,))  # it says "blue" of what is red
    found = label(colours, [opened(), other], "colour", confidence=0.0)
    learnt = Target("colour", LABELS).of(found.manifest.samples[3])
    np.testing.assert_allclose(learnt, [0.5, 0, 0.5], atol=1e-3)
    assert found.manifest.samples[3].labels["colour:predicted"] == "tiny-colour 1, other 3"
    assert label(colours, [opened(), other], "colour", confidence=0.6).predicted == 1


def test_ages_are_estimates(tmp_path: Path) -> None:
    model = Model(model_bytes(face_card()), threads=1)
    whole = Manifest(
        (
            flat(tmp_path, "red", "train"),
            flat(tmp_path, "green", "train", age_low="3", age_high="9"),
        )
    )
    found = label(whole, [model], "age")
    first, second = found.manifest.samples
    assert set(first.labels) == {"age", "age:predicted"}
    assert 0 <= first.number("age") <= 100
    assert second == whole.samples[1]
    assert label(whole, [model], "age", widest=1.0).unsure == 1


def test_nothing_is_measured_by_them(colours: Manifest, tmp_path: Path) -> None:
    known = flat(tmp_path, "red-wrong", "test", colour="green")
    whole = Manifest((*colours.samples, known))
    found = label(whole, [opened()], "colour", parts=("train", "test"))
    assert found.manifest.samples[4].labels["colour"] == "blue"
    result = evaluate(opened(), found.manifest, threads=1)
    assert result.value("colour", "accuracy") == 0
    (accuracy,) = (m for m in result.metrics if m.name == "accuracy" and not m.by)
    assert accuracy.pictures == 1


def test_a_part_with_predictions_alone_cannot_be_measured(colours: Manifest) -> None:
    found = label(colours, [opened()], "colour", parts=("test",))
    with pytest.raises(DataError, match="the manifest has no label for the model's tasks, colour"):
        evaluate(opened(), found.manifest, threads=1)


def test_wrong_use(colours: Manifest) -> None:
    with pytest.raises(ModelError, match="reads no 'mood'; it reads colour"):
        label(colours, [opened()], "mood")
    other = opened(tasks=(Task(name="colour", kind="classification", labels=("warm", "cold")),))
    with pytest.raises(ModelError, match="its colour is a classification of warm, cold, and that"):
        label(colours, [opened(), other], "colour")
    with pytest.raises(DataError, match="no picture in validation lacks a label of the task"):
        label(colours, [opened()], "colour", parts=("validation",))
    lost = Manifest((replace(colours.samples[1], path=Path("lost.png")),))
    with pytest.raises(DataError, match=r"lost\.png"):
        label(lost, [opened()], "colour")
