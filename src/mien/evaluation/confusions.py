"""Which classes are taken for which: matrices, figures by class, and groups that are told apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.card import Confusion
from mien.evaluation.metrics import BINS, Classes, bins
from mien.evaluation.result import ClassFigures, Reliability


def counts(truth: Classes, predicted: Classes, classes: int) -> NDArray[np.int64]:
    """Return counts, classes x classes: true ones down, predicted ones across."""
    found = np.zeros((classes, classes), np.int64)
    np.add.at(found, (truth, predicted), 1)
    return found


def confusion(task: str, labels: tuple[str, ...], truth: Classes, predicted: Classes) -> Confusion:
    """Return the confusion matrix of a classification, as a card holds it."""
    rows = counts(truth, predicted, len(labels)).tolist()
    return Confusion(task=task, labels=labels, counts=tuple(map(tuple, rows)))


def class_figures(confusion: Confusion) -> tuple[ClassFigures, ...]:
    """Return precision, recall, F1 and support of each class; 0 where they have no meaning."""
    matrix = np.array(confusion.counts)
    hits, support, read = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    return tuple(
        ClassFigures(
            task=confusion.task,
            label=label,
            precision=float(hit / max(1, says)),
            recall=float(hit / max(1, there)),
            f1=float(2 * hit / max(1, says + there)),
            support=int(there),
        )
        for label, hit, there, says in zip(confusion.labels, hits, support, read, strict=True)
    )


def reliability(task: str, truth: Classes, probabilities: NDArray[np.floating[Any]]) -> Reliability:
    """Return how often answers are right, by how sure they are.

    Args:
        task: The classification.
        truth: N true classes by index.
        probabilities: N x classes.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == truth
    place = bins(confidence)
    sizes = np.bincount(place, minlength=BINS)
    filled = sizes > 0
    sure, hits = (np.bincount(place, w, BINS)[filled] for w in (confidence, right))
    return Reliability(
        task=task,
        confidence=tuple((sure / sizes[filled]).tolist()),
        accuracy=tuple((hits / sizes[filled]).tolist()),
        counts=tuple(sizes[filled].tolist()),
    )


@dataclass(frozen=True)
class Mistake:
    """One kind of mistake.

    Attributes:
        truth: The true class.
        said: The class that it is taken for.
        pictures: How often that happens.
        share: That number over the pictures of the true class.
    """

    truth: str
    said: str
    pictures: int
    share: float


def largest(confusion: Confusion, count: int = 5) -> tuple[Mistake, ...]:
    """Return the mistakes that the largest shares of their true classes suffer, largest first."""
    matrix = np.array(confusion.counts)
    support = matrix.sum(axis=1)
    pairs = sorted(
        zip(*np.nonzero(matrix * (1 - np.eye(len(matrix), dtype=int))), strict=True),
        key=lambda pair: (-matrix[pair] / support[pair[0]], -matrix[pair], pair),
    )
    return tuple(
        Mistake(
            truth=confusion.labels[row],
            said=confusion.labels[column],
            pictures=int(matrix[row, column]),
            share=float(matrix[row, column] / support[row]),
        )
        for row, column in pairs[:count]
    )


@dataclass(frozen=True)
class Apart:
    """Two groups of classes that are never, or rarely, taken for each other.

    Attributes:
        first: The classes of one group.
        second: The classes of the other.
        mistakes: How many pictures of one group are read as the other.
        pictures: How many pictures the two groups hold.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    mistakes: int
    pictures: int


def apart(confusion: Confusion, rarely: float = 0.01) -> tuple[Apart, ...]:
    """Return pairs of groups of classes that are told apart, the least confused first.

    The two groups that are confused most are joined, again and again, until all that are left are
    rarely confused. Classes without a picture are left out.

    Args:
        confusion: The matrix.
        rarely: How many mistakes between two groups are few, as a share of the pictures of the
            smaller one: beside a large group, a small one may be wholly lost in few mistakes.
    """
    matrix = np.array(confusion.counts)
    groups = [[int(index)] for index in np.flatnonzero(matrix.sum(axis=1))]
    matrix = matrix[:, matrix.sum(axis=1) > 0][matrix.sum(axis=1) > 0] if groups else matrix
    support = np.array([sum(confusion.counts[group[0]]) for group in groups], np.int64)
    while len(groups) > 1:
        mistakes = matrix + matrix.T
        shares = mistakes / np.minimum.outer(support, support)
        np.fill_diagonal(shares, -1)
        kept, gone = sorted(divmod(int(shares.argmax()), len(groups)))
        if shares[kept, gone] <= rarely:
            break
        for axis in (0, 1):
            matrix = _merge(matrix, kept, gone, axis)
        support = _merge(support, kept, gone, 0)
        groups[kept] = sorted(groups[kept] + groups.pop(gone))
    pairs = [(one, other) for one in range(len(groups)) for other in range(one + 1, len(groups))]
    mistakes = matrix + matrix.T
    pairs.sort(key=lambda pair: mistakes[pair] / min(support[[*pair]]))
    return tuple(
        Apart(
            first=tuple(confusion.labels[index] for index in groups[one]),
            second=tuple(confusion.labels[index] for index in groups[other]),
            mistakes=int(mistakes[one, other]),
            pictures=int(support[one] + support[other]),
        )
        for one, other in pairs
    )


def _merge(table: NDArray[np.int64], kept: int, gone: int, axis: int) -> NDArray[np.int64]:
    """Add one row, or column, of a table to another, and drop it."""
    merged = np.moveaxis(table.copy(), axis, 0)
    merged[kept] += merged[gone]
    return np.moveaxis(np.delete(merged, gone, axis=0), 0, axis)
