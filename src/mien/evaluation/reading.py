"""Pictures to a network's outputs, by the same path that use takes."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.ages import Age, expected, intervals
from mien.analyzer import Analyzer, Attribute
from mien.card import Task
from mien.errors import DataError, ImageError
from mien.evaluation.metrics import Numbers
from mien.faces import view_of_picture
from mien.images import Source
from mien.model import Model
from mien.pipeline import in_batches
from mien.pixels import Image, sample

Outputs = dict[str, NDArray[np.float32]]
"""Task -> N x outputs, or the outputs for one picture: probabilities, or one number."""

_BATCH: Final = 16


def read(model: Model, pictures: Iterable[Source], *, threads: int = 0) -> Iterator[Outputs]:
    """Yield the outputs for each picture, of all the model's tasks.

    Faces go the way of `mien predict --faces whole`, other pictures that of a classifier.

    Args:
        model: The model file.
        pictures: As `mien.Analyzer` takes them.
        threads: Processor cores to use; 0 for all.

    Raises:
        DataError: A picture cannot be read.
    """
    if model.card.input.framing == "face":
        analyzer = Analyzer(model, tasks=model.outputs, faces="whole", threads=threads)
        for reading in analyzer.read(pictures):
            if reading.error is not None:
                raise DataError(str(reading.error))
            found = reading.faces[0].attributes
            yield {name: _numbers(value) for name, value in found.items()}
    else:
        crop = partial(_crop, size=model.card.input.size)
        run = partial(_run, model)
        threads = threads or os.cpu_count() or 1
        yield from in_batches(pictures, crop, run, threads=threads, batch=_BATCH)


def stacked(rows: Iterable[Outputs], tasks: Sequence[Task]) -> Outputs:
    """Return the outputs for N pictures as one array a task."""
    columns: dict[str, list[NDArray[np.float32]]] = {task.name: [] for task in tasks}
    for row in rows:
        for name, column in columns.items():
            column.append(row[name])
    return {
        task.name: np.array(columns[task.name], np.float32).reshape(-1, task.outputs)
        for task in tasks
    }


def printed_ages(task: Task, output: NDArray[np.float32]) -> tuple[Numbers, Numbers, Numbers]:
    """Return N estimates with their intervals' ends, to one decimal as they are printed."""
    ends = (expected(output), *intervals(output, task.intervals))
    years, low, high = (np.array([round(float(y), 1) for y in values]) for values in ends)
    return years, low, high


def _numbers(found: Attribute | Age | float) -> NDArray[np.float32]:
    if isinstance(found, Attribute):
        return np.array(list(found.probabilities.values()), np.float32)
    if isinstance(found, Age):
        return found.distribution
    return np.array([found], np.float32)


def _crop(source: Source, size: int) -> Image:
    try:
        pixels = images.load(source).pixels
    except ImageError as error:
        raise DataError(str(error)) from error
    view = view_of_picture(pixels.shape[1], pixels.shape[0], inside=True)
    return sample(pixels, view, size)


def _run(model: Model, crops: Sequence[Image]) -> list[Outputs]:
    outputs = model.run(np.stack(crops))
    return [{name: rows[n] for name, rows in outputs.items()} for n in range(len(crops))]
