"""The report: one sound page that needs no other, whatever the labels are called."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.card import Card, Confusion, Data, Input, Metric, Task
from mien.errors import DataError, OutputError
from mien.evaluation.report import write_report
from mien.evaluation.result import (
    AUGMENTED,
    AgeFigures,
    ClassFigures,
    ConditionFigure,
    Decade,
    Evaluation,
    Example,
    GreyAgreement,
    LabelCount,
    Reliability,
    Sampled,
    WidthFigure,
)
from mien.faces import TEMPLATE
from mien.images import load
from tests.labelled import noise, save

HOSTILE = '<script>alert("1")</script><img src=https://example.org/x.png onerror=alert(2)> & $\\x$'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What a page holds; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.stack

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All texts, with the white space of a page."""
        return " ".join(" ".join(self.texts).split())

    def check(self) -> None:
        """Check that nothing runs, that nothing is asked of others, and that ids are unique."""
        assert not {"script", "iframe", "object", "link", "form", "base"} & set(self.tags)
        ids = [value for _, name, value in self.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        for tag, name, value in self.attributes:
            assert not name.startswith("on")
            if name in ("href", "xlink:href", "src", "srcset", "data", "action", "poster"):
                inside = value.startswith("#") and value[1:] in ids
                assert inside or value.startswith("data:image/"), (tag, value[:80])
            for target in re.findall(r"url\(([^)]*)\)", value):
                assert target[1:] in ids


def card(*tasks: Task, **other: Any) -> Card:
    face = any(task.kind == "age" for task in tasks)
    values: dict[str, Any] = {
        "name": "tiny",
        "version": "3",
        "description": "A small model.",
        "licence": "Apache-2.0",
        "use": "teaching",
        "limits": "Not for decisions about people.",
        "input": Input(
            size=16, framing="face" if face else "centre", landmarks=TEMPLATE if face else ()
        ),
        "tasks": tasks,
        "data": (Data(name="own", pictures=900, terms="one's own pictures"),),
        "split_hash": "5711",
        "recipe": {"seed": 1},
        "created": "2026-01-02",
        "created_by": "mien 0",
    }
    return Card(**values | other)


def evaluation(*metrics: Metric, **other: Any) -> Evaluation:
    values: dict[str, Any] = {
        "model": "tiny",
        "version": "3",
        "split": "test",
        "split_hash": "5711",
        "data_fingerprint": "f1f2",
        "pictures": 150,
        "seed": 7,
        "level": 0.95,
        "metrics": metrics,
        "machine": "Linux, 2 cores",
    }
    return Evaluation(**values | other)


def metric(task: str, name: str, value: float, by: str = "", group: str = "") -> Metric:
    near = {"low": 0.9 * value, "high": min(1.1 * value, 1.0) if value < 1 else 1.1 * value}
    return Metric(task=task, name=name, value=value, pictures=150, by=by, group=group, **near)


AGE = Task(name="age", kind="age", ages=101, unit="years")
KIND = Task(name="kind", kind="classification", labels=("cat", "dog"))


def kinds(labels: tuple[str, str] = ("cat", "dog")) -> Evaluation:
    """Return an evaluation of a classifier."""
    return evaluation(
        metric("kind", "accuracy", 0.9),
        metric("kind", "calibration_error", 0.02),
        confusions=(Confusion(task="kind", labels=labels, counts=((70, 5), (10, 65))),),
        classes=tuple(ClassFigures("kind", label, 0.9, 0.8, 0.85, 75) for label in labels),
        reliability=(Reliability("kind", (0.6, 0.9), (0.6, 0.9), (50, 100)),),
        examples=(
            Example("kind", "best", "/home/me/cats/1.png", labels[0], labels[0], 0.99),
            Example("kind", "worst", "/home/me/cats/2.png", labels[0], labels[1], 0.01),
        ),
    )


def faces() -> Evaluation:
    """Return an evaluation of all that a model of faces can be asked."""
    groups = [
        metric(task, name, value * scale, by, group)
        for task, name, value in (("age", "mae", 5.0), ("age", "coverage", 0.9))
        for by, names in (("gender", "female male"), ("decade", "0-9 10-19"))
        for group, scale in zip(names.split(), (0.7, 1.0), strict=True)
    ]
    found = kinds()
    return replace(
        found,
        metrics=(
            *found.metrics,
            metric("age", "mae", 5.0),
            metric("age", "coverage", 0.9),
            *groups,
        ),
        ages=(AgeFigures("age", (Decade(0, 90, 3, 2, 0.9),), (4, 5), (6, 7), (2, 3), (9, 9)),),
        widths=(
            WidthFigure("age", "mae", 24, 6, 5, 7, 50),
            WidthFigure("age", "mae", 96, 5, 4, 6, 50),
        ),
        conditions=(ConditionFigure("age", "mae", "dark", 7, 6, 8, 5.5, 990),),
        grey=GreyAgreement("kind", 0.87, 0.85, 0.89, 140),
    )


def read(path: Path) -> Page:
    page = Page(path.read_text(encoding="utf-8"))
    page.check()
    return page


def test_a_whole_report(tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    history.write_text("epoch,loss,validation/loss\n1,9,8\n2,7,7\n", encoding="utf-8")
    path = write_report(faces(), card(AGE, KIND), tmp_path / "deep" / "report", history)
    assert path == tmp_path / "deep" / "report" / "report.html"
    assert 50_000 < path.stat().st_size < 400_000
    page = read(path)
    for told in (
        "tiny 3",
        "A small model.",
        "Off by 5.0 years on average (4.5 to 5.5); nine of ten times",
        "Right for 90 of 100 faces (81.0 to 99.0 %).",
        "By gender: best for female (3.5 years), worst for male (5.0 years), a gap of 1.5 years",
        "“dog” is taken for “cat” 10 times, 13 % of its pictures",
        "24 pixels wide: mean error 6.0 years (5.0 to 7.0)",
        "What do bad conditions cost?",
        "dark 5.5 years 7.0 years 6.0 to 8.0 990",
        "On average it is right about as often as it is sure.",
        "The goal of 90 % is missed.",
        "Did it learn, and did it stop in time?",
        "one's own pictures",
        "Not for decisions about people.",
        "mien evaluate tiny MANIFEST --split test --seed 7",
        '"seed": 1',
        "f1f2",
        "5711",
        "Linux, 2 cores",
    ):
        assert told in page.text, told
    charts = {chart.stem for chart in path.parent.glob("*.png")}
    assert charts == {
        *("ages-age", "coverage-age", "decades-age", "groups-age", "widths-age"),
        *("confusion-kind", "reliability-kind", "training"),
    }
    assert load(path.parent / "confusion-kind.png").width == 880


def test_the_data_and_single_pictures(tmp_path: Path) -> None:
    picture = save(tmp_path / "rex.png", noise(1))
    result = replace(
        kinds(),
        counts=(
            LabelCount("kind", "cat", {"train": 900, "test": 70}),
            LabelCount("kind", "dog", {"train": 30, "test": 5}),
        ),
        samples=(Sampled("kind", str(picture), "dog", (0.375, 0.625)),),
    )
    save(tmp_path / "shown" / AUGMENTED, noise(2))
    pictures: list[int] = []
    for folder, embed in (("named", False), ("shown", True)):
        path = write_report(result, card(KIND), tmp_path / folder, embed=embed)
        page = read(path)
        for told in ("learn from?", "970", "single pictures, in full?", "rex.png", "62"):
            assert told in page.text, told
        assert ("What does training make of a picture?" in page.text) == embed
        pictures.append(path.read_text().count("<image"))
        assert {"labels-kind.png", "samples-kind.png"} <= {p.name for p in path.parent.iterdir()}
    assert pictures[1] == pictures[0] + 1


def test_a_classifier_without_groups_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    paths = [write_report(kinds(), card(KIND), tmp_path / name) for name in ("a", "b")]
    for first in paths[0].parent.iterdir():
        assert first.read_bytes() == (paths[1].parent / first.name).read_bytes()
    page = read(paths[0])
    assert "Right for 90 of 100 pictures" in page.text
    assert "for some" not in page.text
    assert "Training" not in page.text


def test_hostile_texts_are_shown_as_texts(tmp_path: Path) -> None:
    texts = dict.fromkeys(("description", "licence", "use", "limits", "created_by"), HOSTILE)
    result = replace(
        kinds((HOSTILE, "dog\u202e")),
        machine=HOSTILE,
        model=HOSTILE,
        split=HOSTILE,
        examples=(Example("kind", "best", f"/x/{HOSTILE}", HOSTILE, HOSTILE, 0.5),),
    )
    hostile = card(
        KIND,
        **texts,
        name=HOSTILE,
        data=(Data(name=HOSTILE, pictures=3, terms=HOSTILE),),
        recipe={HOSTILE: HOSTILE, "</pre>": ["</section>"]},
    )
    path = write_report(result, hostile, tmp_path)
    page = read(path)
    assert "img" not in page.tags
    assert page.text.count("onerror=alert(2)") > 10
    assert "\u202e" not in page.text
    assert "dog\\u202e" in page.text


def test_strict_policy(tmp_path: Path) -> None:
    path = write_report(evaluation(metric("kind", "accuracy", 0.9)), card(KIND), tmp_path)
    policy = next(v for _, name, v in read(path).attributes if name == "content" and "src" in v)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "http" not in policy


def test_figures_without_intervals_and_charts(tmp_path: Path) -> None:
    bare = Metric(task="kind", name="accuracy", value=0.9, pictures=150)
    page = read(write_report(evaluation(bare), card(KIND), tmp_path))
    assert "Right for 90 of 100 pictures." in page.text
    assert not list(tmp_path.glob("*.png"))


def test_a_task_that_was_not_measured_is_named(tmp_path: Path) -> None:
    page = read(write_report(evaluation(metric("age", "mae", 5)), card(AGE, KIND), tmp_path))
    assert "Not measured, for want of labels: kind." in page.text


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({"split": "train"}, "say nothing of new ones"),
        ({"split": "validation"}, "chose and calibrated the model"),
        ({"split_hash": "other"}, "split 5711 of its data, these pictures are of split other"),
    ],
)
def test_what_makes_figures_doubtful_is_said(
    tmp_path: Path, changes: dict[str, Any], notice: str
) -> None:
    result = replace(evaluation(metric("kind", "accuracy", 0.9)), **changes)
    assert notice in read(write_report(result, card(KIND), tmp_path)).text


