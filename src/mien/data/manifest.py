"""A manifest: a CSV table of labelled pictures, some labels of which may be missing.

Columns: `path` (relative to the manifest's folder, or absolute), `source` (the data set's name),
`content` (fingerprint of the pixels), `split` (train, validation, test or empty), then one column
a task. A column `TASK/LABEL` holds the weight (votes) of one label for a soft label; a number that
is known to lie in an interval has `TASK_low` and `TASK_high` instead.
"""

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from mien.errors import DataError
from mien.files import atomic_write

FIXED_COLUMNS: Final = ("path", "source", "content", "split")
SPLITS: Final = ("train", "validation", "test")
MAX_AGE: Final = 130
_AGES: Final = ("age", "age_low", "age_high")


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

    def number(self, column: str) -> float:
        """Return a label that is a number; nan where it is missing.

        Raises:
            DataError: The label is not a finite number.
        """
        text = self.labels.get(column)
        if text is None:
            return math.nan
        value = _finite(text)
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
            DataError: A name or a label is not valid Unicode.
        """
        columns = self.columns
        folder = _absolute(path).parent
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


def read(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        DataError: The file is missing or not a manifest, or identical pictures lie in different
            parts; the message names the line.
    """
    lines: dict[int, Sample] = {}
    rows = _rows(path)
    header = next(rows, None)
    columns = _check_header(path, header[1] if header else [])
    for line, row in rows:
        if row:
            lines[line] = _sample(path, columns, row, f"{path}, line {line}")
    if not lines:
        raise DataError(f"{path}: the manifest lists no picture")
    _check_parts(path, lines)
    return Manifest(tuple(lines.values()))


def join(manifests: Iterable[Manifest]) -> tuple[Manifest, int]:
    """Join manifests; a picture that repeats another's pixels takes the most guarded part.

    Identical pictures must not lie on two sides of a split. Where two data sets place the same
    pixels in different parts, all copies go to test before validation before train.

    Returns:
        The joined manifest, and how many samples had to change their part.
    """
    samples = [sample for manifest in manifests for sample in manifest.samples]
    rank = {name: position for position, name in enumerate(("", *SPLITS))}
    guarded: dict[str, str] = {}
    for sample in samples:
        known = guarded.get(sample.content, "")
        guarded[sample.content] = max(known, sample.split, key=rank.__getitem__)
    moved = sum(guarded[sample.content] != sample.split for sample in samples)
    splits = [guarded[sample.content] for sample in samples]
    return Manifest(tuple(samples)).with_splits(splits), moved


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
    absolute = _absolute(path)
    if absolute.is_relative_to(folder):
        return absolute.relative_to(folder).as_posix()
    return str(absolute)


def _absolute(path: Path) -> Path:
    """Return an absolute path without "..", its links kept: one that is moved along still leads."""
    return path.resolve() if ".." in path.parts else path.absolute()


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file with the number of the line where each ends."""
    try:
        data = path.read_bytes()
        # Spreadsheets put a byte order mark before their UTF-8.
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
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
    return columns


def _sample(manifest: Path, columns: list[str], row: list[str], where: str) -> Sample:
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
    for name, value in labels.items():
        if name in _AGES or "/" in name:
            _check_number(where, name, value)
    return Sample(manifest.parent / path, source, content, split, labels)


def _check_number(where: str, name: str, value: str) -> None:
    largest = MAX_AGE if name in _AGES else math.inf
    if not 0 <= _finite(value) <= largest:
        wanted = f"an age from 0 to {MAX_AGE}" if name in _AGES else "a number of at least 0"
        raise DataError(f"{where}: {name} must be {wanted}, not {value!r}")


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


def _finite(text: str) -> float:
    """Return a number; nan for a text that is none, or not a finite one."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
