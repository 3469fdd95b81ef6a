"""Confusions against scikit-learn, and against matrices whose answer can be read off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from mien.card import Confusion
from mien.evaluation.confusions import (
    Apart,
    Mistake,
    apart,
    class_figures,
    confusion,
    counts,
    largest,
    reliability,
)

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50)
LABELS = ("a", "b", "c", "d", "e")


def matrix(*rows: tuple[int, ...]) -> Confusion:
    return Confusion(task="t", labels=LABELS[: len(rows)], counts=rows)


def test_counts() -> None:
    found = counts(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 2]), 4)
    assert found.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]


@settings(deadline=None)
@given(PAIRS)
def test_as_scikit_learn_counts(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs, np.int64).T
    found = confusion("t", LABELS, truth, predicted)
    assert np.array_equal(found.counts, confusion_matrix(truth, predicted, labels=range(5)))
    wanted = precision_recall_fscore_support(truth, predicted, labels=range(5), zero_division=0)
    for row, label, *numbers in zip(class_figures(found), LABELS, *wanted, strict=True):
        assert (row.task, row.label) == ("t", label)
        assert [row.precision, row.recall, row.f1, row.support] == pytest.approx(numbers)


def test_reliability_as_scikit_learn_tells_it() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([0.5, 0.5, 0.5], 400)
    truth = rng.integers(0, 3, 400)
    found = reliability("t", truth, probabilities)
    right = probabilities.argmax(1) == truth
    accuracy, confidence = calibration_curve(right, probabilities.max(1), n_bins=15)
    assert found.accuracy == pytest.approx(accuracy.tolist())
    assert found.confidence == pytest.approx(confidence.tolist())
    assert sum(found.counts) == 400
    # Nobody is less sure than to a third.
    assert len(found.counts) == 10


def test_the_largest_mistakes_by_share_of_their_class() -> None:
    found = largest(matrix((90, 10, 0), (2, 2, 0), (5, 0, 45)), 3)
    assert found == (
        Mistake("b", "a", 2, 0.5),
        Mistake("a", "b", 10, 0.1),
        Mistake("c", "a", 5, 0.1),
    )
    assert largest(matrix((9, 1, 0), (0, 5, 0), (0, 0, 0))) == (Mistake("a", "b", 1, 0.1),)
    assert largest(matrix((9, 0), (0, 3))) == ()


def test_groups_that_are_never_confused() -> None:
    """Cats and dogs, cars and lorries: each pair confused inside, never across."""
    found = apart(matrix((8, 2, 0, 0), (1, 9, 0, 0), (0, 0, 7, 3), (0, 0, 0, 10)))
    assert found == (Apart(("a", "b"), ("c", "d"), 0, 40),)


def test_groups_that_are_rarely_confused() -> None:
    rows = (990, 1, 9), (0, 1000, 0), (9, 10, 981)
    assert apart(matrix(*rows), rarely=0.005) == ()
    assert apart(matrix(*rows), rarely=0.012) == (Apart(("a", "c"), ("b",), 11, 3000),)
    # Told apart well enough already: all pairs, the least confused first.
    assert [(pair.first, pair.second) for pair in apart(matrix(*rows), rarely=0.02)] == [
        (("a",), ("b",)),
        (("b",), ("c",)),
        (("a",), ("c",)),
    ]


def test_a_class_without_pictures_is_in_no_group() -> None:
    assert apart(matrix((5, 0, 0), (0, 0, 0), (0, 0, 5))) == (Apart(("a",), ("c",), 0, 10),)
    assert apart(matrix((5, 0), (0, 0))) == ()
    assert apart(matrix((0, 0), (0, 0))) == ()


@settings(deadline=None)
@given(PAIRS, st.sampled_from([0.0, 0.01, 0.1]))
def test_groups_part_the_classes_and_are_rarely_confused(
    pairs: list[tuple[int, int]], rarely: float
) -> None:
    truth, predicted = np.array(pairs, np.int64).T
    occurs = {LABELS[label] for label in truth}
    found = apart(confusion("t", LABELS, truth, predicted), rarely)
    groups = {group for pair in found for group in (pair.first, pair.second)}
    assert sorted(label for group in groups for label in group) in ([], sorted(occurs))
    assert len(found) == len(groups) * (len(groups) - 1) // 2
    for pair in found:
        crossing = sum(
            {LABELS[t] in pair.first, LABELS[p] in pair.first} == {True, False}
            and {LABELS[t], LABELS[p]} <= {*pair.first, *pair.second}
            for t, p in pairs
        )
        assert pair.mistakes == crossing
        sizes = [sum(LABELS[t] in side for t, _ in pairs) for side in (pair.first, pair.second)]
        assert pair.pictures == sum(sizes)
        assert crossing <= rarely * min(sizes)


def test_a_small_class_that_is_lost_is_not_apart() -> None:
    """Two mistakes among a thousand pictures are few, but all that there is of the second class."""
    assert apart(matrix((998, 0), (2, 0)), rarely=0.01) == ()
