"""The page's words: every figure and grouping that a card may hold has one, in both languages."""

import re
from pathlib import Path

import pytest

from mien.evaluation import wording
from mien.evaluation.conditions import CONDITIONS
from mien.evaluation.result import BY_CONDITION, BY_WIDTH, GROUPINGS
from mien.watch import audience, correction

SOURCES = Path(__file__).parents[2] / "web" / "src"
TEXTS = SOURCES / "texts"


def names(language: str, section: str) -> set[str]:
    """Return the keys of a section of a dictionary."""
    text = (TEXTS / f"{language}.ts").read_text("utf-8")
    found = re.search(rf"^ +{section}: \{{(.*?)^ *\}}", text, re.DOTALL | re.MULTILINE)
    assert found
    return set(re.findall(r"^ +(\w+):", found[1], re.MULTILINE))


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_page_knows_what_a_card_may_hold(language: str) -> None:
    assert set(wording._FIGURES) <= names(language, "metrics")
    assert {*GROUPINGS, BY_WIDTH, BY_CONDITION} == names(language, "by")


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_page_has_words_for_conditions(language: str) -> None:
    text = (TEXTS / f"{language}.ts").read_text("utf-8")
    for name in CONDITIONS:
        assert re.search(rf'^ +"?{name}"?: ', text, re.MULTILINE), name


def test_the_page_knows_the_notes_that_it_says_itself() -> None:
    text = (SOURCES / "audience" / "notes.ts").read_text("utf-8")
    known = [re.compile(found) for found in re.findall(r"^ +/(.+)/,$", text, re.MULTILINE)]
    places = f"door, hall: {audience.NOT_CALIBRATED}"
    for note in (audience.NOT_PEOPLE, places):
        assert any(pattern.search(note) for pattern in known), note
    (unlike,) = re.findall(r"^const UNLIKE = /(.+)/;$", text, re.MULTILINE)
    found = re.match(unlike, correction._warning(0.001, 0.112))
    assert found
    assert found[1] == "11"
