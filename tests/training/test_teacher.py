"""Teachers: what they say, that nothing is read twice, what is refused, and training by them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien.card import Task
from mien.errors import DataError, ModelError, RecipeError
from mien.model import Model
from mien.training import teacher
from mien.training.describe import card_of
from mien.training.finish import finish
from mien.training.loading import Batches
from mien.training.parts import Parts, load_parts
from mien.training.recipe import Recipe
from mien.training.run import BEST, LAST, fit
from mien.training.teacher import learn_from
from tests.runs import toy_recipe
from tests.tiny import AGE, GENDER, face_card, model_bytes
from tests.training.test_run import assert_same_run

torch.set_num_threads(1)

WILD = Task(name="expression", kind="classification", labels=("wild", "calm"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return a teacher of age and gender, and one of gender and expression with labels swapped."""
    folder = tmp_path_factory.mktemp("teachers")
    data = [{"name": "people", "pictures": 7, "terms": "for research"}]
    cards = (face_card(tasks=(AGE, GENDER), data=data), face_card(tasks=(GENDER, WILD)))
    paths = [folder / "one.onnx", folder / "two.onnx"]
    gender = {"gender": 3 * np.eye(3, 2, dtype=np.float32)}
    for path, card, weights in zip(paths, cards, ({}, gender), strict=True):
        path.write_bytes(model_bytes(card, weights))
    return str(paths[0]), str(paths[1])


def taught(manifest: Path, *models: str, **changes: Any) -> Recipe:
    return toy_recipe(manifest, teacher={"models": models} | changes)


def said_by(model: str, parts: Parts) -> dict[str, Any]:
    """Return what a teacher says of the plain pictures; the tiny ones see no left and right."""
    opened = Model.open(model)
    size, store = opened.card.input.size, parts.train.store
    return opened.run(np.stack([store.crop(index, size) for index in range(len(store))]))


@pytest.fixture(scope="module")
def both(manifest: Path, models: tuple[str, str]) -> Parts:
    return load_parts(taught(manifest, *models), manifest.parent / "stores", threads=1)


def test_what_teachers_say_is_averaged_by_label(both: Parts, models: tuple[str, str]) -> None:
    one, two = (said_by(model, both) for model in models)
    rows = both.lessons.rows
    assert list(rows) == ["age", "gender", "expression"]
    # The tiny teachers take pictures of 16 pixels, whose stores are shrunk more.
    assert np.abs(rows["age"] - one["age"]).max() < 0.02
    assert np.abs(rows["gender"] - (one["gender"] + two["gender"]) / 2).max() < 0.02
    assert np.abs(rows["expression"] - two["expression"][:, ::-1]).max() < 0.02
    assert np.abs(rows["gender"] - one["gender"]).max() > 0.05
    assert all(np.isfinite(found).all() for found in rows.values())


def test_each_picture_is_read_once(
    manifest: Path, both: Parts, models: tuple[str, str], tmp_path: Path
) -> None:
    recipe, train = taught(manifest, *models), both.train.manifest
    seen: list[int] = []

    def watch(items: Any, total: int) -> Any:
        seen.append(total)
        return items

    cache = tmp_path / "cache"
    shutil.copytree(manifest.parent / "stores", cache, ignore=shutil.ignore_patterns("lessons"))
    half = replace(train, samples=train.samples[::2])
    learn_from(recipe, half, cache, watch, threads=1)
    found = learn_from(recipe, train, cache, watch, threads=1)
    assert seen == [len(half.samples)] * 2 + [len(train.samples) - len(half.samples)] * 2
    again = learn_from(recipe, train, cache, watch, threads=1)
    assert len(seen) == 4
    for task, rows in both.lessons.rows.items():
        assert (found.rows[task] == rows).all()
        assert (again.rows[task] == rows).all()


