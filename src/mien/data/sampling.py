"""Which pictures a batch takes: rounds through a pool, in which rare classes may come more often.

Every position of a stream follows from its number alone, without a look at what came before.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.ages import GROUPS, group_of

Indices = NDArray[np.int64]

Resampling = Literal["under", "over"]
"""Classes made equally frequent by fewer pictures, or by repeated ones."""

_UNLABELLED = -1


class Stream:
    """All pictures of a pool in a new order, again and again.

    Args:
        pool: The pictures' indices, at least one.
        seed: Two numbers of the stream's own.
        branch: Tells apart streams of one seed; above 0 where there are more.
    """

    def __init__(self, pool: Indices, seed: tuple[int, int], branch: int = 0) -> None:
        self._pool, self._seed = pool, seed
        # A last 0 would change nothing in a seed.
        self._branch = (branch,) if branch else ()

    def take(self, start: int, count: int) -> Indices:
        """Return `count` pictures from position `start` on."""
        rounds, places = np.divmod(start + np.arange(count), len(self._pool))
        turns = range(int(rounds[0]), int(rounds[-1]) + 1)
        return np.concatenate([self.order(turn)[places[rounds == turn]] for turn in turns])

    def turns(self, start: int, count: int) -> Indices:
        """Return to which round each of `count` positions belongs."""
        return np.asarray((start + np.arange(count)) // len(self._pool), np.int64)

    def order(self, turn: int) -> Indices:
        """Return one round, as long as the pool."""
        return self._shuffled(self._pool, turn)

    def _shuffled(self, indices: Indices, turn: int) -> Indices:
        return np.random.default_rng([*self._seed, turn, *self._branch]).permutation(indices)


class BalancedStream(Stream):
    """Rounds as long as the pool, in which the classes have other shares than in the pool.

    A class of n pictures gets a share that is proportional to n^(1 - strength). Where it comes
    more often than it has pictures, they repeat; where it comes less often, the next rounds go on
    with those that are left: so the pictures of one class are all met equally often. Pictures
    without a label keep their share.

    Args:
        pool: The pictures' indices.
        seed: Two numbers of the stream's own.
        classes: The class of each picture of the pool, -1 for those without a label.
        strength: 0 leaves the shares as they are, 1 makes them equal.
    """

    def __init__(
        self, pool: Indices, seed: tuple[int, int], classes: NDArray[np.int64], strength: float
    ) -> None:
        super().__init__(pool, seed)
        names, counts = np.unique(classes, return_counts=True)
        known = names != _UNLABELLED
        quotas = counts.copy()
        quotas[known] = apportion(counts[known] ** (1 - strength), int(counts[known].sum()))
        self._parts = [
            (Stream(pool[classes == name], seed, branch), int(quota))
            for branch, (name, quota) in enumerate(zip(names, quotas, strict=True), start=1)
        ]

    def order(self, turn: int) -> Indices:
        """Return one round, as long as the pool."""
        taken = [stream.take(turn * quota, quota) for stream, quota in self._parts]
        return self._shuffled(np.concatenate(taken), turn)


def resampled(rng: np.random.Generator, classes: NDArray[np.int64], how: Resampling) -> Indices:
    """Return which pictures to take, so that all classes are equally frequent.

    Args:
        rng: Draws them.
        classes: N classes from 0, or -1 for pictures without a label, which are taken once each.
        how: "under" takes as many of each class as the rarest has; "over" repeats pictures until
            each has as many as the most frequent one, all of a class about equally often.

    Returns:
        Places in `classes`, in rising order.
    """
    names, counts = np.unique(classes[classes != _UNLABELLED], return_counts=True)
    wanted = int((counts.min() if how == "under" else counts.max()) if len(counts) else 0)
    chosen = [repeated(rng, np.flatnonzero(classes == name), wanted) for name in names]
    return np.sort(np.concatenate([np.flatnonzero(classes == _UNLABELLED), *chosen]))


def repeated(rng: np.random.Generator, places: Indices, wanted: int) -> Indices:
    """Return so many of the places: each as often as the others, or once more by lot."""
    whole, rest = divmod(wanted, len(places))
    return np.concatenate([np.repeat(places, whole), rng.permutation(places)[:rest]])


def classes_of(rows: NDArray[np.float32], labels: Sequence[str] | None) -> NDArray[np.int64]:
    """Return each picture's class: its heaviest label, or the age group of its interval's middle.

    Args:
        rows: N x classes, or N x 2 (low and high): targets, nan where missing.
        labels: The task's labels; None for an age.

    Returns:
        N classes from 0, or -1 where the label is missing.
    """
    known = ~np.isnan(rows).any(axis=1)
    found = np.full(len(rows), _UNLABELLED, np.int64)
    if labels is None:
        names = [name for name, _ in GROUPS]
        found[known] = [names.index(group_of(years)) for years in rows[known].mean(axis=1)]
    else:
        found[known] = rows[known].argmax(axis=1)
    return found


def apportion(shares: ArrayLike, total: int) -> NDArray[np.int64]:
    """Part a whole number by shares, largest remainders first, so that the parts sum to it.

    Example:
        >>> apportion([1, 1, 1], 8).tolist()
        [3, 3, 2]
    """
    weights = np.asarray(shares, np.float64)
    exact = weights / weights.sum() * total
    parts: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - int(parts.sum())]] += 1
    return parts
