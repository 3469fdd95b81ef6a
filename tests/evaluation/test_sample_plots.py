"""The grid of single pictures: all probabilities, the right and the wrong answer marked."""

import numpy as np
import pytest

from mien.evaluation.canvas import ACCENT, SERIES
from mien.evaluation.sample_plots import Panel, samples
from tests.charts import assert_sound, texts
from tests.labelled import noise

LABELS = ("cat", "dog", "hen")


@pytest.mark.parametrize("count", [1, 4])
def test_a_grid_is_sound(count: int) -> None:
    panels = [Panel(f"{n}.png", "cat", (0.7, 0.2, 0.1)) for n in range(count)]
    assert_sound(lambda form: samples(LABELS, panels, form=form), wide=True)


def test_every_label_has_its_probability() -> None:
    found = texts(samples(LABELS, [Panel("x.png", "cat", (0.7, 0.2, 0.1))]))
    assert {"x.png", "cat", "dog", "hen", "70", "20", "10"} <= set(found)


def test_a_wrong_answer_has_a_colour_of_its_own() -> None:
    right, wrong = (samples(LABELS, [Panel("x", t, (0.7, 0.2, 0.1))]) for t in ("cat", "dog"))
    assert SERIES[1].encode() not in right
    assert SERIES[1].encode() in wrong
    assert ACCENT.encode() in wrong


def test_of_many_labels_the_most_probable_and_the_right_one() -> None:
    labels = [f"class {n}" for n in range(40)]
    shares = np.linspace(0.05, 0, 40).tolist()
    found = [
        text for text in texts(samples(labels, [Panel("x", "class 39", shares)])) if "class" in text
    ]
    assert found == [*(f"class {n}" for n in range(9)), "class 39"]


def test_pictures_stand_beside_their_bars() -> None:
    one, other = Panel("x", "cat", (0.7, 0.2, 0.1), noise(1)), Panel("y", "cat", (0.7, 0.2, 0.1))
    assert b"<image" in samples(LABELS, [one, other])
    assert b"<image" not in samples(LABELS, [other])
