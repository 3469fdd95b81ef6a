"""The best and the worst: in order, once each, and told as they are printed."""

from pathlib import Path

import numpy as np
import pytest

from mien.card import Task
from mien.data.manifest import Sample
from mien.evaluation.examples import examples, sampled
from mien.evaluation.labels import Labels
from mien.evaluation.result import Example
from tests import tiny


def samples(count: int, copies: int = 1) -> list[Sample]:
    return [Sample(Path(f"{n}.png"), "s", str(n // copies), "test") for n in range(count)]


def told(found: tuple[Example, ...], kind: str) -> list[tuple[str, str, str, float]]:
    return [
        (row.path, row.truth, row.said, round(row.score, 4)) for row in found if row.kind == kind
    ]


def test_ages() -> None:
    truth = np.array([20.0, np.nan, 30, 40, 50])
    output = np.eye(101, dtype=np.float32)[[21, 99, 30, 60, 45]]
    found = examples(Labels(tiny.AGE, truth, truth), output, samples(5))
    assert told(found, "best") == [("2.png", "30", "30", 0), ("0.png", "20", "21", 1)]
    assert told(found, "worst") == [("3.png", "40", "60", 20), ("4.png", "50", "45", 5)]


def test_what_is_known_exactly_goes_before_an_interval() -> None:
    low, high = np.array([20.0, 25, 20, 40]), np.array([29.0, 25, 29, 49])
    output = np.eye(101, dtype=np.float32)[[25, 25, 32, 30]]
    found = examples(Labels(tiny.AGE, low, high), output, samples(4))
    assert told(found, "best") == [("1.png", "25", "25", 0), ("0.png", "20-29", "25", 0)]
    assert told(found, "worst") == [("3.png", "40-49", "30", 10), ("2.png", "20-29", "32", 3)]


def test_classes_by_the_probability_of_the_truth() -> None:
    truth = np.array([0.0, 0, 1, 1])
    output = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.0, 1.0]], np.float32)
    found = examples(Labels(tiny.GENDER, truth, truth), output, samples(4))
    assert told(found, "best") == [
        ("3.png", "female", "female", 1),
        ("0.png", "male", "male", 0.9),
    ]
    assert told(found, "worst") == [
        ("2.png", "female", "male", 0.3),
        ("1.png", "male", "male", 0.6),
    ]


def test_numbers() -> None:
    truth = np.array([1.5, 2.5])
    task = Task(name="weight", kind="regression")
    found = examples(Labels(task, truth, truth), np.array([[1.0], [2.5]], np.float32), samples(2))
    assert told(found, "best") == [("1.png", "2.5", "2.5", 0)]
    assert told(found, "worst") == [("0.png", "1.5", "1", 0.5)]


@pytest.mark.parametrize(("count", "best", "worst"), [(1, 1, 0), (5, 3, 2), (16, 8, 8), (40, 8, 8)])
def test_eight_of_each_at_most_and_none_twice(count: int, best: int, worst: int) -> None:
    truth = np.zeros(count)
    output = np.random.default_rng(0).dirichlet([1, 1], count).astype(np.float32)
    found = examples(Labels(tiny.GENDER, truth, truth), output, samples(count))
    assert [row.kind for row in found] == ["best"] * best + ["worst"] * worst
    assert len({row.path for row in found}) == len(found)


def test_a_copy_is_not_shown_again() -> None:
    truth = np.zeros(6)
    output = np.tile([[0.5, 0.5]], (6, 1)).astype(np.float32)
    found = examples(Labels(tiny.GENDER, truth, truth), output, samples(6, copies=3))
    assert sorted(row.path for row in found) == ["0.png", "3.png"]


def test_a_name_that_is_not_unicode() -> None:
    sample = Sample(Path("caf\udce9.png"), "s", "1", "test")
    (row,) = examples(
        Labels(tiny.GENDER, np.zeros(1), np.zeros(1)), np.array([[1, 0]], np.float32), [sample]
    )
    assert row.path == r"caf\xe9.png"


def test_pictures_by_chance_with_all_probabilities() -> None:
    truth = np.array([np.nan, *np.arange(30) % 2])
    output = np.tile(np.array([[0.75, 0.25]], np.float32), (31, 1))
    found, other = (
        sampled(Labels(tiny.GENDER, truth, truth), output, samples(31), seed) for seed in (1, 2)
    )
    assert len(found) == len({row.path for row in found}) == 12
    assert "0.png" not in {row.path for row in found}
    assert {row.probabilities for row in found} == {(0.75, 0.25)}
    for row in found:
        assert row.truth == ("female", "male")[int(row.path.removesuffix(".png")) % 2]
    assert {row.path for row in other} != {row.path for row in found}


def test_no_probabilities_of_numbers() -> None:
    truth = np.array([20.0])
    output = np.eye(101, dtype=np.float32)[:1]
    assert sampled(Labels(tiny.AGE, truth, truth), output, samples(1), 0) == ()
