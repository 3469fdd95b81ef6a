"""Which labels and tasks a data set may bring: those that a model card can hold later."""

import math
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from mien.card import Task
from mien.data import labels
from mien.data.manifest import FIXED_COLUMNS, MAX_AGE, Sample
from mien.errors import DataError

UNFIT: Final = "label that no model card can hold: too long, or with control characters"

_AGES: Final = ("age", "age_low", "age_high")
_CARD_NAME: Final = TypeAdapter[str](Task.model_fields["name"].rebuild_annotation())


def is_label(text: str) -> bool:
    """Tell whether a model card can hold this label."""
    return bool(text) and not labels.fault(text)


def is_task(name: str) -> bool:
    """Tell whether a manifest's column and a model's task can bear this name."""
    return name not in FIXED_COLUMNS and _accepts(_CARD_NAME, name)


def is_column(name: str) -> bool:
    """Tell whether a manifest can hold a column: a task's, or the votes for a label, TASK/LABEL."""
    task, slash, label = name.partition("/")
    return is_task(task) and (not slash or is_label(label))


def fault(sample: Sample) -> str | None:
    """Return what is wrong with a picture's labels; None if nothing is.

    Every label must fit a model card, votes be numbers of at least 0, ages lie from 0 to 130, and
    the ends of an interval stand the right way round.
    """
    if not all(map(is_label, sample.labels.values())):
        return UNFIT
    for name in sample.labels:
        if "/" in name and not _number(sample, name) >= 0:
            return "votes that are no number of at least 0"
        if name in _AGES and not 0 <= _number(sample, name) <= MAX_AGE:
            return f"age that is no number from 0 to {MAX_AGE}"
    return (
        "interval that lacks an end, or whose ends are no numbers in order"
        if any(
            not _is_interval(sample, name.removesuffix("_low").removesuffix("_high"))
            for name in sample.labels
        )
        else None
    )


def _number(sample: Sample, name: str) -> float:
    try:
        return sample.number(name)
    except DataError:
        return math.nan


def _is_interval(sample: Sample, name: str) -> bool:
    """Tell whether what stands in NAME_low and NAME_high, if both are there, can be used."""
    ends = {f"{name}_low", f"{name}_high"} & sample.labels.keys()
    if len(ends) < (1 if name == "age" else 2):
        return True
    try:
        sample.interval(name)
    except DataError:
        return False
    return True


def _accepts(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True
