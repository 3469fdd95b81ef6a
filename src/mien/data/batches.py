"""Training batches by number: which pictures, how changed, with which labels.

A batch is a pure function of the seed and its number. So a run that is resumed meets the same
batches as one that never stopped, whatever the number of loading processes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.data.augment import Augmentation
from mien.data.manifest import Manifest, Sample
from mien.data.store import Store
from mien.errors import DataError
from mien.faces import view_of_picture
from mien.pixels import Image


@dataclass(frozen=True)
class Target:
    """What one task is to learn from a manifest.

    Attributes:
        task: Name of the task, and of its column.
        labels: The classes in the order of the outputs; None for an age or another number.
    """

    task: str
    labels: Sequence[str] | None = None

    def of(self, sample: Sample) -> NDArray[np.float32]:
        """Return a sample's target: class weights that sum to 1, or an interval; nan if missing.

        Raises:
            DataError: The label is not one of the task's, or not a number.
        """
        if self.labels is None:
            return np.array(sample.interval(self.task), np.float32)
        value = sample.labels.get(self.task)
        if value is not None and value not in self.labels:
            raise DataError(
                f"{sample.path}: {self.task} is {value!r}; the task's labels are "
                f"{', '.join(self.labels)}"
            )
        votes = np.nan_to_num([sample.number(f"{self.task}/{label}") for label in self.labels])
        if votes.max() > 0:
            weights = votes / votes.max()  # so that no sum of large votes overflows
            return np.asarray(weights / weights.sum(), np.float32)
        if value is None:
            return np.full(len(self.labels), np.nan, np.float32)
        return np.array([label == value for label in self.labels], np.float32)

    def check_columns(self, manifest: Manifest) -> None:
        """Refuse a manifest with votes for labels that the task does not have.

        Raises:
            DataError: There is such a column.
        """
        known = {f"{self.task}/{label}" for label in self.labels or ()}
        unknown = [name for name in manifest.columns if name.startswith(f"{self.task}/")]
        unknown = [name for name in unknown if name not in known]
        if unknown:
            raise DataError(
                f"the manifest has votes for {', '.join(unknown)}; the labels of the task "
                f"{self.task!r} are {', '.join(self.labels or ['numbers'])}"
            )


def targets(manifest: Manifest, wanted: Sequence[Target]) -> dict[str, NDArray[np.float32]]:
    """Return task -> N x classes (or N x 2, low and high), nan where a label is missing.

    Raises:
        DataError: A task has no label in the whole manifest, or an unknown one.
    """
    found = {}
    for target in wanted:
        target.check_columns(manifest)
        rows = np.stack([target.of(sample) for sample in manifest.samples])
        if np.isnan(rows).all():
            parts = sorted({sample.split or "no part" for sample in manifest.samples})
            raise DataError(
                f"none of the {len(rows)} pictures in {' and '.join(parts)} has a label for the "
                f"task {target.task!r}; they have {', '.join(manifest.columns) or 'none at all'}"
            )
        found[target.task] = rows
    return found


@dataclass(frozen=True)
class Batch:
    """Pictures and their targets.

    Attributes:
        pixels: N x S x S x 3, uint8.
        targets: Task -> N x classes (or N x 2, low and high), nan where missing.
    """

    pixels: NDArray[np.uint8]
    targets: dict[str, NDArray[np.float32]]


class BatchPlan:
    """Makes the training batches of a run.

    Args:
        manifest: The training part.
        store: Its pictures, in the manifest's order.
        wanted: The tasks.
        shares: Source -> its share of every batch; empty: one share for all pictures alike.
        augmentation: How pictures are changed.
        size: Pictures in a batch.
        seed: Seed of order and changes.

    Raises:
        DataError: `shares` names other sources than the manifest's, or leaves one of them without
            a picture in a batch; or labels are missing or wrong.
    """

    def __init__(
        self,
        manifest: Manifest,
        store: Store,
        wanted: Sequence[Target],
        shares: Mapping[str, float],
        augmentation: Augmentation,
        size: int,
        seed: int,
    ) -> None:
        self._store = store
        self._targets = targets(manifest, wanted)
        self._augmentation = augmentation
        self._seed = seed
        self._pools = _pools(manifest, shares)
        self._counts = _counts([share for share, _ in self._pools], size)
        self.size = size

    def batch(self, number: int, side: int) -> Batch:
        """Return batch `number`, its pictures `side` pixels wide."""
        indices = self.indices(number)
        crops = [
            self._crop(int(index), (number, position), side)
            for position, index in enumerate(indices)
        ]
        return Batch(np.stack(crops), {task: rows[indices] for task, rows in self._targets.items()})

    def indices(self, number: int) -> NDArray[np.int64]:
        """Return which samples batch `number` holds.

        Each source is a stream of its own: all its pictures in a new order, again and again.
        """
        parts = []
        for stream, ((_, pool), count) in enumerate(zip(self._pools, self._counts, strict=True)):
            positions = number * count + np.arange(count)
            rounds, places = np.divmod(positions, len(pool))
            orders = {
                int(turn): np.random.default_rng([self._seed, stream, int(turn)]).permutation(pool)
                for turn in np.unique(rounds)
            }
            pairs = zip(rounds, places, strict=True)
            parts.append(np.array([orders[int(turn)][place] for turn, place in pairs]))
        return np.concatenate(parts)

    def _crop(self, index: int, key: tuple[int, int], side: int) -> Image:
        picture = self._store.picture(index)
        whole = view_of_picture(picture.shape[1], picture.shape[0])
        rng = np.random.default_rng([self._seed, *key])
        return self._augmentation.crop(rng, picture, self._store.view(index), whole, side)


def _pools(
    manifest: Manifest, shares: Mapping[str, float]
) -> list[tuple[float, NDArray[np.int64]]]:
    sources = np.array([sample.source for sample in manifest.samples])
    if not shares:
        return [(1.0, np.arange(len(sources)))]
    if set(shares) != set(sources):
        raise DataError(
            f"the recipe's data.shares name {', '.join(sorted(shares))}; the manifest's training "
            f"part holds {', '.join(sorted(set(sources)))}. Give each of these its share."
        )
    return [(share, np.flatnonzero(sources == name)) for name, share in shares.items()]


def _counts(shares: Sequence[float], size: int) -> list[int]:
    """Part a batch by shares, largest remainders first, so that the counts sum to its size."""
    exact = np.array(shares) / sum(shares) * size
    counts = np.floor(exact).astype(int)
    for index in np.argsort(counts - exact, kind="stable")[: size - int(counts.sum())]:
        counts[index] += 1
    if not counts.all():
        raise DataError(
            f"shares of {', '.join(f'{share:g}' for share in shares)} leave one data set without a "
            f"picture in a batch of {size}; make optimiser.batch or that share larger"
        )
    return [int(count) for count in counts]
