"""A manifest: a CSV table of labelled pictures, some labels of which may be missing.

Columns: `path` (relative to the manifest's folder, or absolute), `source` (the data set's name),
`content` (fingerprint of the pixels), `split` (train, validation, test or empty), then one column
a task. A column `TASK/LABEL` holds the weight (votes) of one label for a soft label; a number that
is known to lie in an interval has `TASK_low` and `TASK_high` instead. Where `TASK:predicted` is not
empty a picture's label is no truth but what the models named there say. Names and labels are lines
of at most 300 characters, as in a model card.
"""

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from mien.data import labels as rules
from mien.data.labels import MAX_AGE as MAX_AGE
from mien.data.labels import finite
from mien.errors import DataError
from mien.files import atomic_write

FIXED_COLUMNS: Final = ("path", "source", "content", "split")
SPLITS: Final = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled picture.

    Attributes:
        path: Where the picture lies.
        source: Name of the data set that it comes from.
        content: Fingerprint of its pixels: equal for identical pictures.
        split: "train", "validation", "test", or "" while not assigned.
        labels: Column name -> value as text; a missing label has no entry.
    """

    path: Path
    source: str
    content: str
    split: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def predicted(self) -> tuple[str, ...]:
        """The tasks whose labels are predicted."""
        return tuple(task for task in map(rules.marked, self.labels) if task)

    def tells(self, task: str) -> bool:
        """Tell whether the sample says anything of a task, known or predicted."""
        return any(rules.describes(name, task) for name in self.labels)

    @property
    def known(self) -> "Sample":
        """The sample without what is predicted of it."""
        predicted = self.predicted
        if not predicted:
            return self
        left = {
            name: value
            for name, value in self.labels.items()
            if not any(rules.belongs(name, task) for task in predicted)
        }
        return replace(self, labels=left)

    def number(self, column: str) -> float:
        """Return a label that is a number; nan where it is missing.

        Raises:
            DataError: The label is not a finite number.
        """
        text = self.labels.get(column)
        if text is None:
            return math.nan
        value = finite(text)
        if math.isnan(value):
            raise DataError(f"{self.path}: {column} must be a number, not {text!r}")
        return value

    def interval(self, column: str) -> tuple[float, float]:
        """Return the ends of what is known of a number; both are equal where it is known itself.

        An interval stands in two columns, `COLUMN_low` and `COLUMN_high`; its ends belong to it.

        Returns:
            Two numbers; both nan where nothing is known.

        Raises:
            DataError: An end is missing or not a finite number, or they stand the wrong way round.
        """
        exact = self.number(column)
        if not math.isnan(exact):
            return exact, exact
        low, high = self.number(f"{column}_low"), self.number(f"{column}_high")
        if math.isnan(low) != math.isnan(high) or low > high:
            raise DataError(
                f"{self.path}: {column}_low and {column}_high must be an interval, not "
                f"{low:g} and {high:g}"
            )
        return low, high


@dataclass(frozen=True)
class Manifest:
    """A table of labelled pictures."""

    samples: tuple[Sample, ...]

    @property
    def columns(self) -> list[str]:
        """The label columns, in order of first appearance."""
        return list(dict.fromkeys(name for sample in self.samples for name in sample.labels))

    @property
    def tasks(self) -> list[str]:
        """What the pictures are labelled with, in order of first appearance.

        Votes and the ends of intervals count as labels of their task.
        """
        columns = self.columns
        intervals = rules.interval_tasks(columns)
        return list(dict.fromkeys(rules.task_of(name, intervals) for name in columns))

    @property
    def intervals(self) -> frozenset[str]:
        """The tasks whose labels are numbers in intervals, at least for some pictures."""
        return rules.interval_tasks(self.columns)

    @property
    def fingerprint(self) -> str:
        """Hash over every picture's content, source, split and labels; order does not count."""
        return _hash(
            repr((s.content, s.source, s.split, sorted(s.labels.items()))) for s in self.samples
        )

    @property
    def split_hash(self) -> str:
        """Hash over which picture lies in which part: equal splits have equal hashes."""
        return _hash({f"{s.content} {s.split}" for s in self.samples})

    def part(self, split: str) -> "Manifest":
        """Return the samples of one part.

        Raises:
            DataError: The manifest has no sample in that part.
        """
        chosen = tuple(sample for sample in self.samples if sample.split == split)
        if not chosen:
            have = Counter(sample.split or "no part" for sample in self.samples)
            raise DataError(
                f"the manifest has no picture in the part {split!r}; it has "
                + ", ".join(f"{count} in {name}" for name, count in sorted(have.items()))
            )
        return Manifest(chosen)

    def known(self) -> "Manifest":
        """Return the same samples without predicted labels: what may be measured by."""
        return Manifest(tuple(sample.known for sample in self.samples))

    def with_splits(self, splits: Sequence[str]) -> "Manifest":
        """Return the same samples with one part name each, in order."""
        pairs = zip(self.samples, splits, strict=True)
        return Manifest(tuple(replace(sample, split=split) for sample, split in pairs))

    def write(self, path: Path) -> None:
        """Write the table; the file appears whole or not at all.

        Pictures below the manifest's folder are named relative to it, so that both can be moved
        together; all others by their absolute path, so that the manifest can be moved alone.

        Raises:
            OutputError: The file cannot be written.
            DataError: A name or a label is not valid Unicode, or a label could not be read back.
        """
        columns = self.columns
        intervals = self.intervals
        for sample in self.samples:
            rules.check(str(sample.path), sample.labels, intervals)
        folder = absolute(path).parent
        with atomic_write(path, newline="") as file:
            try:
                file.write(_line([*FIXED_COLUMNS, *columns]))
                for s in self.samples:
                    values = [_relative(s.path, folder), s.source, s.content, s.split]
                    file.write(_line(values + [s.labels.get(name, "") for name in columns]))
            except UnicodeEncodeError as error:
                raise DataError(
                    f"{error.object!a:.200}: not valid Unicode, so no manifest can hold it; "
                    "rename the file or folder"
                ) from error


