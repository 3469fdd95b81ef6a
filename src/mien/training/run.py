"""A training from recipe to run folder: data, epochs, checkpoints, history, model file."""

import csv
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from pydantic import ValidationError
from pytorch_lightning.callbacks import EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mien.data import manifest as manifests
from mien.data.batches import BatchPlan, Target, targets
from mien.data.manifest import Manifest
from mien.data.split import part_of
from mien.data.store import Framing, Store, Watcher, open_store
from mien.errors import RecipeError
from mien.faces import TEMPLATE
from mien.files import atomic_write
from mien.training.checkpoint import SafeCheckpointIO
from mien.training.module import Trainee
from mien.training.recipe import Recipe

LAST: Final = "last.safetensors"
BEST: Final = "best.safetensors"
RECIPE: Final = "recipe.json"


@dataclass(frozen=True)
class Part:
    """One part of the data: its samples, and their pictures in the same order."""

    manifest: Manifest
    store: Store


@dataclass(frozen=True)
class Parts:
    """What a training sees. The validation part is halved by group of identical pictures.

    Attributes:
        whole: The manifest that the parts come from.
        train: Trained on.
        choice: The half of the validation part that chooses the best epoch.
        calibration: The half that calibrates the chosen one.
    """

    whole: Manifest
    train: Part
    choice: Part
    calibration: Part


def framing_of(recipe: Recipe) -> Framing:
    """Return how the recipe's network sees a picture."""
    return Framing(recipe.input.size, TEMPLATE if recipe.input.framing == "face" else None)


def targets_of(recipe: Recipe) -> list[Target]:
    """Return what the recipe's tasks learn from a manifest."""
    return [Target(task.name, task.labels or None) for task in recipe.tasks]


def load_parts(recipe: Recipe, cache: Path, watch: Watcher) -> Parts:
    """Read the manifest and open the pictures of its training and validation parts.

    Raises:
        DataError: The manifest is not valid, a part is empty, or a picture cannot be read.
    """
    whole = manifests.read(recipe.data.manifest)
    halves: dict[str, list[manifests.Sample]] = {"train": [], "validation": []}
    validation = whole.part("validation")
    for sample in validation.samples:
        halves[part_of(sample.content, (0.5, 0.5, 0.0), recipe.seed + 1)].append(sample)

    def part(manifest: Manifest) -> Part:
        return Part(manifest, open_store(manifest, framing_of(recipe), cache, watch))

    return Parts(
        whole,
        part(whole.part("train")),
        part(Manifest(tuple(halves["train"]))),
        part(Manifest(tuple(halves["validation"]))),
    )


