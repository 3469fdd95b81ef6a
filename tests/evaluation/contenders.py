"""Runs to compare, made without training: what each says of the same two hundred pictures."""

from typing import Any

import numpy as np

from mien.card import Metric, Task
from mien.evaluation.bootstrap import Resampling, estimates
from mien.evaluation.contenders import Contender
from mien.evaluation.cost import Size
from mien.evaluation.predictions import Predictions, Said
from tests import tiny

PICTURES = 200
TASK = Task(name="colour", kind="classification", labels=("red", "blue"))
TRUTH = np.arange(PICTURES) % 2
CONTENTS = tuple(f"c{number}" for number in range(PICTURES))


def contender(name: str, wrong: int, *, seed: int = 0, **changes: Any) -> Contender:
    """Return a run that takes the first `wrong` pictures for the other colour.

    Args:
        name: Its name.
        wrong: How many pictures it is wrong about.
        seed: Its seed; runs of seeds above 0 have a recipe.
        changes: Fields of the contender to replace.
    """
    said = np.where(np.arange(PICTURES) < wrong, 1 - TRUTH, TRUTH)
    output = (np.eye(2)[said] * 0.8 + 0.1).astype(np.float32)
    truth = np.stack([TRUTH, TRUTH], axis=1).astype(np.float64)
    kept = Said("classification", TASK.labels, truth, output)
    ((measure, rows),) = kept.measures()
    found = estimates(measure, np.arange(len(rows)), Resampling(0))
    recipe = {"seed": seed, "kind": name.partition(",")[2] or name} if seed else {}
    known: dict[str, Any] = {
        "name": name,
        "card": tiny.colour_card(tasks=(TASK,), recipe=recipe),
        "metrics": tuple(
            Metric(task="colour", name=key, value=e.value, pictures=200, low=e.low, high=e.high)
            for key, e in found.items()
        ),
        "split_hash": "abc",
        "bytes": 1000,
        "size": Size(10, 20),
        "predictions": Predictions(name, "test", "abc", CONTENTS, {"colour": kept}),
    }
    return Contender(**(known | changes))