def test_an_honest_split_needs_no_notice(tmp_path: Path) -> None:
    path = write_report(evaluation(metric("kind", "accuracy", 0.9)), card(KIND), tmp_path)
    assert 'class="notice"' not in path.read_text(encoding="utf-8")


def test_pictures_are_left_out_but_for_their_names(tmp_path: Path) -> None:
    page = read(write_report(kinds(), card(KIND), tmp_path))
    assert "cats/1.png" in page.text
    assert "/home" not in page.text
    assert "img" not in page.tags


def test_pictures_are_embedded_when_asked_for(tmp_path: Path) -> None:
    shown = save(tmp_path / "cats" / "1.png", noise(1, 300, 400))
    result = replace(
        evaluation(metric("kind", "accuracy", 0.9)),
        examples=(
            Example("kind", "best", str(shown), "cat", "cat", 0.99),
            Example("kind", "best", str(tmp_path / "gone.png"), "cat", "dog", 0.25),
        ),
    )
    page = read(write_report(result, card(KIND), tmp_path / "report", embed=True))
    [source] = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    kept = load(base64.b64decode(source.removeprefix("data:image/jpeg;base64,")))
    assert (kept.width, kept.height) == (192, 144)
    original = noise(1, 300, 400).mean(axis=(0, 1))
    assert np.abs(kept.pixels.mean(axis=(0, 1)) - original).max() < 3
    assert "not shown:" in page.text
    assert "25.0 % for the label" in page.text


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="no folder can be made"):
        write_report(kinds(), card(KIND), tmp_path / "file" / "report")


def test_a_history_that_is_none_stops_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        write_report(kinds(), card(KIND), tmp_path / "report", tmp_path / "none.csv")
    assert not (tmp_path / "report").exists()
