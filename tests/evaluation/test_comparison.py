"""Runs beside each other: what is more than noise, what is joined, what cannot be compared."""

from typing import Any

import pytest

from mien.evaluation.comparison import Comparison, compare, rows, told
from mien.evaluation.comparison_page import verdict
from tests.evaluation.contenders import contender


def only(comparison: Comparison) -> tuple[float, bool, str]:
    (found,) = comparison.differences
    return found.value, found.beyond_noise, found.better


@pytest.mark.parametrize(
    ("wrong", "value", "beyond"),
    [
        # Both are wrong about the same ten pictures, and one about two more: chance.
        (12, 0.01, False),
        (60, 0.25, True),
    ],
)
def test_a_difference_is_judged_on_the_same_pictures(
    wrong: int, value: float, beyond: bool
) -> None:
    found = compare([contender("good", 10), contender("other", wrong)])
    assert only(found)[0] == pytest.approx(value)
    assert only(found)[1:] == (beyond, "good")
    assert [figure.entry for figure in found.ranked("colour")] == ["good", "other"]
    assert ("beyond noise" in verdict(found, "colour")) == beyond


def test_equal_answers_do_not_differ_at_all() -> None:
    found = compare([contender("one", 30), contender("two", 30)])
    assert only(found)[:2] == (0, False)


def test_runs_that_differ_by_their_seed_are_joined() -> None:
    runs = [
        contender("seed=1,loss=a", 20, seed=1),
        contender("seed=2,loss=a", 30, seed=2),
        contender("seed=1,loss=b", 24, seed=1),
    ]
    found = compare(runs)
    assert [(entry.name, len(entry.runs)) for entry in found.entries] == [
        ("loss=a", 2),
        ("seed=1,loss=b", 1),
    ]
    joined = found.figure("loss=a", "colour", "accuracy")
    assert joined is not None
    assert joined.value == pytest.approx(0.875)
    assert joined.spread == pytest.approx(0.05 / 2**0.5)
    assert len(rows(found)) == 4
    assert {len(row) for row in rows(found)} == {len(rows(found)[0])}


def test_the_seeds_own_noise_hides_a_difference() -> None:
    """Ten pictures are beyond noise between two files, and not between two such uneven recipes."""
    steady = compare([contender("one", 10), contender("two", 30)])
    assert only(steady)[1]
    runs = [
        contender(f"seed={seed},loss={name}", wrong, seed=seed)
        for name, wrongs in (("a", (0, 20)), ("b", (15, 45)))
        for seed, wrong in enumerate(wrongs, 1)
    ]
    assert not only(compare(runs))[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"split_hash": "other"}, "different splits"),
        ({"predictions": None}, "keeps no predictions"),
        ({"metrics": ()}, "share no task"),
    ],
)
def test_what_cannot_be_compared_is_told(changes: dict[str, Any], reason: str) -> None:
    found = compare([contender("one", 10), contender("two", 90, **changes)])
    assert not found.differences
    assert [reason in pair.reason for pair in found.apart] == [True]
    assert len(told(found)["not_comparable"]) == 1
