"""An evaluation as JSON: all of it there and back, and nothing else taken for one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mien.card import Confusion, Metric
from mien.errors import DataError
from mien.evaluation.result import (
    AgeFigures,
    ClassFigures,
    ConditionFigure,
    Decade,
    Evaluation,
    Example,
    GreyAgreement,
    Reliability,
    WidthFigure,
)

FULL = Evaluation(
    model="face",
    version="1",
    split="test",
    split_hash="abc",
    data_fingerprint="def",
    pictures=3,
    seed=0,
    level=0.95,
    metrics=(
        Metric(task="age", name="mae", value=1 / 3, pictures=3, low=0.1, high=0.5),
        Metric(task="mood", name="accuracy", value=1, pictures=2, by="gender", group="male"),
    ),
    confusions=(Confusion(task="mood", labels=("good", "bad"), counts=((1, 0), (1, 0))),),
    classes=(ClassFigures("mood", "good", 0.5, 1.0, 2 / 3, 1),),
    reliability=(Reliability("mood", (0.4, 0.9), (0.5, 1.0), (2, 1)),),
    ages=(AgeFigures("age", (Decade(20, 2, 0.5, -0.1, 1.0),), (20.0,), (20.5,), (18.1,), (30.0,)),),
    widths=(WidthFigure("age", "mae", 24, 5.5, 5.0, 6.0, 30),),
    conditions=(ConditionFigure("age", "mae", "dark", 7.5, 7.0, 8.0, 5.0, 40),),
    examples=(Example("age", "worst", "a/Zoë\\xff.jpg", "20-29", "77.5", 48.5),),
    grey=GreyAgreement("mood", 0.9, 0.8, 0.95, 100),
    machine="Linux x86_64, 2 cores",
)


def test_there_and_back() -> None:
    assert Evaluation.from_json(FULL.to_json(), "e.json") == FULL
    bare = replace(FULL, metrics=(), confusions=(), classes=(), ages=(), grey=None)
    assert Evaluation.from_json(bare.to_json().encode(), "e.json") == bare


def test_a_figure() -> None:
    assert FULL.value("age", "mae") == 1 / 3
    with pytest.raises(KeyError, match="mood accuracy"):
        FULL.value("mood", "accuracy")


def test_a_card_keeps_the_figures_by_width_and_condition_too() -> None:
    *others, last, dark = FULL.card_metrics
    assert [m.model_dump(exclude={"value"}) for m in others] == [
        m.model_dump(exclude={"value"}) for m in FULL.metrics
    ]
    assert others[0].value == 0.333333
    assert (dark.task, dark.by, dark.group, dark.value) == ("age", "condition", "dark", 7.5)
    assert (last.task, last.name, last.by, last.group) == ("age", "mae", "face_width", "24")
    assert (last.value, last.low, last.high, last.pictures) == (5.5, 5.0, 6.0, 30)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pictures": "3"}, "pictures: Input should be a valid integer"),
        ({"level": float("nan")}, "level: Input should be a finite number"),
        ({"more": 1}, "more: Unexpected keyword argument"),
        ({"metrics": [{"task": "\x1b[2J"}]}, r"metrics\.0\.task: String should match"),
        ({"confusions": [{"task": "t", "labels": ["a"], "counts": []}]}, "not labels x labels"),
        ({"examples": [{"kind": "odd"}]}, r"examples\.0\.task: Field required"),
        (
            {"reliability": [{"task": "t", "confidence": [1], "accuracy": [], "counts": [1]}]},
            "the columns of task 't' are not equally long",
        ),
    ],
)
def test_what_is_no_evaluation(changes: dict[str, Any], reason: str) -> None:
    text = json.dumps(json.loads(FULL.to_json()) | changes)
    with pytest.raises(DataError, match=f"^e.json: not an evaluation: .*{reason}.*Run `mien"):
        Evaluation.from_json(text, "e.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"model": 1}', b"\xff"])
def test_what_is_no_json_object(text: str | bytes) -> None:
    with pytest.raises(DataError, match=r"e\.json: not an evaluation"):
        Evaluation.from_json(text, "e.json")
