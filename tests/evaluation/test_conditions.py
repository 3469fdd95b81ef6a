"""Grey, dark and damaged copies: changed as they should be, read, and compared with the plain."""

from pathlib import Path

import numpy as np
import pytest

from mien.data.manifest import Sample
from mien.errors import DataError
from mien.evaluation.bootstrap import Resampling
from mien.evaluation.conditions import CONDITIONS, Changed, condition_figures, read_changed
from mien.evaluation.labels import Labels
from mien.evaluation.reading import Outputs
from mien.evaluation.result import ConditionFigure
from mien.evaluation.robustness import Copies
from mien.model import Model
from tests import tiny
from tests.labelled import noise, sample_of, save

SMALL, GREY, DARK, JPEG = range(4)


def colour_model() -> Model:
    return Model(tiny.model_bytes(tiny.colour_card()), threads=1)


def test_copies_and_what_is_read_from_them(tmp_path: Path) -> None:
    red = np.full((40, 40, 3), (200, 40, 40), np.uint8)
    samples = [
        sample_of(save(tmp_path / "red.png", red)),
        sample_of(save(tmp_path / "grey.png", np.full((40, 40), 90, np.uint8))),
    ]
    found = read_changed(colour_model(), samples, threads=1)
    assert found.sample.tolist() == [0, 0, 0, 1, 1]
    assert found.condition.tolist() == [GREY, DARK, JPEG, DARK, JPEG]
    grey, dark, jpeg, *_ = found.outputs["colour"]
    plain = colour_model().run(red[np.newaxis, :16, :16])["colour"][0]
    assert grey == pytest.approx([1 / 3] * 3, abs=1e-5)
    assert jpeg == pytest.approx(plain, abs=0.05)
    # A quarter of the light: a quarter of the differences that the scores are made of.
    low = colour_model().run(np.full((1, 16, 16, 3), (50, 10, 10), np.uint8))["colour"][0]
    assert dark == pytest.approx(low, abs=0.02)
    assert dark[0] < plain[0] - 0.1


def test_the_seed_makes_the_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.evaluation.conditions.SAMPLE", 3)
    samples = [sample_of(save(tmp_path / f"{n}.png", noise(n, 20, 20))) for n in range(9)]
    first, again, other = (
        read_changed(colour_model(), samples, seed=seed, threads=1) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.outputs["colour"], again.outputs["colour"])
    assert len(set(first.sample.tolist())) == 3
    assert first.sample.tolist() != other.sample.tolist()


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png: no such file"):
        read_changed(colour_model(), [Sample(tmp_path / "gone.png", "s", "1")], threads=1)


def test_figures_beside_those_of_the_same_pictures() -> None:
    """Twenty people of 28: read as 30; small as 31; ten of them grey, as 35; too few dark."""
    ages = np.eye(101, dtype=np.float32)
    outputs = {"age": ages[[30] * 20]}
    outputs["age"][0] = ages[28]
    copies = Copies(
        np.arange(20), np.array([32] * 20), np.zeros(20, bool), {"age": ages[[31] * 20]}
    )
    changed = Changed(
        np.array([*range(10), 0]), np.array([GREY] * 10 + [DARK]), {"age": ages[[35] * 11]}
    )
    truth = np.full(20, 28.0)
    found = figures(Labels(tiny.AGE, truth, truth), outputs, copies, changed)
    assert [(f.condition, f.name, f.pictures) for f in found] == [
        ("32 pixels wide", "mae", 20),
        ("grey", "mae", 10),
    ]
    assert [f.value for f in found] == pytest.approx([3, 7])
    assert [f.plain for f in found] == pytest.approx([38 / 20, 18 / 10])


def test_only_what_is_known_counts() -> None:
    rows = np.eye(2, dtype=np.float32)
    outputs = {"gender": rows[[0] * 30]}
    none = Copies(np.array([], int), np.array([], int), np.array([], bool), {"gender": rows[:0]})
    changed = Changed(np.arange(30), np.full(30, JPEG), {"gender": rows[[0, 1] * 15]})
    truth = np.where(np.arange(30) < 20, 0.0, np.nan)
    (found,) = figures(Labels(tiny.GENDER, truth, truth), outputs, none, changed)
    assert (found.condition, found.name) == (CONDITIONS[JPEG], "accuracy")
    assert (found.value, found.plain, found.pictures) == (0.5, 1.0, 20)
    assert 0.2 < found.low < 0.5 < found.high < 0.8


def figures(
    labels: Labels, outputs: Outputs, copies: Copies, changed: Changed
) -> tuple[ConditionFigure, ...]:
    units = np.arange(30)
    return condition_figures(labels, outputs, copies, changed, units, Resampling())
