"""Charts: what they say, for the smallest and the largest input."""

import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest

from mien.evaluation import plots
from mien.evaluation.canvas import Form
from mien.evaluation.plots import Estimate, Section
from mien.images import load

GROUPS = [
    Section("race", (Estimate("asian", 3.9, 3.5, 4.4, 268), Estimate("white", 5.6, None, None, 9))),
    Section("age group", (Estimate("child", 2.0, 1.8, 2.2, 1_273),)),
]
WIDTHS = [Estimate("24", 6.0, 5.5, 6.5, 90), Estimate("96", 5.0, 4.6, 5.4, 90)]

CHARTS: dict[str, Callable[[Form], bytes]] = {
    "confusion": lambda form: plots.confusion_matrix(["a", "b"], [[9, 1], [0, 7]], form=form),
    "reliability": lambda form: plots.reliability([0.4, 0.9], [0.5, 0.8], [3, 40], form=form),
    "groups": lambda form: plots.by_group(GROUPS, overall=4.0, form=form),
    "widths": lambda form: plots.over_width(WIDTHS, label="mean error", form=form),
    "ages": lambda form: plots.age_scatter([5, 9], [6, 8], [2, 5], [9, 12], form=form),
    "counts": lambda form: plots.class_counts(["a", "b"], [1_200, 0], form=form),
}


def texts(svg: bytes) -> list[str]:
    elements = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()).strip() for element in elements]


@pytest.mark.parametrize("name", CHARTS)
def test_svg_is_the_same_twice(name: str) -> None:
    first = CHARTS[name]("svg")
    assert first == CHARTS[name]("svg")
    assert len(first) < 60_000


@pytest.mark.parametrize("name", CHARTS)
def test_png_has_a_column_s_width(name: str) -> None:
    picture = load(CHARTS[name]("png"))
    assert picture.width == round(200 * plots.COLUMN)
    assert 100 < picture.height < 1_000


def test_confusion_counts_and_shares() -> None:
    found = texts(plots.confusion_matrix(["cat", "dog"], [[1_500, 500], [0, 7]]))
    assert {"cat", "dog", "labelled as", "the model says"} <= set(found)
    assert {"1,500", "75 %", "500", "25 %", "7", "100 %"} <= set(found)
    assert "0" not in found


def test_a_hundred_classes_are_named_but_not_counted() -> None:
    labels = [f"class {number}" for number in range(100)]
    svg = plots.confusion_matrix(labels, (1_000 * np.eye(100, dtype=int)).tolist())
    found = texts(svg)
    assert all(found.count(label) == 2 for label in labels)
    assert len(found) == 202
    assert len(svg) < 200_000
    assert plots.wide_confusion(100)


def test_a_class_without_a_picture() -> None:
    assert "3" in texts(plots.confusion_matrix(["a", "b"], [[0, 0], [0, 3]]))


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


def test_many_ages_stay_light() -> None:
    draw = np.random.default_rng(1)
    truth = draw.uniform(0, 90, 5_000)
    svg = plots.age_scatter(truth, truth + draw.normal(0, 5, 5_000), truth - 9, truth + 9)
    assert len(svg) < 300_000
    assert "usual interval" in texts(svg)


def test_one_age_has_no_usual_interval() -> None:
    assert "usual interval" not in texts(plots.age_scatter([4], [9], [1], [12]))


@pytest.mark.parametrize("counts", [[0], [3]])
def test_one_class(counts: list[int]) -> None:
    assert f"{counts[0]}" in texts(plots.class_counts(["only"], counts))
