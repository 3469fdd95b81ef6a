"""Segments: some thousand pictures each in one flat file on disk, written once, never changed.

A segment is a folder of two files: `pixels.u8`, the pictures one after another, and `index.bin`, a
record of each: its key, shape and view. The folder's name ends with a hash of the index, by which
a damaged one is known. It is written under another name and renamed
when whole: a build that is interrupted loses one segment, and many processes may share a folder.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.pixels import Image, Matrix

PICTURES: Final = 4096
BYTES: Final = 2**28
"""A segment is full at so many pictures, or so many bytes of them, whichever comes first."""

IN_USE: Final = 3600.0
"""For so many seconds after its last opening a segment counts as being in use."""

KEY: Final = 16
"""Length of a key in bytes."""

_Record = tuple[bytes, tuple[int, ...], Matrix, bool]

_PREFIX: Final = "segment-"
_UNFINISHED: Final = ".building-"
_DISCARDED: Final = ".discarded-"
_PIXELS: Final = "pixels.u8"
_INDEX: Final = "index.bin"
_RECORD: Final = np.dtype(
    [("key", f"V{KEY}"), ("shape", "<i8", 3), ("view", "<f8", (2, 3)), ("aligned", "?")]
)


@dataclass(frozen=True)
class Entry:
    """What a segment keeps of one picture.

    Attributes:
        key: What the picture is found by, 16 bytes.
        pixels: H x W x C; C is 1 where all its channels were equal.
        view: Takes the unit square of the view to coordinates of `pixels`.
        aligned: Whether a face's landmarks were found, where they were sought.
    """

    key: bytes
    pixels: Image
    view: Matrix
    aligned: bool


@dataclass(frozen=True, eq=False)
class Segment:
    """The index of one segment.

    Attributes:
        folder: Where it lies.
        keys: The pictures' keys.
        shapes: N x 3: height, width and channels.
        views: N x 2 x 3.
        aligned: N.
    """

    folder: Path
    keys: list[bytes]
    shapes: NDArray[np.int64]
    views: NDArray[np.float64]
    aligned: NDArray[np.bool_]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each picture begins in the file of pixels."""
        ends: NDArray[np.int64] = np.cumsum(self.shapes.prod(axis=1))
        return np.concatenate([[0], ends[:-1]])

    def open_pixels(self) -> NDArray[np.uint8]:
        """Map the file of pixels into memory, to be read only; the segment counts as in use.

        Raises:
            DataError: The segment was deleted since its index was read.
        """
        with suppress(OSError):  # one that belongs to somebody else can be read none the less
            os.utime(self.folder)
        try:
            return np.memmap(self.folder / _PIXELS, np.uint8, mode="r").view(np.ndarray)
        except FileNotFoundError as error:
            raise _damage(self.folder, "its pixels are gone") from error


def read_segment(folder: Path) -> Segment:
    """Read the index of a segment.

    Raises:
        DataError: The segment is gone or damaged.
        OSError: It cannot be read, and not because of damage.
    """
    try:
        content = (folder / _INDEX).read_bytes()
        size = (folder / _PIXELS).stat().st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _damage(folder, "a file is missing") from error
    if folder.name != _name(content):
        raise _damage(folder, "its index is damaged")
    records = np.frombuffer(content, _RECORD)
    segment = Segment(
        folder, records["key"].tolist(), records["shape"], records["view"], records["aligned"]
    )
    if size != segment.shapes.prod(axis=1).sum():
        raise _damage(folder, "its pixels do not match its index")
    return segment


def read_segments(folder: Path) -> tuple[list[Segment], int]:
    """Read the indices of all segments in a folder; damaged ones are deleted.

    Returns:
        The whole ones by name, and how many were damaged.

    Raises:
        OSError: The folder or a segment cannot be read, and not because of damage.
    """
    found, damaged = [], 0
    for place in sorted(folder.glob(f"{_PREFIX}*")):
        try:
            found.append(read_segment(place))
        except DataError:
            # One that is gone altogether was deleted by another process: no damage.
            damaged += place.exists()
            _discard(place)
    return found, damaged


def write_segment(folder: Path, entries: Iterator[Entry]) -> Segment | None:
    """Write the next entries, until the segment is full, as a new segment.

    Args:
        folder: The folder of segments.
        entries: Only as many are taken from it as one segment holds.

    Returns:
        The segment; None where there was no entry left.

    Raises:
        OSError: It cannot be written; nothing of it is left behind.
    """
    temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
    try:
        taken = _write_pixels(temporary / _PIXELS, entries)
        if not taken:
            return None
        content = np.array(taken, _RECORD).tobytes()
        _write(temporary / _INDEX, content)
        place = folder / _name(content)
        try:
            temporary.rename(place)
        except OSError:
            # Another process made the same one, faster.
            if not place.is_dir():
                raise
        return read_segment(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def trim(root: Path, limit: int, keep: AbstractSet[Path]) -> None:
    """Delete the segments that were not used for longest, until the others keep to a limit.

    Segments that may be in use are kept whatever the limit: those of `keep`, and all that were
    opened within the last hour. What interrupted processes left behind is deleted as well.

    Args:
        root: Folder of folders of segments.
        limit: Bytes that all of them together may take.
        keep: Segments that must stay.
    """
    idle = time.time() - IN_USE
    for pattern in (_UNFINISHED, _DISCARDED):
        for place in root.glob(f"*/{pattern}*"):
            if max(used for used, _ in _files(place)) < idle:
                shutil.rmtree(place, ignore_errors=True)
    uses = {place: _files(place) for place in root.glob(f"*/{_PREFIX}*")}
    total = sum(size for files in uses.values() for _, size in files)
    for place, files in sorted(uses.items(), key=lambda item: item[1][0][0]):
        if total <= limit or files[0][0] >= idle:
            break
        if place not in keep and _discard(place):
            total -= sum(size for _, size in files)


def _files(place: Path) -> list[tuple[float, int]]:
    """Return time of the last change and size in bytes of a folder and of each file in it."""
    found = [(time.time(), 0)]
    with suppress(OSError):  # another process has just deleted or renamed it
        found = [(place.stat().st_mtime, 0)]
        found += [(file.stat().st_mtime, file.stat().st_size) for file in place.iterdir()]
    return found


def _discard(place: Path) -> bool:
    """Delete a segment, in one step for all who look for it; return whether that was possible."""
    hidden = Path(tempfile.mkdtemp(prefix=_DISCARDED, dir=place.parent))
    try:
        place.rename(hidden / place.name)
    except OSError:
        return False
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return True


def _write_pixels(path: Path, entries: Iterator[Entry]) -> list[_Record]:
    taken: list[_Record] = []
    size = 0
    with path.open("wb") as file:
        for entry in entries:
            file.write(entry.pixels.tobytes())
            taken.append((entry.key, entry.pixels.shape, entry.view, entry.aligned))
            size += entry.pixels.size
            if len(taken) == PICTURES or size >= BYTES:
                break
        file.flush()
        os.fsync(file.fileno())
    return taken


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _name(index: bytes) -> str:
    return _PREFIX + hashlib.sha256(index).hexdigest()[:20]


def _damage(folder: Path, reason: str) -> DataError:
    return DataError(
        f"{folder}: not a whole segment of stored pictures ({reason}); begin again, and it is made "
        "anew"
    )
