"""Labels that models predict where a manifest has none, so marked that none is taken for truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.card import Task
from mien.data.labels import PREDICTED
from mien.data.manifest import Manifest
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ModelError, shortened
from mien.evaluation.reading import printed_ages, read, stacked
from mien.model import Model

PARTS: Final = ("train", "")
"""The parts that get predicted labels where nothing else is said: train, and none at all."""

CONFIDENCE: Final = 0.9
_LEAST: Final = 5e-5


@dataclass(frozen=True)
class Labelled:
    """A manifest with predicted labels.

    Attributes:
        manifest: The same pictures in the same order.
        predicted: How many of them got a label.
        unsure: How many got none, as the models are not sure enough.
    """

    manifest: Manifest
    predicted: int
    unsure: int


def label(
    manifest: Manifest,
    models: Sequence[Model],
    task: str,
    *,
    parts: Sequence[str] = PARTS,
    confidence: float = CONFIDENCE,
    widest: float | None = None,
    threads: int = 0,
    watch: Watcher = unwatched,
) -> Labelled:
    """Label the pictures that have no label of a task by what models say of them.

    Several models' probabilities are averaged. A class comes with all probabilities, in the columns
    of votes, so that a training learns them; an age, or another number, is the estimate. The column
    `TASK:predicted` names the models. Evaluation, calibration and the choice of the best epoch
    leave such labels out. Labels that were predicted before are kept.

    Faces are read as `mien predict --faces whole` reads them, other pictures as a classifier does.

    Args:
        manifest: The pictures.
        models: At least one; all of them read the task alike.
        task: The task.
        parts: The parts whose pictures are labelled; "" for pictures in no part.
        confidence: Least probability that the likeliest class must have.
        widest: Largest width in years of an age's interval; None for any.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures; called for each model.

    Raises:
        ModelError: A model does not read the task, or the models read it differently.
        DataError: No picture lacks a label, or a picture cannot be read.
    """
    described = _described(models, task)
    rows = [
        row
        for row, sample in enumerate(manifest.samples)
        if sample.split in parts and not sample.tells(task)
    ]
    if not rows:
        named = " and ".join(part or "no part" for part in parts)
        raise DataError(f"no picture in {named} lacks a label of the task {task!r}")
    paths = [manifest.samples[row].path for row in rows]
    means: NDArray[np.float64] = np.zeros((len(rows), described.outputs))
    for model in models:
        outputs = stacked(watch(read(model, paths, threads=threads), len(paths)), model.card.tasks)
        own = model.card.task(task)
        order = [own.labels.index(name) for name in described.labels] or slice(None)
        means += outputs[task][:, order] / len(models)
    answers = _answers(described, means, confidence, widest)
    names = dict.fromkeys(f"{model.card.name} {model.card.version}" for model in models)
    mark = {f"{task}{PREDICTED}": shortened(", ".join(names))}
    samples = list(manifest.samples)
    for row, answer in zip(rows, answers, strict=True):
        if answer:
            sample = samples[row]
            samples[row] = replace(sample, labels=sample.labels | answer | mark)
    count = sum(map(bool, answers))
    return Labelled(Manifest(tuple(samples)), count, len(rows) - count)


def _described(models: Sequence[Model], task: str) -> Task:
    """Return the task as the first model describes it, once all are known to read it alike."""
    for model in models:
        if task not in model.outputs:
            raise ModelError(
                f"{model.name}: reads no {task!r}; it reads {', '.join(model.outputs)}"
            )
    first, *others = (model.card.task(task) for model in models)
    for model, other in zip(models[1:], others, strict=True):
        mine = (first.kind, sorted(first.labels), first.outputs)
        if mine != (other.kind, sorted(other.labels), other.outputs):
            raise ModelError(
                f"{model.name}: its {task} is a {other.kind} of "
                f"{', '.join(other.labels) or other.outputs}, and that of {models[0].name} a "
                f"{first.kind} of {', '.join(first.labels) or first.outputs}; they cannot be "
                "averaged"
            )
    return first


def _answers(
    task: Task, means: NDArray[np.float64], confidence: float, widest: float | None
) -> list[dict[str, str]]:
    """Return the labels of each picture: column -> text; none where the models are not sure."""
    if task.kind == "classification":
        return [_classes(task, row) if row.max() >= confidence else {} for row in means]
    if task.kind == "regression":
        return [{task.name: f"{value:.6g}"} for value in means[:, 0]]
    years, low, high = printed_ages(task, means.astype(np.float32))
    sure = high - low <= (np.inf if widest is None else widest)
    return [
        {task.name: f"{y:g}"} if is_sure else {} for y, is_sure in zip(years, sure, strict=True)
    ]


def _classes(task: Task, row: NDArray[np.float64]) -> dict[str, str]:
    """Return the likeliest class, and the probability of each that has one to speak of."""
    votes = {
        f"{task.name}/{name}": f"{value:.4f}"
        for name, value in zip(task.labels, row.tolist(), strict=True)
        if value >= _LEAST
    }
    return {task.name: task.labels[int(row.argmax())]} | votes
