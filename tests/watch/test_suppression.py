"""Small totals hidden: nothing hidden follows from what is shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.watch.suppression import shown, stepped, with_totals

tables = st.tuples(st.integers(1, 6), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 12) | st.just(0), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def determined(visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells follow, by linear algebra, from the visible ones and the equations."""
    rows, columns = visible.shape
    equations = []
    for place in range(rows):
        one = np.zeros(visible.shape)
        one[place, 1:], one[place, 0] = 1, -1
        equations.append(one.ravel())
    for place in range(columns):
        one = np.zeros(visible.shape)
        one[1:, place], one[0, place] = 1, -1
        equations.append(one.ravel())
    known = np.vstack([*equations, np.eye(visible.size)[visible.ravel()]])
    _, singular, right = np.linalg.svd(known)
    free = right[(singular > 1e-9).sum() :]
    found: NDArray[np.bool_] = (np.abs(free) < 1e-9).all(axis=0).reshape(visible.shape)
    return found


@settings(deadline=None)
@given(tables, st.integers(2, 7))
def test_no_hidden_total_can_be_computed(rows: list[list[int]], k: int) -> None:
    visible = shown(np.array(rows), k)

    assert not (determined(visible) & ~visible).any()


@given(tables, st.integers(2, 7))
def test_every_small_total_is_hidden(rows: list[list[int]], k: int) -> None:
    table = with_totals(np.array(rows))
    small = (table > 0) & (table < k)

    assert not (small & shown(np.array(rows), k)).any()
    if not small.any():
        assert shown(np.array(rows), k).all()


@given(tables)
def test_nothing_is_hidden_where_nothing_need_be(rows: list[list[int]]) -> None:
    assert shown(np.array(rows), 1).all()


def test_one_small_cell_takes_three_others_with_it() -> None:
    visible = shown(np.array([[2, 50, 60], [30, 9, 80], [70, 90, 40]]))

    hidden = {tuple(place) for place in np.argwhere(~visible).tolist()}
    # The cell itself, the cheapest of its row and column, and the corner that closes the circle.
    assert hidden == {(1, 1), (1, 2), (2, 1), (2, 2)}


@pytest.mark.parametrize(
    ("count", "k", "step"), [(0, 5, 0), (4, 5, 0), (5, 5, 5), (14, 5, 10), (7, 1, 7)]
)
def test_live_totals_move_in_steps(count: int, k: int, step: int) -> None:
    assert stepped(count, k) == step
