"""The gap between the best and the worst group, as a figure."""

from typing import Any

import pytest

from mien.card import Metric
from mien.evaluation.gaps import as_metric, gaps
from mien.evaluation.wording import FEW


def metric(group: str, value: float, **changes: Any) -> Metric:
    known: dict[str, Any] = {
        "task": "gender",
        "name": "accuracy",
        "pictures": 100,
        "by": "race",
        "low": value - 0.03,
        "high": value + 0.04,
    }
    return Metric.model_validate(known | changes | {"group": group, "value": value})


def test_shares_are_best_where_they_are_high() -> None:
    (gap,) = gaps([metric("a", 0.9), metric("b", 0.8), metric("c", 0.85)])
    assert (gap.best, gap.worst, gap.pictures) == ("a", "b", 200)
    assert gap.value == pytest.approx(0.1)
    # 0.1 - hypot(0.03, 0.04) and 0.1 + hypot(0.04, 0.03)
    assert (gap.low, gap.high) == pytest.approx((0.05, 0.15))


def test_errors_are_best_where_they_are_low() -> None:
    old, young = (metric(g, v, task="age", name="mae") for g, v in (("old", 6.0), ("young", 2.0)))
    (gap,) = gaps([old, young])
    assert (gap.best, gap.worst, gap.value) == ("young", "old", 4.0)


@pytest.mark.parametrize(
    "changes",
    [{"pictures": FEW - 1}, {"by": "source"}, {"name": "bias"}, {"by": "gender"}],
)
def test_what_makes_no_gap(changes: dict[str, Any]) -> None:
    assert gaps([metric("a", 0.9), metric("b", 0.8, **changes)]) == ()


def test_a_gap_without_known_ends_has_no_interval() -> None:
    (gap,) = gaps([metric("a", 0.9), metric("b", 0.9, low=None)])
    assert (gap.value, gap.low, gap.high) == (0.0, None, None)


def test_an_interval_does_not_go_below_nothing() -> None:
    (gap,) = gaps([metric("a", 0.9), metric("b", 0.89)])
    assert gap.low == 0


def test_a_gap_is_told_as_a_figure() -> None:
    found = as_metric(gaps([metric("a", 0.9), metric("b", 0.8)])[0])
    assert (found.name, found.by, found.group) == ("accuracy_gap", "race", "a to b")
