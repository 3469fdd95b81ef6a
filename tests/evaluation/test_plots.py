"""Charts of groups and widths: what they say, for the smallest and the largest input."""

import pytest

from mien.evaluation import plots
from mien.evaluation.plots import Estimate, Section
from tests.charts import Chart, assert_sound, texts

GROUPS = [
    Section("race", (Estimate("asian", 3.9, 3.5, 4.4, 268), Estimate("white", 5.6, None, None, 9))),
    Section("age group", (Estimate("child", 2.0, 1.8, 2.2, 1_273),)),
]
WIDTHS = [Estimate("24", 6.0, 5.5, 6.5, 90), Estimate("96", 5.0, 4.6, 5.4, 90)]

CHARTS: dict[str, Chart] = {
    "groups": lambda form: plots.by_group(GROUPS, overall=4.0, form=form),
    "widths": lambda form: plots.over_width(WIDTHS, label="mean error", form=form),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_sound(name: str) -> None:
    assert_sound(CHARTS[name])


def test_groups_are_told_with_value_and_pictures() -> None:
    found = texts(plots.by_group(GROUPS, overall=4.0, label="mean error in years"))
    assert {"race", "asian", "3.9", "268", "white", "5.6", "9", "child", "1,273"} <= set(found)
    assert "mean error in years" in found


def test_shares_are_percentages() -> None:
    sections = [Section("gender", (Estimate("female", 0.893, 0.87, 0.91, 951),))]
    found = texts(plots.by_group(sections, percent=True, band=plots.BAND))
    assert "89.3 %" in found
    assert any(text.endswith(" %") and text != "89.3 %" for text in found)


def test_full_marks_of_one_group() -> None:
    sections = [Section("gender", (Estimate("female", 1.0, 1.0, 1.0, 50),))]
    assert "100.0 %" in texts(plots.by_group(sections, percent=True))


def test_widths_are_ticks() -> None:
    assert {"24", "96", "width of the face in pixels"} <= set(texts(plots.over_width(WIDTHS)))