def test_what_is_damaged_is_read_again(
    manifest: Path, both: Parts, models: tuple[str, str], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(manifest.parent / "stores", cache)
    kept = sorted((cache / "lessons").rglob("*.safetensors"))
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    recipe = taught(manifest, *models)
    found = learn_from(recipe, both.train.manifest, cache, threads=1)
    assert all((found.rows[task] == rows).all() for task, rows in both.lessons.rows.items())


def test_an_interrupted_reading_keeps_its_chunks(
    manifest: Path,
    both: Parts,
    models: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(manifest.parent / "stores", cache, ignore=shutil.ignore_patterns("lessons"))
    monkeypatch.setattr(teacher, "_CHUNK", 10)
    recipe, train = taught(manifest, models[0]), both.train.manifest
    look, looks = teacher._look, []

    def interrupted(*arguments: Any) -> Any:
        looks.append(arguments)
        if len(looks) == 3:
            raise KeyboardInterrupt
        return look(*arguments)

    monkeypatch.setattr(teacher, "_look", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learn_from(recipe, train, cache, threads=1)
    learn_from(recipe, train, cache, threads=1)
    assert len(looks) == 3 + -(-len(train.samples) // 10) - 2


@pytest.mark.parametrize(
    ("tasks", "framing", "changes", "message"),
    [
        ((GENDER,), "face", {"tasks": ["age"]}, "no teacher reads age; they read gender"),
        ((GENDER,), "face", {"tasks": ["mood"]}, "mood is no task"),
        ((Task(name="mood", kind="regression"),), "face", {}, "no teacher reads any of the recipe"),
        (
            (Task(name="gender", kind="classification", labels=("m", "f")),),
            *("face", {}, "the gender of .* is a classification of m, f, and the recipe's"),
        ),
        ((AGE.model_copy(update={"ages": 90}),), "face", {}, "is a age of 90"),
        ((GENDER,), "centre", {}, "reads a picture by its centre, the recipe by its face"),
    ],
)
def test_teachers_that_cannot_teach(
    manifest: Path,
    tmp_path: Path,
    tasks: tuple[Task, ...],
    framing: str,
    changes: dict[str, Any],
    message: str,
) -> None:
    taken = {} if framing == "face" else {"input": {"size": 16, "framing": "centre"}}
    (tmp_path / "t.onnx").write_bytes(model_bytes(face_card(tasks=tasks, **taken)))
    with pytest.raises((RecipeError, ValueError), match=message):
        teacher.check(taught(manifest, str(tmp_path / "t.onnx"), **changes))


def test_a_teacher_that_is_not_there(manifest: Path) -> None:
    with pytest.raises(ModelError, match="neither a model file nor a packaged model"):
        load_parts(taught(manifest, "gone.onnx"), manifest.parent / "stores", threads=1)


def test_batches_hold_the_lessons_of_their_pictures(
    manifest: Path, both: Parts, models: tuple[str, str]
) -> None:
    batches = Batches(taught(manifest, *models), both, lambda: 24)
    _, targets, _, _ = next(iter(batches.train_dataloader()))
    assert list(targets) == [
        *("age", "gender", "expression"),
        *("teacher/age", "teacher/gender", "teacher/expression"),
    ]
    rows = {tuple(row) for row in both.lessons.rows["gender"].tolist()}
    assert {tuple(row) for row in targets["teacher/gender"].tolist()} <= rows
    assert not targets["teacher/expression"].isnan().any()
    assert targets["expression"].isnan().any()


def test_a_run_goes_on_as_if_never_stopped(
    manifest: Path, both: Parts, models: tuple[str, str], tmp_path: Path
) -> None:
    recipe = taught(manifest, *models, weight=0.7, temperature=2.0)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    fit(recipe, both, whole, resume=False, device="cpu")

    def stop(row: Any) -> None:
        if row["epoch"] == "2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(recipe, both, stopped, resume=False, device="cpu", tell=stop)
    assert (stopped / LAST).exists()
    fit(recipe, both, stopped, resume=True, device="cpu")
    assert_same_run(whole, stopped)


def test_another_teacher_of_the_same_name_is_refused(
    manifest: Path, both: Parts, models: tuple[str, str], tmp_path: Path
) -> None:
    recipe = taught(manifest, *models)
    state = Batches(recipe, both, lambda: 24).state_dict()
    changed = replace(both, lessons=replace(both.lessons, digests=("0" * 16, "1" * 16)))
    with pytest.raises(DataError, match=r"two.*has changed since the run began"):
        Batches(recipe, changed, lambda: 24).load_state_dict(state)


def test_a_network_follows_its_teacher_and_its_card_says_so(
    manifest: Path, models: tuple[str, str], tmp_path: Path
) -> None:
    """Taught by the teacher alone, the labels notwithstanding: gender is turned round."""
    turned = np.array([[0, 8], [0, 0], [8, 0]], np.float32)
    path = tmp_path / "turned.onnx"
    data = [{"name": "people", "pictures": 7, "terms": "for research"}]
    path.write_bytes(model_bytes(face_card(tasks=(GENDER,), data=data), {"gender": turned}))
    recipe = taught(manifest, str(path), weight=1.0)
    parts = load_parts(recipe, manifest.parent / "stores", threads=1)
    best = fit(recipe, parts, tmp_path / "run", resume=False, device="cpu")
    assert best == tmp_path / "run" / BEST
    _, result = finish(recipe, parts, best, tmp_path / "run", threads=1)
    assert result.value("gender", "accuracy") < 0.2
    assert result.value("expression", "accuracy") > 0.8
    card = card_of(recipe, parts)
    assert card.data[-1].name == "people, by the teacher tiny-face 1"
    assert card.data[-1].terms == "for research"
    assert card.recipe["teacher"] == recipe.teacher.model_dump(mode="json") | {
        "models": ["turned.onnx"]
    }
