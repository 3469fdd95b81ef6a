"""Figures in plain words."""

import pytest

from mien.card import Confusion, Metric
from mien.evaluation import wording
from mien.evaluation.result import AgeFigures, Decade, Reliability, WidthFigure


def metric(
    name: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    *,
    group: str = "",
    pictures: int = 100,
) -> Metric:
    by = "race" if group else ""
    return Metric(
        task="t", name=name, value=value, pictures=pictures, by=by, group=group, low=low, high=high
    )


def headline(*metrics: Metric, unit: str = "") -> str:
    return wording.headline({found.name: found for found in metrics}, "faces", unit)


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("mae", 4.969, "years", "5.0 years"),
        ("accuracy", 0.9153, "", "91.5 %"),
        ("bias", 0.26, "years", "+0.3 years"),
        ("bias", -0.26, "years", "−0.3 years"),
        ("mae", 0.0044, "points", "0.0044 points"),
        ("bias", -0.012, "", "−0.012"),
        ("bias", 0.0, "", "+0.0"),
        ("something_new", 2, "", "2.0"),
    ],
)
def test_number(name: str, value: float, unit: str, expected: str) -> None:
    assert wording.number(name, value, unit) == expected


def test_span() -> None:
    assert wording.span("mae", 4.71, 5.18) == "4.7 to 5.2"
    assert wording.span("accuracy", 0.901, 0.929) == "90.1 to 92.9 %"
    assert wording.span("accuracy", None, 0.9) == ""


def test_an_age_s_headline() -> None:
    found = headline(
        metric("mae", 4.97, 4.71, 5.18), metric("coverage", 0.899, 0.885, 0.912), unit="years"
    )
    assert found == (
        "Off by 5.0 years on average (4.7 to 5.2); nine of ten times the truth lies in the "
        "interval it gives (89.9 %, 88.5 to 91.2 %)."
    )


@pytest.mark.parametrize(
    ("share", "often"),
    [(1.0, "nearly always"), (0.94, "nine of ten"), (0.52, "five of ten"), (0.0, "hardly ever")],
)
def test_how_often_intervals_hold(share: float, often: str) -> None:
    assert f"; {often}" in headline(metric("mae", 5), metric("coverage", share))


def test_a_classification_s_headline() -> None:
    right = metric("accuracy", 0.915, 0.901, 0.929)
    assert headline(right) == "Right for 92 of 100 faces (90.1 to 92.9 %)."
    assert headline(right, metric("balanced_accuracy", 0.90)) == headline(right)
    assert headline(right, metric("balanced_accuracy", 0.6)) == (
        "Right for 92 of 100 faces (90.1 to 92.9 %); counting every class alike, for 60 of 100."
    )


def test_ages_known_by_intervals_only() -> None:
    assert headline(metric("in_interval", 0.57)) == "Within the labelled range for 57 of 100 faces."


def test_nothing_to_say() -> None:
    assert headline(metric("r2", 0.5)) == ""


def test_the_gap_between_groups() -> None:
    groups = [
        metric("mae", 3.9, 3.6, 4.2, group="asian"),
        metric("mae", 5.6, 5.2, 6.0, group="white"),
        metric("mae", 4.0, 3.0, 5.0, group="black"),
        metric("mae", 1.0, 0.2, 9.0, group="few", pictures=29),
    ]
    assert wording.gap(groups, "race", "years") == (
        "By race: best for asian (3.9 years), worst for white (5.6 years), a gap of 1.7 years; "
        "their intervals do not overlap."
    )
    assert wording.gap(groups[1:3], "age_group", "years").endswith("do not overlap.")
    assert wording.gap(groups[:1], "race") == ""


def test_higher_is_better_for_shares() -> None:
    groups = [
        metric("accuracy", 0.9, 0.8, 0.95, group="a"),
        metric("accuracy", 0.85, 0.7, 0.9, group="b"),
    ]
    assert wording.gap(groups, "race") == (
        "By race: best for a (90.0 %), worst for b (85.0 %), a gap of 5.0 points; their intervals "
        "overlap, so it may be chance."
    )


def test_a_figure_without_a_better_side_has_no_gap() -> None:
    groups = [metric("bias", -1, group="a"), metric("bias", 1, group="b")]
    assert wording.gap(groups, "race") == ""


def test_mistakes() -> None:
    matrix = Confusion(task="t", labels=("cat", "dog"), counts=((90, 10), (1, 9)))
    assert wording.mistakes(matrix) == [
        "“cat” is taken for “dog” 10 times, 10 % of its pictures",
        "“dog” is taken for “cat” once, 10 % of its pictures",
    ]


def test_told_apart() -> None:
    matrix = Confusion(
        task="t", labels=("cat", "dog", "ship"), counts=((90, 10, 0), (9, 91, 0), (0, 0, 50))
    )
    assert wording.told_apart(matrix) == [
        "Told apart: cat or dog from ship, never mixed up in 250 pictures"
    ]


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (0.89, "right about as often as it is sure"),
        (0.8, "It is surer than it should be: it is right less often by 10 points."),
        (1.0, "It is less sure than it should be: it is right more often by 10 points."),
    ],
)
def test_calibrated(accuracy: float, expected: str) -> None:
    assert expected in wording.calibrated(Reliability("t", (0.9,), (accuracy,), (50,)))


def decades(*biases: float, pictures: int = 50) -> AgeFigures:
    rows = [Decade(10 * place, pictures, 3, bias, 0.9) for place, bias in enumerate(biases)]
    return AgeFigures("age", tuple(rows), (), (), (), ())


def test_biased() -> None:
    assert wording.biased(decades(2.5, 0.1, -6)) == (
        "Estimates err most at 0 to 9 by 2.5 years too old, and at 20 to 29 by 6.0 years too "
        "young, on average."
    )
    assert wording.biased(decades(2.5, 1.5)) == (
        "Estimates err most at 0 to 9 by 2.5 years too old, on average."
    )
    assert wording.biased(decades(0.4, -0.4)).startswith("In no decade")
    assert wording.biased(decades(9, -9, pictures=5)) == ""


def test_over_widths() -> None:
    figures = [
        WidthFigure("age", "mae", 24, 6.04, 5.8, 6.2, 90),
        WidthFigure("age", "mae", 96, 5, 4.8, 5.2, 90),
    ]
    assert wording.over_widths(figures, "years") == (
        "24 pixels wide: mean error 6.0 years (5.8 to 6.2); 96 pixels wide: mean error 5.0 years "
        "(4.8 to 5.2)."
    )
    right = WidthFigure("gender", "accuracy", 24, 0.8, 0.7, 0.9, 90)
    assert wording.over_widths([right]) == "24 pixels wide: 80.0 % right (70.0 to 90.0 %)."
