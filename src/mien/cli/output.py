"""Results to rows, and rows to text: a table to look at; JSON, JSON lines and CSV to work with."""

import csv
import io
import json
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

from mien.cli.table import print_table
from mien.errors import ModelError, printable

if TYPE_CHECKING:
    from mien.analyzer import FaceReading, Reading
    from mien.card import Card, Task
    from mien.classifier import Ranking

Value = str | int | float | None
Row = Mapping[str, Value]

_PLACE: Final = ("path", "face", "x", "y", "width", "height", "detection_score")
_ATTRIBUTES: Final = (
    *("age", "age_low", "age_high", "age_group"),
    *("gender", "gender_p", "race", "race_p", "expression", "expression_p"),
)
CLASSES: Final = ("path", "rank", "label", "probability", "error")
"""Columns of a classifier's rows."""


# JSON lets these stand as they are; a terminal would obey them, and some readers end a line there.
_UNSAFE_IN_JSON: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def path_text(path: str) -> str:
    r"""Return a path as valid Unicode; bytes of a name that are not UTF-8 appear as `\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def json_text(value: object, indent: int | None = None) -> str:
    """Return JSON that is safe to show, and one line where no indent is asked for."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def face_columns(card: "Card") -> list[str]:
    """Return the columns of a face model's rows.

    They are the same for every model, and stay empty for what a model does not read. Tasks of
    other names add columns of their own before the last.

    Raises:
        ModelError: Two tasks would share a column, or a task bears the name of another column.
    """
    own = [column for task in card.tasks for column in _columns_of(task)]
    twice = [name for name, n in Counter([*_PLACE, "error", *own]).items() if n > 1]
    if twice:
        raise ModelError(f"{card.name}: its tasks give two columns the name {twice[0]!r}")
    added = [column for column in own if column not in _ATTRIBUTES]
    return [*_PLACE, *_ATTRIBUTES, *added, "error"]


def _columns_of(task: "Task") -> list[str]:
    endings = {"age": ("", "_low", "_high", "_group"), "classification": ("", "_p")}
    return [task.name + ending for ending in endings.get(task.kind, ("",))]


def face_rows(path: str, reading: "Reading") -> list[Row]:
    """Return one row a face; one without a face number where there is none."""
    if reading.error is not None:
        return [{"path": path, "error": reading.error.reason}]
    rows: list[Row] = [
        {"path": path, "face": number, **_place(found), **_attributes(found)}
        for number, found in enumerate(reading.faces, 1)
    ]
    return rows or [{"path": path}]


def _place(found: "FaceReading") -> Row:
    face = found.face
    if face is None:
        return {}
    box = {"x": face.x, "y": face.y, "width": face.width, "height": face.height}
    rounded = {name: _rounded(value, 1) for name, value in box.items()}
    return {**rounded, "detection_score": _rounded(face.score, 4)}


def _attributes(found: "FaceReading") -> Row:
    from mien.analyzer import Attribute

    row: dict[str, Value] = {}
    for task, value in found.attributes.items():
        if isinstance(value, Attribute):
            row |= {task: value.label, f"{task}_p": _rounded(value.probability, 4)}
        elif isinstance(value, float):
            row[task] = _rounded(value, 4)
        else:
            ends = {"": value.years, "_low": value.low, "_high": value.high}
            row |= {task + ending: _rounded(years, 1) for ending, years in ends.items()}
            row[f"{task}_group"] = value.group
    return row


def class_rows(path: str, ranking: "Ranking", top: int) -> list[Row]:
    """Return one row for each of the `top` most probable classes of a picture."""
    if ranking.error is not None:
        return [{"path": path, "error": ranking.error.reason}]
    return [
        {
            "path": path,
            "rank": rank,
            "label": guess.label,
            "probability": _rounded(guess.probability, 4),
        }
        for rank, guess in enumerate(ranking.guesses[:top], 1)
    ]


def _rounded(value: float, digits: int) -> float | None:
    """Round; None for what is no number, as JSON knows no NaN. Adding 0 turns -0.0 into 0.0."""
    return round(value, digits) + 0.0 if math.isfinite(value) else None


