"""Data sets as they lie on disk -> manifests; what is left out is counted and named."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mien import images
from mien.data.manifest import MAX_AGE, Manifest, Sample
from mien.data.split import DEFAULT_SHARES, part_of
from mien.errors import DataError, ImageError

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


Watcher = Callable[[Iterable[Path], int], Iterable[Path]]
"""Wraps the loop over pictures to show progress: gets the paths and their number."""


def _unwatched(paths: Iterable[Path], _total: int) -> Iterable[Path]:
    return paths


def import_utkface(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = _unwatched
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
    for path in _pictures(folder):
        found = _utkface_labels(path.name)
        if found is None:
            skipped.add("name is not [age]_[gender]_[race]_[date]", path.name)
        else:
            labels[path] = found
    samples = [
        Sample(path, "utkface", content, part_of(content, DEFAULT_SHARES, seed), labels[path])
        for path, content in _fingerprints(labels, skipped, watch)
    ]
    return _manifest(samples, folder, "pictures named [age]_[gender]_[race]_[date]")


def import_folders(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = _unwatched
) -> Manifest:
    """Read one folder a class: `FOLDER/CLASS/**/picture`; the label's column is `label`.

    Args and raises as `import_utkface`.
    """
    labels = {
        path: path.relative_to(folder).parts[0]
        for path in _pictures(folder)
        if len(path.relative_to(folder).parts) > 1
    }
    source = folder.resolve().name
    samples = [
        Sample(
            path, source, content, part_of(content, DEFAULT_SHARES, seed), {"label": labels[path]}
        )
        for path, content in _fingerprints(labels, skipped, watch)
    ]
    return _manifest(samples, folder, "pictures in one folder a class")


def import_ferplus(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = _unwatched
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
        DataError: The table is missing or has other columns.
    """
    rows = {}
    for row in _ferplus_rows(folder / "fer2013new.csv"):
        path = _ferplus_picture(folder, row, skipped)
        if path is not None:
            rows[path] = row
    contents = dict(_fingerprints(rows, skipped, watch))
    tested = {content for path, content in contents.items() if rows[path]["Usage"] == "PublicTest"}
    samples = []
    for path, content in contents.items():
        split = "test" if rows[path]["Usage"] == "PublicTest" else ""
        labels = _ferplus_labels(rows[path])
        if not split and content in tested:
            skipped.add("training picture that the test part repeats", path.name)
        elif labels is None:
            skipped.add("no expression has more than half of the votes", path.name)
        else:
            split = split or part_of(content, (0.9, 0.1, 0.0), seed)
            samples.append(Sample(path, "ferplus", content, split, labels))
    return _manifest(samples, folder, "pictures that fer2013new.csv names")


SOURCES: Final = {
    "folders": import_folders,
    "utkface": import_utkface,
    "ferplus": import_ferplus,
}


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


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder")
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    return sorted(path for path in paths if path.is_file())


def _utkface_labels(name: str) -> dict[str, str] | None:
    fields = name.split(".")[0].split("_")
    numbers = [int(text) for text in fields[:3] if text.isascii() and text.isdigit()]
    if len(fields) != 4 or len(numbers) != 3:
        return None
    age, gender, race = numbers
    if age > MAX_AGE or gender >= len(GENDERS) or race >= len(RACES):
        return None
    return {"age": str(age), "gender": GENDERS[gender], "race": RACES[race]}


def _ferplus_rows(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: cannot be read ({error})") from error
    wanted = {"Usage", "Image name", *_FERPLUS_VOTES}
    missing = wanted - set(rows[0] if rows else ())
    if missing:
        raise DataError(f"{table}: the columns {', '.join(sorted(missing))} are missing")
    return rows


def _ferplus_picture(folder: Path, row: dict[str, str], skipped: Skipped) -> Path | None:
    """Return where the picture of a row lies, whatever its file type; None if it is left out."""
    name = row["Image name"]
    part = _FERPLUS_FOLDERS.get(row["Usage"])
    if part is None:
        skipped.add(f"part {row['Usage']} is not used", name)
        return None
    if not name:
        skipped.add("row without a picture's name", f"{row['Usage']} row")
        return None
    stem = Path(name).stem
    for suffix in (Path(name).suffix, ".webp", ".png", ".jpg"):
        path = folder / part / f"{stem}{suffix}"
        if path.is_file():
            return path
    skipped.add("row whose picture is missing", name)
    return None


def _ferplus_labels(row: dict[str, str]) -> dict[str, str] | None:
    votes = {name: int(row[name]) for name in _FERPLUS_VOTES}
    votes = {name: count if count > 1 else 0 for name, count in votes.items()}
    best = max(votes, key=votes.__getitem__)
    if best not in EXPRESSIONS or votes[best] * 2 <= sum(votes.values()):
        return None
    soft = {f"expression/{name}": str(votes[name]) for name in EXPRESSIONS if votes[name]}
    return {"expression": best} | soft
