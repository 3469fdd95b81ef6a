"""Batches for Lightning: changed pictures to train on, plain ones to choose by."""

from collections.abc import Callable
from typing import Any

import cv2
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mien.data.batches import BatchPlan, targets
from mien.errors import DataError
from mien.training.module import Batch, Targets
from mien.training.parts import Part, Parts, targets_of
from mien.training.recipe import Recipe

_Plain = tuple[Tensor, Targets]


class Batches(pl.LightningDataModule):
    """The batches of a run, each epoch at its stage's input size.

    Args:
        recipe: What is trained.
        parts: Its data.
        size: Tells the input size of the epoch that comes.

    Raises:
        DataError: The training part does not hold the recipe's sources.
    """

    def __init__(self, recipe: Recipe, parts: Parts, size: Callable[[], int]) -> None:
        super().__init__()
        self._recipe, self._parts, self._size = recipe, parts, size
        self._plan = BatchPlan(
            parts.train.manifest,
            parts.train.store,
            targets_of(recipe),
            recipe.data.shares,
            recipe.augmentation,
            recipe.optimiser.batch,
            recipe.seed,
            balance=(recipe.data.balance or None) if recipe.data.balance_by == "draws" else None,
            balance_strength=recipe.data.balance_strength,
            more=parts.lessons.targets,
        )

    def train_dataloader(self) -> DataLoader[Any]:
        """Return this process's batches of the epoch that comes."""
        epoch, rank, world = self._place()
        steps = steps_of(self._recipe, self._parts)
        numbers = range(epoch * steps * world + rank, (epoch + 1) * steps * world, world)
        return self._loader(_TrainingBatches(self._plan, numbers, self._size()))

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the half of the validation part that chooses.

        Of several processes each looks at all of it, and so all choose alike: parted, the figures
        of tasks that only some pictures have a label for could not be put together again.
        """
        return self._loader(_PlainBatches(self._parts.choice, self._recipe))

    def _place(self) -> tuple[int, int, int]:
        """Return the epoch, the number of this process, and how many there are."""
        if self.trainer is None:
            return 0, 0, 1
        return self.trainer.current_epoch, self.trainer.global_rank, self.trainer.world_size

    def _loader(self, batches: Dataset[Any]) -> DataLoader[Any]:
        # OpenCV's threads do not outlive the fork of a loading process, which would wait for them
        # for ever. Ended here, before it, they are not missed: each picture is small.
        cv2.setNumThreads(1)
        return DataLoader(
            batches,
            batch_size=None,
            num_workers=self._recipe.machine.workers,
            worker_init_fn=_one_thread,
            prefetch_factor=4,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint notes of the data."""
        return {
            "manifest": self._parts.whole.fingerprint,
            "teachers": list(self._parts.lessons.digests),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Check that a run goes on with the data, and the teachers, that it began with.

        Raises:
            DataError: The manifest has changed, or a teacher's file.
        """
        if state_dict["manifest"] != self._parts.whole.fingerprint:
            raise DataError(
                f"{self._recipe.data.manifest}: the manifest has changed since the run began; "
                "put the old one back, or start another run"
            )
        if state_dict.get("teachers", []) != list(self._parts.lessons.digests):
            raise DataError(
                f"teacher.models: a file of {', '.join(self._recipe.teacher.models)} has changed "
                "since the run began; put the old one back, or start another run"
            )


def steps_of(recipe: Recipe, parts: Parts) -> int:
    """Return how many steps an epoch has: the recipe's, or one pass over the training part."""
    together = recipe.optimiser.batch * recipe.machine.devices * recipe.machine.nodes
    return recipe.optimiser.steps or -(-len(parts.train.manifest.samples) // together)


class _TrainingBatches(Dataset[Batch]):
    """The batches of one epoch."""

    def __init__(self, plan: BatchPlan, numbers: range, size: int) -> None:
        self._plan, self._numbers, self._size = plan, numbers, size

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Batch:
        batch = self._plan.batch(self._numbers[index], self._size)
        return (
            torch.from_numpy(batch.pixels),
            {task: torch.from_numpy(rows) for task, rows in batch.targets.items()},
            torch.from_numpy(batch.partners),
            torch.from_numpy(batch.kept),
        )


class _PlainBatches(Dataset[_Plain]):
    """A part's pictures in order, as use sees them."""

    def __init__(self, part: Part, recipe: Recipe) -> None:
        self._store = part.store
        self._targets = targets(part.manifest, targets_of(recipe))
        self._size, self._batch = recipe.input.size, 2 * recipe.optimiser.batch

    def __len__(self) -> int:
        return -(-len(self._store) // self._batch)

    def __getitem__(self, index: int) -> _Plain:
        chosen = range(len(self._store))[index * self._batch : (index + 1) * self._batch]
        crops = self._store.crops(chosen, self._size)
        found = {task: torch.from_numpy(rows[chosen]) for task, rows in self._targets.items()}
        return torch.from_numpy(crops), found


def _one_thread(_: int) -> None:
    """Do the same in a loading process that was not forked."""
    cv2.setNumThreads(1)
