"""The end of a run: a calibrated, measured model file, and a card that says how it came about."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.analyzer import Analyzer
from mien.data.batches import targets
from mien.data.show import SIDE
from mien.errors import OutputError, RecipeError
from mien.evaluation.evaluate import evaluate
from mien.evaluation.result import AUGMENTED, Evaluation
from mien.images import load
from mien.model import RUN_FILE, Model
from mien.training import checkpoint
from mien.training.describe import card_of
from mien.training.finish import classes_of, drawn_ages, exactly_known, finish
from mien.training.module import Trainee
from mien.training.parts import Parts, targets_of
from mien.training.recipe import Recipe, Task
from mien.training.run import BEST
from tests.disk import files_of_at_most
from tests.runs import toy_recipe

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def finished(
    whole: Path, recipe: Recipe, parts: Parts, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Evaluation]:
    folder = tmp_path_factory.mktemp("finished")
    path, result = finish(recipe, parts, whole / BEST, folder, threads=1)
    assert path == folder / RUN_FILE
    return path, result


def test_it_has_learnt(finished: tuple[Path, Evaluation]) -> None:
    """By chance the error would be 20 years, and half of the classes right."""
    _, result = finished
    assert result.pictures == 24
    assert result.value("age", "mae") < 8
    assert result.value("gender", "accuracy") > 0.9
    assert result.value("expression", "accuracy") > 0.6
    assert result.value("age", "coverage") > 0.7


def test_the_file_holds_what_was_measured(finished: tuple[Path, Evaluation], parts: Parts) -> None:
    path, result = finished
    model = Model.open(path, threads=1)
    assert model.card.metrics == result.card_metrics
    assert model.card.confusions == result.confusions
    again = evaluate(model, parts.whole, seed=3, threads=1)
    assert again == result


def test_its_card(
    finished: tuple[Path, Evaluation], recipe: Recipe, parts: Parts, manifest: Path
) -> None:
    path, _ = finished
    card = Model.open(path).card
    assert (card.name, card.version, card.use) == ("toy", "1", "tests")
    assert (card.input.size, card.input.framing, len(card.input.landmarks)) == (32, "face", 5)
    assert [(task.name, task.kind, task.outputs) for task in card.tasks] == [
        ("age", "age", 101),
        ("gender", "classification", 2),
        ("expression", "classification", 2),
    ]
    (interval,) = card.task("age").intervals
    samples = parts.calibration.manifest.samples
    assert (interval.from_age, interval.level) == (0, 0.9)
    assert interval.pictures == sum("age" in sample.labels for sample in samples)
    assert card.data_fingerprint == parts.whole.fingerprint
    assert card.split_hash == parts.whole.split_hash
    assert [(data.name, data.pictures, data.terms) for data in card.data] == [
        ("moods", 24, "not stated"),
        ("people", 24, "free"),
    ]
    assert card.priors["gender"] == (0.5, 0.5)
    assert (card.priors["age"][20], card.priors["age"][60], sum(card.priors["age"])) == (
        0.5,
        0.5,
        1,
    )
    wanted = recipe.model_dump(mode="json")
    del wanted["data"]["manifest"]
    assert card.recipe == wanted
    assert str(manifest.parent) not in card.to_json()
    assert card.created_by.startswith("mien ")


def test_the_table_says_what_was_measured_on_what(
    finished: tuple[Path, Evaluation], parts: Parts
) -> None:
    path, result = finished
    with (path.parent / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(result.card_metrics)
    first = rows[0]
    assert (first["model"], first["task"], first["name"], first["by"]) == ("toy", "age", "mae", "")
    assert float(first["value"]) == pytest.approx(result.value("age", "mae"), abs=1e-5)
    assert (first["split"], first["split_hash"]) == ("test", parts.whole.split_hash)
    assert (first["seed"], first["pictures"]) == ("3", "12")


def test_it_reads_as_the_trained_network_does(
    finished: tuple[Path, Evaluation], whole: Path, recipe: Recipe, parts: Parts
) -> None:
    """From the file to the answer: the classes of PyTorch, whatever the temperature."""
    path, _ = finished
    trainee = Trainee(recipe, weights=False)
    trainee.load_state_dict(checkpoint.load(whole / BEST)["state_dict"])
    pixels = np.stack([parts.choice.store.crop(i, 32) for i in range(len(parts.choice.store))])
    with torch.no_grad():
        scores = trainee.net.eval()(torch.from_numpy(pixels))
    paths = [sample.path for sample in parts.choice.manifest.samples]
    readings = list(Analyzer(path, faces="whole", threads=1).read(paths))
    for row, reading in enumerate(readings):
        (face,) = reading.faces
        labels = ("male", "female")
        assert face.gender.label == labels[int(scores["gender"][row].argmax())]


def test_temperatures_make_the_calibration_half_likely(
    finished: tuple[Path, Evaluation], whole: Path, recipe: Recipe, parts: Parts
) -> None:
    path, _ = finished
    trainee = Trainee(recipe, weights=False)
    trainee.load_state_dict(checkpoint.load(whole / BEST)["state_dict"])
    half = parts.calibration
    pixels = np.stack([half.store.crop(i, 32) for i in range(len(half.store))])
    labels = targets(half.manifest, targets_of(recipe))
    found = Model.open(path, threads=1).run(pixels)
    with torch.no_grad():
        scores = trainee.net.eval()(torch.from_numpy(pixels))
    for task in recipe.tasks:
        known = exactly_known(task.kind, labels[task.name])
        truth = classes_of(task, labels[task.name][known])
        rows = np.arange(len(truth))
        raw = torch.softmax(scores[task.name], dim=1).numpy()[known]
        before = -np.log(raw[rows, truth]).mean()
        after = -np.log(found[task.name][known][rows, truth]).mean()
        assert after < before + 1e-3


def test_true_classes() -> None:
    ages = np.array([[0.4] * 2, [30.5] * 2, [31.5] * 2, [150.0] * 2], np.float32)
    assert classes_of(Task(name="age", kind="age"), ages).tolist() == [0, 30, 32, 100]
    votes = np.array([[0.2, 0.5, 0.3], [1, 0, 0]], np.float32)
    mood = Task(name="mood", kind="classification", labels=("a", "b", "c"))
    assert classes_of(mood, votes).tolist() == [1, 0]


def test_ages_are_drawn_where_none_is_known_exactly() -> None:
    task, mood = (
        Task(name="age", kind="age"),
        Task(name="mood", kind="classification", labels=("a", "b")),
    )
    rows = np.array([[20, 29], [np.nan, np.nan], [70, 100]] * 400, np.float32)
    votes = np.tile(np.array([[1, 0]], np.float32), (1200, 1))
    found = drawn_ages([task, mood], {"age": rows, "mood": votes}, 1)
    assert found["mood"] is votes
    twenties, missing, old = (found["age"][start::3] for start in range(3))
    assert set(twenties[:, 0]) == set(range(20, 30))
    assert (twenties[:, 0] == twenties[:, 1]).all()
    assert np.isnan(missing).all()
    assert (old.min(), old.max()) == (70, 100)
    assert drawn_ages([task], {"age": rows}, 1)["age"].tolist() != rows.tolist()
    np.testing.assert_array_equal(drawn_ages([task], {"age": rows}, 1)["age"], found["age"])


def test_no_age_is_drawn_beside_one_that_is_known() -> None:
    rows = np.array([[20, 29], [31, 31]], np.float32)
    assert drawn_ages([Task(name="age", kind="age")], {"age": rows}, 1)["age"] is rows


def test_what_is_known_exactly() -> None:
    ages = np.array([[30, 30], [20, 29], [np.nan, np.nan]], np.float32)
    assert exactly_known("age", ages).tolist() == [True, False, False]
    votes = np.array([[0.2, 0.8], [np.nan, np.nan]], np.float32)
    assert exactly_known("classification", votes).tolist() == [True, False]


def test_a_checkpoint_of_another_network(
    whole: Path, manifest: Path, parts: Parts, tmp_path: Path
) -> None:
    other = toy_recipe(manifest, network={"backbone": "test_efficientnet"})
    with pytest.raises(RecipeError, match=f"{BEST}: not a checkpoint of this recipe's network"):
        finish(other, parts, whole / BEST, tmp_path, threads=1)
    checkpoint.SafeCheckpointIO().save_checkpoint({"epoch": 1}, tmp_path / BEST)
    with pytest.raises(RecipeError, match=f"{BEST}: not a checkpoint of this recipe's network"):
        finish(toy_recipe(manifest), parts, tmp_path / BEST, tmp_path, threads=1)


def test_pictures_are_shown_where_that_is_asked_for(
    whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    finish(recipe, parts, whole / BEST, tmp_path, threads=1, embed=True)
    # Six pictures, each as use sees it and six times as training does.
    assert load(tmp_path / AUGMENTED).width == 7 * (SIDE + 6) + 6
    assert "What does training make of a picture?" in (tmp_path / "report.html").read_text()


def test_a_full_disk_leaves_no_model(
    whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    with files_of_at_most(100_000), pytest.raises(OutputError, match=f"{RUN_FILE}: not written"):
        finish(recipe, parts, whole / BEST, tmp_path, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.npz"]


def test_the_card_of_a_classifier(parts: Parts, manifest: Path) -> None:
    mood = {"name": "expression", "kind": "classification", "labels": ["calm", "wild"]}
    recipe = toy_recipe(manifest, input={"size": 32, "framing": "centre"}, tasks=[mood])
    card = card_of(recipe, parts)
    assert (card.input.framing, card.input.landmarks) == ("centre", ())
    assert [task.name for task in card.tasks] == ["expression"]
    assert card.priors == {"expression": (0.5, 0.5)}


def test_a_recipe_that_makes_no_card(parts: Parts, manifest: Path) -> None:
    message = "the recipe makes no valid model card: version: String should match"
    with pytest.raises(RecipeError, match=message):
        card_of(toy_recipe(manifest, version="1\x1b[0m"), parts)


def test_what_a_run_left_can_be_finished_elsewhere(
    whole: Path, recipe: Recipe, parts: Parts, tmp_path: Path
) -> None:
    """A checkpoint alone is enough, under whatever name."""
    best = Path(shutil.copy(whole / BEST, tmp_path / "another.safetensors"))
    path, _ = finish(recipe, parts, best, tmp_path, threads=1)
    assert Model.open(path).card.name == "toy"
