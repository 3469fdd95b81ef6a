"""A model file's age intervals and figures measured anew, its weights as they are."""

from collections.abc import Sequence

import numpy as np

from mien.card import Card, Task
from mien.data.batches import Target, targets
from mien.data.manifest import Manifest
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ModelError
from mien.evaluation import calibration
from mien.evaluation.evaluate import evaluate
from mien.evaluation.reading import Outputs, read, stacked
from mien.model import Model
from mien.training.export import with_card
from mien.training.finish import exactly_known
from mien.training.parts import halves


def recalibrate(
    data: bytes,
    manifest: Manifest,
    *,
    name: str = "<bytes>",
    threads: int = 0,
    watch: Watcher = unwatched,
) -> bytes:
    """Return a model file with the same weights, whose age intervals hold for these pictures.

    The margins are measured on the validation part: on the half of it that did not choose the
    network where the model was trained on this very split, else on all of it. Then all figures are
    measured on the test part.

    Args:
        data: The model file.
        manifest: Labelled pictures with a validation and a test part.
        name: What messages call the model file.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures of each part.

    Raises:
        ModelError: It is not a model file, or one that reads no age.
        DataError: A part is missing, has no exact ages, or a picture cannot be read.
    """
    model = Model(data, name, threads=threads)
    if not any(task.kind == "age" for task in model.card.tasks):
        raise ModelError(
            f"{name}: it reads no age, and ages' intervals are what is calibrated here"
        )
    part = calibration_part(manifest, [model.card])
    paths = [sample.path for sample in part.samples]
    outputs = stacked(watch(read(model, paths, threads=threads), len(paths)), model.card.tasks)
    return settle(data, outputs, part, manifest, name=name, threads=threads, watch=watch)


def calibration_part(manifest: Manifest, cards: Sequence[Card]) -> Manifest:
    """Return what of the validation part chose none of the models, predicted labels left out.

    A model that was trained on this very split was chosen on one half of it.

    Raises:
        DataError: There is no validation part, or nothing of it is left.
    """
    part = manifest.part("validation").known()
    own = [card for card in cards if card.split_hash == manifest.split_hash]
    left = [halves(part, seed)[1].samples for seed in dict.fromkeys(map(_seed, own))]
    kept = set.intersection(*({sample.path for sample in half} for half in left)) if left else None
    samples = tuple(s for s in part.samples if kept is None or s.path in kept)
    if not samples:
        raise DataError(
            "all pictures of the validation part chose one of the models, so none is left to "
            "calibrate on; take more pictures, or models of the same seed"
        )
    return Manifest(samples)


def settle(
    data: bytes,
    outputs: Outputs,
    part: Manifest,
    manifest: Manifest,
    *,
    name: str,
    threads: int,
    watch: Watcher,
) -> bytes:
    """Return a model file with the margins of one part, and the figures of the test part.

    Args:
        data: The model file.
        outputs: What it says of each picture of the calibrating part.
        part: That part.
        manifest: All pictures.
        name: What messages call the model file.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures of the test part.

    Raises:
        DataError: A part has no exact ages, or a picture cannot be read.
    """
    model = Model(data, name, threads=threads)
    ages = [task for task in model.card.tasks if task.kind == "age"]
    labels = targets(part, [Target(task.name, None) for task in ages])

    def measured(task: Task) -> Task:
        if task.kind != "age":
            return task
        known = exactly_known(task.kind, labels[task.name])
        if not known.any():
            raise DataError(f"no picture of the validation part has an exact {task.name}")
        truth = labels[task.name][known, 0].astype(np.float64)
        margins = calibration.age_margins(outputs[task.name][known], truth)
        return task.model_copy(update={"intervals": margins})

    card = model.card.model_copy(update={"tasks": tuple(map(measured, model.card.tasks))})
    model = Model(with_card(data, card), name, threads=threads)
    result = evaluate(model, manifest, seed=_seed(card), threads=threads, watch=watch)
    figures = {"metrics": result.card_metrics, "confusions": result.confusions}
    return with_card(data, card.model_copy(update=figures))


def _seed(card: Card) -> int:
    seed = card.recipe.get("seed", 0)
    return seed if isinstance(seed, int) else 0
