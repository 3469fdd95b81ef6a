"""The pictures that were read best and worst, for eyes to look at."""

import os
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.data.manifest import Sample
from mien.evaluation.labels import Labels
from mien.evaluation.metrics import Numbers
from mien.evaluation.reading import printed_ages
from mien.evaluation.result import Example, Sampled

COUNT: Final = 8
SAMPLED: Final = 12


def examples(
    labels: Labels, output: NDArray[np.float32], samples: Sequence[Sample]
) -> tuple[Example, ...]:
    """Return up to 8 best and 8 worst examples of a task, both from the extreme inwards.

    Of copies of one picture only the first counts; no picture is both.

    Args:
        labels: What is known of N samples.
        output: N x outputs.
        samples: N samples.
    """
    scores, said = _scores(labels, output)
    first: dict[str, int] = {}
    for index in np.flatnonzero(~np.isnan(labels.low)).tolist():
        first.setdefault(samples[index].content, index)
    chosen = np.array(list(first.values()), np.int64)
    better = scores[chosen] if labels.task.kind == "classification" else -scores[chosen]
    # What is known by an interval is easily met, so among equals it says less.
    vague = (labels.high - labels.low)[chosen]
    ranked = chosen[np.lexsort((vague, -better))]
    best, worst = ranked[: (len(ranked) + 1) // 2], ranked[(len(ranked) + 1) // 2 :]

    def example(index: int, kind: Literal["best", "worst"]) -> Example:
        return Example(
            task=labels.task.name,
            kind=kind,
            path=_path(samples[index]),
            truth=labels.told(index),
            said=said[index],
            score=float(scores[index]),
        )

    return (
        *(example(index, "best") for index in best[:COUNT].tolist()),
        *(example(index, "worst") for index in worst[::-1][:COUNT].tolist()),
    )


def sampled(
    labels: Labels, output: NDArray[np.float32], samples: Sequence[Sample], seed: int
) -> tuple[Sampled, ...]:
    """Return up to 12 labelled pictures of a classification by chance, with all probabilities.

    Args:
        labels: What is known of N samples.
        output: N x classes.
        samples: N samples.
        seed: Another seed draws others.
    """
    if labels.task.kind != "classification":
        return ()
    rows = labels.exact
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:SAMPLED])
    return tuple(
        Sampled(
            task=labels.task.name,
            path=_path(samples[row]),
            truth=labels.told(row),
            probabilities=tuple(round(float(p), 5) for p in output[row]),
        )
        for row in rows[chosen].tolist()
    )


def _path(sample: Sample) -> str:
    """Return a picture's path as JSON can hold it, which takes valid Unicode only."""
    return os.fsencode(sample.path).decode("utf-8", "backslashreplace")


def _scores(labels: Labels, output: NDArray[np.float32]) -> tuple[Numbers, list[str]]:
    """Return N scores, nan without a label, and what the model said."""
    if labels.task.kind == "classification":
        scores = np.full(len(output), np.nan)
        scores[labels.exact] = output[labels.exact, labels.classes]
        return scores, [labels.task.labels[index] for index in output.argmax(axis=1)]
    if labels.task.kind == "age":
        found, _, _ = printed_ages(labels.task, output)
    else:
        found = output[:, 0].astype(np.float64)
    distance = np.maximum(labels.low - found, found - labels.high)
    return np.maximum(distance, 0), [f"{value:g}" for value in found]
