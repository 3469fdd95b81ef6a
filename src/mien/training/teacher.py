"""Teachers: what other models say of the training pictures, for the network to learn from.

Each teacher reads each picture once, plain and mirrored, as use would crop it (distillation:
Hinton et al. 2015). Its answers are kept beside the stored pictures, by the picture's content, so
that nothing is read twice: not by a run that is resumed, nor by the next one.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mien import model as models
from mien.card import Card
from mien.data.manifest import Manifest
from mien.data.progress import Watcher, unwatched
from mien.data.store import LIMIT, Framing, Store, open_store
from mien.errors import RecipeError
from mien.faces import TEMPLATE
from mien.files import atomic_write, make_folder
from mien.model import Model
from mien.training.recipe import Recipe, Task

PREFIX: Final = "teacher/"
"""What stands before a task's name where its lessons lie among a batch's targets."""

_CHUNK: Final = 1024
_BATCH: Final = 64
_VERSION: Final = 1
_FOLDER: Final = "lessons"
_KEY: Final = "mien.contents"

Rows = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Lessons:
    """What the teachers say of the training part.

    Attributes:
        rows: Task -> N x outputs: probabilities, or one number, averaged over all teachers that
            read the task. In the order of the training part, labels in the recipe's.
        digests: Fingerprint of each teacher's file.
        cards: The teachers' cards.
    """

    rows: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    digests: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()

    @property
    def targets(self) -> Rows:
        """The rows by the names under which batches hold them."""
        return {f"{PREFIX}{task}": rows for task, rows in self.rows.items()}


@dataclass(frozen=True, eq=False)
class _Teacher:
    model: Model
    digest: str

    @property
    def framing(self) -> Framing:
        taken = self.model.card.input
        return Framing(taken.size, TEMPLATE if taken.framing == "face" else None)


def check(recipe: Recipe) -> None:
    """Check that a recipe's teachers can teach it.

    Raises:
        RecipeError: One cuts its input in another way, or has other labels, or none of them reads
            a task that they are to teach.
        ModelError: One cannot be used.
    """
    _taught(recipe, _opened(recipe, 1))


def learn_from(
    recipe: Recipe,
    train: Manifest,
    cache: Path,
    watch: Watcher = unwatched,
    *,
    threads: int = 0,
    limit: int = LIMIT,
) -> Lessons:
    """Return what the recipe's teachers say of the training part; nothing where it names none.

    A reading that is interrupted loses at most its last thousand pictures.

    Args:
        recipe: The recipe.
        train: The training part.
        cache: Folder of the stored pictures; what the teachers say lies there too.
        watch: Progress over the pictures that a teacher has not read yet.
        threads: Processor cores to use; 0 for all.
        limit: Largest size of the stored pictures in bytes.

    Raises:
        RecipeError: As for `check`.
        ModelError: A teacher cannot be used.
        DataError: A picture cannot be read.
        OutputError: The folder cannot be written.
    """
    teachers = _opened(recipe, threads)
    if not teachers:
        return Lessons()
    taught = _taught(recipe, teachers)
    said: dict[str, list[NDArray[np.float32]]] = {task.name: [] for task in taught}
    for teacher in teachers:
        store = open_store(train, teacher.framing, cache, watch, threads=threads, limit=limit)
        read = _read(teacher, train, store, cache / _FOLDER, watch)
        for task in taught:
            if task.name in read:
                said[task.name].append(read[task.name][:, _order(teacher, task)])
    rows = {name: np.asarray(np.mean(found, axis=0), np.float32) for name, found in said.items()}
    digests = tuple(teacher.digest for teacher in teachers)
    return Lessons(rows, digests, tuple(teacher.model.card for teacher in teachers))


def _opened(recipe: Recipe, threads: int) -> list[_Teacher]:
    found = []
    for name in recipe.teacher.models:
        data = models.find(name).read_bytes()
        digest = hashlib.sha256(data).hexdigest()[:16]
        found.append(_Teacher(Model(data, name, threads=threads), digest))
    return found


def _names(teacher: _Teacher) -> list[str]:
    return teacher.model.outputs


def _taught(recipe: Recipe, teachers: Sequence[_Teacher]) -> list[Task]:
    """Return the tasks that are taught, once it is clear that they can be."""
    for teacher in teachers:
        if teacher.model.card.input.framing != recipe.input.framing:
            raise RecipeError(
                f"teacher.models: {teacher.model.name} reads a picture by its "
                f"{teacher.model.card.input.framing}, the recipe by its {recipe.input.framing}"
            )
    known = {name for teacher in teachers for name in _names(teacher)}
    wanted = recipe.teacher.tasks or [task.name for task in recipe.tasks if task.name in known]
    missing = [name for name in wanted if name not in known]
    if missing or (teachers and not wanted):
        what = ", ".join(missing) or "any of the recipe's tasks"
        raise RecipeError(
            f"teacher.tasks: no teacher reads {what}; they read {', '.join(sorted(known))}"
        )
    taught = [recipe.task(name) for name in wanted]
    for teacher in teachers:
        for task in taught:
            _check_same(teacher, task)
    return taught


def _check_same(teacher: _Teacher, task: Task) -> None:
    if task.name not in _names(teacher):
        return
    own = teacher.model.card.task(task.name)
    mine = (task.kind, sorted(task.labels), task.outputs)
    if mine != (own.kind, sorted(own.labels), own.outputs):
        raise RecipeError(
            f"teacher.models: the {task.name} of {teacher.model.name} is a {own.kind} of "
            f"{', '.join(own.labels) or own.outputs}, and the recipe's a {task.kind} of "
            f"{', '.join(task.labels) or task.outputs}; name in teacher.tasks what it is to teach"
        )


def _order(teacher: _Teacher, task: Task) -> list[int]:
    """Return the teacher's columns in the order of the recipe's labels."""
    labels = teacher.model.card.task(task.name).labels
    return [labels.index(label) for label in task.labels] or list(range(task.outputs))


def _read(teacher: _Teacher, train: Manifest, store: Store, root: Path, watch: Watcher) -> Rows:
    """Return task -> N x outputs, the mean over the plain and the mirrored look."""
    folder = root / f"{teacher.digest}-{_VERSION}"
    make_folder(folder)
    known = _kept(folder, teacher)
    contents = [sample.content for sample in train.samples]
    first = {content: index for index, content in reversed(list(enumerate(contents)))}
    missing = [index for content, index in first.items() if content not in known]
    chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
    for chunk in _watched(chunks, len(missing), watch):
        said = _look(teacher.model, store, chunk)
        _keep(folder, [contents[index] for index in chunk], said)
        for place, index in enumerate(chunk):
            known[contents[index]] = {task: rows[place] for task, rows in said.items()}
    return {
        task: np.stack([known[content][task] for content in contents]) for task in _names(teacher)
    }


def _watched(chunks: Sequence[list[int]], total: int, watch: Watcher) -> Iterator[list[int]]:
    """Yield chunks, while the pictures of those that are done are counted."""
    if not total:
        return
    counted = iter(watch((index for chunk in chunks for index in chunk), total))
    for chunk in chunks:
        yield chunk
        for _ in chunk:
            next(counted, None)
    next(counted, None)  # so that what shows it comes to its end


def _look(model: Model, store: Store, indices: Sequence[int]) -> Rows:
    found: dict[str, list[NDArray[np.float32]]] = {task: [] for task in model.outputs}
    size = model.card.input.size
    for start in range(0, len(indices), _BATCH):
        crops = np.stack([store.crop(i, size) for i in indices[start : start + _BATCH]])
        plain, mirrored = model.run(crops), model.run(np.ascontiguousarray(crops[:, :, ::-1]))
        for task, rows in found.items():
            rows.append(np.asarray((plain[task] + mirrored[task]) / 2, np.float32))
    return {task: np.concatenate(rows) for task, rows in found.items()}


def _keep(folder: Path, contents: Sequence[str], said: Rows) -> None:
    """Write what was said of some pictures as one file, which appears whole or not at all."""
    text = json.dumps(contents)
    data = save({task: np.ascontiguousarray(rows) for task, rows in said.items()}, {_KEY: text})
    named = hashlib.sha256(text.encode()).hexdigest()[:20]
    with atomic_write(folder / f"{named}.safetensors", "wb") as file:
        file.write(data)


def _kept(folder: Path, teacher: _Teacher) -> dict[str, Rows]:
    """Return content -> what was said of it; a file that is damaged is deleted."""
    known: dict[str, Rows] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, "numpy") as file:
                contents = json.loads(file.metadata()[_KEY])
                said = {task: file.get_tensor(task) for task in _names(teacher)}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            path.unlink(missing_ok=True)
            continue
        for place, content in enumerate(contents):
            known[content] = {task: rows[place] for task, rows in said.items()}
    return known
