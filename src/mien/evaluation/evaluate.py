"""A model file measured on a part of a manifest, by the same path that use takes."""

import csv
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien import ages
from mien.analyzer import Analyzer, Attribute
from mien.card import Confusion, Metric, Task
from mien.classifier import Classifier
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError
from mien.evaluation.metrics import age_errors, class_errors, confusion
from mien.files import atomic_write
from mien.model import Model

GROUPINGS: Final = ("gender", "race", "age_group")


@dataclass(frozen=True)
class Evaluation:
    """What a model file is worth on one part.

    Attributes:
        metrics: The figures, over all pictures and by group.
        confusions: One matrix a classification.
        pictures: How many pictures were measured.
    """

    metrics: tuple[Metric, ...]
    confusions: tuple[Confusion, ...]
    pictures: int

    def value(self, task: str, name: str) -> float:
        """Return a figure over all pictures.

        Raises:
            KeyError: It was not measured.
        """
        for metric in self.metrics:
            if (metric.task, metric.name, metric.by) == (task, name, ""):
                return metric.value
        raise KeyError(f"{task} {name}")


def evaluate(
    model: Model, part: Manifest, *, threads: int = 0, watch: Watcher = unwatched
) -> Evaluation:
    """Measure a model file on labelled pictures.

    Faces go the way of `mien predict --faces whole`, other pictures that of a classifier. Ages are
    measured on the printed values, to one decimal.

    Args:
        model: The model file.
        part: The samples to measure on.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures.

    Raises:
        DataError: A picture cannot be read, a label is not one of the model's, or no sample has a
            label for any of its tasks.
    """
    labelled = _labelled(model, part)
    outputs = _predict(model, part, threads, watch)
    metrics: list[Metric] = []
    confusions = []
    for task, known in labelled:
        samples = [sample for sample, has in zip(part.samples, known, strict=True) if has]
        output = outputs[task.name][known]
        measure = _measure_age if task.kind == "age" else _measure_class
        metrics += measure(task, samples, output, "", "")
        for by in GROUPINGS:
            metrics += _by_group(task, samples, output, by, measure)
        if task.kind == "classification":
            counts = confusion(_indices(task, samples), output.argmax(1), len(task.labels))
            rows = tuple(tuple(int(count) for count in row) for row in counts)
            confusions.append(Confusion(task=task.name, labels=task.labels, counts=rows))
    return Evaluation(tuple(metrics), tuple(confusions), len(part.samples))


