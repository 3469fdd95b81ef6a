"""Small and grey copies: as wide as they should be, read as use reads them, and rightly counted."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.card import Task
from mien.data.manifest import Sample
from mien.errors import DataError
from mien.evaluation.bootstrap import Resampling
from mien.evaluation.labels import Labels
from mien.evaluation.robustness import (
    Copies,
    Drawing,
    grey_agreement,
    read_copies,
    shrunk,
    width_figures,
)
from mien.faces import Detector
from mien.model import Model
from tests import tiny
from tests.labelled import noise, sample_of, save

ASTRONAUT = np.asarray(astronaut()[:220, 120:340], np.uint8)  # type: ignore[no-untyped-call]
"""A face of 91 pixels."""


def face_model() -> Model:
    return Model(tiny.model_bytes(tiny.face_card()), threads=1)


def colour_model() -> Model:
    return Model(tiny.model_bytes(tiny.colour_card()), threads=1)


def test_a_copy_at_each_width_that_the_face_reaches(tmp_path: Path) -> None:
    grey = ASTRONAUT.mean(axis=2).astype(np.uint8)
    samples = [
        sample_of(save(tmp_path / "none.png", noise(1, 100, 100))),
        sample_of(save(tmp_path / "colour.png", ASTRONAUT)),
        sample_of(save(tmp_path / "grey.png", grey)),
    ]
    found = read_copies(face_model(), samples, Drawing(), threads=1)
    made = list(zip(found.sample.tolist(), found.width.tolist(), found.grey.tolist(), strict=True))
    assert made == [
        *((1, width, False) for width in (24, 32, 48, 64)),
        (1, 48, True),
        *((2, width, False) for width in (24, 32, 48, 64)),
    ]
    assert found.outputs["age"].shape == (9, 101)
    # The colour's grey copy is read like the grey picture's copy of the same width.
    assert found.outputs["race"][4] == pytest.approx(found.outputs["race"][7], abs=0.05)
    assert abs(found.outputs["race"][2] - found.outputs["race"][7]).max() > 0.1


@pytest.mark.parametrize("width", [24, 48])
def test_the_face_has_the_width(width: int) -> None:
    detector = Detector()
    face = detector.find_main(ASTRONAUT)
    assert face is not None
    small = detector.find_main(shrunk(ASTRONAUT, width / face.width))
    assert small is not None
    assert small.width == pytest.approx(width, rel=0.1)


def test_shrinking_means_over_areas() -> None:
    stripes = np.zeros((40, 60, 3), np.uint8)
    stripes[:, ::2] = 200
    found = shrunk(stripes, 1 / 4)
    assert found.shape == (10, 15, 3)
    assert (found == 100).all()
    assert shrunk(stripes[:1], 1 / 4).shape == (1, 15, 3)


def test_whole_pictures_have_grey_copies_by_their_shorter_side(tmp_path: Path) -> None:
    samples = [
        sample_of(save(tmp_path / "0.png", np.full((60, 90, 3), (200, 0, 0), np.uint8))),
        sample_of(save(tmp_path / "1.png", np.full((47, 90, 3), (200, 0, 0), np.uint8))),
        sample_of(save(tmp_path / "2.png", np.full((60, 90), 100, np.uint8))),
    ]
    found = read_copies(colour_model(), samples, Drawing(()), threads=1)
    assert (found.sample.tolist(), found.width.tolist(), found.grey.tolist()) == ([0], [48], [True])
    # Grey has no strongest colour.
    assert found.outputs["colour"][0] == pytest.approx([1 / 3] * 3, abs=1e-5)


def test_a_seeded_draw_of_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.evaluation.robustness.SAMPLE", 3)
    picture = save(tmp_path / "0.png", np.full((48, 48, 3), (9, 0, 0), np.uint8))
    samples = [sample_of(picture)] * 40
    seen = []

    def watch(items: Iterable[Any], total: int, /) -> Iterable[Any]:
        seen.append(total)
        return items

    first, again, other = (
        read_copies(colour_model(), samples, Drawing((), seed=seed), threads=1, watch=watch).sample
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() == sorted(set(first.tolist()))
    assert first.tolist() != other.tolist()
    assert seen == [3, 3, 3]


def test_nothing_to_copy(tmp_path: Path) -> None:
    samples = [sample_of(save(tmp_path / "0.png", noise(0)))]
    found = read_copies(face_model(), samples, Drawing(), threads=1)
    assert (len(found.sample), found.outputs["age"].shape) == (0, (0, 101))


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    samples = [Sample(tmp_path / "gone.png", "s", "1")]
    with pytest.raises(DataError, match=r"gone\.png: no such file"):
        read_copies(colour_model(), samples, Drawing(), threads=1)


def copies(sample: list[int], width: list[int], grey: list[bool], **outputs: Any) -> Copies:
    return Copies(np.array(sample), np.array(width), np.array(grey), outputs)


def test_figures_at_each_width() -> None:
    """Twenty pictures at 24 pixels, of which ten are wide enough for 32; all read as 30."""
    ages = np.eye(101, dtype=np.float32)[[30] * 41]
    ages[20:30] = np.eye(101)[31]
    made = copies(
        [*range(20), *range(10), *range(11)], [24] * 20 + [32] * 10 + [48] * 11,
        [False] * 30 + [True] * 11, age=ages,
    )  # fmt: skip
    truth = np.full(20, 28.0)
    truth[0] = 30
    found = width_figures(Labels(tiny.AGE, truth, truth), made, np.arange(20), Resampling())
    assert [(row.task, row.name, row.width, row.pictures) for row in found] == [
        ("age", "mae", 24, 20),
        ("age", "mae", 32, 10),
    ]
    assert [row.value for row in found] == pytest.approx([38 / 20, 28 / 10])
    assert found[0].low < found[0].value < found[0].high == 2


def test_what_is_known_by_an_interval_or_too_seldom_has_no_figure() -> None:
    ages = np.eye(101, dtype=np.float32)[[30] * 12]
    made = copies([*range(12)], [24] * 12, [False] * 12, age=ages)
    low, high = np.full(12, 20.0), np.full(12, 29.0)
    assert width_figures(Labels(tiny.AGE, low, high), made, np.arange(12), Resampling()) == ()
    known = np.where(np.arange(12) < 9, 20.0, np.nan)
    assert width_figures(Labels(tiny.AGE, known, known), made, np.arange(12), Resampling()) == ()


def test_accuracy_and_numbers_at_a_width() -> None:
    gender = np.tile(np.array([[0.4, 0.6]], np.float32), (10, 1))
    weight = np.full((10, 1), 2.5, np.float32)
    made = copies([*range(10)], [32] * 10, [False] * 10, gender=gender, weight=weight)
    truth = np.array([1.0] * 7 + [0.0] * 3)
    (found,) = width_figures(Labels(tiny.GENDER, truth, truth), made, np.arange(10), Resampling())
    assert (found.name, found.value, found.pictures) == ("accuracy", 0.7, 10)
    task = Task(name="weight", kind="regression")
    (found,) = width_figures(Labels(task, truth, truth), made, np.arange(10), Resampling())
    assert found.name == "mae"
    assert found.value == pytest.approx((1.5 * 7 + 2.5 * 3) / 10)


def test_how_often_colour_and_grey_agree() -> None:
    rows = np.eye(2, dtype=np.float32)
    whole = {"gender": rows[[0] * 20]}
    made = copies(
        [*range(20), *range(12)], [24] * 20 + [48] * 12, [False] * 20 + [True] * 12,
        gender=rows[[1] * 20 + [0] * 9 + [1] * 3],
    )  # fmt: skip
    found = grey_agreement("gender", whole, made, np.arange(20), Resampling())
    assert found is not None
    assert (found.task, found.share, found.pictures) == ("gender", 0.75, 12)
    assert 0.3 < found.low < 0.75 < found.high <= 1
    few = copies([0, 1], [48] * 2, [True] * 2, gender=rows)
    assert grey_agreement("gender", whole, few, np.arange(20), Resampling()) is None


def test_an_endlessly_long_picture_is_shrunk_too() -> None:
    assert shrunk(np.zeros((60, 40_000, 3), np.uint8), 48 / 60).shape == (48, 32_000, 3)


def test_transparent_and_small_pictures_are_read(tmp_path: Path) -> None:
    Image.new("RGBA", (60, 60), (200, 0, 0, 128)).save(tmp_path / "0.png")
    samples = [sample_of(tmp_path / "0.png"), sample_of(save(tmp_path / "1.png", noise(0, 1, 1)))]
    found = read_copies(colour_model(), samples, Drawing(()), threads=1)
    assert found.sample.tolist() == [0]
