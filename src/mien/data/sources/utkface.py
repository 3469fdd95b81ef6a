"""UTKFace (Zhang et al. 2017): age, gender and race in the pictures' names."""

from pathlib import Path
from typing import Final

from mien.data.manifest import MAX_AGE, Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.reading import Skipped, fingerprints, manifest_of, pictures
from mien.data.split import part_of
from mien.errors import DataError

GENDERS: Final = ("male", "female")
RACES: Final = ("white", "black", "asian", "indian", "other")


def import_utkface(
    folder: Path,
    skipped: Skipped,
    *,
    seed: int = 0,
    watch: Watcher = unwatched,
    only: Path | None = None,
) -> Manifest:
    """Read UTKFace: `[age]_[gender]_[race]_[date&time].EXT`, labels from the names.

    Args:
        folder: The folder of pictures.
        skipped: Collects what is left out: names that lack a field, unreadable pictures.
        seed: Seed of the split into 80 % train, 10 % validation, 10 % test.
        watch: Progress over the pictures.
        only: A text file that names the pictures to take, one a line, endings left out or not; the
            others are passed over. None for all.

    Raises:
        DataError: No picture of such a name lies in the folder, or `only` cannot be read.
    """
    labels: dict[Path, dict[str, str]] = {}
    wanted = None if only is None else _named(only)
    for path in pictures(folder, skipped):
        if wanted is not None and path.name.partition(".")[0] not in wanted:
            continue
        found = _utkface_labels(path.name)
        if found is None:
            skipped.add("name is not [age]_[gender]_[race]_[date]", path.name)
        else:
            labels[path] = found
    samples = [
        Sample(path, "utkface", content, part_of(content, seed=seed), labels[path])
        for path, content in fingerprints(labels, skipped, watch)
    ]
    return manifest_of(
        samples, folder, "readable picture named [age]_[gender]_[race]_[date]", skipped
    )


def _named(only: Path) -> set[str]:
    """Return the names that a list holds, without their endings.

    Raises:
        DataError: It cannot be read, or is empty.
    """
    try:
        lines = only.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{only}: cannot be read as a list of pictures ({error})") from error
    names = {Path(line.strip()).name.partition(".")[0] for line in lines if line.strip()}
    if not names:
        raise DataError(f"{only}: names no picture; write one name a line")
    return names


def _utkface_labels(name: str) -> dict[str, str] | None:
    fields = name.split(".")[0].split("_")
    numbers = [int(text) for text in fields[:3] if text.isascii() and text.isdigit()]
    if len(fields) != 4 or len(numbers) != 3 or not fields[3].strip():
        return None
    age, gender, race = numbers
    if age > MAX_AGE or gender >= len(GENDERS) or race >= len(RACES):
        return None
    return {"age": str(age), "gender": GENDERS[gender], "race": RACES[race]}
