"""Several model files as one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from mien.card import Data, Input, Task
from mien.classic.extractor import of_model
from mien.data import manifest as manifests
from mien.data.manifest import Manifest
from mien.errors import DataError, ModelError
from mien.evaluation.evaluate import evaluate
from mien.faces import TEMPLATE
from mien.model import Model
from mien.networks.graph import FIRST_MEMBER, computing
from mien.networks.multitask import MultiTaskNet
from mien.training.ensemble import ensemble
from mien.training.export import export
from mien.training.parts import halves
from tests import tiny
from tests.runs import toy_manifest

INPUT = Input(size=32, framing="face", landmarks=TEMPLATE)
TASKS = (tiny.AGE, tiny.GENDER)
NUMBER = Task(name="weight", kind="regression", unit="kg")


def swapped(task: Task) -> Task:
    return task.model_copy(update={"labels": task.labels[::-1]})


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return manifests.read(toy_manifest(tmp_path_factory.mktemp("toy")))


def member(seed: int, **changes: Any) -> bytes:
    """Return a model with weights of its own."""
    card = tiny.face_card(**({"tasks": TASKS} | changes))
    drawn = np.random.default_rng(seed)
    weights = {
        task.name: drawn.normal(0, 3, (3, task.outputs)).astype(np.float32) for task in card.tasks
    }
    return tiny.model_bytes(card, weights)


def joined(toy: Manifest, *members: bytes, name: str = "both") -> Model:
    files = {f"{place}.onnx": data for place, data in enumerate(members)}
    return Model(ensemble(files, toy, name=name, threads=1), threads=1)


def pictures(seed: int = 0) -> NDArray[np.uint8]:
    shape = (5, tiny.SIZE, tiny.SIZE, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def logs(found: Mapping[str, NDArray[np.float32]], task: str) -> NDArray[np.float64]:
    return np.log(found[task].astype(np.float64))


def test_scores_are_averaged_and_scaled_by_class(toy: Manifest) -> None:
    """Of the logarithms: a mean, then one scale and one shift a class for all pictures."""
    first, second = member(1), member(2)
    both = joined(toy, first, second)
    pixels = pictures()
    found, one, two = (m.run(pixels) for m in (both, Model(first), Model(second)))
    for task in ("age", "gender"):
        np.testing.assert_allclose(found[task].sum(axis=1), 1, rtol=1e-5)
    # Age has one temperature: differences of classes' scores are the mean's, all in one ratio.
    mean, said = (logs(one, "age") + logs(two, "age")) / 2, logs(found, "age")
    ratio = (said[:, 1:] - said[:, :1]) / (mean[:, 1:] - mean[:, :1])
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-2)
    # Two classes: a straight line from the mean's difference to the answer's.
    mean = ((logs(one, "gender") + logs(two, "gender")) / 2) @ (-1, 1)
    said = logs(found, "gender") @ (-1, 1)
    slope, shift = np.polyfit(mean, said, 1)
    np.testing.assert_allclose(said, slope * mean + shift, atol=1e-3)
    assert slope > 0


@pytest.mark.parametrize("seed", range(3))
def test_equal_members_rank_as_each_of_them_does(toy: Manifest, seed: int) -> None:
    data = member(seed, tasks=(tiny.AGE,))
    one, both = Model(data), joined(toy, data, data)
    mine, theirs = (m.run(pictures(seed))["age"].argmax(axis=1) for m in (one, both))
    np.testing.assert_array_equal(mine, theirs)


def network(seed: int, trunk: int = 0) -> bytes:
    """Return a small real network whose first layers are drawn by `trunk`, the rest by `seed`."""
    torch.manual_seed(trunk)
    net = MultiTaskNet("test_resnet", {"age": 101, "gender": 2})
    torch.manual_seed(seed)
    for name, tensor in net.named_parameters():
        if not name.startswith(("backbone.conv1", "backbone.bn1", "backbone.layer1")):
            torch.nn.init.normal_(tensor, std=0.05)
    return export(net.eval(), tiny.face_card(tasks=TASKS, input=INPUT))


def test_what_members_have_in_common_is_stored_and_computed_once(toy: Manifest) -> None:
    one, two, other = network(1), network(2), network(3, trunk=4)
    alike = {"one": one, "two": two}
    apart = {"one": one, "other": other}
    near, far = (onnx.load_from_string(ensemble(f, toy, name="e")).graph for f in (alike, apart))
    ours = onnx.load_from_string(one).graph
    convolutions = [sum(n.op_type == "Conv" for n in g.node) for g in (ours, near, far)]
    assert convolutions[0] < convolutions[1] < convolutions[2] == 2 * convolutions[0]
    assert len(near.initializer) < len(far.initializer)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    for files, graph_ in ((alike, near), (apart, far)):
        models = [Model(data).run(pixels) for data in files.values()]
        given = [f"{FIRST_MEMBER}age", "member2.age"]
        wholes = onnx.ModelProto()
        wholes.CopyFrom(onnx.load_from_string(one))
        wholes.graph.CopyFrom(graph_)
        for said, model in zip(computing(wholes, given)(pixels), models, strict=True):
            np.testing.assert_allclose(said, model["age"], rtol=1e-4, atol=1e-7)


def test_the_card_is_the_members_card_as_one(toy: Manifest) -> None:
    faces = Data(name="faces", pictures=10, terms="free")
    more = Data(name="faces", pictures=12, terms="free")
    pets = Data(name="pets", pictures=3, terms="research")
    one = member(1, name="one", use="tests", data=(faces,), recipe={"seed": 7, "network": {}})
    two = member(2, name="two", use="research", data=(more, pets), licence="MIT")
    card = joined(toy, one, two).card
    assert (card.name, card.version, card.licence) == ("both", "1", "Apache-2.0 MIT")
    assert card.use == "tests; research"
    assert card.data == (more, pets)
    assert "The mean of 2 networks' scores: one 1, two 1." in card.description
    assert card.recipe["network"] == {}
    assert card.recipe["members"] == [{"seed": 7, "network": {}}, {}]
    assert card.task("age").intervals


def test_terms_that_one_member_does_not_state_are_not_stated(toy: Manifest) -> None:
    assert joined(toy, member(1), member(2, use="")).card.use == ""


def test_the_figures_are_the_ensembles_own(toy: Manifest) -> None:
    both = joined(toy, member(1), member(2))
    assert both.card.metrics == evaluate(both, toy, threads=1).card_metrics


def test_it_is_calibrated_on_what_chose_no_member(toy: Manifest) -> None:
    cards = [{"split_hash": toy.split_hash, "recipe": {"seed": seed}} for seed in (1, 2)]
    both = joined(toy, *(member(place, **card) for place, card in enumerate(cards)))
    left = [{s.path for s in halves(toy.part("validation"), seed)[1].samples} for seed in (1, 2)]
    exact = {s.path for s in toy.part("validation").samples if "age" in s.labels}
    measured = sum(i.pictures for i in both.card.task("age").intervals)
    assert 0 < measured == len(left[0] & left[1] & exact) < len(left[0] & exact)


def test_numbers_are_averaged(tmp_path: Path) -> None:
    """And a model without an age can be one of an ensemble."""
    samples = manifests.read(toy_manifest(tmp_path)).samples
    weighed = Manifest(tuple(replace(s, labels={"weight": "4"}) for s in samples))
    one, two = (member(seed, tasks=(NUMBER,)) for seed in (1, 2))
    both = joined(weighed, one, two)
    said = [m.run(pictures())["weight"] for m in (Model(one), Model(two), both)]
    np.testing.assert_allclose(said[2], (said[0] + said[1]) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([member(1)], "at least two models"),
        ([member(1), member(2, tasks=(tiny.AGE,))], "different things"),
        ([member(1), member(2, tasks=(tiny.AGE, swapped(tiny.GENDER)))], "different things"),
        ([member(1), member(2, input=Input(size=17, framing="face", landmarks=TEMPLATE))], "17"),
        ([member(1), member(2, recipe={"members": []})], "is an ensemble itself"),
        ([member(1), b"junk"], "1.onnx"),
    ],
)
def test_what_cannot_be_averaged(toy: Manifest, members: list[bytes], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        joined(toy, *members)


def test_other_operators(toy: Manifest) -> None:
    newer = onnx.load_from_string(member(2))
    newer.opset_import[0].version = 12
    with pytest.raises(ModelError, match="export them anew"):
        joined(toy, member(1), newer.SerializeToString())


def test_a_task_that_nothing_can_calibrate(toy: Manifest) -> None:
    decades = {"age_low": "20", "age_high": "29", "gender": "male"}
    bins = Manifest(tuple(replace(s, labels=decades) for s in toy.samples))
    with pytest.raises(DataError, match="known age"):
        joined(bins, member(1), member(2))


def test_another_training_begins_with_its_first_network(toy: Manifest, tmp_path: Path) -> None:
    one = network(1)
    (tmp_path / "one.onnx").write_bytes(one)
    (tmp_path / "both.onnx").write_bytes(ensemble({"1": one, "2": network(2)}, toy, name="both"))
    heads = {"age": 101, "gender": 2}
    first, begun = (
        MultiTaskNet("test_resnet", heads, str(tmp_path / file))
        for file in ("one.onnx", "both.onnx")
    )
    assert begun.begun == ["age", "gender"]
    for wanted, found in zip(first.parameters(), begun.parameters(), strict=True):
        torch.testing.assert_close(found, wanted)


def test_its_features_are_those_of_its_first_network(toy: Manifest, tmp_path: Path) -> None:
    one = network(1)
    (tmp_path / "one.onnx").write_bytes(one)
    (tmp_path / "both.onnx").write_bytes(ensemble({"1": one, "2": network(2)}, toy, name="both"))
    first, both = (of_model(str(tmp_path / f), threads=1) for f in ("one.onnx", "both.onnx"))
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    np.testing.assert_allclose(both.run(pixels), first.run(pixels), rtol=1e-5)
    assert len(both.data) < 1.5 * len(first.data)
