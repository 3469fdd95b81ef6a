"""A run's history, one row an epoch, and its progress from step to step."""

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytorch_lightning as pl

from mien.data.progress import Watcher
from mien.files import atomic_write

if TYPE_CHECKING:
    from mien.training.module import Trainee

Row = Mapping[str, str]
"""Name of a figure -> its value as text; `epoch` counts from 1."""


_NOTED: Final = 5
"""Every how many steps the losses are read, for which an accelerator has to be waited for."""

_SMOOTHED: Final = 10


class History(pl.Callback):
    """Writes a row an epoch to history.csv; checkpoints carry the rows of their past.

    Args:
        path: The file to write.
        tell: Gets each new row.
    """

    def __init__(self, path: Path, tell: Callable[[Row], None]) -> None:
        self._path, self._tell = path, tell
        self._rows: list[Row] = []
        self._begun = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the epoch's clock."""
        self._begun = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch's figures, before its checkpoint is written."""
        trainee = cast("Trainee", pl_module)
        course = trainee.course
        known = {
            "epoch": str(trainer.current_epoch + 1),
            "stage": str(course.stage + 1),
            "size": str(course.size),
            "rate": f"{trainee.rate(1.0):.6g}",
            "seconds": f"{time.monotonic() - self._begun:.1f}",
        }
        figures = {key: f"{float(value):.6g}" for key, value in trainer.callback_metrics.items()}
        self._rows.append(known | figures)
        if trainer.is_global_zero:
            self._write()
            self._tell(self._rows[-1])

    def _write(self) -> None:
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        with atomic_write(self._path, newline="") as file:
            table = csv.DictWriter(file, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(self._rows)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far."""
        return {"rows": [dict(row) for row in self._rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of a run that goes on."""
        self._rows = list(state_dict["rows"])


class Steps(pl.Callback):
    """Shows the progress over all steps of a run, and its losses on the way.

    Args:
        watch: Wraps the loop over the steps.
        total: How many steps the run may have.
        note: Gets the losses, smoothed over some dozen steps.
    """

    def __init__(self, watch: Watcher, total: int, note: Callable[[str], None]) -> None:
        self._watch, self._total, self._note = watch, total, note
        self._left: Iterator[int] = iter(())
        self._losses: dict[str, float] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin with the steps that are left."""
        left = range(trainer.global_step, self._total)
        self._left = iter(self._watch(left, len(left)))
        next(self._left, None)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count a step."""
        if trainer.global_step % _NOTED == 0:
            for name, loss in cast("Trainee", pl_module).latest.items():
                before = self._losses.get(name, float(loss))
                self._losses[name] = before + (float(loss) - before) / _SMOOTHED
            parts = ", ".join(f"{name} {loss:.3f}" for name, loss in self._losses.items())
            self._note(f"epoch {trainer.current_epoch + 1}, losses: {parts}")
        next(self._left, None)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """End the display, wherever it stands."""
        self._left = iter(())
