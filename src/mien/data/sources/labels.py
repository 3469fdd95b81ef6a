"""Which labels and tasks a data set may bring: those that a model card can hold later."""

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from mien.card import Task
from mien.data import labels
from mien.data.manifest import FIXED_COLUMNS, Sample
from mien.errors import DataError

AGE: Final = f"age that is no number from 0 to {labels.MAX_AGE}"
VOTES: Final = "votes that are no number of at least 0"
INTERVAL: Final = "interval that lacks an end, or whose ends are no numbers in order"
UNFIT: Final = "label that no model card can hold: too long, or with control characters"

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
    wrong = [name for name, text in sample.labels.items() if not labels.is_number(name, text)]
    if wrong:
        return AGE if wrong[0] in labels.AGES else VOTES
    return (
        INTERVAL
        if any(
            not _is_interval(sample, name.removesuffix("_low").removesuffix("_high"))
            for name in sample.labels
        )
        else None
    )


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