def table(
    model: Model, result: Evaluation, *, split: str, split_hash: str, seed: object = ""
) -> list[dict[str, Any]]:
    """Return the figures as rows that say what they were measured on."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    origin = {"model": model.card.name, "version": model.card.version}
    context = {"split": split, "split_hash": split_hash, "seed": seed, "machine": machine}
    return [
        origin | metric.model_dump() | {"value": round(metric.value, 5)} | context
        for metric in result.metrics
    ]


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows of equal keys as CSV; the file appears whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    with atomic_write(path, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _labelled(model: Model, part: Manifest) -> list[tuple[Task, NDArray[np.bool_]]]:
    """Return the tasks that can be measured, with which samples have a label; check the labels.

    Raises:
        DataError: There is no such task, or a label is wrong.
    """
    tasks = [task for task in model.card.tasks if task.kind != "regression"]
    if model.card.input.framing != "face":
        # Use reads one task of a whole-picture model.
        tasks = [Classifier(model).task]
    found = []
    for task in tasks:
        known = np.array([task.name in sample.labels for sample in part.samples])
        samples = [sample for sample in part.samples if task.name in sample.labels]
        (_years if task.kind == "age" else _indices)(task, samples)
        if samples:
            found.append((task, known))
    if not found:
        raise DataError(
            f"the manifest has no label for the model's tasks, {', '.join(t.name for t in tasks)}; "
            f"its columns are {', '.join(part.columns) or 'none'}"
        )
    return found


def _predict(
    model: Model, part: Manifest, threads: int, watch: Watcher
) -> dict[str, NDArray[np.float32]]:
    """Return task -> N x outputs, in the order of the samples."""
    paths = [sample.path for sample in part.samples]
    names = [task.name for task in model.card.tasks]
    rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    if model.card.input.framing == "face":
        analyzer = Analyzer(model, tasks=names, faces="whole", threads=threads)
        for reading in watch(analyzer.read(paths), len(paths)):
            if reading.error is not None:
                raise DataError(str(reading.error))
            for name, found in reading.faces[0].attributes.items():
                rows[name].append(_numbers(found))
    else:
        classifier = Classifier(model, threads=threads)
        task = classifier.task
        for ranking in watch(classifier.read(paths), len(paths)):
            if ranking.error is not None:
                raise DataError(str(ranking.error))
            order = {guess.label: guess.probability for guess in ranking.guesses}
            rows[task.name].append(np.array([order[label] for label in task.labels], np.float32))
    return {name: np.stack(values) for name, values in rows.items() if values}


def _numbers(found: Attribute | ages.Age | float) -> NDArray[np.float32]:
    if isinstance(found, Attribute):
        return np.array(list(found.probabilities.values()), np.float32)
    if isinstance(found, ages.Age):
        return found.distribution
    return np.array([found], np.float32)


_Measure = Callable[
    [Task, Sequence[Sample], NDArray[np.float32], str, str],
    list[Metric],
]


def _by_group(
    task: Task,
    samples: Sequence[Sample],
    output: NDArray[np.float32],
    by: str,
    measure: _Measure,
) -> list[Metric]:
    groups = [_group(sample, by) for sample in samples]
    metrics = []
    for group in sorted({group for group in groups if group}):
        inside = np.array([other == group for other in groups])
        chosen = [sample for sample, has in zip(samples, inside, strict=True) if has]
        metrics += measure(task, chosen, output[inside], by, group)
    return metrics


def _group(sample: Sample, by: str) -> str:
    if by != "age_group":
        return sample.labels.get(by, "")
    return ages.group_of(sample.number("age")) if "age" in sample.labels else ""


def _measure_age(
    task: Task, samples: Sequence[Sample], output: NDArray[np.float32], by: str, group: str
) -> list[Metric]:
    ends = (ages.expected(output), *ages.intervals(output, task.intervals))
    printed = (np.array([round(float(years), 1) for years in values]) for values in ends)
    errors = age_errors(_years(task, samples), *printed)
    return _metrics(task, asdict(errors), len(samples), by, group)


def _measure_class(
    task: Task, samples: Sequence[Sample], output: NDArray[np.float32], by: str, group: str
) -> list[Metric]:
    errors = class_errors(_indices(task, samples), output)
    return _metrics(task, asdict(errors), len(samples), by, group)


def _metrics(
    task: Task, figures: dict[str, float], pictures: int, by: str, group: str
) -> list[Metric]:
    return [
        Metric(task=task.name, name=name, value=value, pictures=pictures, by=by, group=group)
        for name, value in figures.items()
    ]


def _years(task: Task, samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Return the true ages.

    Raises:
        DataError: A label is not a number.
    """
    return np.array([sample.number(task.name) for sample in samples], np.float64)


def _indices(task: Task, samples: Sequence[Sample]) -> NDArray[np.int64]:
    """Return the true classes by index.

    Raises:
        DataError: A label is not one of the task's.
    """
    order = {label: index for index, label in enumerate(task.labels)}
    for sample in samples:
        if sample.labels[task.name] not in order:
            raise DataError(
                f"{sample.path}: {task.name} is {sample.labels[task.name]!r}; the model's labels "
                f"are {', '.join(task.labels)}"
            )
    return np.array([order[sample.labels[task.name]] for sample in samples], np.int64)
