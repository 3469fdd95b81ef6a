"""What a run's model file says of itself: its card, before anything is measured."""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

import mien
from mien.card import Card, Data, Input, Task
from mien.data.batches import targets
from mien.data.labels import PREDICTED
from mien.data.manifest import Manifest
from mien.errors import RecipeError, shortened
from mien.faces import TEMPLATE
from mien.tomlfile import explain
from mien.training.parts import Parts, targets_of
from mien.training.recipe import Recipe


def card_of(recipe: Recipe, parts: Parts) -> Card:
    """Return the card of a recipe's network on its data, without intervals and metrics.

    Raises:
        RecipeError: The recipe says something that a card cannot hold, as a name of two lines.
    """
    try:
        return _card(recipe, parts)
    except ValidationError as error:
        raise RecipeError(
            f"the recipe makes no valid model card: {explain(error, Card)}"
        ) from error


def _card(recipe: Recipe, parts: Parts) -> Card:
    face = recipe.input.framing == "face"
    # A picture that is repeated for balance is one picture.
    pictures = {(sample.source, sample.path) for sample in parts.train.manifest.samples}
    trained = Counter(source for source, _ in pictures)
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
        tasks=_tasks(recipe),
        data=(
            *(
                Data(name=name, pictures=count, terms=terms.get(name, "not stated"))
                for name, count in sorted(trained.items())
            ),
            *_of_teachers(parts.lessons.cards),
            *_predicted(parts.train.manifest),
        ),
        data_fingerprint=parts.whole.fingerprint,
        split_hash=parts.whole.split_hash,
        priors=_priors(recipe, parts.train.manifest),
        recipe=_told(recipe),
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        created_by=f"mien {mien.__version__}",
    )


def _of_teachers(cards: Sequence[Card]) -> Iterator[Data]:
    """Yield what the teachers had learnt from: it reaches the network through them."""
    for card in cards:
        for data in card.data:
            name = shortened(f"{data.name}, by the teacher {card.name} {card.version}")
            yield Data(name=name, pictures=data.pictures, terms=data.terms)


def _predicted(train: Manifest) -> Iterator[Data]:
    """Yield by what labels were predicted: its data reaches the network through them."""
    marks = Counter(
        f"{task} predicted by {sample.labels[task + PREDICTED]}"
        for sample in train.samples
        for task in sample.predicted
    )
    for name, count in sorted(marks.items()):
        yield Data(
            name=shortened(name), pictures=count, terms="those of its own data: see its card"
        )


def _told(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe without the places where its maker keeps things."""
    found = recipe.model_dump(mode="json", exclude={"data": {"manifest"}})
    found["network"]["weights"] = Path(recipe.network.weights).name
    found["teacher"]["models"] = [Path(name).name for name in recipe.teacher.models]
    return found


def _tasks(recipe: Recipe) -> tuple[Task, ...]:
    return tuple(
        Task(
            name=task.name,
            kind=task.kind,
            labels=task.labels,
            ages=task.ages if task.kind == "age" else 0,
            unit="years" if task.kind == "age" else task.unit,
            default=task.default,
        )
        for task in recipe.tasks
    )


def _priors(recipe: Recipe, train: Manifest) -> dict[str, tuple[float, ...]]:
    """Return task -> the share of each label, or of each age, in the training part.

    An interval counts for all its ages alike.
    """
    labels = targets(train, targets_of(recipe))
    priors = {}
    for task in recipe.tasks:
        known = labels[task.name][~np.isnan(labels[task.name][:, 0])]
        if task.kind == "regression":
            continue
        shares = _age_shares(known, task.outputs) if task.kind == "age" else known.mean(axis=0)
        priors[task.name] = tuple(round(float(share), 5) for share in shares)
    return priors


def _age_shares(intervals: NDArray[np.float32], ages: int) -> NDArray[np.float64]:
    shares = np.zeros(ages)
    ends, counts = np.unique(np.minimum(intervals.round(), ages - 1), axis=0, return_counts=True)
    for (low, high), count in zip(ends.astype(int), counts, strict=True):
        shares[low : high + 1] += count / (high + 1 - low)
    return np.asarray(shares / shares.sum(), np.float64)