class _TrainingBatches(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """The batches of one epoch."""

    def __init__(self, plan: BatchPlan, first: int, count: int, size: int) -> None:
        self._plan, self._first, self._count, self._size = plan, first, count, size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        if index >= self._count:
            raise IndexError(index)
        batch = self._plan.batch(self._first + index, self._size)
        tensors = {task: torch.from_numpy(rows) for task, rows in batch.targets.items()}
        return torch.from_numpy(batch.pixels), tensors


class _PlainBatches(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """A part's pictures in order, as use sees them."""

    def __init__(self, part: Part, recipe: Recipe) -> None:
        self._store = part.store
        self._targets = targets(part.manifest, targets_of(recipe))
        self._size, self._batch = recipe.input.size, 2 * recipe.optimiser.batch

    def __len__(self) -> int:
        return -(-len(self._store) // self._batch)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        if index >= len(self):
            raise IndexError(index)
        chosen = range(len(self._store))[index * self._batch : (index + 1) * self._batch]
        crops = np.stack([self._store.crop(i, self._size) for i in chosen])
        found = {task: torch.from_numpy(rows[chosen]) for task, rows in self._targets.items()}
        return torch.from_numpy(crops), found


class Batches(pl.LightningDataModule):
    """The batches of a run, each epoch at its stage's input size."""

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


def _loader(batches: Dataset[Any]) -> DataLoader[Any]:
    # One process prepares ahead; more would take the cores from the network.
    return DataLoader(
        batches, batch_size=None, num_workers=1, worker_init_fn=_one_thread, prefetch_factor=4
    )


def _one_thread(_: int) -> None:
    cv2.setNumThreads(1)


class _History(pl.Callback):
    """Writes one row an epoch to history.csv; a resumed run takes up the rows of its past."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self._path, self._recipe = path, recipe
        self._rows: list[dict[str, str]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._path.exists():
            with self._path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            self._rows = [row for row in rows if int(row["epoch"]) <= trainer.current_epoch]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        logged = {
            key: f"{float(value):.6g}"
            for key, value in trainer.callback_metrics.items()
            if not key.endswith("_step") and key != "loss"
        }
        epoch = trainer.current_epoch
        known = {"epoch": str(epoch + 1), "size": str(self._recipe.size_at(epoch))}
        self._rows.append(known | logged)
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        with atomic_write(self._path, newline="") as file:
            table = csv.DictWriter(file, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(self._rows)


class _Progress(TQDMProgressBar):
    """Lightning's bar without the version of a logger that is not there."""

    def get_metrics(self, *args: Any) -> dict[str, Any]:
        items = super().get_metrics(*args)
        items.pop("v_num", None)
        return items


def fit(recipe: Recipe, parts: Parts, folder: Path, *, resume: bool, device: str = "auto") -> Path:
    """Train a recipe's network, and leave checkpoints and history in the run folder.

    Args:
        recipe: What to train.
        parts: The data.
        folder: The run folder.
        resume: Whether to go on from the folder's last checkpoint.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        The best checkpoint, by the losses on the choosing half of the validation part.

    Raises:
        RecipeError: There is nothing to resume, or the folder holds another training.
        FloatingPointError: The loss is not a number; the checkpoints before it stand.
    """
    _claim(recipe, folder, resume)
    pl.seed_everything(recipe.seed, verbose=False)
    keepers = [_keeper(folder, "best", monitor="validation/loss"), _keeper(folder, "last")]
    with _quiet():
        trainer = pl.Trainer(
            accelerator=device,
            devices=1,
            max_epochs=recipe.epochs,
            logger=False,
            plugins=[SafeCheckpointIO()],
            callbacks=[
                EMAWeightAveraging(decay=recipe.optimiser.average),
                _History(folder / "history.csv", recipe),
                *keepers,
                _Progress(refresh_rate=10),
            ],
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            enable_model_summary=False,
        )
        last = folder / LAST
        trainer.fit(
            Trainee(recipe),
            datamodule=Batches(recipe, parts),
            ckpt_path=str(last) if resume and last.exists() else None,
        )
    if trainer.interrupted:
        raise KeyboardInterrupt
    return folder / BEST


def _keeper(folder: Path, name: str, monitor: str | None = None) -> ModelCheckpoint:
    """Return what writes one checkpoint after each epoch, or after each that is the best yet."""
    keeper = ModelCheckpoint(
        folder,
        filename=name,
        monitor=monitor,
        enable_version_counter=False,
        auto_insert_metric_name=False,
    )
    keeper.FILE_EXTENSION = ".safetensors"
    return keeper


def recipe_of(folder: Path) -> Recipe:
    """Return the recipe that a run was started with.

    Raises:
        RecipeError: The folder holds no run.
    """
    try:
        return Recipe.model_validate_json((folder / RECIPE).read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{folder}: holds no run to resume") from error
    except ValidationError as error:
        raise RecipeError(f"{folder / RECIPE}: not a recipe of this version of mien") from error


def _claim(recipe: Recipe, folder: Path, resume: bool) -> None:
    """Make the run folder hold this recipe, or refuse one that holds another."""
    written = folder / RECIPE
    wanted = recipe.model_dump(mode="json")
    if written.exists():
        if not resume:
            raise RecipeError(
                f"{folder}: holds a run already; go on with it by --resume, or name another folder"
            )
        if json.loads(written.read_text()) != wanted:
            raise RecipeError(f"{folder}: its run was started with another recipe; see {written}")
        return
    if resume:
        raise RecipeError(f"{folder}: holds no run to resume")
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(written) as file:
        json.dump(wanted, file, indent=2)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back Lightning's advice on loading processes, which is decided here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*[Cc]heckpoint directory .* exists.*")
        warnings.filterwarnings("ignore", message=".*you set .*log_every_n_steps.*")
        yield
