"""Bootstrap intervals against resamples drawn one by one, and against known theory."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.evaluation import bootstrap
from mien.evaluation.bootstrap import Resampling, estimates
from mien.evaluation.metrics import (
    Measure,
    age_measure,
    class_measure,
    means,
    regression_measure,
)

FEW = Resampling(seed=3, count=40)


def one_by_one(
    measure: Measure, units: NDArray[Any], resampling: Resampling
) -> dict[str, list[float]]:
    """Each resample as a list of pictures with copies, measured by itself."""
    count = int(units.max()) + 1
    draws = np.random.default_rng([resampling.seed, count]).integers(
        0, count, (resampling.count, count)
    )
    drawn: dict[str, list[float]] = {name: [] for name in measure.names}
    for draw in draws:
        rows = np.concatenate([np.flatnonzero(units == unit) for unit in draw])
        for name, value in measure.part(rows).values().items():
            drawn[name].append(value)
    return drawn


@pytest.mark.parametrize("kind", ["ages", "classes", "numbers"])
def test_as_resamples_drawn_one_by_one(kind: str) -> None:
    rng = np.random.default_rng(0)
    measure = {
        "ages": lambda: age_measure(*rng.normal(40, 9, (4, 60))),
        "classes": lambda: class_measure(rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), 60)),
        "numbers": lambda: regression_measure(*rng.normal(size=(2, 60))),
    }[kind]()
    units = rng.integers(0, 25, 60)
    _, units = np.unique(units, return_inverse=True)
    found = estimates(measure, units, FEW)
    wanted = one_by_one(measure, units, FEW)
    assert list(found) == list(measure.names)
    for name, (value, low, high) in found.items():
        assert value == measure.values()[name]
        ends = np.quantile(wanted[name], [0.025, 0.975])
        assert low == pytest.approx(min(value, ends[0]))
        assert high == pytest.approx(max(value, ends[1]))


def test_parts_of_the_work_draw_on(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = means(x=np.random.default_rng(0).normal(size=50))
    whole = estimates(measure, np.arange(50), FEW)
    monkeypatch.setattr(bootstrap, "_CELLS", 50 * 7)
    assert estimates(measure, np.arange(50), FEW)["x"] == pytest.approx(whole["x"])


def test_the_width_that_theory_tells() -> None:
    """Of a mean: 1.96 standard errors to both sides."""
    values = np.random.default_rng(0).normal(5, 2, 900)
    _, low, high = estimates(means(x=values), np.arange(900), Resampling())["x"]
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 30, rel=0.08)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.02)


def test_copies_do_not_count_as_pictures_of_their_own() -> None:
    values = np.random.default_rng(0).normal(size=200)
    alone = estimates(means(x=values), np.arange(200), Resampling())["x"]
    copied = estimates(means(x=np.tile(values, 4)), np.tile(np.arange(200), 4), Resampling())["x"]
    assert copied == pytest.approx(alone)


def test_a_wider_level_holds_a_narrower_one() -> None:
    measure = means(x=np.random.default_rng(0).normal(size=80))
    narrow = estimates(measure, np.arange(80), Resampling(level=0.5))["x"]
    wide = estimates(measure, np.arange(80), Resampling(level=0.99))["x"]
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]


def test_equal_seeds_draw_equal_resamples() -> None:
    measure = means(x=np.random.default_rng(0).normal(size=80))
    first, second, other = (
        estimates(measure, np.arange(80), Resampling(seed=seed)) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_an_interval_holds_its_figure() -> None:
    """A perfectly calibrated classifier: no resample is calibrated as well as the whole."""
    probabilities = np.array([[0.5, 0.5]] * 100)
    measure = class_measure(np.tile([0, 1], 50), probabilities)
    value, low, high = estimates(measure, np.arange(100), Resampling())["calibration_error"]
    assert (value, low) == (0, 0)
    assert high is not None
    assert high > 0.02


def test_too_few_pictures_tell_no_interval() -> None:
    nine = means(x=np.arange(18.0))
    assert estimates(nine, np.arange(18) // 2, FEW)["x"] == (8.5, None, None)
    assert estimates(nine, np.arange(18) * 10 // 18, FEW)["x"].low is not None


def test_a_figure_without_a_meaning_is_left_out() -> None:
    constant = regression_measure(np.full(20, 3.0), np.arange(20.0))
    assert list(estimates(constant, np.arange(20), FEW)) == ["mae", "rmse", "bias"]


def test_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="nothing to measure"):
        estimates(means(x=np.array([])), np.array([], np.int64), FEW)
