"""Charts of classes: what they say, for the smallest and the largest input."""

import numpy as np
import pytest

from mien.evaluation import class_plots
from tests.charts import Chart, assert_sound, texts

CHARTS: dict[str, Chart] = {
    "confusion": lambda form: class_plots.confusion_matrix(["a", "b"], [[9, 1], [0, 7]], form=form),
    "reliability": lambda form: class_plots.reliability([0.4, 0.9], [0.5, 0.8], [3, 40], form=form),
    "parts": lambda form: class_plots.part_counts(
        ["a", "b"], {"train": [900, 10], "test": [40, 0]}, form=form
    ),
    "counts": lambda form: class_plots.class_counts(["a", "b"], [1_200, 0], form=form),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_sound(name: str) -> None:
    assert_sound(CHARTS[name])


def test_confusion_counts_and_shares() -> None:
    found = texts(class_plots.confusion_matrix(["cat", "dog"], [[1_500, 500], [0, 7]]))
    assert {"cat", "dog", "labelled as", "the model says"} <= set(found)
    assert {"1,500", "75 %", "500", "25 %", "7", "100 %"} <= set(found)
    assert "0" not in found


def test_a_hundred_classes_are_named_but_not_counted() -> None:
    labels = [f"class {number}" for number in range(100)]
    svg = class_plots.confusion_matrix(labels, (1_000 * np.eye(100, dtype=int)).tolist())
    found = texts(svg)
    assert all(found.count(label) == 2 for label in labels)
    assert len(found) == 202
    assert len(svg) < 200_000
    assert class_plots.wide_confusion(100)


def test_a_class_without_a_picture() -> None:
    assert "3" in texts(class_plots.confusion_matrix(["a", "b"], [[0, 0], [0, 3]]))


@pytest.mark.parametrize("counts", [[0], [3]])
def test_one_class(counts: list[int]) -> None:
    assert f"{counts[0]}" in texts(class_plots.class_counts(["only"], counts))


def test_parts_are_named_and_summed() -> None:
    found = texts(class_plots.part_counts(["cat", "dog"], {"train": [900, 10], "test": [40, 0]}))
    assert {"cat", "dog", "train", "test", "940", "10"} <= set(found)
