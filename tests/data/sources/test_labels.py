"""Labels and names that a model card can hold pass; no others."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mien.card import Task
from mien.data.manifest import FIXED_COLUMNS, Sample
from mien.data.sources.labels import UNFIT, fault, is_column, is_label, is_task


def card_takes(name: str = "task", label: str = "label") -> bool:
    try:
        Task(name=name, kind="classification", labels=(label, f"{label}-"[-300:]))
    except ValidationError:
        return False
    return True


@given(st.text(max_size=4) | st.text("a\n\x7f\u2028", min_size=298, max_size=302))
def test_labels_are_those_of_a_card(text: str) -> None:
    assert is_label(text) == card_takes(label=text)


@given(st.text("aA_9 é\n", max_size=5))
def test_tasks_are_those_of_a_card(name: str) -> None:
    assert is_task(name) == card_takes(name=name)


@pytest.mark.parametrize("name", FIXED_COLUMNS)
def test_no_task_is_called_as_a_column_of_the_manifest(name: str) -> None:
    assert not is_task(name)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("mood", True),
        ("mood/very happy", True),
        ("mood/a/b", True),
        ("Mood", False),
        ("mood/", False),
        ("/happy", False),
        ("mood/\x1b[31m", False),
        ("path", False),
        ("path/x", False),
    ],
)
def test_columns(name: str, fits: bool) -> None:
    assert is_column(name) == fits


AGE = "age that is no number from 0 to 130"
VOTES = "votes that are no number of at least 0"
INTERVAL = "interval that lacks an end, or whose ends are no numbers in order"


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({}, None),
        ({"mood": "happy", "mood/happy": "3", "mood/sad": "0.5"}, None),
        ({"age": "0"}, None),
        ({"age": "130", "age_low": "5"}, None),
        ({"age_low": "3", "age_high": "9"}, None),
        ({"size_low": "-3", "size_high": "1e3"}, None),
        ({"size_low": "small"}, None),
        ({"mood": "\x1b[31m"}, UNFIT),
        ({"mood": "x" * 301}, UNFIT),
        ({"mood/happy": "many"}, VOTES),
        ({"mood/happy": "-1"}, VOTES),
        ({"mood/happy": "nan"}, VOTES),
        ({"age": "131"}, AGE),
        ({"age": "-1"}, AGE),
        ({"age": "inf"}, AGE),
        ({"age_low": "x", "age_high": "9"}, AGE),
        ({"age_low": "3"}, INTERVAL),
        ({"age_high": "3"}, INTERVAL),
        ({"age_low": "9", "age_high": "3"}, INTERVAL),
        ({"size_low": "small", "size_high": "3"}, INTERVAL),
        ({"size_low": "2", "size_high": "1"}, INTERVAL),
    ],
)
def test_faults(labels: dict[str, str], reason: str | None) -> None:
    assert fault(Sample(Path("a.png"), "s", "1", labels=labels)) == reason
