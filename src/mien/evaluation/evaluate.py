"""A model file measured on a part of a manifest, by the same path that use takes."""

import csv
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.card import Card, Metric, Task
from mien.data.counts import count
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import ModelError, printable, shortened
from mien.evaluation.bootstrap import Resampling, estimates
from mien.evaluation.conditions import condition_figures, read_changed
from mien.evaluation.confusions import class_figures, confusion, reliability
from mien.evaluation.examples import examples, sampled
from mien.evaluation.gaps import as_metric, gaps
from mien.evaluation.labels import Labels, groups_of, in_order, labels_of
from mien.evaluation.metrics import Measure, age_measure
from mien.evaluation.predictions import predictions_of, said_of
from mien.evaluation.reading import Outputs, printed_ages, read, stacked
from mien.evaluation.result import GROUPINGS, AgeFigures, Decade, Evaluation, LabelCount
from mien.evaluation.robustness import (
    WIDTHS,
    Copies,
    Drawing,
    grey_agreement,
    read_copies,
    width_figures,
)
from mien.files import atomic_write, make_folder
from mien.model import Model

GREY_TASK: Final = "expression"
_POINTS: Final = 5000


def evaluate(
    model: Model,
    manifest: Manifest,
    split: str = "test",
    *,
    widths: bool = True,
    grey: str = "",
    seed: int = 0,
    threads: int = 0,
    watch: Watcher = unwatched,
    keep: Path | None = None,
) -> Evaluation:
    """Measure a model file on labelled pictures.

    Faces go the way of `mien predict --faces whole`, other pictures that of a classifier. Ages are
    measured on the printed values, to one decimal. Every figure has a bootstrap interval at 95 %,
    over resamples of groups of identical pictures. Predicted labels do not count.

    Args:
        model: The model file.
        manifest: The whole manifest, whose hashes the result keeps.
        split: The part to measure on.
        widths: Whether to measure at several widths of the face, on up to 1,000 pictures; and, of
            a model of faces, on grey, dark and damaged copies.
        grey: The classification to compare between colour pictures and small grey copies; by
            default "expression" where the model has it. Only with `widths`.
        seed: Seed of all that is drawn.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures.
        keep: Where to keep what the model said of each picture, for comparisons; None: nowhere.

    Raises:
        DataError: The manifest has no such part, a picture cannot be read, a label is not one of
            the model's, or no sample has a label for any of its tasks.
        ModelError: `grey` is not one of the model's classifications.
        OutputError: What is to be kept cannot be written.
    """
    part = manifest.part(split).known()
    grey = _grey_task(model, grey)
    labels_of(model.card, part)
    paths = [sample.path for sample in part.samples]
    outputs = stacked(watch(read(model, paths, threads=threads), len(paths)), model.card.tasks)
    result = measure(model.card, manifest, split, outputs, seed=seed)
    known = labels_of(model.card, part)
    pictures = _Pictures(part.samples, outputs, Resampling(seed))
    if keep is not None:
        contents = tuple(sample.content for sample in part.samples)
        place = split, manifest.split_hash
        predictions_of(model.card.name, place, contents, known, outputs).save(keep)
    wanted = WIDTHS if model.card.input.framing == "face" else ()
    if not widths or not (wanted or grey):
        return result
    drawing = Drawing(wanted, grey=bool(grey), seed=seed)
    copies = read_copies(model, part.samples, drawing, threads=threads, watch=watch)
    found = _with_copies(result, known, pictures, copies, grey)
    if not wanted:
        return found
    changed = read_changed(model, part.samples, seed=seed, threads=threads, watch=watch)
    more = pictures.outputs, copies, changed, pictures.units, pictures.resampling
    figures = (row for labels in known for row in condition_figures(labels, *more))
    return replace(found, conditions=tuple(figures))


