"""Courses: which stage, which rate, and when validation ends a stage or lowers the rate."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.training.course import Course
from mien.training.recipe import Recipe


def course(stages: list[Any], **changes: Any) -> Course:
    found = {
        "name": "x",
        "data": {"manifest": "x.csv"},
        "input": {"size": 64, "framing": "face"},
        "network": {"backbone": "test_resnet"},
        "tasks": [
            {"name": "age", "kind": "age", "weight": 2.0},
            {"name": "mood", "kind": "classification", "labels": ["a", "b"]},
        ],
        "stages": stages,
    }
    return Course(Recipe.model_validate(found | changes))


def path(course: Course, values: Sequence[float]) -> list[Course]:
    """Return the course before each epoch, and at the end, while validation gives these values."""
    found = [course]
    for value in values:
        if not found[-1].ended:
            found.append(found[-1].after(value))
    return found


def rates(course: Course, epochs: int, parts: int = 10) -> list[float]:
    found = []
    for _ in range(epochs):
        found += [course.rate(part / parts) for part in range(parts)]
        end, course = course.rate(1.0), course.after(1.0)
    return [*found, end]


def test_stages_follow_each_other() -> None:
    begun = course([{"epochs": 2, "size": 32}, {"epochs": 1, "losses": {"age": 0.5}}])
    found = path(begun, [3, 2, 1])
    assert [(c.stage, c.epochs, c.size) for c in found[:3]] == [(0, 0, 32), (0, 1, 32), (1, 0, 64)]
    assert [c.weights for c in found[1:3]] == [{"age": 2, "mood": 1}, {"age": 0.5, "mood": 1}]
    assert [c.ended for c in found] == [False, False, False, True]


def test_a_triangle_has_straight_sides() -> None:
    settings = {"rate": 2.0, "warm_up": 0.25, "schedule": "triangle"}
    found = np.array(rates(course([{"epochs": 4}], optimiser=settings), 4))
    np.testing.assert_allclose(found[:11], np.linspace(0.4, 2, 11))
    np.testing.assert_allclose(found[10:], np.linspace(2, 0.14, 31))


def test_one_cycle_spans_the_stages_that_begin_no_course_of_their_own() -> None:
    """Rising for two of ten epochs, then falling, as one course."""
    begun = course([{"epochs": 4}, {"epochs": 6}], optimiser={"rate": 0.25, "warm_up": 0.2})
    found = np.array(rates(begun, 10))
    assert found[0] == pytest.approx(0.01)
    assert found[20] == found.max() == pytest.approx(0.25)
    assert found[100] == pytest.approx(0.00025)
    assert (np.diff(found[:21]) > 0).all()
    assert (np.diff(found[20:100]) < 0).all()
    assert found[10] == pytest.approx((0.01 + 0.25) / 2)
    assert found[60] == pytest.approx((0.25 + 0.00025) / 2)


def test_a_stage_with_a_rate_begins_a_course() -> None:
    stages = [{"epochs": 2, "rate": 1.0, "schedule": "constant"}, {"epochs": 2, "rate": 0.1}]
    found = rates(course(stages, optimiser={"warm_up": 0.5}), 4, parts=2)
    assert found[:4] == [1, 1, 1, 1]
    assert found[4:8] == pytest.approx([0.004, 0.052, 0.1, 0.05005])


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("constant", [1, 1, 1, 1]),
        ("cosine", [1, 0.75 + 0.25 / 1000, 0.25 + 0.75 / 1000, 0.001]),
        ("one-cycle", [0.04, 1, 0.5005, 0.001]),
        ("plateau", [0.04, 1, 1, 1]),
    ],
)
def test_schedules(schedule: str, wanted: list[float]) -> None:
    begun = course([{"epochs": 3}], optimiser={"rate": 1, "schedule": schedule, "warm_up": 1 / 3})
    found = [begun.rate(0), begun.after(1).rate(0), begun.after(1).after(1).rate(0)]
    assert [*found, begun.after(1).after(1).rate(1)] == pytest.approx(wanted)


def test_early_stopping_ends_a_stage_and_not_the_run() -> None:
    begun = course([{"epochs": 9}, {"epochs": 2}], choice={"patience": 2, "min_delta": 0.1})
    #                                 better, better, not by enough (twice): the stage ends
    found = path(begun, [5.0, 4.0, 3.95, 3.91, 3.0, 2.0])
    assert [(c.stage, c.epochs) for c in found] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (1, 1),
        (2, 0),
    ]
    assert found[-1].ended


def test_a_slow_gain_counts_once_it_is_large_enough() -> None:
    begun = course([{"epochs": 9}], choice={"patience": 3, "min_delta": 0.1})
    found = path(begun, [1.0, 0.95, 0.89, 0.85, 0.78, 0.75, 0.74, 0.73])
    assert [c.stopping.waited for c in found] == [0, 0, 1, 0, 1, 0, 1, 2, 0]
    assert found[-1].ended


def test_a_plateau_lowers_the_rate() -> None:
    begun = course(
        [{"epochs": 20, "schedule": "plateau", "warm_up": 0.0, "rate": 1.0}, {"epochs": 3}],
        plateau={"patience": 1, "factor": 0.1, "cooldown": 2, "min_delta": 0.01},
    )
    # One epoch that is no better is borne, the second lowers; two more count for nothing.
    values = [5, 5, 5, 5, 5, 5, 5, 4, 4, 4]
    found = [c.rate(0.0) for c in path(begun, values)]
    assert found == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01])


def test_other_schedules_know_no_plateau() -> None:
    begun = course([{"epochs": 9, "schedule": "constant"}], plateau={"patience": 0})
    assert {c.rate(0.0) for c in path(begun, [1.0] * 8)} == {0.001}


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 10), max_size=30),
    st.integers(0, 3),
    st.integers(0, 2),
    st.integers(0, 29),
)
def test_a_course_that_is_taken_up_goes_on_the_same(
    values: list[float], patience: int, cooldown: int, stop: int
) -> None:
    stages = [{"epochs": 9}, {"epochs": 9, "schedule": "plateau"}, {"epochs": 9, "rate": 0.1}]
    begun = course(stages, choice={"patience": patience}, plateau={"cooldown": cooldown})
    found = path(begun, values)
    place = min(stop, len(found) - 1)
    assert path(begun.restored(found[place].state()), values[place:]) == found[place:]
    for one in found:
        assert 0 < one.rate(0.5) <= 0.1
        assert one.stage <= 3
