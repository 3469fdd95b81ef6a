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
from mien.data.mixing import mix
from mien.data.moving import mirror, mirrored_now, translate
from mien.data.sampling import BalancedStream, Stream, apportion, classes_of
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
        votes: Whether votes for the classes count, where there are some, or the label alone.
    """

    task: str
    labels: Sequence[str] | None = None
    votes: bool = True

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
        if self.votes and votes.max() > 0:
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
        targets: Task -> N x classes (or N x 2, low and high), nan where missing: each picture's
            own, also where it is mixed with another.
        partners: N, indices within the batch: whose targets are mixed in; a picture's own index
            where none are.
        kept: N, 0 to 1: the share of the own targets, 1 where none are mixed in. The loss of a
            picture is kept * loss(own) + (1 - kept) * loss(partner's).
    """

    pixels: NDArray[np.uint8]
    targets: dict[str, NDArray[np.float32]]
    partners: NDArray[np.int64]
    kept: NDArray[np.float32]


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
        balance: A task; within each source its classes (for an age: the age groups) come more
            evenly than the manifest holds them. None: as it holds them.
        balance_strength: 0 to 1, how evenly: a class of n pictures gets a share that is
            proportional to n^(1 - balance_strength).
        more: Name -> N rows of further targets, in the manifest's order, beside the tasks' own.

    Raises:
        DataError: `shares` names other sources than the manifest's, or leaves one of them without
            a picture in a batch; or labels are missing or wrong; or `balance` is no task.
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
        *,
        balance: str | None = None,
        balance_strength: float = 1.0,
        more: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        self._store = store
        self._targets = targets(manifest, wanted) | dict(more or {})
        self._augmentation = augmentation
        self._seed = seed
        pools = _pools(manifest, shares)
        self._counts = _counts([share for share, _ in pools], size)
        classes = None if balance is None else self._classes(wanted, balance)
        self._streams = [
            Stream(pool, (seed, number))
            if classes is None
            else BalancedStream(pool, (seed, number), classes[pool], balance_strength)
            for number, (_, pool) in enumerate(pools)
        ]
        self.size = size

    def batch(self, number: int, side: int) -> Batch:
        """Return batch `number`, its pictures `side` pixels wide."""
        indices = self.indices(number)
        pixels = self._moved(self._cut(indices, number, side), indices, number)
        # The generator after those of the pictures.
        rng = np.random.default_rng([self._seed, number, self.size])
        pixels, partners, kept = mix(rng, pixels, self._augmentation)
        rows = {task: rows[indices] for task, rows in self._targets.items()}
        return Batch(pixels, rows, partners, kept)

    def indices(self, number: int) -> NDArray[np.int64]:
        """Return which samples batch `number` holds: of each source the next of its stream."""
        streams = zip(self._streams, self._counts, strict=True)
        return np.concatenate([stream.take(number * count, count) for stream, count in streams])

    def _cut(self, indices: NDArray[np.int64], number: int, side: int) -> NDArray[np.uint8]:
        if self._augmentation.leaves_each:
            return self._store.crops(indices, side)
        crops = [self._crop(int(i), (number, place), side) for place, i in enumerate(indices)]
        return np.stack(crops)

    def _moved(
        self, pixels: NDArray[np.uint8], indices: NDArray[np.int64], number: int
    ) -> NDArray[np.uint8]:
        """Return the pictures as they are moved all together."""
        if self._augmentation.flip == "alternate":
            streams = zip(self._streams, self._counts, strict=True)
            turns = np.concatenate([s.turns(number * count, count) for s, count in streams])
            pixels = mirror(pixels, mirrored_now(indices, turns, self._seed))
        if self._augmentation.translate:
            rng = np.random.default_rng([self._seed, number, self.size, 1])
            pixels = translate(rng, pixels, self._augmentation.translate)
        return pixels

    def _classes(self, wanted: Sequence[Target], balance: str) -> NDArray[np.int64]:
        for target in wanted:
            if target.task == balance:
                return classes_of(self._targets[balance], target.labels)
        names = ", ".join(target.task for target in wanted)
        raise DataError(f"no task {balance!r} to balance the batches by; the tasks are {names}")

    def _crop(self, index: int, key: tuple[int, int], side: int) -> Image:
        picture = self._store.picture(index)
        whole = view_of_picture(picture.shape[1], picture.shape[0])
        rng = np.random.default_rng([self._seed, *key])
        return self._augmentation.cut(rng, picture, self._store.view(index), whole, side)


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
    counts = apportion(shares, size)
    if not counts.all():
        raise DataError(
            f"shares of {', '.join(f'{share:g}' for share in shares)} leave one data set without a "
            f"picture in a batch of {size}; make optimiser.batch or that share larger"
        )
    return [int(count) for count in counts]