def measure(
    card: Card, manifest: Manifest, split: str, outputs: Outputs, *, seed: int = 0
) -> Evaluation:
    """Measure what was already read from the pictures of a part.

    Args:
        card: What the outputs mean.
        manifest: The whole manifest, whose hashes the result keeps.
        split: The part to measure on.
        outputs: Task -> N x outputs for the part's pictures, in order.
        seed: Seed of all that is drawn.

    Raises:
        DataError: There is no such part, a label is not one of the card's, or no picture has one.
    """
    part = manifest.part(split).known()
    known = labels_of(card, part)
    pictures = _Pictures(part.samples, outputs, Resampling(seed))
    metrics = tuple(metric for labels in known for metric in _metrics(labels, pictures))
    result = Evaluation(
        model=card.name,
        version=card.version,
        split=split,
        split_hash=manifest.split_hash,
        data_fingerprint=manifest.fingerprint,
        pictures=len(part.samples),
        seed=seed,
        level=pictures.resampling.level,
        metrics=metrics,
        gaps=gaps(metrics),
        counts=_counts(card, manifest),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    )
    return _with_details(_with_classes(result, known, pictures), known, pictures)


def table(model: Model, result: Evaluation) -> list[dict[str, Any]]:
    """Return the figures as rows that say what they were measured on; gaps between groups last.

    The column `seed` is that of the model's training.
    """
    origin = {"model": result.model, "version": result.version}
    context = {
        "split": result.split,
        "split_hash": result.split_hash,
        "seed": model.card.recipe.get("seed", ""),
        "machine": result.machine,
    }
    return [
        origin
        | metric.model_dump(exclude={"low", "high"})
        | {"value": round(metric.value, 5)}
        | context
        | {"low": _rounded(metric.low), "high": _rounded(metric.high)}
        for metric in (*result.card_metrics, *map(as_metric, result.gaps))
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


def save(
    folder: Path,
    model: Model,
    result: Evaluation,
    history: Path | None = None,
    *,
    embed: bool = False,
) -> Path:
    """Write `evaluation.json`, `metrics.csv` and the report with its pictures into a folder.

    Args:
        folder: Where to; made where it is missing.
        model: The model file.
        result: Its evaluation.
        history: The history.csv of the run that made it, for its training curves.
        embed: Whether the report holds small copies of the best and the worst pictures.

    Returns:
        The report, an HTML file.

    Raises:
        OutputError: A file cannot be written.
    """
    # Drawing needs packages that measuring does not.
    from mien.evaluation.report import write_report

    make_folder(folder)
    with atomic_write(folder / "evaluation.json") as file:
        file.write(result.to_json())
    write_table(folder / "metrics.csv", table(model, result))
    return write_report(result, model.card, folder, history, embed=embed)


class _Pictures:
    """The pictures of a part, with what was read from them."""

    def __init__(self, samples: Sequence[Sample], outputs: Outputs, resampling: Resampling) -> None:
        self.samples, self.outputs, self.resampling = samples, outputs, resampling
        _, self.units = np.unique([sample.content for sample in samples], return_inverse=True)


def _grey_task(model: Model, wanted: str) -> str:
    """Return the classification to compare between colour and grey; "" for none.

    Raises:
        ModelError: The wanted one is not a classification of the model.
    """
    have = [task.name for task in model.card.tasks if task.kind == "classification"]
    if wanted and wanted not in have:
        raise ModelError(
            f"{model.name}: {wanted!r} is no classification of this model, so colour and grey "
            f"cannot be compared by it; it has {', '.join(have) or 'none'}"
        )
    return wanted or (GREY_TASK if GREY_TASK in have else "")


def _metrics(labels: Labels, pictures: _Pictures) -> Iterator[Metric]:
    """Yield a task's figures over all pictures and by group."""
    groupings = [by for by in GROUPINGS if by != "decade" or labels.task.kind == "age"]
    names = {by: groups_of(labels, pictures.samples, by) for by in groupings}
    for measure, rows in said_of(labels, pictures.outputs[labels.task.name]).measures():
        everywhere = np.arange(len(rows))
        yield from _estimates(labels.task, measure, everywhere, rows, pictures)
        for by, groups in names.items():
            own = np.array(groups)[rows]
            if by == "source" and len(set(own.tolist())) == 1:
                continue
            for group in in_order(set(own.tolist()) - {""}, by):
                inside = np.flatnonzero(own == group)
                yield from _estimates(labels.task, measure, inside, rows, pictures, by, group)


def _estimates(
    task: Task,
    measure: Measure,
    inside: NDArray[np.int64],
    rows: NDArray[np.int64],
    pictures: _Pictures,
    by: str = "",
    group: str = "",
) -> Iterator[Metric]:
    units = pictures.units[rows[inside]]
    for name, found in estimates(measure.part(inside), units, pictures.resampling).items():
        yield Metric(
            task=task.name, name=name, pictures=len(inside), by=by, group=group, **found._asdict()
        )


def _with_classes(result: Evaluation, known: list[Labels], pictures: _Pictures) -> Evaluation:
    """Return the result with matrices, figures by class and reliability."""
    matrices, curves = [], []
    for labels in known:
        if labels.task.kind == "classification":
            output = pictures.outputs[labels.task.name][labels.exact]
            task, truth = labels.task, labels.classes
            matrices.append(confusion(task.name, task.labels, truth, output.argmax(axis=1)))
            curves.append(reliability(task.name, truth, output))
    return replace(
        result,
        confusions=tuple(matrices),
        classes=tuple(row for matrix in matrices for row in class_figures(matrix)),
        reliability=tuple(curves),
    )


def _counts(card: Card, manifest: Manifest) -> tuple[LabelCount, ...]:
    """Return how many pictures there are of each label of the card's tasks, in each part."""
    tasks = {task.name for task in card.tasks}
    return tuple(
        LabelCount(found.task, shortened(printable(found.label)), found.parts)
        for found in count(manifest)
        if found.task in tasks
    )


def _with_details(result: Evaluation, known: list[Labels], pictures: _Pictures) -> Evaluation:
    """Return the result with the examples, and the errors over the years."""
    return replace(
        result,
        examples=tuple(
            row
            for labels in known
            for row in examples(labels, pictures.outputs[labels.task.name], pictures.samples)
        ),
        samples=tuple(
            row
            for labels in known
            for row in sampled(
                labels, pictures.outputs[labels.task.name], pictures.samples, result.seed
            )
        ),
        ages=tuple(
            _age_figures(labels, pictures.outputs[labels.task.name], result.seed)
            for labels in known
            if labels.task.kind == "age" and len(labels.exact)
        ),
    )


def _age_figures(labels: Labels, output: NDArray[np.float32], seed: int) -> AgeFigures:
    truth = labels.low[labels.exact]
    printed = printed_ages(labels.task, output[labels.exact])
    measure = age_measure(truth, *printed)
    firsts = (truth // 10 * 10).astype(int)
    decades = []
    for first in np.unique(firsts).tolist():
        inside = measure.part(firsts == first)
        values = inside.values()
        decades.append(
            Decade(first, len(inside), values["mae"], values["bias"], values["coverage"])
        )
    drawn = np.sort(np.random.default_rng(seed).permutation(len(truth))[:_POINTS])
    points = (tuple(column[drawn].tolist()) for column in (truth, *printed))
    return AgeFigures(labels.task.name, tuple(decades), *points)


def _with_copies(
    result: Evaluation, known: list[Labels], pictures: _Pictures, copies: Copies, grey: str
) -> Evaluation:
    """Return the result with what was read from small copies."""
    drawing = pictures.units, pictures.resampling
    compared = grey_agreement(grey, pictures.outputs, copies, *drawing) if grey else None
    return replace(
        result,
        widths=tuple(row for labels in known for row in width_figures(labels, copies, *drawing)),
        grey=compared,
    )


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 5)
