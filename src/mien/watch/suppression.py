"""Small totals hidden, and as many others as it takes that no hidden one follows by subtraction.

A table of counts with its row totals, column totals and grand total obeys one equation a row and
one a column. Draw each row and each column as a point and each hidden cell as a line between its
two: a hidden cell follows from the shown ones exactly where its line is a bridge, one on no circle
(Gusfield 1988). So lines are added, the cheapest first, until no bridge is left.
"""

import heapq
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

K: Final = 5
"""Totals of at least one and less than this are hidden."""

_Edge = tuple[int, int]


def shown(counts: NDArray[np.integer[Any]], k: int = K) -> NDArray[np.bool_]:
    """Return which cells of a table may be shown, its totals included.

    Args:
        counts: Rows x columns.
        k: Totals from 1 to below this are hidden; 1 hides nothing.

    Returns:
        (rows + 1) x (columns + 1); the first row and the first column are the totals.
    """
    table = with_totals(counts)
    hidden = (table > 0) & (table < k)
    while True:
        bridges = _bridges(hidden)
        if not bridges:
            return ~hidden
        for row, column in _way_round(table, hidden, bridges[0]):
            hidden[row, column] = True


def with_totals(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return a table with its totals as the first row and the first column."""
    rows = np.vstack([counts.sum(axis=0), counts])
    return np.column_stack([rows.sum(axis=1), rows]).astype(np.int64)


def stepped(count: float, k: int = K) -> int:
    """Return a live total in whole steps of `k`, so that one more cannot be told from it."""
    return int(count // k) * k if k > 1 else int(count)


def _bridges(hidden: NDArray[np.bool_]) -> list[_Edge]:
    """Return the hidden cells that lie on no circle of hidden cells."""
    return [
        (row, column)
        for row, column in map(tuple, np.argwhere(hidden).tolist())
        if not _connected(hidden, row, column)
    ]


def _connected(hidden: NDArray[np.bool_], row: int, column: int) -> bool:
    """Return whether hidden cells other than this one lead from its row to its column."""
    others = hidden.copy()
    others[row, column] = False
    rows = np.zeros(len(others), np.bool_)
    rows[row] = True
    while True:
        columns: NDArray[np.bool_] = np.any(others[rows], axis=0, keepdims=True)[0]
        if columns[column]:
            return True
        more: NDArray[np.bool_] = rows | others[:, columns].any(axis=1)
        if np.array_equal(more, rows):
            return False
        rows = more


def _way_round(table: NDArray[np.int64], hidden: NDArray[np.bool_], bridge: _Edge) -> list[_Edge]:
    """Return the cells that make a circle with a bridge and cost least when they are hidden."""
    rows = len(table)
    # Points: rows, then columns. Hiding a nought costs most of all but grand totals: it says least.
    price = np.where(hidden, 0.0, 1.0 + table) + np.where(~hidden & (table == 0), table.sum(), 0.0)
    price[bridge] = np.inf
    start, goal = bridge[0], rows + bridge[1]
    best = {start: 0.0}
    before: dict[int, int] = {}
    waiting = [(0.0, start)]
    while waiting:
        cost, point = heapq.heappop(waiting)
        if point == goal:
            break
        near = price[point] if point < rows else price[:, point - rows]
        for number, step in enumerate(near.tolist()):
            other = number + rows if point < rows else number
            if cost + step < best.get(other, np.inf):
                best[other], before[other] = cost + step, point
                heapq.heappush(waiting, (cost + step, other))
    path = [goal]
    while path[-1] != start:
        path.append(before[path[-1]])
    return [(min(pair), max(pair) - rows) for pair in pairwise(path)]
