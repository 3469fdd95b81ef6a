"""Predictions that are kept: what was said comes back, and gives the very figures again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from mien.card import Card, Task
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError
from mien.evaluation.evaluate import evaluate
from mien.evaluation.predictions import NAME, Predictions, read_predictions
from mien.model import Model
from tests import tiny
from tests.labelled import save

COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250), (200, 90, 0))
LABELS = (
    {"age": "33.1", "gender": "male"},
    {"age_low": "20", "age_high": "60"},
    {"gender": "female"},
    {"age": "70", "gender": "male"},
)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    samples = []
    for number, (colour, labels) in enumerate(zip(COLOURS, LABELS, strict=True)):
        path = save(tmp_path / f"{number}.png", np.full((20, 20, 3), colour, np.uint8))
        samples.append(Sample(path, "s", f"c{number}", "test", dict(labels)))
    return Manifest(tuple(samples))


def test_what_is_kept_gives_the_same_figures(manifest: Manifest, tmp_path: Path) -> None:
    model = Model(tiny.model_bytes(tiny.face_card()), threads=1)
    path = tmp_path / NAME
    result = evaluate(model, manifest, threads=1, widths=False, keep=path)
    found = read_predictions(path)
    assert (found.model, found.split, found.split_hash) == (
        "tiny-face",
        "test",
        manifest.split_hash,
    )
    assert found.contents == ("c0", "c1", "c2", "c3")
    assert list(found.tasks) == ["age", "gender"]
    figures = {
        (task, name): value
        for task, said in found.tasks.items()
        for measure, _ in said.measures()
        for name, value in measure.values().items()
    }
    overall = {(m.task, m.name): m.value for m in result.metrics if not m.by}
    assert ("age", "in_interval") in overall
    assert figures == overall


def kept(path: Path, **changes: object) -> Path:
    """Write predictions of which some arrays are others."""
    with np.load(path, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    other = path.with_name("other.npz")
    np.savez(other, **{name: v for name, v in (arrays | changes).items() if v is not None})
    return other


def test_what_is_no_such_file(manifest: Manifest, tmp_path: Path) -> None:
    model = Model(tiny.model_bytes(tiny.face_card()), threads=1)
    path = tmp_path / NAME
    evaluate(model, manifest, threads=1, widths=False, keep=path)
    with pytest.raises(DataError, match=r"missing.npz: cannot be read \(No such file"):
        read_predictions(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("no arrays")
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:-400])
    for other in (
        tmp_path / "text.npz",
        tmp_path / "cut.npz",
        kept(path, about=np.array("[]")),
        kept(path, about=np.array('{"form": 2}')),
        kept(path, contents=None),
        kept(path, contents=np.array([{}], object)),
        kept(path, **{"gender.output": np.zeros((4, 3), np.float32)}),
        kept(path, **{"age.truth": np.zeros((3, 2))}),
    ):
        with pytest.raises(DataError, match="not kept predictions"):
            read_predictions(other)


def test_nothing_is_kept_unasked(manifest: Manifest, tmp_path: Path) -> None:
    evaluate(Model(tiny.model_bytes(tiny.face_card()), threads=1), manifest, threads=1)
    assert not list(tmp_path.glob("*.npz"))


def test_an_empty_selection_is_kept(tmp_path: Path) -> None:
    Predictions("m", "test", "h", (), {}).save(tmp_path / NAME)
    assert read_predictions(tmp_path / NAME).contents == ()


def test_a_number_that_is_known_by_an_interval_only(manifest: Manifest, tmp_path: Path) -> None:
    """As FairFace's ages: a regression is measured by how often it lies inside."""
    ages = Task(name="age", kind="regression", unit="years")
    bins = [{"age_low": "0", "age_high": "9"}, {"age_low": "40", "age_high": "400"}]
    samples = [replace(s, labels=bins[n % 2]) for n, s in enumerate(manifest.samples)]
    weights = {"age": np.full((3, 1), 100, np.float32)}
    model = Model(number_model(tiny.face_card(tasks=(ages,)), weights), threads=1)
    result = evaluate(model, Manifest(tuple(samples)), threads=1, widths=False)
    assert {m.name for m in result.metrics if not m.by} == {"in_interval"}
    assert 0 < result.value("age", "in_interval") <= 1


def number_model(card: Card, weights: dict[str, NDArray[np.float32]]) -> bytes:
    """Return a model of one number: its last step is no softmax."""
    model = onnx.load_from_string(tiny.model_bytes(card, weights))
    (last,) = [node for node in model.graph.node if node.op_type == "Softmax"]
    last.op_type = "Identity"
    del last.attribute[:]
    data: bytes = model.SerializeToString()
    return data
