"""What is compared: runs and model files, each with its figures, its cost and its course."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mien.card import Card, Metric
from mien.errors import DataError, printable
from mien.evaluation.cost import Size, Speed, size_of, speeds
from mien.evaluation.curves import History, read_history
from mien.evaluation.predictions import NAME as PREDICTIONS
from mien.evaluation.predictions import Predictions, read_predictions
from mien.evaluation.result import Evaluation
from mien.model import RUN_FILE, Model, find

HISTORY: Final = "history.csv"
EVALUATION: Final = "evaluation.json"
_CHOICE: Final = "validation/choice"


@dataclass(frozen=True, eq=False)
class Contender:
    """A run or a model file.

    Attributes:
        name: What tables call it.
        card: Its card.
        metrics: Its figures over all pictures of the test part.
        split_hash: Hash of the split that they were measured on.
        bytes: Size of its file.
        size: Parameters and multiplications.
        speed: Milliseconds a picture; None where not measured.
        history: Its epochs; None for a model file alone.
        predictions: What it said of each test picture; None where not kept.
    """

    name: str
    card: Card
    metrics: tuple[Metric, ...]
    split_hash: str
    bytes: int
    size: Size
    speed: Speed | None = None
    history: History | None = None
    predictions: Predictions | None = None

    @property
    def seed(self) -> str:
        """The seed of its training; empty where its card does not say it."""
        return str(self.card.recipe.get("seed", ""))

    @property
    def recipe(self) -> str:
        """Its recipe without the seed, as text: equal for runs that differ by chance alone."""
        told = {key: value for key, value in self.card.recipe.items() if key != "seed"}
        return json.dumps(told, sort_keys=True) if told else ""

    @property
    def seconds(self) -> float | None:
        """Mean seconds an epoch took."""
        if self.history is None or "seconds" not in self.history.figures:
            return None
        taken = self.history.figures["seconds"]
        return sum(taken) / len(taken)

    @property
    def epochs(self) -> int | None:
        """How many epochs it was trained for."""
        return None if self.history is None else len(self.history.epochs)

    @property
    def minutes(self) -> float | None:
        """Minutes that all its epochs took."""
        if self.history is None or self.seconds is None:
            return None
        return self.seconds * len(self.history.epochs) / 60

    @property
    def best_epoch(self) -> int | None:
        """The epoch that was kept; None where the history does not say it."""
        if self.history is None or _CHOICE not in self.history.figures:
            return None
        values = self.history.figures[_CHOICE]
        known = [place for place, value in enumerate(values) if value == value]
        if not known:
            return None
        return self.history.epochs[min(known, key=lambda place: values[place])]

    def metric(self, task: str, name: str) -> Metric | None:
        """Return a figure over all pictures; None where it was not measured."""
        found = (m for m in self.metrics if (m.task, m.name) == (task, name))
        return next(found, None)


def gather(places: Sequence[str], *, rounds: int, seed: int = 0) -> list[Contender]:
    """Open what is to be compared.

    Args:
        places: Run folders, folders of runs (all that have ended are taken), folders of reports
            beside a model file, model files, or names of packaged models.
        rounds: How many pictures each model reads to measure its speed; 0: not measured.
        seed: Seed of what the models read.

    Raises:
        DataError: A folder holds no run that has ended, or a file of a run is damaged.
        ModelError: A model file cannot be used.
    """
    found = [*{path.resolve(): path for place in places for path in _runs(place)}.values()]
    names = _names(found)
    data = [_bytes(path) for path in found]
    models = [Model(one, str(path), threads=1) for one, path in zip(data, found, strict=True)]
    measured: Iterable[Speed | None] = (
        speeds(models, rounds, seed) if rounds else [None] * len(data)
    )
    return [
        _contender(name, path, model, one, speed)
        for name, path, model, one, speed in zip(names, found, models, data, measured, strict=True)
    ]


def _runs(place: str) -> list[Path]:
    """Return the model files that a place stands for."""
    folder = Path(place)
    if not folder.is_dir():
        return [find(place)]
    if (folder / RUN_FILE).exists():
        return [folder / RUN_FILE]
    found = sorted(child / RUN_FILE for child in folder.iterdir() if (child / RUN_FILE).exists())
    if not found:
        raise DataError(
            f"{printable(place)}: holds no run that has ended, for there is no {RUN_FILE} in it or "
            "in its folders; end the training first, or name a model file"
        )
    return found


def _names(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each model file: its run's folder, with as many above as needed."""
    runs = [p.parent if p.name == RUN_FILE else p.with_suffix("") for p in paths]
    parts = [run.absolute().parts for run in runs]
    names = [own[-1] for own in parts]
    for depth in range(2, max(map(len, parts), default=0) + 1):
        if len(set(names)) == len(names):
            break
        names = [
            str(Path(*own[-depth:])) if names.count(name) > 1 else name
            for own, name in zip(parts, names, strict=True)
        ]
    return [printable(name) for name in names]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _contender(name: str, path: Path, model: Model, data: bytes, speed: Speed | None) -> Contender:
    folder = path.parent
    known: dict[str, Any] = {}
    metrics, split_hash = model.card.metrics, model.card.split_hash
    # A lone file's neighbours may be another model's.
    if path.name == RUN_FILE:
        if (folder / HISTORY).exists():
            known["history"] = read_history(folder / HISTORY)
        if (folder / PREDICTIONS).exists():
            known["predictions"] = read_predictions(folder / PREDICTIONS)
        if (folder / EVALUATION).exists():
            text = _bytes(folder / EVALUATION)
            result = Evaluation.from_json(text, str(folder / EVALUATION))
            metrics, split_hash = result.metrics, result.split_hash
            if result.split != "test":
                name = f"{name} ({result.split} part)"
    return Contender(
        name=name,
        card=model.card,
        metrics=tuple(metric for metric in metrics if not metric.by),
        split_hash=split_hash,
        bytes=len(data),
        size=size_of(data, name),
        speed=speed,
        **known,
    )
