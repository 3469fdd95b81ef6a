"""FairFace (Karkkainen and Joo 2021): faces with a bin of ages, a gender and one of seven races."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mien.data.manifest import MAX_AGE, Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.parts import settle
from mien.data.sources.reading import Skipped, exists, fingerprints, manifest_of
from mien.data.sources.rows import read_rows
from mien.errors import DataError

TABLES: Final = {"fairface_label_train.csv": "train", "fairface_label_val.csv": "test"}
"""Label file -> the part that its pictures belong to; training pictures give validation too."""

_FAIRFACE: Final = {
    "White": "white",
    "Black": "black",
    "East Asian": "east asian",
    "Southeast Asian": "southeast asian",
    "Indian": "indian",
    "Latino_Hispanic": "latino hispanic",
    "Middle Eastern": "middle eastern",
}
_UTKFACE: Final = {
    "White": "white",
    "Black": "black",
    "East Asian": "asian",
    "Southeast Asian": "asian",
    "Indian": "indian",
}
RACES: Final = {"utkface": _UTKFACE, "fairface": _FAIRFACE}
"""Whose terms for races -> FairFace's race -> its label; UTKFace has none for two of the seven."""

BINS: Final = (
    (0, 2),
    (3, 9),
    (10, 19),
    (20, 29),
    (30, 39),
    (40, 49),
    (50, 59),
    (60, 69),
    (70, MAX_AGE),
)
"""FairFace's bins of ages: first and last whole year."""

_MONTHS: Final = {"Mar": "3", "Sep": "9", "Oct": "10"}
_COLUMNS: Final = ("file", "age", "gender", "race")


def import_fairface(
    folder: Path,
    skipped: Skipped,
    *,
    races: str = "utkface",
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Manifest:
    """Read FairFace's label files and the pictures that they name.

    Ages are intervals of whole years. Its own validation pictures are the test part where their
    label file is there, and a tenth of the others is the validation part; without it the training
    pictures are parted 80 / 10 / 10.

    Args:
        folder: Holds `fairface_label_train.csv`; `train/1.jpg` lies there or one folder below.
        skipped: Collects what is left out.
        races: "utkface" for the terms of UTKFace (Latino, Hispanic and Middle Eastern people get no
            race), or "fairface" for its own seven.
        seed: Seed of the parts.
        watch: Progress over the pictures.

    Raises:
        DataError: No label file is there, or a row is not FairFace's; the message names the line.
    """
    if races not in RACES:
        raise DataError(f"races must be one of {', '.join(RACES)}, not {races!r:.50}")
    tables = {folder / name: part for name, part in TABLES.items() if (folder / name).is_file()}
    if not tables:
        raise DataError(f"{folder}: none of FairFace's label files is there: {', '.join(TABLES)}")
    places = (folder, *sorted(path for path in folder.iterdir() if path.is_dir()))
    labels: dict[Path, dict[str, str]] = {}
    named: dict[Path, str] = {}
    for table, part in tables.items():
        for where, row in read_rows(table, _COLUMNS)[1]:
            own, path = _labels(row, where, RACES[races]), _picture(places, row["file"])
            if path is None:
                skipped.add("row whose picture is missing", row["file"])
            elif path in labels:
                skipped.add("row that names a picture again", row["file"])
            else:
                labels[path], named[path] = own, part
    contents = dict(fingerprints(labels, skipped, watch))
    settled = settle(contents, named, skipped, seed=seed)
    samples = [
        Sample(path, "fairface", contents[path], split, labels[path])
        for path, split in settled.items()
    ]
    return manifest_of(samples, folder, "picture that a label file names", skipped)


def age_interval(text: str) -> tuple[int, int] | None:
    """Return the first and the last age of a bin, in whole years; None if it is none.

    A spreadsheet turns "3-9" into "03-Sep", "9-Mar" or "Sep-03", and "10-19" into "Oct-19".

    Example:
        >>> age_interval("20-29"), age_interval("03-Sep"), age_interval("Oct-19")
        ((20, 29), (3, 9), (10, 19))
    """
    text = text.strip()
    if text == "more than 70":
        return BINS[-1]
    for month, number in _MONTHS.items():
        text = re.sub(rf"\b{month}\b", number, text, flags=re.IGNORECASE)
    match = re.fullmatch(r"([0-9]{1,2})-([0-9]{1,2})", text)
    ends = sorted((int(match[1]), int(match[2]))) if match else []
    return next((ages for ages in BINS if list(ages) == ends), None)


def _labels(row: dict[str, str], where: str, races: dict[str, str]) -> dict[str, str]:
    ages = age_interval(row["age"])
    if ages is None:
        raise DataError(f"{where}: age must be a bin such as 20-29, not {row['age']!r:.50}")
    if row["gender"] not in ("Male", "Female"):
        raise DataError(f"{where}: gender must be Male or Female, not {row['gender']!r:.50}")
    if row["race"] not in _FAIRFACE:
        known = ", ".join(_FAIRFACE)
        raise DataError(f"{where}: race must be one of {known}, not {row['race']!r:.50}")
    labels = {
        "age_low": str(ages[0]),
        "age_high": str(ages[1]),
        "gender": row["gender"].lower(),
    }
    return labels | {"race": races[row["race"]]} if row["race"] in races else labels


def _picture(places: Sequence[Path], name: str) -> Path | None:
    """Return where a picture lies; None if it is missing, or outside of the folder."""
    if not name or ".." in Path(name).parts or Path(name).is_absolute():
        return None
    return next((place / name for place in places if exists(place / name)), None)
