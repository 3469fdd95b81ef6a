"""Label columns: which belong to one task, and which labels are those of a model card."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mien.card import Task
from mien.data.labels import LONGEST, check, fault, finite, interval_tasks, marked, task_of
from mien.errors import DataError


def card_takes(label: str) -> bool:
    try:
        Task(name="mood", kind="classification", labels=(label, "other" + label[:9]))
    except ValidationError:
        return False
    return True


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST + 5))
def test_labels_are_those_of_a_card(label: str) -> None:
    assert card_takes(label) == (not fault(label))


@pytest.mark.parametrize("character", [*map(chr, range(0xA1)), "\u2028", "\u2029", "\u200b"])
def test_control_characters_are_those_of_a_card(character: str) -> None:
    label = f"a{character}b"
    assert card_takes(label) == (not fault(label))


@pytest.mark.parametrize(("length", "fine"), [(LONGEST, True), (LONGEST + 1, False)])
def test_the_length_is_that_of_a_card(length: int, fine: bool) -> None:
    assert card_takes("x" * length) is fine
    assert (not fault("x" * length)) is fine


@pytest.mark.parametrize(
    ("columns", "intervals", "tasks"),
    [
        (["age", "age_low", "age_high"], {"age"}, ["age"] * 3),
        (["age_low"], {"age"}, ["age"]),
        (["h_low", "h_high"], {"h"}, ["h"] * 2),
        (["h_low", "h"], set(), ["h_low", "h"]),
        (["mood/good", "mood"], set(), ["mood"] * 2),
        (["mood/a_low", "mood/a_high"], set(), ["mood"] * 2),
    ],
)
def test_tasks(columns: list[str], intervals: set[str], tasks: list[str]) -> None:
    assert interval_tasks(columns) == intervals
    assert [task_of(name, interval_tasks(columns)) for name in columns] == tasks


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e999", "three", "1,5"])
def test_what_is_no_number(text: str) -> None:
    assert math.isnan(finite(text))


@pytest.mark.parametrize(
    "labels",
    [
        {"age": "0"},
        {"age": "130", "mood/good": "0"},
        {"age_low": "3", "age_high": "3"},
        {"age": "50", "age_low": "3", "age_high": "9"},
        {"h_low": "-2", "h_high": "-1.5"},
        {"h": "tall"},
    ],
)
def test_labels_that_are_fine(labels: dict[str, str]) -> None:
    check("here", labels, frozenset({"age", "h"}))


def test_an_interval_needs_both_ends() -> None:
    with pytest.raises(DataError, match="here: h_low is missing; an interval has both ends"):
        check("here", {"h_high": "1"}, frozenset({"h"}))


def test_marks_of_predictions() -> None:
    assert marked("mood:predicted") == "mood"
    assert marked("mood") == marked("mood/odd:predicted") == ""
    assert task_of("mood:predicted", frozenset()) == "mood"
    assert task_of("mood/odd:predicted", frozenset()) == "mood"
