"""Classes made equally frequent: fewer, repeated, made up, or weighed."""

import numpy as np
import pytest

from mien.classic.balance import Balance, balanced, weights
from mien.errors import DataError

CLASSES = np.array([0] * 9 + [1] * 3 + [2] * 4)
ROWS = np.column_stack([CLASSES * 100 + np.arange(16), np.arange(16)]).astype(np.float32)


def counts(classes: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[int]:
    return list(np.bincount(classes))


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("none", [9, 3, 4]),
        ("weights", [9, 3, 4]),
        ("under", [3, 3, 3]),
        ("over", [9, 9, 9]),
        ("smote", [9, 9, 9]),
    ],
)
def test_frequencies(how: Balance, wanted: list[int]) -> None:
    rows, classes = balanced(ROWS, CLASSES, CLASSES, how, 0)
    assert counts(classes) == wanted
    assert rows.dtype == np.float32
    # No picture changes its class.
    assert (rows[:, 0] // 100 == classes).all()


def test_under_takes_each_once_and_over_each_about_as_often() -> None:
    rows, _ = balanced(ROWS, CLASSES, CLASSES, "under", 0)
    assert len(np.unique(rows[:, 1])) == len(rows)
    rows, _ = balanced(ROWS, CLASSES, CLASSES, "over", 0)
    found = np.unique(rows[:, 1], return_counts=True)[1]
    assert found[:12].tolist() == [1] * 9 + [3] * 3
    assert sorted(found[12:].tolist()) == [2, 2, 2, 3]


def test_smote_lies_between_two_of_a_class() -> None:
    rows, _ = balanced(ROWS, CLASSES, CLASSES, "smote", 0)
    made = rows[len(ROWS) :]
    assert len(made) == 11
    for row in made:
        inside = ROWS[ROWS[:, 0] // 100 == row[0] // 100]
        assert inside[:, 1].min() <= row[1] <= inside[:, 1].max()
    assert (made[:, 1] % 1 > 0).any()


def test_smote_of_numbers_makes_up_numbers_that_go_with_the_features() -> None:
    values = ROWS[:, 1].astype(np.float64) * 2
    rows, made = balanced(ROWS, values, CLASSES, "smote", 0)
    assert len(rows) == 27
    np.testing.assert_allclose(made, rows[:, 1] * 2, atol=1e-4)


def test_smote_needs_a_neighbour() -> None:
    with pytest.raises(DataError, match="one class has a single picture; take over"):
        balanced(ROWS[:10], CLASSES[:10], CLASSES[:10], "smote", 0)


def test_a_seed_repeats_and_another_differs() -> None:
    first, again, other = (balanced(ROWS, CLASSES, CLASSES, "under", seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_weights_are_alike_over_the_classes_and_one_in_the_mean() -> None:
    found = weights(CLASSES)
    assert found.mean() == pytest.approx(1)
    assert [found[one == CLASSES].sum() for one in range(3)] == pytest.approx([16 / 3] * 3)
    assert weights(np.array([0, 2, 2])) == pytest.approx([1.5, 0.75, 0.75])
