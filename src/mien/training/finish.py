"""The end of a run: the best network calibrated, exported, measured on the test part, reported."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from mien import ages, draw
from mien.card import Card, Task
from mien.data.batches import targets
from mien.data.progress import Watcher, unwatched
from mien.data.show import changed_tiles, choose, sheet
from mien.errors import ModelError, RecipeError
from mien.evaluation import calibration
from mien.evaluation.calibration import Scaling
from mien.evaluation.evaluate import evaluate, save
from mien.evaluation.predictions import NAME as PREDICTIONS
from mien.evaluation.result import AUGMENTED, Evaluation
from mien.files import atomic_write
from mien.model import RUN_FILE, Model
from mien.networks.multitask import Looks, MultiTaskNet
from mien.training import checkpoint
from mien.training import recipe as recipes
from mien.training.describe import card_of
from mien.training.export import export, scale_scores, with_card
from mien.training.module import Trainee
from mien.training.parts import Part, Parts, framing_of, targets_of
from mien.training.quantise import quantise
from mien.training.recipe import Recipe
from mien.training.run import HISTORY

_BATCH: Final = 128
_SHOWN: Final = 6
"""Pictures, and changes of each, that show the augmentation."""

_LEARNT_FROM: Final = 512
"""Pictures from which int8's ranges are learnt."""

_Labels = dict[str, NDArray[np.float32]]


