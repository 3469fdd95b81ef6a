"""Charts of ages: light with many, sound with one."""

import numpy as np
import pytest

from mien.evaluation import age_plots
from tests.charts import Chart, assert_sound, texts

CHARTS: dict[str, Chart] = {
    "ages": lambda form: age_plots.age_scatter([5, 9], [6, 8], [2, 5], [9, 12], form=form),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_sound(name: str) -> None:
    assert_sound(CHARTS[name])


def test_many_ages_stay_light() -> None:
    draw = np.random.default_rng(1)
    truth = draw.uniform(0, 90, 5_000)
    svg = age_plots.age_scatter(truth, truth + draw.normal(0, 5, 5_000), truth - 9, truth + 9)
    assert len(svg) < 300_000
    assert "usual interval" in texts(svg)


def test_one_age_has_no_usual_interval() -> None:
    assert "usual interval" not in texts(age_plots.age_scatter([4], [9], [1], [12]))
