"""Any CSV table that names a picture in each row, beside its labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.labels import fault, is_column, is_label
from mien.data.sources.parts import PART_NAMES, settle
from mien.data.sources.reading import Skipped, exists, fingerprints, manifest_of
from mien.data.sources.rows import read_rows
from mien.errors import DataError

PATH_COLUMNS: Final = ("path", "file", "image", "filename")
"""Columns that are looked for where none is named; capitals do not count."""

_KEPT: Final = ("source", "content", "split")


def import_csv(
    table: Path,
    skipped: Skipped,
    *,
    path_column: str | None = None,
    labels: Mapping[str, str] | None = None,
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Manifest:
    """Read a CSV table: a column of paths, and columns of labels.

    With a column stand its votes (`TASK/LABEL`) and interval (`TASK_low`, `TASK_high`). A column
    `split` is honoured: train, validation (val, valid, dev) or test; a validation or test part that
    it does not name is drawn from the training pictures and from those without a part. A column
    `source` names each picture's data set; `content` is computed anew from the pixels.

    Args:
        table: The file; its paths are relative to its folder.
        skipped: Collects what is left out: rows without a picture, with wrong labels or none.
        path_column: The column of paths; None for the first of path, file, image, filename.
        labels: Column -> the task that it is for; None for all others, by their own names.
        seed: Seed of the parts that are drawn.
        watch: Progress over the pictures.

    Raises:
        DataError: The table cannot be read, a column is missing, or no row can be used.
    """
    columns, rows = read_rows(table)
    wanted = _choose(table, columns, path_column, labels, skipped)
    found: dict[Path, _Row] = {}
    for where, row in rows:
        own = _row(table, row, wanted)
        reason = "row that names a picture again" if own.path in found else _fault(own)
        if reason is None:
            found[own.path] = own
        else:
            skipped.add(reason, row[wanted.path] or where)
    contents = dict(fingerprints(found, skipped, watch))
    named = {path: PART_NAMES.get(row.split, "") for path, row in found.items()}
    if any(named.values()):
        skipped.notes.append("parts are those of the column 'split'")
    _compare(contents, found, skipped)
    samples = [
        Sample(path, found[path].source, contents[path], split, found[path].labels)
        for path, split in settle(contents, named, skipped, seed=seed).items()
    ]
    return manifest_of(samples, table, "row with a readable picture and a label", skipped)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns of a table are used: that of the paths, and column -> manifest's column."""

    path: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row says of its picture; all but the labels is "" where nothing is said."""

    path: Path
    source: str
    content: str
    split: str
    labels: dict[str, str]


def _choose(
    table: Path,
    columns: Sequence[str],
    path_column: str | None,
    labels: Mapping[str, str] | None,
    skipped: Skipped,
) -> _Columns:
    path = _path_column(table, columns, path_column)
    others = [name for name in columns if name not in (path, *_KEPT)]
    if labels is None:
        chosen = {name: name.strip() for name in others if is_column(name.strip())}
        for name in others:
            if name not in chosen:
                skipped.add("column whose name is no task's: take it by --label COLUMN=TASK", name)
    else:
        chosen = {
            name: renamed
            for column, task in labels.items()
            for name, renamed in _family(table, others, column, task)
        }
    if len(set(chosen.values())) < len(chosen):
        raise DataError(f"{table}: two columns are for the same task: {', '.join(chosen)}")
    if not chosen:
        raise DataError(
            f"{table}: no column holds labels; it has {_listed(columns)}. Name some, such as "
            "--label Mood=mood"
        )
    return _Columns(path, chosen)


def _path_column(table: Path, columns: Sequence[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in columns:
            raise DataError(f"{table}: there is no column {wanted!r}; it has {_listed(columns)}")
        return wanted
    by_name = {name.strip().lower(): name for name in reversed(columns)}
    for name in PATH_COLUMNS:
        if name in by_name:
            return by_name[name]
    raise DataError(
        f"{table}: no column is called {', '.join(PATH_COLUMNS)}; it has {_listed(columns)}. Name "
        "that of the pictures: --path-column COLUMN"
    )


def _family(table: Path, columns: Sequence[str], column: str, task: str) -> list[tuple[str, str]]:
    """Return a column, its votes and its interval's ends, each with its name in the manifest."""
    if "/" in task or not is_column(task):
        raise DataError(
            f"{task!r:.100} cannot name a task: small letters, digits and _, starting with a "
            f"letter; give one by --label {column}=TASK"
        )
    family = [
        (name, task + name.removeprefix(column))
        for name in columns
        if name in (column, f"{column}_low", f"{column}_high") or name.startswith(f"{column}/")
    ]
    if not family:
        raise DataError(f"{table}: there is no column {column!r}; it has {_listed(columns)}")
    unfit = [name for name, renamed in family if not is_column(renamed)]
    if unfit:
        raise DataError(f"{table}: {unfit[0]!r:.100}: no label that a model card can hold")
    return family


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(repr, columns[:20])) or "none"


def _row(table: Path, row: Mapping[str, str], wanted: _Columns) -> _Row:
    values = {renamed: row[name].strip() for name, renamed in wanted.labels.items()}
    source, content, split = (row.get(name, "").strip() for name in _KEPT)
    return _Row(
        table.parent / row[wanted.path],
        source or table.stem,
        content,
        split.lower(),
        {name: value for name, value in values.items() if value},
    )


def _fault(row: _Row) -> str | None:
    """Return why a row cannot be used; None if it can."""
    if not exists(row.path):
        return "row whose picture is missing"
    if row.split and row.split not in PART_NAMES:
        return f"row whose split is none of {', '.join(PART_NAMES)}"
    if not row.labels:
        return "row without a label"
    if not is_label(row.source):
        return "source that no model card can hold: too long, or with control characters"
    return fault(Sample(row.path, row.source, "", labels=row.labels))


def _compare(contents: Mapping[Path, str], rows: Mapping[Path, _Row], skipped: Skipped) -> None:
    """Note where a table's own fingerprints are not those of the pixels."""
    stale = sum(rows[path].content not in ("", content) for path, content in contents.items())
    if stale:
        skipped.notes.append(f"the content of {stale:,} pictures was computed anew, for it differs")
