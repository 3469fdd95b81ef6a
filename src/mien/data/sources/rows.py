"""Rows of a CSV table from outside: whole, in UTF-8, each with the place where it stands."""

import csv
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from mien.errors import DataError

_SHOWN: Final = 10


def read_rows(
    table: Path, required: Collection[str] = ()
) -> tuple[list[str], Iterator[tuple[str, dict[str, str]]]]:
    """Open a CSV table.

    Args:
        table: The file; spreadsheets' byte order mark is accepted.
        required: Columns that must be there.

    Returns:
        The names of its columns; and its rows, read while they are asked for, each with its place
        for messages ("labels.csv, line 3"), and column -> value.

    Raises:
        DataError: The file cannot be read, is no CSV table in UTF-8, names a column twice, lacks
            one, or, while its rows are read, has one of too few or too many values.
    """
    rows = _lines(table)
    _, columns = next(rows, ("", []))
    doubled = [repr(name) for name, count in Counter(columns).items() if count > 1]
    if doubled:
        raise DataError(f"{table}: two columns are called {', '.join(doubled[:_SHOWN])}")
    missing = set(required) - set(columns)
    if missing:
        raise DataError(f"{table}: the columns {', '.join(sorted(missing))} are missing")
    return columns, _whole_rows(columns, rows)


def _whole_rows(
    columns: list[str], rows: Iterator[tuple[str, list[str]]]
) -> Iterator[tuple[str, dict[str, str]]]:
    for where, values in rows:
        if len(values) != len(columns):
            raise DataError(f"{where}: {len(columns)} values expected, {len(values)} found")
        yield where, dict(zip(columns, values, strict=True))


def _lines(table: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the lines that are not empty, each with its place."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            for values in reader:
                if values:
                    yield f"{table}, line {reader.line_num}", values
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table}: not a CSV table in UTF-8 ({error})") from error
