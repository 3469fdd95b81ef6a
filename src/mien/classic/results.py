"""What fitted estimators are worth, as the rows of a table."""

from collections.abc import Iterator, Sequence
from typing import Any

from mien.classic.fitting import Fitted
from mien.classic.store import Features


def table(found: Sequence[tuple[Fitted, bytes | str]], features: Features) -> list[dict[str, Any]]:
    """Return a row for each figure of each estimator over all test pictures.

    Args:
        found: The estimators, each with its model file, or why it has none.
        features: What they were fitted on.
    """
    return [row for one, file in found for row in _rows(one, file, features)]


def _rows(one: Fitted, file: bytes | str, features: Features) -> Iterator[dict[str, Any]]:
    origin, result = features.origin, one.evaluation
    for metric in result.metrics:
        if metric.by:
            continue
        yield {
            "model": one.estimator.name,
            "parameters": parameters(one),
            "balance": one.plan.balance,
            "task": metric.task,
            "name": metric.name,
            "value": round(metric.value, 5),
            "low": "" if metric.low is None else round(metric.low, 5),
            "high": "" if metric.high is None else round(metric.high, 5),
            "pictures": metric.pictures,
            "split": result.split,
            "split_hash": result.split_hash,
            "chosen by": one.figure,
            "cross-validated": round(one.chosen.mean, 5),
            "spread of folds": round(one.chosen.spread, 5),
            "seconds": round(one.seconds, 1),
            "file bytes": len(file) if isinstance(file, bytes) else "",
            "features": f"{origin.name}, {origin.weights or 'its own'} weights, {origin.layer}, "
            f"{origin.input.size} pixels, {origin.width} numbers",
            "seed": one.plan.seed,
            "machine": result.machine,
        }


def parameters(one: Fitted) -> str:
    """Return an estimator's chosen parameters as text: "C=0.001"."""
    return " ".join(f"{name}={value}" for name, value in one.chosen.choice.items())
