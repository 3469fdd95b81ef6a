"""FER+ (Barsoum et al. 2016): FER2013's faces with the votes of ten people each."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.reading import Skipped, fingerprints, manifest_of
from mien.data.split import part_of
from mien.errors import DataError

EXPRESSIONS: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
_FERPLUS_VOTES: Final = (*EXPRESSIONS, "unknown", "NF")
_FERPLUS_FOLDERS: Final = {"Training": "FER2013Train", "PublicTest": "FER2013Valid"}


def import_ferplus(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = unwatched
) -> Manifest:
    """Read FER+ (Barsoum et al. 2016): FER2013's pictures with ten votes each.

    Labels by FER+'s own rule: an expression with a single vote loses it; more than half of the
    votes that are left must agree; "unknown" and "not a face" are left out. PublicTest is the test
    part, a tenth of Training (by group of identical pictures) the validation part, and Training
    pictures that PublicTest repeats are left out.

    Args:
        folder: Holds `fer2013new.csv`, `FER2013Train` and `FER2013Valid`.
        skipped: Collects what is left out.
        seed: Seed of the validation part.
        watch: Progress over the pictures.

    Raises:
        DataError: The table is missing or not FER+'s; the message names the row.
    """
    rows: dict[Path, _Row] = {}
    for row in _ferplus_rows(folder / "fer2013new.csv"):
        path = _ferplus_picture(folder, row, skipped)
        if path in rows:
            skipped.add("row that names a picture again", row.name)
        elif path is not None:
            rows[path] = row
    contents = dict(fingerprints(rows, skipped, watch))
    tested = {content for path, content in contents.items() if rows[path].tests}
    samples = []
    for path, content in contents.items():
        row, labels = rows[path], _ferplus_labels(rows[path].votes)
        if not row.tests and content in tested:
            skipped.add("training picture that the test part repeats", row.name)
        elif labels is None:
            skipped.add("no expression has more than half of the votes", row.name)
        else:
            split = "test" if row.tests else part_of(content, (0.9, 0.1, 0.0), seed)
            samples.append(Sample(path, "ferplus", content, split, labels))
    return manifest_of(samples, folder, "readable picture with a label in fer2013new.csv")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of FER+'s table: the part and name of a picture, and its ten votes."""

    usage: str
    name: str
    votes: dict[str, int]

    @property
    def tests(self) -> bool:
        return self.usage == "PublicTest"


def _ferplus_rows(table: Path) -> list[_Row]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            missing = {"Usage", "Image name", *_FERPLUS_VOTES} - set(reader.fieldnames or ())
            if missing:
                raise DataError(f"{table}: the columns {', '.join(sorted(missing))} are missing")
            return [_ferplus_row(row, f"{table}, line {reader.line_num}") for row in reader]
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table}: not a CSV table in UTF-8 ({error})") from error


def _ferplus_row(row: dict[str, str], where: str) -> _Row:
    votes = {}
    for name in _FERPLUS_VOTES:
        if not (row[name].isascii() and row[name].isdigit() and len(row[name]) < 10):
            raise DataError(
                f"{where}: the votes for {name} must be a whole number, not {row[name]!r:.50}"
            )
        votes[name] = int(row[name])
    return _Row(row["Usage"], row["Image name"], votes)


def _ferplus_picture(folder: Path, row: _Row, skipped: Skipped) -> Path | None:
    """Return where the picture of a row lies, whatever its file type; None if it is left out."""
    part = _FERPLUS_FOLDERS.get(row.usage)
    if part is None:
        skipped.add("row of a part that is not used", f"{row.name} of {row.usage}")
        return None
    if not row.name:
        skipped.add("row without a picture's name", f"a row of {row.usage}")
        return None
    name = Path(row.name)
    for suffix in (name.suffix, ".webp", ".png", ".jpg"):
        path = folder / part / f"{name.stem}{suffix}"
        if path.is_file():
            return path
    skipped.add("row whose picture is missing", row.name)
    return None


def _ferplus_labels(votes: dict[str, int]) -> dict[str, str] | None:
    """Return the label and the soft votes by FER+'s own rule; None where too few agree."""
    votes = {name: count if count > 1 else 0 for name, count in votes.items()}
    best = max(votes, key=votes.__getitem__)
    if best not in EXPRESSIONS or votes[best] * 2 <= sum(votes.values()):
        return None
    soft = {f"expression/{name}": str(votes[name]) for name in EXPRESSIONS if votes[name]}
    return {"expression": best} | soft
