"""The end of a run: the best network calibrated, exported, and measured on the test part."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien.card import Card, Task
from mien.data.batches import targets
from mien.data.progress import Watcher, unwatched
from mien.errors import RecipeError
from mien.evaluation import calibration
from mien.evaluation.evaluate import Evaluation, evaluate, table, write_table
from mien.files import atomic_write
from mien.model import Model
from mien.networks.multitask import MultiTaskNet
from mien.training import checkpoint
from mien.training import recipe as recipes
from mien.training.describe import card_of
from mien.training.export import divide_scores, export, with_card
from mien.training.module import Trainee
from mien.training.parts import Part, Parts, targets_of
from mien.training.recipe import Recipe

MODEL: Final = "model.onnx"
METRICS: Final = "metrics.csv"
_BATCH: Final = 128

_Labels = dict[str, NDArray[np.float32]]


def finish(
    recipe: Recipe,
    parts: Parts,
    best: Path,
    folder: Path,
    watch: Watcher = unwatched,
    *,
    threads: int = 0,
) -> tuple[Path, Evaluation]:
    """Make the run's model file.

    The best network is calibrated on the half of the validation part that did not choose it, and
    measured on the test part, which nothing before has seen.

    Args:
        recipe: The run's recipe.
        parts: Its data.
        best: The checkpoint to export.
        folder: The run folder; `model.onnx` and `metrics.csv` appear there.
        watch: Progress over the test part.
        threads: Processor cores to use; 0 for all.

    Returns:
        The model file, and what was measured.

    Raises:
        RecipeError: The checkpoint is not one of this recipe's.
        DataError: There is no test part, or a picture of it cannot be read.
        ModelError: The exported network's answers differ from the trained one's.
        OutputError: The model file cannot be written.
    """
    net = _load(recipe, best)
    labels = targets(parts.calibration.manifest, targets_of(recipe))
    divide_scores(net, _temperatures(net, recipe, parts.calibration, labels))
    card = card_of(recipe, parts)
    data = export(net, card)
    model = Model(data, recipe.name, threads=threads)
    card = _with_intervals(card, model, parts.calibration, labels)
    model = Model(with_card(data, card), recipe.name, threads=threads)
    result = evaluate(model, parts.whole.part("test"), threads=threads, watch=watch)
    card = card.model_copy(update={"metrics": result.metrics, "confusions": result.confusions})
    path = folder / MODEL
    with atomic_write(path, "wb") as file:
        file.write(with_card(data, card))
    rows = table(model, result, split="test", split_hash=parts.whole.split_hash, seed=recipe.seed)
    write_table(folder / METRICS, rows)
    return path, result


def _load(recipe: Recipe, best: Path) -> MultiTaskNet:
    trainee = Trainee(recipe, weights=False)
    try:
        trainee.load_state_dict(checkpoint.load(best)["state_dict"])
    except (KeyError, RuntimeError) as error:
        raise RecipeError(f"{best}: not a checkpoint of this recipe's network") from error
    return trainee.net.eval()


def _crops(part: Part, size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the part's pictures in batches, as use sees them."""
    for start in range(0, len(part.store), _BATCH):
        indices = range(start, min(start + _BATCH, len(part.store)))
        yield np.stack([part.store.crop(index, size) for index in indices])


def _temperatures(
    net: MultiTaskNet, recipe: Recipe, part: Part, labels: _Labels
) -> dict[str, float]:
    with torch.no_grad():
        outputs = [net(torch.from_numpy(crops)) for crops in _crops(part, recipe.input.size)]
    found = {}
    for task in recipe.tasks:
        scores = np.concatenate([output[task.name].numpy() for output in outputs])
        known = exactly_known(task.kind, labels[task.name])
        truth = classes_of(task, labels[task.name][known])
        found[task.name] = calibration.temperature(scores[known], truth)
    return found


def exactly_known(kind: str, labels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of N targets are known, and by more than an interval."""
    return labels[:, 0] == labels[:, 1] if kind == "age" else ~np.isnan(labels[:, 0])


def classes_of(task: recipes.Task, labels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the true class of each row: the heaviest label, or the age in whole years.

    Args:
        task: The recipe's task.
        labels: N x classes, or N x 2 for ages, known exactly; older ages count as the last.
    """
    if task.kind == "classification":
        return np.asarray(labels.argmax(axis=1), np.int64)
    return np.asarray(np.minimum(labels[:, 0].round(), task.outputs - 1), np.int64)


def _with_intervals(card: Card, model: Model, part: Part, labels: _Labels) -> Card:
    """Return the card with the measured margins of each age's intervals."""
    ages = [task.name for task in card.tasks if task.kind == "age"]
    if not ages:
        return card
    outputs = [model.run(crops, ages) for crops in _crops(part, card.input.size)]

    def measured(task: Task) -> Task:
        if task.name not in ages:
            return task
        known = exactly_known(task.kind, labels[task.name])
        truth = labels[task.name][known, 0].astype(np.float64)
        distributions = np.concatenate([output[task.name] for output in outputs])[known]
        margins = calibration.age_margins(distributions, truth)
        return task.model_copy(update={"intervals": margins})

    return card.model_copy(update={"tasks": tuple(map(measured, card.tasks))})