class Writer(Protocol):
    """Takes rows as they come."""

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows; missing fields are empty."""

    def close(self) -> None:
        """Write what must follow the last row."""


class _JsonLines:
    def __init__(self, stream: IO[str], columns: Sequence[str]) -> None:
        self._stream, self._columns = stream, columns

    def write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._stream.write(json_text({c: row.get(c) for c in self._columns}) + "\n")
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


class _Json:
    def __init__(self, stream: IO[str], columns: Sequence[str]) -> None:
        self._stream, self._columns = stream, columns
        self._before = "[\n  "

    def write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._stream.write(self._before + json_text({c: row.get(c) for c in self._columns}))
            self._before = ",\n  "

    def close(self) -> None:
        self._stream.write("[]\n" if self._before[0] == "[" else "\n]\n")
        self._stream.flush()


class _Csv:
    def __init__(self, stream: IO[str], columns: Sequence[str]) -> None:
        self._stream = stream
        self._plain = csv.DictWriter(stream, columns, lineterminator="\n")
        # The plain one leaves a lone carriage return bare, where readers would end the row.
        self._quoting = csv.DictWriter(stream, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._show = printable if stream.isatty() else str
        self._plain.writeheader()

    def write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            text = {c: self._show(v) for c, v in row.items() if isinstance(v, str)}
            writer = self._quoting if "\r" in "".join(text.values()) else self._plain
            writer.writerow({**row, **text})
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


class _Table:
    """Keeps all rows, as the widths of its columns depend on them."""

    def __init__(self, stream: IO[str], columns: Sequence[str]) -> None:
        self._stream, self._columns = stream, columns
        self._rows: list[Row] = []

    def write(self, rows: Iterable[Row]) -> None:
        self._rows.extend(rows)

    def close(self) -> None:
        rows = [
            {_heading(column): text for column, text in cells(row, self._columns).items()}
            for row in self._rows
        ]
        print_table(rows, [_note(row) for row in self._rows], self._stream)


_WRITERS: Final[dict[Format, Callable[[IO[str], Sequence[str]], Writer]]] = {
    Format.TABLE: _Table,
    Format.JSON: _Json,
    Format.JSONL: _JsonLines,
    Format.CSV: _Csv,
}


@contextmanager
def open_writer(form: Format, output: Path | None, columns: Sequence[str]) -> Iterator[Writer]:
    """Open a writer of rows.

    Args:
        form: How rows are written.
        output: The file, which appears whole or not at all; None for standard output, which
            gets the rows as they come, or for a table at the end, also when it is interrupted.
        columns: The names of the fields, in order.

    Raises:
        OutputError: The file cannot be written.
    """
    if output is None:
        writer = _WRITERS[form](_standard_output(form), columns)
        try:
            yield writer
        finally:
            writer.close()
        return
    from mien.files import atomic_write

    with atomic_write(output, newline="") as file:
        writer = _WRITERS[form](file, columns)
        yield writer
        writer.close()


def _standard_output(form: Format) -> IO[str]:
    if isinstance(sys.stdout, io.TextIOWrapper):
        if form is Format.TABLE:
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", newline="")
    return sys.stdout


def _note(row: Row) -> str:
    """Return what stands in a row that holds no result."""
    if row.get("error"):
        return printable(str(row["error"]))
    return "no face" if row.get("face") is None and "rank" not in row else ""


def cells(row: Row, columns: Sequence[str]) -> dict[str, str]:
    """Return a row as a reader wants to see it: "31 (24–39)", "female 98 %".

    Args:
        row: A row of results.
        columns: Its fields, in order.

    Returns:
        Column -> text, without the columns that are told together with another.
    """
    hidden = {"y", "width", "height", "error"}
    hidden |= {name + ending for name in columns for ending in ("_p", "_low", "_high")}
    return {column: _cell(column, row) for column in columns if column not in hidden}


def _cell(column: str, row: Row) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if column == "x":
        x, y, width, height = (f"{row[name]:.0f}" for name in ("x", "y", "width", "height"))
        return f"{x},{y} {width}×{height}"
    if column in ("detection_score", "probability"):
        return percent(value, 1)
    if row.get(f"{column}_low") is not None:
        return f"{value:.0f} ({row[f'{column}_low']:.0f}–{row[f'{column}_high']:.0f})"
    share = row.get(f"{column}_p")
    return printable(str(value)) + ("" if share is None else f" {percent(share)}")


def _heading(column: str) -> str:
    return {"x": "box", "detection_score": "score"}.get(column, column.replace("_", " "))


def percent(share: Value, digits: int = 0) -> str:
    """Return a share of 1 as text: "98 %"."""
    return f"{share:.{digits}%}".replace("%", " %")
