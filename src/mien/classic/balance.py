"""Classes made equally frequent among stored features: fewer, repeated, made up, or weighed."""

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.data.sampling import resampled
from mien.errors import DataError

Balance = Literal["none", "under", "over", "smote", "weights"]
Values = NDArray[np.float64] | NDArray[np.int64]

_NEIGHBOURS: Final = 5


def balanced(
    rows: NDArray[np.float32], values: Values, classes: NDArray[np.int64], how: Balance, seed: int
) -> tuple[NDArray[np.float32], Any]:
    """Return features and what is to be learnt from them, all classes equally frequent.

    Args:
        rows: N x width.
        values: N, what is to be learnt: classes, or numbers.
        classes: N, what is to be equally frequent: the classes, or groups of the numbers.
        how: "under" keeps as many of each class as the rarest has. "over" repeats pictures until
            each has as many as the most frequent one. "smote" makes up as many instead, each
            between a picture and one of its five nearest of the same class (Chawla et al. 2002);
            of numbers, what is to be learnt lies between in the same way. "none" and "weights"
            change nothing here.
        seed: Seed of what is drawn.

    Raises:
        DataError: "smote" has a class of one picture, which has no neighbour.
    """
    if how == "none" or how == "weights":
        return rows, values
    if how == "smote":
        return _made_up(rows, values, classes, seed)
    order = resampled(np.random.default_rng([seed, len(rows)]), classes, how)
    return rows[order], values[order]


def weights(classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a weight for each picture, so that all classes weigh alike; their mean is 1."""
    counts = np.bincount(classes)
    found: NDArray[np.float64] = len(classes) / ((counts > 0).sum() * counts[classes])
    return found


def _made_up(
    rows: NDArray[np.float32], values: Values, classes: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float32], Any]:
    from imblearn.over_sampling import SMOTE

    smallest = int(min(count for count in np.bincount(classes) if count))
    if smallest < 2:
        raise DataError(
            "smote makes pictures between two of a class, and one class has a single picture; "
            "take over, or join that class with another"
        )
    numbers = not np.array_equal(values, classes)
    given = np.column_stack([rows, values]) if numbers else rows
    method = SMOTE(k_neighbors=min(_NEIGHBOURS, smallest - 1), random_state=seed)
    made, kinds = method.fit_resample(given, classes)
    if numbers:
        return made[:, :-1].astype(np.float32), made[:, -1]
    return made.astype(np.float32, copy=False), kinds
