"""What the label columns of a manifest mean, and what may stand in them.

A column is a task (`mood`), the votes for one of its labels (`mood/good`), or an end of the
interval in which a number is known to lie (`age_low`, `age_high`). `mood:predicted` says that a
picture's label was not known but predicted, and by what.
"""

import math
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from mien.errors import DataError, shortened

AGE: Final = "age"
MAX_AGE: Final = 130
LONGEST: Final = 300
"""Characters that a label or the name of a column may have, as in a model card."""

PREDICTED: Final = ":predicted"
"""What follows a task's name in the column that says by what its label was predicted."""

_ENDS: Final = ("_low", "_high")
AGES: Final = frozenset({AGE, *(f"{AGE}{end}" for end in _ENDS)})
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def interval_tasks(columns: Iterable[str]) -> frozenset[str]:
    """Return the tasks whose labels are numbers in intervals: both ends have a column.

    Of an age one end is enough, so that the missing one is missed.
    """
    known = {name for name in columns if "/" not in name}
    low, high = ({n.removesuffix(end) for n in known if n.endswith(end)} for end in _ENDS)
    return frozenset((low & high) | ({AGE} & (low | high)))


def task_of(column: str, intervals: AbstractSet[str]) -> str:
    """Return the task that a column belongs to.

    Args:
        column: Name of the column.
        intervals: The tasks that have intervals: see `interval_tasks`.
    """
    task, slash, _ = (marked(column) or column).partition("/")
    for end in _ENDS:
        if not slash and task.endswith(end) and task.removesuffix(end) in intervals:
            return task.removesuffix(end)
    return task


def marked(column: str) -> str:
    """Return the task whose predictions a column marks; empty for another column."""
    is_mark = column.endswith(PREDICTED) and "/" not in column
    return column.removesuffix(PREDICTED) if is_mark else ""


def belongs(column: str, task: str) -> bool:
    """Tell whether a column holds a predicted label, its probabilities or its mark."""
    return column in (task, task + PREDICTED) or column.startswith(f"{task}/")


def describes(column: str, task: str) -> bool:
    """Tell whether a column says anything of a task: as `belongs`, or an end of its interval."""
    return belongs(column, task) or column in {task + end for end in _ENDS}


def finite(text: str) -> float:
    """Return a number; nan for a text that is none, or not a finite one."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def fault(text: str) -> str:
    """Say why a model card would not take a text as a label; empty where it would."""
    if len(text) > LONGEST:
        return f"has {len(text):,} characters, more than {LONGEST}: {shortened(text)!r}"
    if _BREAKS.search(text):
        return f"holds a line break or another control character: {text!r}"
    return ""


def check(where: str, labels: Mapping[str, str], intervals: AbstractSet[str]) -> None:
    """Check the labels of one picture.

    Args:
        where: What a message calls the place.
        labels: Column -> label, which is not empty.
        intervals: The tasks that have intervals.

    Raises:
        DataError: A label is longer than a model card takes, or holds control characters; a number
            is none; or an interval lacks an end or stands the wrong way round.
    """
    for name, value in labels.items():
        wrong = fault(value)
        if wrong:
            raise DataError(f"{where}: the label {shortened(name)} {wrong}; rename it")
        _check_number(where, name, value)
    for task in intervals:
        _check_interval(where, task, labels)


def is_number(name: str, value: str) -> bool:
    """Say whether a column of votes or ages may hold a text: a number, at least 0.

    Any text will do for other columns.
    """
    if name not in AGES and "/" not in name:
        return True
    return 0 <= finite(value) <= (MAX_AGE if name in AGES else math.inf)


def _check_number(where: str, name: str, value: str) -> None:
    if not is_number(name, value):
        wanted = f"an age from 0 to {MAX_AGE}" if name in AGES else "a number of at least 0"
        raise DataError(f"{where}: {name} must be {wanted}, not {value!r}")


def _check_interval(where: str, task: str, labels: Mapping[str, str]) -> None:
    ends = {f"{task}{end}": labels.get(f"{task}{end}") for end in _ENDS}
    given = {name: value for name, value in ends.items() if value is not None}
    for name, value in given.items():
        if math.isnan(finite(value)):
            raise DataError(f"{where}: {name} must be a number, not {value!r}")
    if len(given) == 1:
        (missing,) = ends.keys() - given.keys()
        raise DataError(f"{where}: {missing} is missing; an interval has both ends")
    if given and float(given[f"{task}_low"]) > float(given[f"{task}_high"]):
        (low, least), (high, most) = given.items()
        raise DataError(f"{where}: {low} is {least}, which is above {high}, {most}")
