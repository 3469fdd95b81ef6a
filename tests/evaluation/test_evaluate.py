"""Model files measured on manifests: figures that can be told beforehand, and clear refusals."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.card import Card, Interval, Task
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError, OutputError
from mien.evaluation.evaluate import Evaluation, evaluate, table, write_table
from mien.model import Model
from tests import tiny
from tests.labelled import save

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)
TWENTY_SIXTY = np.zeros((3, 101), np.float32)
TWENTY_SIXTY[0, [20, 21]] = TWENTY_SIXTY[1:, 60] = 30
"""Weights by which red is 20 or 21 years old, half each, and all else 60."""


def model(card: Card | None = None, **weights: np.ndarray[Any, Any]) -> Model:
    """Red is 20.5 years, male, white; green and blue are 60; green female, black; blue asian."""
    known = {"age": TWENTY_SIXTY} if card is None or card.input.framing == "face" else {}
    return Model(tiny.model_bytes(card or tiny.face_card(), known | weights), threads=1)


def manifest(folder: Path, *rows: tuple[tuple[int, int, int], dict[str, str]]) -> Manifest:
    """One picture of one colour a row, with its labels."""
    samples = []
    for number, (colour, labels) in enumerate(rows):
        path = save(folder / f"{number}.png", np.full((20, 20, 3), colour, np.uint8))
        samples.append(Sample(path, "s", str(number), "test", labels))
    return Manifest(tuple(samples))


def figures(result: Evaluation, task: str, by: str = "", group: str = "") -> dict[str, float]:
    return {
        metric.name: metric.value
        for metric in result.metrics
        if (metric.task, metric.by, metric.group) == (task, by, group)
    }


def test_known_answers(tmp_path: Path) -> None:
    part = manifest(
        tmp_path,
        (RED, {"age": "20", "gender": "male"}),
        (RED, {"age": "30", "gender": "female"}),
        (BLUE, {"age": "61"}),
        (GREEN, {"gender": "female"}),
    )
    result = evaluate(model(), part, threads=1)
    found = figures(result, "age")
    assert found["mae"] == pytest.approx((0.5 + 9.5 + 1) / 3)
    assert found["median"] == pytest.approx(1)
    assert found["within5"] == pytest.approx(2 / 3)
    assert found["bias"] == pytest.approx((0.5 - 9.5 - 1) / 3)
    assert figures(result, "gender")["accuracy"] == pytest.approx(2 / 3)
    assert figures(result, "gender")["balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert figures(result, "race") == {}
    (confusion,) = result.confusions
    assert (confusion.task, confusion.labels) == ("gender", ("male", "female"))
    assert confusion.counts == ((1, 0), (1, 1))
    assert result.pictures == 4
    assert {m.pictures for m in result.metrics if not m.by} == {3}
    assert result.value("gender", "accuracy") == pytest.approx(2 / 3)
    with pytest.raises(KeyError, match="race accuracy"):
        result.value("race", "accuracy")


def test_figures_by_group(tmp_path: Path) -> None:
    part = manifest(
        tmp_path,
        (RED, {"age": "20", "gender": "male", "race": "white"}),
        (RED, {"age": "30", "gender": "female"}),
        (BLUE, {"age": "12", "gender": "female"}),
        (GREEN, {"race": "white"}),
    )
    result = evaluate(model(), part, threads=1)
    assert figures(result, "age", "gender", "male")["mae"] == pytest.approx(0.5)
    assert figures(result, "age", "gender", "female")["mae"] == pytest.approx((9.5 + 48) / 2)
    assert figures(result, "age", "age_group", "youth")["mae"] == pytest.approx((0.5 + 9.5) / 2)
    assert figures(result, "age", "age_group", "child")["mae"] == pytest.approx(48)
    assert figures(result, "age", "race", "white")["mae"] == pytest.approx(0.5)
    assert figures(result, "gender", "age_group", "youth")["accuracy"] == pytest.approx(0.5)
    groups = {(metric.by, metric.group) for metric in result.metrics if metric.by}
    assert groups == {
        ("gender", "male"),
        ("gender", "female"),
        ("race", "white"),
        ("age_group", "youth"),
        ("age_group", "child"),
    }


def test_coverage_is_measured_on_what_is_printed(tmp_path: Path) -> None:
    """The interval ends at 21.46 and is printed as 21.5: so it holds 21.48, and not 21.52."""
    part = manifest(tmp_path, (RED, {"age": "21.48"}), (RED, {"age": "21.52"}))
    plain = model()
    ((face,),) = [Analyzer(plain, faces="whole", threads=1)(part.samples[0].path)]
    margin = Interval(level=0.9, from_age=0, margin=21.46 - face.age.high, pictures=1)
    task = tiny.AGE.model_copy(update={"intervals": (margin,)})
    fitted = model(tiny.face_card(tasks=(task,)))
    (face,) = Analyzer(fitted, faces="whole", threads=1)(part.samples[0].path)
    assert face.age.high == pytest.approx(21.46)
    found = figures(evaluate(fitted, part, threads=1), "age")
    assert found["coverage"] == 0.5
    assert found["width"] == pytest.approx(21.5 - round(face.age.low, 1))


def test_ages_count_as_printed(tmp_path: Path) -> None:
    weights = TWENTY_SIXTY.copy()
    weights[0, 20] += 0.3  # a little nearer to 20: 20.42, printed as 20.4
    part = manifest(tmp_path, (RED, {"age": "20"}))
    fitted = model(age=weights)
    (face,) = Analyzer(fitted, faces="whole", threads=1)(part.samples[0].path)
    assert 20.41 < face.age.years < 20.44
    assert figures(evaluate(fitted, part, threads=1), "age")["mae"] == pytest.approx(0.4)


def test_a_classifier_of_whole_pictures(tmp_path: Path) -> None:
    part = manifest(
        tmp_path,
        (RED, {"colour": "red"}),
        (GREEN, {"colour": "green"}),
        (BLUE, {"colour": "green", "age": "3"}),
    )
    result = evaluate(model(tiny.colour_card()), part, threads=1)
    assert figures(result, "colour")["accuracy"] == pytest.approx(2 / 3)
    assert result.confusions[0].counts == ((1, 0, 0), (0, 1, 1), (0, 0, 0))
    assert figures(result, "colour", "age_group", "child")["accuracy"] == 0


def test_an_age_may_have_another_name(tmp_path: Path) -> None:
    task = Task(name="years", kind="age", ages=101)
    part = manifest(tmp_path, (RED, {"years": "20"}))
    fitted = model(tiny.face_card(tasks=(task,)), years=TWENTY_SIXTY)
    assert figures(evaluate(fitted, part, threads=1), "years")["mae"] == pytest.approx(0.5)
    part = manifest(tmp_path, (RED, {"years": "old"}))
    with pytest.raises(DataError, match=r"0\.png: years must be a number, not 'old'"):
        evaluate(fitted, part, threads=1)


@pytest.mark.parametrize("card", [tiny.face_card(), tiny.colour_card()])
def test_a_manifest_without_the_models_labels(card: Card, tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"mood": "good"}))
    names = ", ".join(task.name for task in card.tasks)
    message = f"no label for the model's tasks, {names}; its columns are mood"
    with pytest.raises(DataError, match=message):
        evaluate(model(card), part, threads=1)


def test_a_label_that_the_model_does_not_know(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"gender": "male"}), (RED, {"gender": "m"}))
    message = r"1\.png: gender is 'm'; the model's labels are male, female"
    with pytest.raises(DataError, match=message):
        evaluate(model(), part, threads=1)


@pytest.mark.parametrize("card", [tiny.face_card(), tiny.colour_card()])
def test_a_picture_that_cannot_be_read(card: Card, tmp_path: Path) -> None:
    part = manifest(tmp_path, *[(RED, {"gender": "male", "colour": "red"})] * 3)
    part.samples[1].path.write_text("no picture")
    with pytest.raises(DataError, match=r"1\.png: "):
        evaluate(model(card), part, threads=1)
    part.samples[1].path.unlink()
    with pytest.raises(DataError, match=r"1\.png: "):
        evaluate(model(card), part, threads=1)


def test_progress(tmp_path: Path) -> None:
    part = manifest(tmp_path, *[(RED, {"gender": "male"})] * 5)
    seen: list[tuple[int, int]] = []

    def watch(items: Iterable[Any], total: int, /) -> Iterable[Any]:
        for number, item in enumerate(items, start=1):
            seen.append((number, total))
            yield item

    evaluate(model(), part, threads=1, watch=watch)
    assert seen == [(number, 5) for number in range(1, 6)]


def test_tables(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"age": "20", "gender": "male"}))
    fitted = model()
    result = evaluate(fitted, part, threads=1)
    rows = table(fitted, result, split="test", split_hash="abc", seed=7)
    write_table(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(result.metrics)
    assert found[0] == {
        "model": "tiny-face",
        "version": "1",
        "task": "age",
        "name": "mae",
        "value": "0.5",
        "pictures": "1",
        "by": "",
        "group": "",
        "split": "test",
        "split_hash": "abc",
        "seed": "7",
        "machine": found[0]["machine"],
    }
    assert "cores" in found[0]["machine"]
    with pytest.raises(OutputError, match="there is no folder"):
        write_table(tmp_path / "no" / "t.csv", rows)
