"""Model files measured on manifests: figures that can be told beforehand, and clear refusals."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.data import astronaut

from mien.analyzer import Analyzer
from mien.card import Card, Interval, Task
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError, ModelError, OutputError
from mien.evaluation import wording
from mien.evaluation.conditions import CONDITIONS
from mien.evaluation.evaluate import evaluate, table, write_table
from mien.evaluation.evaluate import save as save_report
from mien.evaluation.result import Evaluation
from mien.model import Model
from tests import tiny
from tests.labelled import save

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)
PORTRAIT = np.asarray(astronaut()[:220, 120:340], np.uint8)  # type: ignore[no-untyped-call]
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
    assert [(row.label, row.precision, row.recall, row.support) for row in result.classes] == [
        ("male", 0.5, 1, 1),
        ("female", 1, 0.5, 2),
    ]
    assert [(curve.task, sum(curve.counts)) for curve in result.reliability] == [("gender", 3)]
    assert (confusion.task, confusion.labels) == ("gender", ("male", "female"))
    assert confusion.counts == ((1, 0), (1, 1))
    assert [(row.label, row.parts) for row in result.counts if row.task == "gender"] == [
        ("female", {"test": 2}),
        ("male", {"test": 1}),
    ]
    assert {row.path for row in result.samples} == {
        str(tmp_path / name) for name in ("0.png", "1.png", "3.png")
    }
    assert result.pictures == 4
    assert {m.pictures for m in result.metrics if not m.by} == {3}
    assert result.value("gender", "accuracy") == pytest.approx(2 / 3)
    with pytest.raises(KeyError, match="race accuracy"):
        result.value("race", "accuracy")


def test_what_was_measured_on_what(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"age": "20"}), (BLUE, {"age": "61"}))
    whole = Manifest((*part.samples, replace(part.samples[0], content="x", split="train")))
    result = evaluate(model(), whole, seed=4, threads=1)
    assert (result.model, result.version, result.split) == ("tiny-face", "1", "test")
    assert result.split_hash == whole.split_hash != part.split_hash
    assert result.data_fingerprint == whole.fingerprint != part.fingerprint
    assert (result.pictures, result.seed, result.level) == (2, 4, 0.95)
    assert evaluate(model(), whole, "train", threads=1).pictures == 1
    with pytest.raises(DataError, match="no picture in the part 'validation'"):
        evaluate(model(), whole, "validation", threads=1)


def test_ages_known_by_an_interval_are_counted_apart(tmp_path: Path) -> None:
    part = manifest(
        tmp_path,
        (RED, {"age": "30"}),
        (RED, {"age_low": "20", "age_high": "29", "gender": "male"}),
        (RED, {"age_low": "0", "age_high": "2", "gender": "female"}),
        (BLUE, {"age_low": "60", "age_high": "69", "gender": "male"}),
    )
    result = evaluate(model(), part, threads=1)
    counted = {metric.name: metric.pictures for metric in result.metrics if not metric.by}
    assert (counted["mae"], counted["coverage"], counted["in_interval"]) == (1, 1, 3)
    found = figures(result, "age")
    assert found["mae"] == pytest.approx(9.5)
    assert found["in_interval"] == pytest.approx(2 / 3)
    assert figures(result, "age", "gender", "male") == {"in_interval": 1}
    assert figures(result, "age", "age_group", "child") == {"in_interval": 0}
    assert figures(result, "age", "decade", "60-69") == {"in_interval": 1}
    assert [decade.from_age for decade in result.ages[0].decades] == [30]


def test_only_intervals(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"age_low": "20", "age_high": "29"}))
    result = evaluate(model(), part, threads=1)
    assert figures(result, "age") == {"in_interval": 1}
    assert (result.ages, result.widths) == ((), ())
    assert [(row.truth, row.said) for row in result.examples] == [("20-29", "20.5")]


def test_errors_over_the_years(tmp_path: Path) -> None:
    truths = ["20", "26.5", "29", "58", "62"]
    rows = [(RED if float(age) < 40 else BLUE, {"age": age}) for age in truths]
    result = evaluate(model(), manifest(tmp_path, *rows), threads=1)
    (ages,) = result.ages
    assert [(decade.from_age, decade.pictures) for decade in ages.decades] == [
        (20, 3),
        (50, 1),
        (60, 1),
    ]
    twenties = ages.decades[0]
    assert (twenties.mae, twenties.bias) == pytest.approx(((0.5 + 6 + 8.5) / 3, -14 / 3))
    assert figures(result, "age", "decade", "20-29")["mae"] == pytest.approx(twenties.mae)
    assert ages.truth == tuple(map(float, truths))
    assert ages.estimate == (20.5, 20.5, 20.5, 60, 60)
    ends = zip(ages.low, ages.estimate, ages.high, strict=True)
    assert all(low <= years <= high for low, years, high in ends)


def test_a_number(tmp_path: Path) -> None:
    card = tiny.face_card(tasks=(Task(name="red", kind="regression"),))
    part = manifest(tmp_path, (RED, {"red": "1"}), (BLUE, {"red": "0.5"}))
    weights = np.array([[0.0], [0], [0]], np.float32)
    result = evaluate(model(card, red=weights), part, threads=1)
    # A softmax of one output is 1.
    assert figures(result, "red") == pytest.approx(
        {"mae": 0.25, "rmse": 0.125**0.5, "r2": -1, "bias": 0.25}
    )
    assert (result.confusions, result.reliability, result.ages) == ((), (), ())


def test_every_figure_has_an_interval(tmp_path: Path) -> None:
    rows = [(RED, {"age": str(12 + n), "gender": "male"}) for n in range(12)]
    result = evaluate(model(), manifest(tmp_path, *rows), threads=1)
    for metric in result.metrics:
        if metric.pictures < 10:
            assert (metric.low, metric.high) == (None, None)
        else:
            assert metric.low is not None
            assert metric.high is not None
            assert metric.low <= metric.value <= metric.high
    (mae,) = [m for m in result.metrics if (m.name, m.by) == ("mae", "")]
    assert mae.low is not None
    assert mae.low < mae.value
    assert result == evaluate(model(), manifest(tmp_path, *rows), threads=1)


def test_identical_pictures_are_drawn_together(tmp_path: Path) -> None:
    """Twelve files of three pictures: too few to tell an interval."""
    part = manifest(tmp_path, *[(RED, {"age": str(12 + n)}) for n in range(12)])
    copies = [replace(s, content=str(n % 3)) for n, s in enumerate(part.samples)]
    result = evaluate(model(), Manifest(tuple(copies)), threads=1)
    assert {metric.low for metric in result.metrics} == {None}


def test_by_source_where_there_are_several(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"age": "20"}), (RED, {"age": "30"}))
    assert not [m for m in evaluate(model(), part, threads=1).metrics if m.by == "source"]
    other = replace(part.samples[1], source="other")
    result = evaluate(model(), Manifest((part.samples[0], other)), threads=1)
    assert figures(result, "age", "source", "other")["mae"] == pytest.approx(9.5)
    # What only one of two sources has a label for is not told again.
    other = replace(other, labels={"gender": "male"})
    result = evaluate(model(), Manifest((part.samples[0], other)), threads=1)
    assert not [m for m in result.metrics if m.by == "source"]


def test_small_faces_and_grey_copies(tmp_path: Path) -> None:
    """A dozen portraits; the tiny model reads mean colours, which shrinking leaves alone."""
    mood = Task(name="expression", kind="classification", labels=("warm", "cold"))
    fitted = model(tiny.face_card(tasks=(tiny.AGE, mood)))
    samples = []
    for number in range(12):
        path = save(tmp_path / f"{number}.png", np.roll(PORTRAIT, number, axis=1))
        samples.append(Sample(path, "s", str(number), "test", {"age": "50", "expression": "warm"}))
    result = evaluate(fitted, Manifest(tuple(samples)), threads=1)
    found = {(row.task, row.width): row for row in result.widths}
    assert {width for _, width in found} == {24, 32, 48, 64}
    assert found["age", 64].name == "mae"
    assert found["age", 64].value == pytest.approx(result.value("age", "mae"), abs=2)
    assert found["expression", 24].value == result.value("expression", "accuracy")
    assert result.grey is not None
    assert (result.grey.task, result.grey.pictures) == ("expression", 12)
    assert {(row.task, row.condition) for row in result.conditions} == {
        (task, condition) for task in ("age", "expression") for condition in CONDITIONS
    }
    assert {row.pictures for row in result.conditions} == {12}
    plain = evaluate(fitted, Manifest(tuple(samples)), widths=False, threads=1)
    assert (plain.widths, plain.conditions, plain.grey) == ((), (), None)
    assert plain == replace(result, widths=(), conditions=(), grey=None)
    rows = table(fitted, result)
    assert {row["group"] for row in rows if row["by"] == "condition"} == set(CONDITIONS)
    assert {row["group"] for row in rows if row["by"] == "face_width"} == {"24", "32", "48", "64"}


def test_colour_and_grey_by_a_task_of_choice(tmp_path: Path) -> None:
    part = manifest(tmp_path, *[(RED, {"colour": "red"})] * 10)
    for sample in part.samples:
        save(sample.path, np.full((48, 48, 3), RED, np.uint8))
    fitted = model(tiny.colour_card())
    assert evaluate(fitted, part, threads=1).grey is None
    result = evaluate(fitted, part, grey="colour", threads=1)
    assert result.grey is not None
    assert (result.grey.share, result.grey.pictures) == (1, 10)
    message = r"'age' is no classification of this model.* it has gender, race"
    with pytest.raises(ModelError, match=message):
        evaluate(model(), part, grey="age", threads=1)


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
        ("decade", "10-19"),
        ("decade", "20-29"),
        ("decade", "30-39"),
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

    evaluate(model(), part, widths=False, threads=1, watch=watch)
    assert seen == [(number, 5) for number in range(1, 6)]
    evaluate(model(), part, threads=1, watch=watch)
    assert seen[5:] == 3 * seen[:5]


def test_gaps_between_groups_stand_in_the_result_and_in_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "FEW", 1)
    # Only what is red is read as male: so men are told, and women are not.
    rows = [(RED, {"gender": "male"}), (RED, {"gender": "female"})]
    result = evaluate(model(), manifest(tmp_path, *rows), widths=False, threads=1)
    (gap,) = [gap for gap in result.gaps if gap.by == "gender"]
    assert (gap.task, gap.best, gap.worst, gap.value) == ("gender", "male", "female", 1.0)
    last = table(model(), result)[-1]
    assert (last["name"], last["group"], last["value"]) == ("accuracy_gap", "male to female", 1.0)


def test_tables(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"age": "20", "gender": "male"}))
    fitted = model(tiny.face_card(recipe={"seed": 7}))
    result = evaluate(fitted, part, threads=1)
    rows = table(fitted, result)
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
        "split_hash": part.split_hash,
        "seed": "7",
        "machine": found[0]["machine"],
        "low": "",
        "high": "",
    }
    assert "cores" in found[0]["machine"]
    with pytest.raises(OutputError, match="there is no folder"):
        write_table(tmp_path / "no" / "t.csv", rows)


def test_a_report_folder(tmp_path: Path) -> None:
    part = manifest(tmp_path, (RED, {"age": "20", "gender": "male"}))
    fitted = model()
    result = evaluate(fitted, part, threads=1)
    page = save_report(tmp_path / "new" / "report", fitted, result)
    assert page.parent == tmp_path / "new" / "report"
    assert page.suffix == ".html"
    text = (page.parent / "evaluation.json").read_text()
    assert Evaluation.from_json(text, "evaluation.json") == result
    with (page.parent / "metrics.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(result.metrics)
