"""Runs beside each other: what is more than noise, what is joined, what cannot be compared."""

from dataclasses import replace
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


def test_an_interval_stays_within_what_a_share_can_be() -> None:
    """Student's t of two seeds that differ much would reach below 0 and beyond 100 %."""
    pair = [contender(f"seed={s},loss=a", wrong, seed=s) for s, wrong in ((1, 10), (2, 120))]
    found = compare(pair)
    for figure in found.figures:
        assert figure.low is not None
        assert figure.high is not None
        assert 0 <= figure.low <= figure.value <= figure.high <= 1, figure
    accuracy = found.figure("loss=a", "colour", "accuracy")
    assert accuracy is not None
    assert accuracy.high == 1


def test_what_has_too_few_pictures_to_tell_is_told() -> None:
    few = contender("one", 2)
    assert few.predictions is not None
    said = few.predictions.tasks["colour"]
    cut = replace(said, truth=said.truth[:6], output=said.output[:6])
    kept = replace(few.predictions, contents=few.predictions.contents[:6], tasks={"colour": cut})
    runs = [contender("one", 2, predictions=kept), contender("two", 3, predictions=kept)]
    found = compare(runs)
    assert not found.differences
    assert "too few test pictures" in found.apart[0].reason


def test_different_parts_are_not_compared() -> None:
    one, two = contender("one", 2), contender("two", 3)
    assert two.predictions is not None
    other = replace(two, predictions=replace(two.predictions, split="train"))
    assert "different parts" in compare([one, other]).apart[0].reason


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
