"""Data sets as they lie on disk -> manifests; what is left out is counted and named."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mien import images
from mien.data.manifest import MAX_AGE, Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.split import part_of
from mien.errors import DataError, ImageError
from mien.files import atomic_write

GENDERS: Final = ("male", "female")
RACES: Final = ("white", "black", "asian", "indian", "other")
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


@dataclass
class Skipped:
    """What an import left out: reason -> the names of what was left out for it."""

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        """Count one thing that was left out."""
        self.names[reason].append(name)

    @property
    def total(self) -> int:
        """How many things were left out."""
        return sum(map(len, self.names.values()))

    def write(self, path: Path) -> None:
        """Write reason and name of each as CSV.

        Raises:
            OutputError: The file cannot be written.
        """
        with atomic_write(path, newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["reason", "name"])
            table.writerows(
                (reason, name) for reason, names in self.names.items() for name in names
            )


def import_utkface(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = unwatched
) -> Manifest:
    """Read UTKFace: `[age]_[gender]_[race]_[date&time].EXT`, labels from the names.

    Args:
        folder: The folder of pictures.
        skipped: Collects what is left out: names that lack a field, unreadable pictures.
        seed: Seed of the split into 80 % train, 10 % validation, 10 % test.
        watch: Progress over the pictures.

    Raises:
        DataError: No picture of such a name lies in the folder.
    """
    labels: dict[Path, dict[str, str]] = {}
    for path in _pictures(folder, skipped):
        found = _utkface_labels(path.name)
        if found is None:
            skipped.add("name is not [age]_[gender]_[race]_[date]", path.name)
        else:
            labels[path] = found
    samples = [
        Sample(path, "utkface", content, part_of(content, seed=seed), labels[path])
        for path, content in _fingerprints(labels, skipped, watch)
    ]
    return _manifest(samples, folder, "readable picture named [age]_[gender]_[race]_[date]")


def import_folders(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = unwatched
) -> Manifest:
    """Read one folder a class: `FOLDER/CLASS/**/picture`; the label's column is `label`.

    Args:
        folder: The folder of the classes' folders; its name becomes the data set's.
        skipped: Collects what is left out: pictures of no class, unreadable ones.
        seed: Seed of the split into 80 % train, 10 % validation, 10 % test.
        watch: Progress over the pictures.

    Raises:
        DataError: No picture lies in a folder of the folder.
    """
    labels: dict[Path, str] = {}
    for path in _pictures(folder, skipped):
        steps = path.relative_to(folder).parts
        if len(steps) > 1:
            labels[path] = steps[0]
        else:
            skipped.add("picture outside of the classes' folders", path.name)
    source = folder.resolve().name
    samples = [
        Sample(path, source, content, part_of(content, seed=seed), {"label": labels[path]})
        for path, content in _fingerprints(labels, skipped, watch)
    ]
    return _manifest(samples, folder, "readable picture in one folder a class")


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
    contents = dict(_fingerprints(rows, skipped, watch))
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
    return _manifest(samples, folder, "readable picture with a label in fer2013new.csv")


SOURCES: Final = {
    "folders": import_folders,
    "utkface": import_utkface,
    "ferplus": import_ferplus,
}
"""Name of a layout -> what reads it."""


def fingerprint(path: Path) -> str:
    """Return a hash of a picture's size and pixels: files that decode alike share it.

    Raises:
        ImageError: The picture cannot be read.
    """
    pixels = images.load(path).pixels
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:20]


def _fingerprints(
    paths: Iterable[Path], skipped: Skipped, watch: Watcher
) -> Iterator[tuple[Path, str]]:
    wanted = list(paths)
    for path in watch(wanted, len(wanted)):
        try:
            yield path, fingerprint(path)
        except ImageError as error:
            skipped.add("unreadable picture", f"{path.name} ({error.reason})")


def _manifest(samples: list[Sample], folder: Path, expected: str) -> Manifest:
    if not samples:
        raise DataError(f"{folder}: no {expected} found there")
    return Manifest(tuple(samples))


def _pictures(folder: Path, skipped: Skipped) -> Iterator[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix.lower() not in images.SUFFIXES:
            skipped.add("not a picture, by its suffix", path.name)
        elif not _is_unicode(str(path.relative_to(folder))):
            skipped.add("name is not valid Unicode", ascii(path.name)[1:-1])
        else:
            yield path


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _utkface_labels(name: str) -> dict[str, str] | None:
    fields = name.split(".")[0].split("_")
    numbers = [int(text) for text in fields[:3] if text.isascii() and text.isdigit()]
    if len(fields) != 4 or len(numbers) != 3 or not fields[3].strip():
        return None
    age, gender, race = numbers
    if age > MAX_AGE or gender >= len(GENDERS) or race >= len(RACES):
        return None
    return {"age": str(age), "gender": GENDERS[gender], "race": RACES[race]}


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
