"""A run's history, one row an epoch, and its progress from step to step."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from mien.data.progress import Watcher
from mien.files import atomic_write
from mien.training.recipe import Recipe

Row = Mapping[str, str]
"""Name of a figure -> its value as text; `epoch` counts from 1."""


class History(pl.Callback):
    """Writes a row an epoch to history.csv; checkpoints carry the rows of their past.

    Args:
        path: The file to write.
        recipe: What is trained.
        tell: Gets each new row.
    """

    def __init__(self, path: Path, recipe: Recipe, tell: Callable[[Row], None]) -> None:
        self._path, self._recipe, self._tell = path, recipe, tell
        self._rows: list[Row] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch's figures, before its checkpoint is written."""
        figures = {key: f"{float(value):.6g}" for key, value in trainer.callback_metrics.items()}
        epoch = trainer.current_epoch
        known = {"epoch": str(epoch + 1), "size": str(self._recipe.size_at(epoch))}
        self._rows.append(known | figures)
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        with atomic_write(self._path, newline="") as file:
            table = csv.DictWriter(file, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(self._rows)
        self._tell(self._rows[-1])

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": [dict(row) for row in self._rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of a run that goes on."""
        self._rows = list(state_dict["rows"])


class Steps(pl.Callback):
    """Shows the progress over all steps of a run.

    Args:
        watch: Wraps the loop over the steps.
        total: How many steps the run has.
    """

    def __init__(self, watch: Watcher, total: int) -> None:
        self._watch, self._total = watch, total
        self._left: Iterator[int] = iter(())

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin with the steps that are left."""
        left = range(trainer.global_step, self._total)
        self._left = iter(self._watch(left, len(left)))
        next(self._left, None)

    def on_train_batch_end(self, *_: Any) -> None:
        """Count a step."""
        next(self._left, None)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """End the display, wherever it stands."""
        self._left = iter(())
