"""Outputs by the path of use: equal to what `Analyzer` and `Classifier` answer."""

from pathlib import Path

import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.card import Interval, Task
from mien.classifier import Classifier
from mien.errors import DataError
from mien.evaluation.reading import printed_ages, read, stacked
from mien.model import Model
from tests import tiny
from tests.labelled import noise, save

WEIGHT = Task(name="weight", kind="regression")


def test_faces_as_the_analyzer_reads_them(tmp_path: Path) -> None:
    card = tiny.face_card(tasks=(tiny.AGE, tiny.RACE, WEIGHT))
    model = Model(tiny.model_bytes(card), threads=1)
    paths = [save(tmp_path / f"{n}.png", noise(n, 20, 30)) for n in range(3)]
    found = stacked(read(model, paths, threads=1), card.tasks)
    analyzer = Analyzer(model, tasks=model.outputs, faces="whole", threads=1)
    for row, path in enumerate(paths):
        (face,) = analyzer(path)
        assert np.array_equal(found["age"][row], face.age.distribution)
        assert found["race"][row].tolist() == list(face.race.probabilities.values())
        assert found["weight"][row].tolist() == [face.attributes["weight"]]
        years, low, high = printed_ages(tiny.AGE, found["age"])
        assert years[row] == round(face.age.years, 1)
        assert (low[row], high[row]) == (round(face.age.low, 1), round(face.age.high, 1))


def test_whole_pictures_as_the_classifier_reads_them(tmp_path: Path) -> None:
    model = Model(tiny.model_bytes(tiny.colour_card()), threads=1)
    paths = [save(tmp_path / f"{n}.png", noise(n, 20, 50)) for n in range(40)]
    found = stacked(read(model, paths), model.card.tasks)["colour"]
    rankings = list(Classifier(model, threads=1).read(paths))
    assert len(found) == len(rankings) == 40
    for row, ranking in zip(found, rankings, strict=True):
        told = {guess.label: guess.probability for guess in ranking.guesses}
        assert row == pytest.approx([told[label] for label in tiny.COLOUR.labels], abs=1e-6)


def test_every_task_of_a_model_of_whole_pictures(tmp_path: Path) -> None:
    card = tiny.colour_card(tasks=(WEIGHT, tiny.COLOUR, tiny.AGE))
    model = Model(tiny.model_bytes(card), threads=1)
    path = save(tmp_path / "0.png", noise(0))
    found = stacked(read(model, [path], threads=1), card.tasks)
    assert {name: rows.shape for name, rows in found.items()} == {
        "weight": (1, 1),
        "colour": (1, 3),
        "age": (1, 101),
    }


@pytest.mark.parametrize("card", [tiny.face_card(), tiny.colour_card()])
def test_a_picture_that_cannot_be_read(card: object, tmp_path: Path) -> None:
    model = Model(tiny.model_bytes(card), threads=1)  # type: ignore[arg-type]
    paths = [save(tmp_path / "0.png", noise(0)), tmp_path / "gone.png"]
    with pytest.raises(DataError, match=r"gone\.png: no such file"):
        list(read(model, paths, threads=1))


def test_ages_are_printed_to_one_decimal() -> None:
    distribution = np.zeros((1, 101), np.float32)
    distribution[0, [20, 21]] = 0.58, 0.42
    margin = Interval(level=0.9, from_age=0, margin=0.02, pictures=1)
    task = tiny.AGE.model_copy(update={"intervals": (margin,)})
    # From 19.5 + 0.05 / 0.58 - 0.02, to 21.5 - 0.05 / 0.42 + 0.02.
    assert [ends.tolist() for ends in printed_ages(task, distribution)] == [[20.4], [19.6], [21.4]]


def test_no_pictures() -> None:
    model = Model(tiny.model_bytes(tiny.colour_card()), threads=1)
    assert stacked(read(model, [], threads=1), model.card.tasks)["colour"].shape == (0, 3)
