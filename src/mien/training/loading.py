"""Batches for Lightning: changed pictures to train on, plain ones to choose by."""

from typing import Any

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mien.data.batches import BatchPlan, targets
from mien.errors import DataError
from mien.training.parts import Part, Parts, targets_of
from mien.training.recipe import Recipe

_Item = tuple[Tensor, dict[str, Tensor]]


class Batches(pl.LightningDataModule):
    """The batches of a run, each epoch at its stage's input size.

    Args:
        recipe: What is trained.
        parts: Its data.

    Raises:
        DataError: The training part does not hold the recipe's sources.
    """

    def __init__(self, recipe: Recipe, parts: Parts) -> None:
        super().__init__()
        self._recipe, self._parts = recipe, parts
        self._plan = BatchPlan(
            parts.train.manifest,
            parts.train.store,
            targets_of(recipe),
            recipe.data.shares,
            recipe.augmentation,
            recipe.optimiser.batch,
            recipe.seed,
        )

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the batches of the epoch that comes."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        steps = self._recipe.optimiser.steps
        size = self._recipe.size_at(epoch)
        return _loader(_TrainingBatches(self._plan, epoch * steps, steps, size))

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the half of the validation part that chooses."""
        return _loader(_PlainBatches(self._parts.choice, self._recipe))

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint notes of the data."""
        return {"manifest": self._parts.whole.fingerprint}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Check that a run goes on with the data that it began with.

        Raises:
            DataError: The manifest has changed.
        """
        if state_dict["manifest"] != self._parts.whole.fingerprint:
            raise DataError(
                f"{self._recipe.data.manifest}: the manifest has changed since the run began; "
                "put the old one back, or start another run"
            )


class _TrainingBatches(Dataset[_Item]):
    """The batches of one epoch."""

    def __init__(self, plan: BatchPlan, first: int, count: int, size: int) -> None:
        self._plan, self._first, self._count, self._size = plan, first, count, size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> _Item:
        batch = self._plan.batch(self._first + index, self._size)
        tensors = {task: torch.from_numpy(rows) for task, rows in batch.targets.items()}
        return torch.from_numpy(batch.pixels), tensors


class _PlainBatches(Dataset[_Item]):
    """A part's pictures in order, as use sees them."""

    def __init__(self, part: Part, recipe: Recipe) -> None:
        self._store = part.store
        self._targets = targets(part.manifest, targets_of(recipe))
        self._size, self._batch = recipe.input.size, 2 * recipe.optimiser.batch

    def __len__(self) -> int:
        return -(-len(self._store) // self._batch)

    def __getitem__(self, index: int) -> _Item:
        chosen = range(len(self._store))[index * self._batch : (index + 1) * self._batch]
        crops = np.stack([self._store.crop(i, self._size) for i in chosen])
        found = {task: torch.from_numpy(rows[chosen]) for task, rows in self._targets.items()}
        return torch.from_numpy(crops), found


def _loader(batches: Dataset[Any]) -> DataLoader[Any]:
    # OpenCV's threads do not outlive the fork of a loading process, which would wait for them for
    # ever. Ended here, before it, they are not missed: each picture is small.
    cv2.setNumThreads(1)
    # One process prepares ahead; more would take the cores from the network.
    return DataLoader(
        batches, batch_size=None, num_workers=1, worker_init_fn=_one_thread, prefetch_factor=4
    )


def _one_thread(_: int) -> None:
    """Do the same in a loading process that was not forked."""
    cv2.setNumThreads(1)
