"""What a training sees of a manifest: its parts, their labels checked and their pictures open."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from mien.data import manifest as manifests
from mien.data.batches import Target, targets
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sampling import Resampling, classes_of, resampled
from mien.data.split import part_of
from mien.data.store import LIMIT, Framing, Store, open_store
from mien.errors import DataError
from mien.faces import TEMPLATE
from mien.training import teacher
from mien.training.recipe import Recipe
from mien.training.teacher import Lessons

_OTHER_SEED: Final = 1_000_003


@dataclass(frozen=True)
class Part:
    """One part of the data: its samples, and their pictures in the same order."""

    manifest: Manifest
    store: Store


@dataclass(frozen=True)
class Parts:
    """What a training sees. The validation part is halved by group of identical pictures.

    Attributes:
        whole: The manifest that the parts come from.
        train: Trained on; balanced, where the recipe leaves pictures out for it or repeats them.
        choice: The half of the validation part that chooses the best epoch.
        calibration: The half that calibrates the chosen one.
        lessons: What the recipe's teachers say of the training part.
    """

    whole: Manifest
    train: Part
    choice: Part
    calibration: Part
    lessons: Lessons = field(default_factory=Lessons)


def framing_of(recipe: Recipe) -> Framing:
    """Return how the recipe's network sees a picture."""
    return Framing(recipe.input.size, TEMPLATE if recipe.input.framing == "face" else None)


def targets_of(recipe: Recipe) -> list[Target]:
    """Return what the recipe's tasks learn from a manifest."""
    return [Target(task.name, task.labels or None, votes=task.votes) for task in recipe.tasks]


def load_parts(
    recipe: Recipe,
    cache: Path,
    watch: Watcher = unwatched,
    *,
    threads: int = 0,
    limit: int = LIMIT,
) -> Parts:
    """Read the manifest, check its labels, open the pictures, and have the teachers read them.

    All that could stop the run at its end, hours later, is checked before it begins: so the test
    part must be there too, with labels for every task.

    Args:
        recipe: What is to be trained.
        cache: Folder of the stores of decoded pictures.
        watch: Progress over the pictures of each part.
        threads: Processor cores to use; 0 for all.
        limit: Largest size of that folder in bytes; what was used longest ago is deleted.

    Raises:
        DataError: The manifest is not valid, a part is empty or lacks a task's labels, or a
            picture cannot be read.
        RecipeError: A teacher cannot teach what the recipe says.
        ModelError: A teacher's file cannot be used.
        OutputError: The store of decoded pictures cannot be written.
    """
    teacher.check(recipe)
    whole = manifests.read(recipe.data.manifest)
    # Predicted labels may be learnt, but nothing is chosen, calibrated or measured by them.
    choice, calibration = halves(whole.part("validation").known(), recipe.seed)
    train = whole.part("train")
    for manifest in (train, choice, calibration, whole.part("test").known()):
        targets(manifest, targets_of(recipe))
    _check_classes(recipe, train)
    if recipe.data.balance_by != "draws":
        train = _resampled(recipe, train, recipe.data.balance_by)

    def part(manifest: Manifest) -> Part:
        framing = framing_of(recipe)
        store = open_store(manifest, framing, cache, watch, threads=threads, limit=limit)
        return Part(manifest, store)

    lessons = teacher.learn_from(recipe, train, cache, watch, threads=threads, limit=limit)
    return Parts(whole, part(train), part(choice), part(calibration), lessons)


def _resampled(recipe: Recipe, train: Manifest, how: Resampling) -> Manifest:
    """Return the training part with all classes equally frequent, within each source in `shares`.

    A repeated picture stands in it several times.
    """
    (target,) = (one for one in targets_of(recipe) if one.task == recipe.data.balance)
    rows = targets(train, [target])[target.task]
    classes = classes_of(rows, target.labels)
    sources = np.array([sample.source if recipe.data.shares else "" for sample in train.samples])
    rng = np.random.default_rng([recipe.seed, len(train.samples)])
    taken = []
    for name in np.unique(sources):
        pool = np.flatnonzero(sources == name)
        taken.append(pool[resampled(rng, classes[pool], how)])
    order = np.sort(np.concatenate(taken))
    return Manifest(tuple(train.samples[place] for place in order))


def _check_classes(recipe: Recipe, train: Manifest) -> None:
    """Refuse classes that could not be learnt.

    Raises:
        DataError: A label has no picture, or all pictures have the same.
    """
    labels = targets(train, targets_of(recipe))
    for task in recipe.tasks:
        if task.kind != "classification":
            continue
        known = labels[task.name][~np.isnan(labels[task.name][:, 0])]
        absent = [label for place, label in enumerate(task.labels) if not known[:, place].any()]
        if len(absent) == len(task.labels) - 1:
            (only,) = set(task.labels) - set(absent)
            raise DataError(
                f"all training pictures with a {task.name} are {only!r}: there is nothing to learn"
            )
        if absent:
            raise DataError(
                f"no picture of the training part has the label {absent[0]!r} of the task "
                f"{task.name!r}; label some, or leave it out of the recipe"
            )


def halves(validation: Manifest, seed: int) -> tuple[Manifest, Manifest]:
    """Halve a validation part by group of identical pictures: to choose by, and to calibrate on.

    Halves are drawn as parts are. Where a data set's parts were drawn with the very seed, its
    validation pictures would all lie in one half: of two draws the one is taken that halves more
    data sets, the first if both do alike.

    Args:
        validation: The part.
        seed: The recipe's seed.

    Raises:
        DataError: The part is so small that a half of it is empty.
    """
    draws = (_halved(validation, drawn) for drawn in (seed + 1, seed + _OTHER_SEED))
    first, second = max(draws, key=lambda both: len(_sources(both[0]) & _sources(both[1])))
    if not (first.samples and second.samples):
        raise DataError(
            f"the validation part, {len(validation.samples)} pictures, is too small: one half "
            "chooses the best epoch, the other calibrates it, and one of them is empty"
        )
    return first, second


def _halved(validation: Manifest, seed: int) -> tuple[Manifest, Manifest]:
    found: dict[str, list[Sample]] = {"train": [], "validation": []}
    for sample in validation.samples:
        found[part_of(sample.content, (0.5, 0.5, 0.0), seed)].append(sample)
    first, second = (Manifest(tuple(half)) for half in found.values())
    return first, second


def _sources(half: Manifest) -> set[str]:
    return {sample.source for sample in half.samples}
