"""A manifest: a CSV table of labelled pictures, some labels of which may be missing.

Columns: `path` (relative to the manifest's folder, or absolute), `source` (the data set's name),
`content` (fingerprint of the pixels), `split` (train, validation, test or empty), then one column
a task. A column `TASK/LABEL` holds the weight (votes) of one label for a soft label.
"""

import csv
import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mien.errors import DataError
from mien.files import atomic_write

FIXED_COLUMNS: Final = ("path", "source", "content", "split")
SPLITS: Final = ("train", "validation", "test")
MAX_AGE: Final = 130


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
        lines = sorted(
            repr((s.content, s.source, s.split, sorted(s.labels.items()))) for s in self.samples
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    @property
    def split_hash(self) -> str:
        """Hash over which picture lies in which part: equal splits have equal hashes."""
        lines = sorted({f"{s.content} {s.split}" for s in self.samples})
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def part(self, split: str) -> "Manifest":
        """Return the samples of one part.

        Raises:
            DataError: The manifest has no sample in that part.
        """
        chosen = tuple(sample for sample in self.samples if sample.split == split)
        if not chosen:
            have = Counter(sample.split or "(none)" for sample in self.samples)
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

        Raises:
            OutputError: The file cannot be written.
        """
        columns = self.columns
        folder = path.resolve().parent
        with atomic_write(path, newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([*FIXED_COLUMNS, *columns])
            for s in self.samples:
                row = [_relative(s.path, folder), s.source, s.content, s.split]
                table.writerow(row + [s.labels.get(name, "") for name in columns])


def read(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        DataError: The file is missing or not a manifest; the message names the line and column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.reader(file, strict=True)
            columns = _check_header(path, next(table, []))
            samples = [
                _sample(path, columns, row, f"{path}, line {table.line_num}")
                for row in table
                if row
            ]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV table in UTF-8 ({error})") from error
    if not samples:
        raise DataError(f"{path}: the manifest lists no picture")
    return Manifest(tuple(samples))


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


def _relative(path: Path, folder: Path) -> str:
    """Name a picture relative to the manifest where it lies below it or beside it."""
    absolute = path.resolve()
    common = os.path.commonpath([absolute, folder])
    near = common != os.path.sep and len(folder.parts) - len(Path(common).parts) <= 1
    return os.path.relpath(absolute, folder) if near else str(absolute)


def _check_header(path: Path, header: list[str]) -> list[str]:
    if header[: len(FIXED_COLUMNS)] != list(FIXED_COLUMNS):
        raise DataError(
            f"{path}: a manifest starts with the columns {', '.join(FIXED_COLUMNS)}; "
            f"this one has {', '.join(header[:6]) or 'none'}. Make one with `mien data import`."
        )
    columns = header[len(FIXED_COLUMNS) :]
    wrong = [name for name in columns if not name or name in FIXED_COLUMNS]
    doubled = [name for name, count in Counter(columns).items() if count > 1]
    if wrong or doubled:
        named = ", ".join(repr(name) for name in [*wrong, *doubled])
        raise DataError(f"{path}: each label column needs a name of its own; got {named}")
    return columns


def _sample(manifest: Path, columns: list[str], row: list[str], where: str) -> Sample:
    expected = len(FIXED_COLUMNS) + len(columns)
    if len(row) != expected:
        raise DataError(f"{where}: {expected} values expected, {len(row)} found")
    path, source, content, split = row[: len(FIXED_COLUMNS)]
    if split and split not in SPLITS:
        raise DataError(
            f"{where}: split must be one of {', '.join(SPLITS)} or empty, not {split!r}"
        )
    if not path or "\0" in path:
        raise DataError(f"{where}: no path")
    values = zip(columns, row[len(FIXED_COLUMNS) :], strict=True)
    labels = {name: value for name, value in values if value}
    for name, value in labels.items():
        if name == "age" or "/" in name:
            _check_number(where, name, value)
    return Sample(manifest.parent / path, source, content, split, labels)


def _check_number(where: str, name: str, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= (MAX_AGE if name == "age" else math.inf):
        wanted = f"an age from 0 to {MAX_AGE}" if name == "age" else "a number of at least 0"
        raise DataError(f"{where}: {name} must be {wanted}, not {value!r}")