def finish(
    recipe: Recipe,
    parts: Parts,
    best: Path,
    folder: Path,
    watch: Watcher = unwatched,
    *,
    threads: int = 0,
    embed: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[Path, Evaluation]:
    """Make the run's model file and its report.

    The best network is calibrated on the half of the validation part that did not choose it, and
    measured on the test part, which nothing before has seen.

    Args:
        recipe: The run's recipe.
        parts: Its data.
        best: The checkpoint to export.
        folder: The run folder; the model file, metrics and report appear there.
        watch: Progress over the test part.
        threads: Processor cores to use; 0 for all.
        embed: Whether the report holds small copies of some pictures.
        tell: Gets what a user should know, as that int8 was refused.

    Returns:
        The model file, and what was measured.

    Raises:
        RecipeError: The checkpoint is not one of this recipe's.
        DataError: There is no test part, or a picture of it cannot be read.
        ModelError: The exported network's answers differ from the trained one's.
        OutputError: A file cannot be written.
    """
    net = _load(recipe, best)
    if recipe.file.mirror or recipe.file.shift:
        net.looks = Looks(recipe.file.mirror, recipe.file.shift)
    labels = drawn_ages(
        recipe.tasks, targets(parts.calibration.manifest, targets_of(recipe)), recipe.seed
    )
    if recipe.file.calibrate:
        scale_scores(net, _scalings(net, recipe, parts.calibration, labels))
    card = card_of(recipe, parts)
    data = _stored(recipe, net, card, parts, tell)
    card = _with_intervals(card, Model(data, recipe.name, threads=threads), parts, labels)
    model = Model(with_card(data, card), recipe.name, threads=threads)
    result = evaluate(
        model,
        parts.whole,
        seed=recipe.seed,
        threads=threads,
        watch=watch,
        keep=folder / PREDICTIONS,
    )
    card = card.model_copy(update={"metrics": result.card_metrics, "confusions": result.confusions})
    path = folder / RUN_FILE
    with atomic_write(path, "wb") as file:
        file.write(with_card(data, card))
    if embed:
        _write_augmented(recipe, parts, folder / AUGMENTED)
    history = folder / HISTORY
    save(folder, Model.open(path), result, history if history.exists() else None, embed=embed)
    return path, result


def _write_augmented(recipe: Recipe, parts: Parts, path: Path) -> None:
    """Write a sheet of some training pictures, each as use sees it and as training does."""
    chosen = choose(parts.train.manifest, _SHOWN, recipe.seed)
    tiles = changed_tiles(chosen, framing_of(recipe), recipe.augmentation, _SHOWN, recipe.seed)
    draw.save(sheet(tiles, 1 + _SHOWN), path)


def exactly_known(kind: str, labels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of N targets are known, and by more than an interval."""
    if kind == "classification":
        return ~np.isnan(labels[:, 0])
    return np.asarray(labels[:, 0] == labels[:, 1])


def drawn_ages(tasks: Sequence[recipes.Task], labels: _Labels, seed: int) -> _Labels:
    """Return labels to calibrate by: an age that no picture has exactly is drawn from its interval.

    Whole years, each as likely as the others of its interval. Where some ages are known exactly
    they alone calibrate, and nothing is drawn.

    Args:
        tasks: The recipe's tasks.
        labels: Task -> N x classes, or N x 2 for ages.
        seed: Seed of the draws.
    """
    found = dict(labels)
    for task in tasks:
        rows = labels[task.name]
        if task.kind != "age" or exactly_known(task.kind, rows).any():
            continue
        known = ~np.isnan(rows[:, 0])
        low, high = rows[known].round().astype(np.int64).T
        ages_drawn = np.random.default_rng(seed).integers(low, np.maximum(low, high) + 1)
        found[task.name] = rows.copy()
        found[task.name][known] = ages_drawn[:, None]
    return found


def classes_of(task: recipes.Task | Task, labels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the true class of each row: the heaviest label, or the age in whole years.

    Args:
        task: A classification or an age.
        labels: N x classes, or N x 2 for ages, known exactly; older ages count as the last.
    """
    if task.kind == "classification":
        return np.asarray(labels.argmax(axis=1), np.int64)
    return np.asarray(np.minimum(labels[:, 0].round(), task.outputs - 1), np.int64)


def _load(recipe: Recipe, best: Path) -> MultiTaskNet:
    trainee = Trainee(recipe, weights=False)
    try:
        trainee.load_state_dict(checkpoint.load(best)["state_dict"])
    except (KeyError, RuntimeError) as error:
        raise RecipeError(f"{best}: not a checkpoint of this recipe's network") from error
    return trainee.net.eval()


def _crops(part: Part, size: int, count: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Yield the part's (first) pictures in batches, as use sees them."""
    end = len(part.store) if count is None else min(count, len(part.store))
    for start in range(0, end, _BATCH):
        yield part.store.crops(range(start, min(start + _BATCH, end)), size)


def _scalings(net: MultiTaskNet, recipe: Recipe, part: Part, labels: _Labels) -> dict[str, Scaling]:
    """Return task -> what makes its probabilities honest: a temperature for ages, else vectors."""
    with torch.no_grad():
        outputs = [net(torch.from_numpy(crops)) for crops in _crops(part, recipe.input.size)]
    found = {}
    for task in recipe.tasks:
        known = exactly_known(task.kind, labels[task.name])
        if task.kind == "regression" or not known.any():
            continue
        scores = np.concatenate([output[task.name].numpy() for output in outputs])[known]
        truth = classes_of(task, labels[task.name][known])
        found[task.name] = scaling_of(task, scores, truth)
    return found


def scaling_of(
    task: recipes.Task | Task, scores: NDArray[np.floating], truth: NDArray[np.int64]
) -> Scaling:
    """Return what makes a task's probabilities honest: a temperature for ages, else vectors."""
    ages_read = task.kind == "age"
    fit = calibration.temperature_scaling if ages_read else calibration.vector_scaling
    return fit(scores, truth)


def _with_intervals(card: Card, model: Model, parts: Parts, labels: _Labels) -> Card:
    """Return the card with the measured margins of each age's intervals."""
    names = [task.name for task in card.tasks if task.kind == "age"]
    if not names:
        return card
    outputs = [model.run(crops, names) for crops in _crops(parts.calibration, card.input.size)]

    def measured(task: Task) -> Task:
        known = exactly_known(task.kind, labels[task.name])
        if task.name not in names or not known.any():
            return task
        truth = labels[task.name][known, 0].astype(np.float64)
        distributions = np.concatenate([output[task.name] for output in outputs])[known]
        margins = calibration.age_margins(distributions, truth)
        return task.model_copy(update={"intervals": margins})

    return card.model_copy(update={"tasks": tuple(map(measured, card.tasks))})


def _stored(
    recipe: Recipe, net: MultiTaskNet, card: Card, parts: Parts, tell: Callable[[str], None]
) -> bytes:
    """Return the model file in the recipe's precision; "int8" only where it is as good."""
    if recipe.file.weights != "int8":
        return export(net, card, half=recipe.file.weights == "half")
    single = export(net, card, half=False)
    try:
        pictures = _crops(parts.choice, card.input.size, _LEARNT_FROM)
        small = with_card(quantise(single, pictures), card)
        worse = _worse(recipe, Model(single, "single"), Model(small, "int8"), parts)
    except ModelError as error:
        tell(f"int8 failed, half precision is written instead: {error}")
        return export(net, card)
    refused = {name: loss for name, loss in worse.items() if loss > recipe.file.largest_loss}
    if refused:
        figures = ", ".join(f"{name} by {loss:.1%}" for name, loss in refused.items())
        tell(
            f"int8 is refused, half precision is written instead: it is worse at {figures}, "
            f"and {recipe.file.largest_loss:.1%} is allowed (file.largest_loss)"
        )
        return export(net, card)
    return small


def _worse(recipe: Recipe, one: Model, other: Model, parts: Parts) -> dict[str, float]:
    """Return task -> by which share the other model's error on the validation part is larger."""
    sums: dict[str, list[float]] = {task.name: [0.0, 0.0] for task in recipe.tasks}
    for part in (parts.choice, parts.calibration):
        labels = targets(part.manifest, targets_of(recipe))
        for place, model in enumerate((one, other)):
            outputs = [model.run(crops) for crops in _crops(part, recipe.input.size)]
            for task in recipe.tasks:
                found = np.concatenate([output[task.name] for output in outputs])
                known = exactly_known(task.kind, labels[task.name])
                sums[task.name][place] += _error(task, found[known], labels[task.name][known])
    return {name: (after - before) / max(before, 1e-9) for name, (before, after) in sums.items()}


def _error(task: recipes.Task, found: NDArray[np.float32], labels: NDArray[np.float32]) -> float:
    """Return the sum of what is wrong: years, or answers."""
    if task.kind == "classification":
        return float((found.argmax(axis=1) != labels.argmax(axis=1)).sum())
    values = ages.expected(found) if task.kind == "age" else found[:, 0]
    return float(np.abs(values - labels[:, 0]).sum())