def absolute(path: Path) -> Path:
    """Return an absolute path without "..", its links kept: one that is moved along still leads."""
    return path.resolve() if ".." in path.parts else path.absolute()


def read(path: Path, *, parted: bool = True) -> Manifest:
    """Read and check a manifest.

    Args:
        path: The CSV file.
        parted: Whether identical pictures must share one part; False to mend or to part anew.

    Raises:
        DataError: The file is missing or not a manifest, a label is none, or identical pictures
            lie in different parts; the message names the line.
    """
    lines: dict[int, Sample] = {}
    rows = _rows(path)
    header = next(rows, None)
    columns = _check_header(path, header[1] if header else [])
    intervals = rules.interval_tasks(columns)
    for line, row in rows:
        if row:
            lines[line] = _sample(path, columns, intervals, row, f"{path}, line {line}")
    if not lines:
        raise DataError(f"{path}: the manifest lists no picture")
    if parted:
        _check_parts(path, lines)
    return Manifest(tuple(lines.values()))


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _line(values: Sequence[str]) -> str:
    line = io.StringIO()
    # Left to itself the module quotes no carriage return, which readers take for a line's end.
    quoting: Literal[0, 1] = (
        csv.QUOTE_ALL if any("\r" in value for value in values) else csv.QUOTE_MINIMAL
    )
    csv.writer(line, lineterminator="\n", quoting=quoting).writerow(values)
    return line.getvalue()


def _relative(path: Path, folder: Path) -> str:
    whole = absolute(path)
    return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else str(whole)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file with the number of the line where each ends."""
    try:
        data = path.read_bytes()
        # Spreadsheets put a byte order mark before their UTF-8.
        text = data.decode("utf-8-sig")
    except IsADirectoryError as error:
        raise DataError(
            f"{path}: a folder; make a manifest of it: mien data import folders {path} -o FILE.csv"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: not UTF-8; save the table as CSV in UTF-8"
        ) from error
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in table:
            if any("\0" in value for value in row):
                raise DataError(f"{path}, line {table.line_num}: holds a NUL byte; not a CSV table")
            yield table.line_num, row
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num}: not a CSV table ({error})") from error


def _check_header(path: Path, header: list[str]) -> list[str]:
    if header[: len(FIXED_COLUMNS)] != list(FIXED_COLUMNS):
        found = ", ".join(header[: len(FIXED_COLUMNS)]) or "none"
        raise DataError(
            f"{path}, line 1: a manifest starts with the columns {', '.join(FIXED_COLUMNS)}; "
            f"this one has {found[:100]}. Make one with `mien data import`."
        )
    columns = header[len(FIXED_COLUMNS) :]
    wrong = [name for name in columns if not name or name in FIXED_COLUMNS]
    doubled = [name for name, count in Counter(columns).items() if count > 1]
    if wrong or doubled:
        named = ", ".join(repr(name) for name in dict.fromkeys([*wrong, *doubled]))
        raise DataError(f"{path}, line 1: each label column needs a name of its own; got {named}")
    for name in columns:
        fault = rules.fault(name)
        if fault:
            raise DataError(f"{path}, line 1: the name of a label column {fault}; rename it")
    return columns


def _sample(
    manifest: Path, columns: list[str], intervals: AbstractSet[str], row: list[str], where: str
) -> Sample:
    expected = len(FIXED_COLUMNS) + len(columns)
    if len(row) != expected:
        raise DataError(f"{where}: {expected} values expected, {len(row)} found")
    path, source, content, split = row[: len(FIXED_COLUMNS)]
    for name, value in (("path", path), ("content", content)):
        if not value:
            raise DataError(f"{where}: no {name}; `mien data import` writes whole rows")
    if split and split not in SPLITS:
        raise DataError(
            f"{where}: split must be one of {', '.join(SPLITS)} or empty, not {split!r}"
        )
    values = zip(columns, row[len(FIXED_COLUMNS) :], strict=True)
    labels = {name: value for name, value in values if value}
    rules.check(where, labels, intervals)
    return Sample(manifest.parent / path, source, content, split, labels)


def _check_parts(path: Path, lines: dict[int, Sample]) -> None:
    first: dict[str, int] = {}
    for line, sample in lines.items():
        other = first.setdefault(sample.content, line)
        if lines[other].split != sample.split:
            parts = (lines[other].split or "no part", sample.split or "no part")
            raise DataError(
                f"{path}, line {line}: the same picture as in line {other} (content "
                f"{sample.content}), but in {parts[1]}, not {parts[0]}; identical pictures must "
                "share one part"
            )
