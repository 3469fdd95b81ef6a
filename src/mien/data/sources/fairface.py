"""FairFace (Karkkainen and Joo 2021): faces with a bin of ages, a gender and one of seven races."""

import csv
import re
from pathlib import Path
from typing import Final

from mien.data.manifest import MAX_AGE, Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.reading import Skipped, fingerprints, manifest_of
from mien.data.split import part_of
from mien.errors import DataError

TABLES: Final = {"fairface_label_train.csv": "train", "fairface_label_val.csv": "test"}
"""Label file -> the part that its pictures belong to; training pictures give validation too."""

RACES: Final = {
    "White": "white",
    "Black": "black",
    "East Asian": "asian",
    "Southeast Asian": "asian",
    "Indian": "indian",
    "Latino_Hispanic": None,
    "Middle Eastern": None,
}
"""FairFace's seven races -> UTKFace's five; the two that UTKFace calls other or white have none."""

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_COLUMNS: Final = ("file", "age", "gender", "race")


def import_fairface(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = unwatched
) -> Manifest:
    """Read FairFace's label files and the pictures that they name.

    Ages are intervals of whole years. Its own validation pictures are the test part where their
    label file is there, and a tenth of the others is the validation part; without it the training
    pictures are parted 80 / 10 / 10.

    Args:
        folder: Holds `fairface_label_train.csv`; `train/1.jpg` lies there or one folder below.
        skipped: Collects what is left out.
        seed: Seed of the parts.
        watch: Progress over the pictures.

    Raises:
        DataError: No label file is there, or a row is not FairFace's; the message names the line.
    """
    found = {folder / name: part for name, part in TABLES.items() if (folder / name).is_file()}
    if not found:
        raise DataError(f"{folder}: none of FairFace's label files is there: {', '.join(TABLES)}")
    labels: dict[Path, dict[str, str]] = {}
    tests: set[Path] = set()
    for table, part in found.items():
        for name, own in _rows(table):
            path = _picture(folder, name)
            if path is None:
                skipped.add("row whose picture is missing", name)
            elif path in labels:
                skipped.add("row that names a picture again", name)
            else:
                labels[path] = own
                if part == "test":
                    tests.add(path)
    contents = dict(fingerprints(labels, skipped, watch))
    guarded = {content for path, content in contents.items() if path in tests}
    shares = (0.9, 0.1, 0.0) if tests else (0.8, 0.1, 0.1)
    samples = []
    for path, content in contents.items():
        if content in guarded and path not in tests:
            skipped.add("training picture that the test part repeats", path.name)
            continue
        split = "test" if path in tests else part_of(content, shares, seed)
        samples.append(Sample(path, "fairface", content, split, labels[path]))
    return manifest_of(samples, folder, "picture that a label file names")


def age_interval(text: str) -> tuple[int, int] | None:
    """Return the first and the last age of a bin, in whole years; None if it is none.

    A spreadsheet turns "3-9" into "03-Sep", "9-Mar" or "Sep-03", and "10-19" into "Oct-19".

    Example:
        >>> age_interval("20-29"), age_interval("03-Sep"), age_interval("Oct-19")
        ((20, 29), (3, 9), (10, 19))
    """
    text = text.strip()
    if text == "more than 70":
        return 70, MAX_AGE
    for number, month in enumerate(_MONTHS, start=1):
        text = re.sub(rf"\b{month}\b", str(number), text, flags=re.IGNORECASE)
    match = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", text)
    if match is None:
        return None
    ends = sorted((int(match[1]), int(match[2])))
    return (ends[0], ends[1]) if ends[1] <= MAX_AGE else None


def _rows(table: Path) -> list[tuple[str, dict[str, str]]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            missing = set(_COLUMNS) - set(reader.fieldnames or ())
            if missing:
                raise DataError(f"{table}: the columns {', '.join(sorted(missing))} are missing")
            return [
                (row["file"], _labels(row, f"{table}, line {reader.line_num}")) for row in reader
            ]
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table}: not a CSV table in UTF-8 ({error})") from error


def _labels(row: dict[str, str], where: str) -> dict[str, str]:
    ages = age_interval(row["age"])
    if ages is None:
        raise DataError(f"{where}: age must be a bin such as 20-29, not {row['age']!r:.50}")
    if row["gender"] not in ("Male", "Female"):
        raise DataError(f"{where}: gender must be Male or Female, not {row['gender']!r:.50}")
    if row["race"] not in RACES:
        raise DataError(f"{where}: race must be one of {', '.join(RACES)}, not {row['race']!r:.50}")
    labels = {
        "age_low": str(ages[0]),
        "age_high": str(ages[1]),
        "gender": row["gender"].lower(),
    }
    race = RACES[row["race"]]
    return labels | {"race": race} if race else labels


def _picture(folder: Path, name: str) -> Path | None:
    """Return where a picture lies; None if it is missing, or outside of the folder."""
    if not name or ".." in Path(name).parts or Path(name).is_absolute():
        return None
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if (place / name).is_file():
            return place / name
    return None
