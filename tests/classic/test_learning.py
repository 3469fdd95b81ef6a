"""What is learnt from features: which task, of which pictures, by which groups."""

from dataclasses import replace

import numpy as np
import pytest

from mien.classic.learning import material
from mien.classic.store import Features
from mien.data.manifest import Manifest
from mien.errors import DataError
from tests.classic.world import PARTS, coloured, features_of, made_up


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Features:
    folder = tmp_path_factory.mktemp("features")
    ages = [str(number) for number in range(60)]
    manifest = coloured(folder / "pictures", 60, age=ages)
    manifest.samples[7].path.write_bytes(b"no picture")
    return features_of(manifest, folder)


def test_classes(features: Features) -> None:
    found = material(features, "colour")
    assert found.kind == "classification"
    assert found.task.labels == ("blue", "green", "red")
    assert [len(part.samples) for part in (found.train, found.validation, found.test)] == [
        35,
        12,
        12,
    ]
    # The mean colours tell the class: 0 is blue, whose mean is the third.
    assert (found.test.rows.argmax(axis=1) == 2 - found.test.values).all()
    assert found.test.samples == found.manifest.part("test").samples
    assert (found.split_hash, found.unlabelled) == (features.split_hash, 0)


def test_ages_are_numbers_with_groups(features: Features) -> None:
    found = material(features, "age")
    assert (found.kind, found.task.unit) == ("regression", "years")
    assert found.test.values.tolist() == [
        *range(12, 15),
        *range(27, 30),
        *range(42, 45),
        57,
        58,
        59,
    ]
    assert found.test.classes.tolist() == [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert found.test.tens.tolist() == [1, 1, 1, 2, 2, 2, 4, 4, 4, 5, 5, 5]


def test_age_groups_are_made_of_ages(features: Features) -> None:
    found = material(features, "age_group")
    assert found.task.labels == ("child", "teen", "youth", "adult")
    assert found.test.values.tolist() == [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]


def test_measured_numbers_fall_into_tenths(features: Features) -> None:
    count = 400
    values = np.linspace(0, 10, count)
    labels = [{"weight": f"{value:.3f}"} for value in values]
    parts = [PARTS[number % len(PARTS)] for number in range(count)]
    rows = values[:, np.newaxis].astype(np.float32)
    found = material(made_up(rows, labels, parts, features), "weight")
    assert found.kind == "regression"
    assert set(found.train.classes.tolist()) == set(range(10))
    np.testing.assert_array_equal(found.train.classes, np.minimum(found.train.values // 1, 9))


def test_pictures_without_a_label_are_counted(features: Features) -> None:
    labels = [{"colour": "red"} if n % 2 else {"colour": "blue"} for n in range(30)]
    labels[4] = {}
    parts = [PARTS[number // 2 % len(PARTS)] for number in range(30)]
    found = material(made_up(np.zeros((30, 2), np.float32), labels, parts, features), "colour")
    assert found.unlabelled == 1
    assert len(found.manifest.samples) == 29


@pytest.mark.parametrize(
    ("labels", "parts", "message"),
    [
        (["a", "b", "a", "b"], ["train"] * 3 + ["test"], "no picture in the part 'validation'"),
        (["a", "a", "a", "a"], ["train", "train", "validation", "test"], "only one mood"),
        (["a", "b", "c", "a"], ["train", "train", "validation", "test"], "the mood 'c', which"),
        (["a", "b", "a", "a"], ["test", "test", "validation", "test"], "has no mood"),
    ],
)
def test_what_cannot_be_learnt(
    features: Features, labels: list[str], parts: list[str], message: str
) -> None:
    known = [{"mood": label} for label in labels]
    with pytest.raises(DataError, match=message):
        material(made_up(np.zeros((4, 2), np.float32), known, parts, features), "mood")


def test_an_unknown_task(features: Features) -> None:
    with pytest.raises(DataError, match="no labels 'mood'; they have colour, age"):
        material(features, "mood")


def test_predictions_are_learnt_and_never_measured_by(features: Features) -> None:
    samples = tuple(
        replace(s, labels=s.labels | {"colour:predicted": "tiny 1"}) if place % 2 else s
        for place, s in enumerate(features.manifest.samples)
    )
    plain = material(features, "colour")
    found = material(replace(features, manifest=Manifest(samples)), "colour")
    assert len(found.train.samples) == len(plain.train.samples)
    for part, before in ((found.validation, plain.validation), (found.test, plain.test)):
        assert 0 < len(part.samples) < len(before.samples)
        assert all(not sample.predicted for sample in part.samples)
