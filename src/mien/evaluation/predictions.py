"""What a model said of each test picture, kept small and without a picture, to be compared later.

A file of NumPy arrays, never a pickle. Classifications keep their probabilities, ages the printed
estimate with its interval's ends, other numbers themselves.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.evaluation.labels import Labels
from mien.evaluation.metrics import (
    Measure,
    Numbers,
    age_measure,
    class_measure,
    interval_measure,
    regression_measure,
)
from mien.evaluation.reading import Outputs, printed_ages
from mien.files import atomic_write

NAME: Final = "predictions.npz"

_ABOUT: Final = "about"
_FORM: Final = 1
_LARGEST: Final = 2**30


@dataclass(frozen=True, eq=False)
class Said:
    """What a model said of one task, picture by picture.

    Attributes:
        kind: What the task's output means.
        labels: The classes of a classification.
        truth: N x 2, the ends of what is known; class indices for a classification; nan where
            nothing is.
        output: N x classes, probabilities; N x 3, an age with its interval's ends; or N x 1.
    """

    kind: Literal["classification", "age", "regression"]
    labels: tuple[str, ...]
    truth: Numbers
    output: NDArray[np.float32]

    @property
    def exact(self) -> NDArray[np.int64]:
        """The indices of the pictures whose truth is known itself."""
        return np.flatnonzero(self.truth[:, 0] == self.truth[:, 1])

    @property
    def by_interval(self) -> NDArray[np.int64]:
        """The indices of the pictures whose truth is known by an interval only."""
        return np.flatnonzero(self.truth[:, 0] < self.truth[:, 1])

    @property
    def classes(self) -> NDArray[np.int64]:
        """The true classes of the pictures in `exact`."""
        return np.asarray(self.truth[self.exact, 0], np.int64)

    def measures(self) -> Iterator[tuple[Measure, NDArray[np.int64]]]:
        """Yield the task's measures, each with the indices of the pictures that it is about."""
        rows, apart = self.exact, self.by_interval
        known = self.truth[rows, 0]
        if self.kind == "classification":
            yield class_measure(self.classes, self.output[rows]), rows
        elif self.kind == "regression":
            numbers = self.output[:, 0].astype(np.float64)
            if len(rows):
                yield regression_measure(known, numbers[rows]), rows
            if len(apart):
                ends = self.truth[apart, 0], self.truth[apart, 1]
                yield interval_measure(*ends, numbers[apart]), apart
        else:
            years, low, high = np.asarray(self.output, np.float64).round(1).T
            if len(rows):
                yield age_measure(known, years[rows], low[rows], high[rows]), rows
            if len(apart):
                ends = self.truth[apart, 0], self.truth[apart, 1]
                yield interval_measure(*ends, years[apart]), apart


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of the pictures of one part.

    Attributes:
        model: The model's name.
        split: Name of the part.
        split_hash: Hash over which picture lies in which part.
        contents: N fingerprints of the pictures' pixels.
        tasks: Task -> what was said of it.
    """

    model: str
    split: str
    split_hash: str
    contents: tuple[str, ...]
    tasks: Mapping[str, Said]

    def save(self, path: Path) -> None:
        """Write the file; it appears whole or not at all.

        Raises:
            OutputError: It cannot be written.
        """
        about = {
            "form": _FORM,
            "model": self.model,
            "split": self.split,
            "split_hash": self.split_hash,
            "tasks": [
                {"name": name, "kind": said.kind, "labels": list(said.labels)}
                for name, said in self.tasks.items()
            ],
        }
        arrays: dict[str, Any] = {
            _ABOUT: np.array(json.dumps(about)),
            "contents": np.array(self.contents, np.str_),
        }
        for name, said in self.tasks.items():
            arrays[f"{name}.truth"] = said.truth
            arrays[f"{name}.output"] = said.output
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        with atomic_write(path, "wb") as file:
            file.write(buffer.getvalue())


def said_of(labels: Labels, output: NDArray[np.float32]) -> Said:
    """Return what was said of one task.

    Args:
        labels: What is known of N pictures.
        output: N x outputs, as the network gives them.
    """
    kept = output
    if labels.task.kind == "age":
        kept = np.stack(printed_ages(labels.task, output), axis=1).astype(np.float32)
    truth = np.stack([labels.low, labels.high], axis=1)
    return Said(labels.task.kind, labels.task.labels, truth, kept)


def predictions_of(
    model: str,
    split: tuple[str, str],
    contents: tuple[str, ...],
    known: list[Labels],
    outputs: Outputs,
) -> Predictions:
    """Return what a model said of a part.

    Args:
        model: The model's name.
        split: The part's name, and the hash of the split.
        contents: N fingerprints.
        known: What is known of the N pictures, task by task.
        outputs: Task -> N x outputs.
    """
    tasks = {labels.task.name: said_of(labels, outputs[labels.task.name]) for labels in known}
    return Predictions(model, *split, contents, tasks)


def read_predictions(path: Path) -> Predictions:
    """Read what `Predictions.save` wrote.

    Raises:
        DataError: The file is missing, or is no such file.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path}: not kept predictions: more than {_LARGEST >> 20} MiB")
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            about = json.loads(str(found[_ABOUT]))
            if about["form"] != _FORM:
                raise ValueError(f"its form {about['form']!s:.20} is not known")
            contents = tuple(map(str, found["contents"].tolist()))
            tasks = {
                task["name"]: Said(
                    task["kind"],
                    tuple(task["labels"]),
                    np.asarray(found[f"{task['name']}.truth"], np.float64),
                    np.asarray(found[f"{task['name']}.output"], np.float32),
                )
                for task in about["tasks"]
            }
            read = Predictions(about["model"], about["split"], about["split_hash"], contents, tasks)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(
            f"{path}: not kept predictions ({error}); measure the model again"
        ) from error
    _check(path, read)
    return read


def _check(path: Path, read: Predictions) -> None:
    """Check that the arrays fit each other.

    Raises:
        DataError: They do not.
    """
    count = len(read.contents)
    for name, said in read.tasks.items():
        columns = {"classification": len(said.labels), "age": 3, "regression": 1}.get(said.kind)
        if said.truth.shape != (count, 2) or said.output.shape != (count, columns):
            raise DataError(
                f"{path}: not kept predictions: {name} holds {said.truth.shape} labels and "
                f"{said.output.shape} outputs for {count} pictures; measure the model again"
            )
