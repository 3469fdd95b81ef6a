"""A model file's intervals and figures measured anew."""

from dataclasses import replace

import onnx
import pytest

from mien.data import manifest as manifests
from mien.data.manifest import Manifest
from mien.errors import DataError, ModelError
from mien.evaluation.evaluate import evaluate
from mien.model import Model
from mien.training.parts import halves
from mien.training.recalibrate import recalibrate
from tests import tiny
from tests.runs import toy_manifest


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return manifests.read(toy_manifest(tmp_path_factory.mktemp("toy")))


def with_age(manifest: Manifest) -> int:
    return sum("age" in sample.labels for sample in manifest.samples)


def test_other_peoples_pictures_all_count(toy: Manifest) -> None:
    data = tiny.model_bytes(tiny.face_card(tasks=(tiny.AGE, tiny.GENDER)))
    model = Model(recalibrate(data, toy, threads=1), threads=1)
    intervals = model.card.task("age").intervals
    assert sum(i.pictures for i in intervals) == with_age(toy.part("validation"))
    result = evaluate(model, toy, threads=1)
    assert model.card.metrics == result.card_metrics
    assert result.value("age", "coverage") > 0.7


def test_of_its_own_split_only_what_did_not_choose_counts(toy: Manifest) -> None:
    card = tiny.face_card(tasks=(tiny.AGE,), split_hash=toy.split_hash, recipe={"seed": 4})
    model = Model(recalibrate(tiny.model_bytes(card), toy, threads=1), threads=1)
    _, own = halves(toy.part("validation"), 4)
    assert sum(i.pictures for i in model.card.task("age").intervals) == with_age(own)


def test_the_weights_stay(toy: Manifest) -> None:
    data = tiny.model_bytes(tiny.face_card(tasks=(tiny.AGE,)))
    before, after = (onnx.load_from_string(d).graph for d in (data, recalibrate(data, toy)))
    assert before.initializer == after.initializer


def test_a_model_without_an_age_is_refused(toy: Manifest) -> None:
    with pytest.raises(ModelError, match="pets: it reads no age"):
        recalibrate(tiny.model_bytes(tiny.face_card(tasks=(tiny.GENDER,))), toy, name="pets")


def test_pictures_without_exact_ages_are_refused(toy: Manifest) -> None:
    bins = Manifest(
        tuple(replace(s, labels={"age_low": "20", "age_high": "29"}) for s in toy.samples)
    )
    with pytest.raises(DataError, match="no picture of the validation part has an exact age"):
        recalibrate(tiny.model_bytes(tiny.face_card(tasks=(tiny.AGE,))), bins)


def test_no_model_file(toy: Manifest) -> None:
    with pytest.raises(ModelError, match="junk"):
        recalibrate(b"junk", toy, name="junk")
