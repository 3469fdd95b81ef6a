"""What every import shares: pictures found and read once, and what is left out of them counted."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mien import images
from mien.data.hashes import content_hash
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ImageError, printable
from mien.files import atomic_write


@dataclass
class Skipped:
    """What an import left out, and what it took the rest for.

    Attributes:
        names: Reason -> the names of what was left out for it.
        notes: How the data set was understood, where that is not plain: one sentence each.
    """

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)

    def add(self, reason: str, name: str) -> None:
        """Count one thing that was left out."""
        self.names[reason].append(name)

    @property
    def total(self) -> int:
        """How many things were left out."""
        return sum(map(len, self.names.values()))

    def write(self, path: Path) -> None:
        """Write reason and name of each as CSV; what is no printable text is escaped.

        Raises:
            OutputError: The file cannot be written.
        """
        with atomic_write(path, newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["reason", "name"])
            table.writerows(
                (reason, printable(name)) for reason, names in self.names.items() for name in names
            )


class Importer(Protocol):
    """Reads a data set of one layout; its own options, if any, are further keywords."""

    def __call__(
        self, place: Path, skipped: Skipped, /, *, seed: int = 0, watch: Watcher = unwatched
    ) -> Manifest:
        """Read the data set.

        Args:
            place: The folder or table of the data set.
            skipped: Collects what is left out.
            seed: Seed of the parts that the data set itself does not name.
            watch: Progress over the pictures.

        Raises:
            DataError: Nothing of the layout is there, or it is damaged.
        """


def fingerprint(path: Path) -> str:
    """Return a hash of a picture's size and pixels: files that decode alike share it.

    Raises:
        ImageError: The picture cannot be read.
    """
    return content_hash(images.load(path).pixels)


def fingerprints(
    paths: Iterable[Path], skipped: Skipped, watch: Watcher
) -> Iterator[tuple[Path, str]]:
    """Yield each readable picture with its fingerprint; the others are counted as left out."""
    wanted = list(paths)
    for path in watch(wanted, len(wanted)):
        try:
            yield path, fingerprint(path)
        except ImageError as error:
            skipped.add("unreadable picture", f"{path.name} ({error.reason})")


def manifest_of(samples: list[Sample], place: Path, expected: str, skipped: Skipped) -> Manifest:
    """Return the manifest of what an import found.

    Raises:
        DataError: It found nothing of what it expected; the message says what was left out, too.
    """
    if samples:
        return Manifest(tuple(samples))
    left_out = "".join(
        f"; left out: {len(names):,}: {reason} ({names[0]}{', ...' if len(names) > 1 else ''})"
        for reason, names in sorted(skipped.names.items(), key=lambda item: -len(item[1]))[:1]
    )
    raise DataError(f"{place}: no {expected} found there{left_out}")


def pictures(folder: Path, skipped: Skipped) -> Iterator[Path]:
    """Yield the pictures of a folder and of all folders in it, in order of their names.

    Raises:
        DataError: It is not a folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder")
    for path in sorted(_files(folder, skipped)):
        inside = path.relative_to(folder)
        if path.suffix.lower() not in images.SUFFIXES:
            skipped.add("not a picture, by its suffix", path.name)
        elif not _is_unicode(str(inside)):
            skipped.add("name is not valid Unicode", ascii(path.name)[1:-1])
        elif any(step.startswith(".") for step in inside.parts[:-1]):
            skipped.add("in a hidden folder", inside.as_posix())
        else:
            yield path


def _files(folder: Path, skipped: Skipped, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield all files in a folder, its folders and those that links lead to, once a way."""
    inside = above | {folder.resolve()}
    try:
        children = list(folder.iterdir())
    except OSError as error:
        skipped.add(f"a folder that cannot be read ({error.strerror})", printable(folder.name))
        return
    for child in children:
        if exists(child):
            yield child
        elif child.is_dir():
            if child.is_symlink() and child.resolve() in inside:
                skipped.add("a link that leads back", printable(child.name))
            else:
                yield from _files(child, skipped, inside)


def exists(path: Path) -> bool:
    """Tell whether a name from outside leads to a file, however odd or long it is."""
    try:
        return path.is_file()
    except OSError:
        return False


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
