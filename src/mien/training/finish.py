"""The end of a run: the best network calibrated, exported, and measured on the test part."""

import datetime
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

import mien
from mien.card import Card, Data, Input, Task
from mien.data.batches import targets
from mien.data.manifest import Manifest
from mien.evaluation import calibration
from mien.evaluation.evaluate import Evaluation, Watcher, evaluate, table, write_table
from mien.faces import TEMPLATE
from mien.files import atomic_write
from mien.model import Model
from mien.networks.multitask import MultiTaskNet
from mien.training import checkpoint
from mien.training.export import divide_scores, export, with_card
from mien.training.module import Trainee
from mien.training.recipe import Recipe
from mien.training.run import Part, Parts, targets_of

_BATCH: Final = 128


def finish(
    recipe: Recipe, parts: Parts, best: Path, folder: Path, watch: Watcher
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

    Returns:
        The model file, and what was measured.

    Raises:
        DataError: There is no test part, or a picture of it cannot be read.
    """
    trainee = Trainee(recipe, weights=False)
    trainee.load_state_dict(checkpoint.load(best)["state_dict"])
    net = trainee.net.eval()
    labels = targets(parts.calibration.manifest, targets_of(recipe))
    _calibrate_scores(net, recipe, parts.calibration, labels)
    card = _card(recipe, parts)
    data = export(net, card)
    card = card.model_copy(
        update={"tasks": _with_intervals(Model(data), parts.calibration, recipe, labels)}
    )
    data = with_card(data, card)
    model = Model(data, recipe.name)
    result = evaluate(model, parts.whole.part("test"), watch=watch)
    card = card.model_copy(update={"metrics": result.metrics, "confusions": result.confusions})
    path = folder / "model.onnx"
    with atomic_write(path, "wb") as file:
        file.write(with_card(data, card))
    rows = table(model, result, split="test", split_hash=parts.whole.split_hash, seed=recipe.seed)
    write_table(folder / "metrics.csv", rows)
    return path, result


def _calibrate_scores(
    net: MultiTaskNet, recipe: Recipe, part: Part, labels: dict[str, NDArray[np.float32]]
) -> None:
    crops = [part.store.crop(i, recipe.input.size) for i in range(len(part.store))]
    batches = [
        torch.from_numpy(np.stack(crops[start : start + _BATCH]))
        for start in range(0, len(crops), _BATCH)
    ]
    with torch.no_grad():
        outputs = [net(batch) for batch in batches]
    temperatures = {}
    for task in recipe.tasks:
        scores = np.concatenate([output[task.name].numpy() for output in outputs])
        known = ~np.isnan(labels[task.name][:, 0])
        truth = _classes(labels[task.name][known], task.outputs)
        temperatures[task.name] = calibration.temperature(scores[known], truth)
    divide_scores(net, temperatures)


def _classes(labels: NDArray[np.float32], outputs: int) -> NDArray[np.int64]:
    """Return the true class of each row: the heaviest label, or the age in whole years."""
    if labels.shape[1] > 1:
        return labels.argmax(axis=1).astype(np.int64)
    return np.minimum(labels[:, 0].round(), outputs - 1).astype(np.int64)


def _with_intervals(
    model: Model, part: Part, recipe: Recipe, labels: dict[str, NDArray[np.float32]]
) -> tuple[Task, ...]:
    names = [task.name for task in model.card.tasks if task.kind == "age"]
    if not names:
        return model.card.tasks
    crops = np.stack([part.store.crop(i, recipe.input.size) for i in range(len(part.store))])
    outputs = model.run(crops, names)
    tasks = []
    for task in model.card.tasks:
        if task.kind == "age":
            known = ~np.isnan(labels[task.name][:, 0])
            truth = labels[task.name][known, 0].astype(np.float64)
            margins = calibration.age_margins(outputs[task.name][known], truth)
            task = task.model_copy(update={"intervals": margins})
        tasks.append(task)
    return tuple(tasks)


def _card(recipe: Recipe, parts: Parts) -> Card:
    face = recipe.input.framing == "face"
    trained = Counter(sample.source for sample in parts.train.manifest.samples)
    terms = {entry.name: entry.terms for entry in recipe.data.sets}
    return Card(
        name=recipe.name,
        version=recipe.version,
        description=recipe.description,
        licence=recipe.licence,
        use=recipe.use,
        limits=recipe.limits,
        input=Input(
            size=recipe.input.size,
            framing=recipe.input.framing,
            landmarks=TEMPLATE if face else (),
        ),
        tasks=tuple(
            Task(
                name=task.name,
                kind=task.kind,
                labels=task.labels,
                ages=task.ages if task.kind == "age" else 0,
                unit="years" if task.kind == "age" else "",
                default=task.default,
            )
            for task in recipe.tasks
        ),
        data=tuple(
            Data(name=name, pictures=count, terms=terms.get(name, "not stated"))
            for name, count in sorted(trained.items())
        ),
        data_fingerprint=parts.whole.fingerprint,
        split_hash=parts.whole.split_hash,
        priors=_priors(recipe, parts.train.manifest),
        recipe=recipe.model_dump(mode="json", exclude={"data": {"manifest"}}),
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        created_by=f"mien {mien.__version__}",
    )


def _priors(recipe: Recipe, train: Manifest) -> dict[str, tuple[float, ...]]:
    """Return task -> the share of each label, or of each age, in the training part."""
    priors = {}
    for name, rows in targets(train, targets_of(recipe)).items():
        known = rows[~np.isnan(rows[:, 0])]
        if known.shape[1] > 1:
            shares = known.mean(axis=0)
        else:
            outputs = next(task.outputs for task in recipe.tasks if task.name == name)
            shares = np.bincount(_classes(known, outputs), minlength=outputs) / len(known)
        priors[name] = tuple(round(float(share), 5) for share in shares)
    return priors
