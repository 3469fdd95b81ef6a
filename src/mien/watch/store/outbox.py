"""The outbox: finished visits on the local disk, until the database has them.

Visits are numbered from 1 and written, one a line, to files that are named after their first number
and only ever grow. A line begins with its checksum and is on the disk when `append` returns. A line
that a crash tore is cut off when the outbox is opened again: its visit was never reported as kept.
"""

import json
import os
import uuid
import zlib
from contextlib import suppress
from datetime import datetime
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from mien.errors import OutputError, StoreError, printable
from mien.files import atomic_write, make_folder
from mien.watch.visit import Visit

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

SEGMENT: Final = 2**20
"""A file that has grown to so many bytes is followed by another."""

_SUFFIX: Final = ".visits"


class Record(NamedTuple):
    """A numbered visit; None where its line is damaged."""

    number: int
    visit: Visit | None


class Outbox:
    """A folder of visits that wait. It belongs to one process, and to one thread at a time.

    Args:
        folder: Made where it is missing.
        segment: Size in bytes from which a new file is begun.

    Attributes:
        id: A random name, under which a database remembers how far it has come.
        last: The number of the newest visit; 0 before the first.

    Raises:
        StoreError: Another process uses it.
        OutputError: The folder cannot be written.
    """

    def __init__(self, folder: Path, *, segment: int = SEGMENT) -> None:
        make_folder(folder)
        self._folder, self._segment = folder, segment
        self._lock = _locked(folder)
        try:
            self.id = self._identity()
            self._file, self._size, self.last = self._open_newest()
        except BaseException:
            self._lock.close()
            raise
        self._torn = False
        self._cursor: tuple[int, Path, int] | None = None

    def close(self) -> None:
        """Close the files; what they hold stays."""
        self._file.close()
        self._lock.close()

    def append(self, visit: Visit) -> int:
        """Bring a visit to the disk and return its number.

        Raises:
            OutputError: It could not be written; the outbox is as it was.
        """
        line = _line(visit)
        try:
            if self._size >= self._segment:
                self._begin(self.last + 1)
            handle = self._file.fileno()
            if self._torn:
                os.ftruncate(handle, self._size)
            self._torn = True
            rest = line
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
            self._torn = False
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), self._size)
            raise OutputError(
                f"{printable(str(self._folder))}: a visit was not written ({error.strerror}); "
                "free some space"
            ) from error
        self._size += len(line)
        self.last += 1
        return self.last

    def read(self, after: int, limit: int) -> list[Record]:
        """Return the next records after a number, in order, at most `limit`."""
        found: list[Record] = []
        number, path, offset = self._place(after)
        while len(found) < limit and number <= self.last:
            with path.open("rb") as file:
                file.seek(offset)
                for line in file:
                    if number > self.last or len(found) == limit:
                        break
                    offset += len(line)
                    if number > after:
                        found.append(Record(number, _visit(line)))
                    number += 1
            if len(found) < limit and number <= self.last:
                path, offset = self._next(path, number), 0
                number = _number(path)
        self._cursor = (number, path, offset)
        return found

    def drop(self, upto: int) -> None:
        """Delete the files of which all visits up to a number are stored elsewhere."""
        paths = self._paths()
        for path, following in pairwise(paths):
            if _number(following) <= upto + 1:
                path.unlink()
                self._cursor = None

    def clear(self, upto: int) -> None:
        """Delete, as `drop` does, and the newest file too once all of its visits are stored.

        Visits shall not lie on the disk for longer than they are kept. Its number lives on in the
        name of an empty file. On a full disk the file stays until another time.
        """
        if upto >= self.last and self._size:
            with suppress(OSError):
                self._begin(self.last + 1)
        self.drop(upto)

    def renew(self) -> None:
        """Take a new name: for a database that knows later visits under the old one.

        So it is after the folder came back from a copy. Visits that the database has already are
        recognised by their own ids.
        """
        self.id = str(uuid.uuid4())
        self._write_identity()

    def _identity(self) -> str:
        path = self._folder / "id"
        with suppress(FileNotFoundError):
            known = path.read_text(encoding="ascii").strip()
            # Without files the numbers begin anew, so the name must too.
            if known and self._paths():
                return known
        self.id = str(uuid.uuid4())
        self._write_identity()
        return self.id

    def _write_identity(self) -> None:
        with atomic_write(self._folder / "id") as file:
            file.write(self.id)

    def _open_newest(self) -> tuple[FileIO, int, int]:
        paths = self._paths()
        path = paths[-1] if paths else self._path(1)
        lines, size = 0, 0
        try:
            file = path.open("ab", buffering=0)
            with path.open("rb") as kept:
                for line in kept:
                    if line.endswith(b"\n"):
                        lines, size = lines + 1, size + len(line)
            file.truncate(size)
            os.fsync(file.fileno())
            self._sync_folder()
        except OSError as error:
            raise OutputError(f"{printable(str(path))}: {error.strerror}") from error
        return file, size, _number(path) + lines - 1

    def _begin(self, number: int) -> None:
        file = self._path(number).open("ab", buffering=0)
        self._sync_folder()
        self._file.close()
        self._file, self._size = file, 0

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _place(self, after: int) -> tuple[int, Path, int]:
        """Return a number not beyond the next wanted one, its file, and where it stands there."""
        if self._cursor is not None and self._cursor[0] == after + 1:
            return self._cursor
        paths = self._paths()
        path = next((p for p in reversed(paths) if _number(p) <= after + 1), paths[0])
        return _number(path), path, 0

    def _next(self, path: Path, number: int) -> Path:
        for later in self._paths():
            if _number(later) >= number and later != path:
                return later
        raise StoreError(f"{printable(str(path))}: ends before visit {number}: it was changed")

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:015}{_SUFFIX}"


def _number(path: Path) -> int:
    return int(path.stem)


def _locked(folder: Path) -> IO[bytes]:
    file = (folder / "lock").open("ab")
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StoreError(
                f"{printable(str(folder))}: another process uses this outbox; give each its own"
            ) from error
    return file


def _line(visit: Visit) -> bytes:
    fields = {name: getattr(visit, name) for name in visit.__slots__}
    text = json.dumps(fields, default=datetime.isoformat, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _visit(line: bytes) -> Visit | None:
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        fields: dict[str, Any] = json.loads(text)
        for name in ("entered", "left"):
            fields[name] = datetime.fromisoformat(fields[name])
        return Visit(**fields | {"ages": tuple(fields["ages"])})
    except (ValueError, TypeError, LookupError):
        return None
