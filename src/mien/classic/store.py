"""A file of features: one row a picture, filled step by step, with all that was known of it.

The file is a safetensors file: `features`, N x width, float32; `done`, N, uint8, 1 where the row is
filled; `network`, the ONNX graph that made them, as bytes. The header holds, as JSON under
`mien.features`, where the features come from and the manifest's rows. It is written where it lies,
row by row, so that it can be mapped into memory, and interrupted.
"""

import json
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from mien.classic.extractor import Extractor, Origin
from mien.data.manifest import Manifest, Sample, absolute
from mien.errors import DataError, OutputError

KEY: Final = "mien.features"
PARTIAL: Final = ".part"
"""What the name of a file that is not yet whole ends with."""

_SCHEMA: Final = 1
_ALIGNED: Final = 64
_LONGEST: Final = 100_000_000
"""The longest header that safetensors allows."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    source: str
    content: str
    split: str
    labels: dict[str, str]


class _About(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = _SCHEMA
    origin: Origin
    data_fingerprint: str
    split_hash: str
    rows: tuple[_Row, ...]


@dataclass(frozen=True, eq=False)
class Features:
    """The features of a manifest's pictures, mapped into memory.

    Attributes:
        rows: N x width, float32; zeros where a picture could not be read.
        done: N, whether the row is filled.
        manifest: The N samples.
        origin: Where the features come from.
        network: The ONNX graph that made them.
        data_fingerprint: The whole manifest's.
        split_hash: The whole manifest's.
    """

    rows: NDArray[np.float32]
    done: NDArray[np.bool_]
    manifest: Manifest
    origin: Origin
    network: bytes
    data_fingerprint: str
    split_hash: str

    @property
    def missing(self) -> list[Sample]:
        """The samples whose pictures could not be read."""
        pairs = zip(self.manifest.samples, self.done, strict=True)
        return [sample for sample, done in pairs if not done]


class Filling:
    """A file of features that is being filled.

    Args:
        path: Where the whole file is to lie; until then it bears `PARTIAL` behind its name.
        extractor: What makes the features.
        manifest: The pictures.

    Attributes:
        begun_before: Whether an earlier attempt left rows, which are kept.
        outdated: Whether an earlier attempt was about other features or pictures, and is dropped.

    Raises:
        OutputError: It cannot be written, for example because the disk is too small.
    """

    def __init__(self, path: Path, extractor: Extractor, manifest: Manifest) -> None:
        self._path = path
        self._part = path.with_name(path.name + PARTIAL)
        header = _header(extractor, manifest)
        count, width = len(manifest.samples), extractor.origin.width
        try:
            old = _starts_with(self._part, header)
            self.begun_before, self.outdated = bool(old), old is False
            if not old:
                _allocate(self._part, header, 4 * count * width + count, extractor.data)
            self._rows = np.memmap(self._part, np.float32, "r+", len(header), (count, width))
            offset = len(header) + self._rows.nbytes
            self._done = np.memmap(self._part, np.uint8, "r+", offset, (count,))
        except OSError as error:
            raise _failure(path, error) from error

    @property
    def missing(self) -> list[int]:
        """The rows that are not filled."""
        return np.flatnonzero(self._done == 0).tolist()

    def put(self, rows: Sequence[int], features: NDArray[np.float32]) -> None:
        """Fill some rows; they outlast whatever comes after."""
        self._rows[rows] = features
        # In this order: no row is called done whose numbers a crash could lose.
        self._rows.flush()
        self._done[rows] = 1
        self._done.flush()

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            OutputError: It cannot be renamed.
        """
        del self._rows, self._done
        try:
            self._part.replace(self._path)
        except OSError as error:
            raise _failure(self._path, error) from error


def read(path: Path) -> Features:
    """Map a file of features into memory.

    Raises:
        DataError: It is none, or it is not whole.
    """
    if not path.exists() and path.with_name(path.name + PARTIAL).exists():
        raise DataError(f"{path}: not finished; run the same `mien features` again, it goes on")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = _read_header(file.read(8), file.read(min(size, _LONGEST)), size)
        table = json.loads(header)
        about = _About.model_validate_json(table["__metadata__"][KEY])
        arrays = {name: _mapped(path, len(header) + 8, table[name]) for name in _TENSORS}
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise DataError(f"{path}: {_reason(error)}; make one by `mien features`") from error
    rows = tuple(
        Sample(Path(row.path), row.source, row.content, row.split, row.labels) for row in about.rows
    )
    features, done, network = (arrays[name] for name in _TENSORS)
    if features.shape != (len(rows), about.origin.width) or done.shape != (len(rows),):
        raise DataError(f"{path}: its table does not fit its features; make it anew")
    return Features(
        features,
        done.astype(bool),
        Manifest(rows),
        about.origin,
        network.tobytes(),
        about.data_fingerprint,
        about.split_hash,
    )


_TENSORS: Final = {"features": "F32", "done": "U8", "network": "U8"}
_TYPES: Final = {"F32": np.float32, "U8": np.uint8}


def _header(extractor: Extractor, manifest: Manifest) -> bytes:
    """Return the file's first bytes: safetensors' length and table."""
    about = _About(
        origin=extractor.origin,
        data_fingerprint=manifest.fingerprint,
        split_hash=manifest.split_hash,
        rows=tuple(
            _Row(
                path=str(absolute(sample.path)),
                source=sample.source,
                content=sample.content,
                split=sample.split,
                labels=sample.labels,
            )
            for sample in manifest.samples
        ),
    )
    count, width = len(manifest.samples), extractor.origin.width
    shapes = {"features": [count, width], "done": [count], "network": [len(extractor.data)]}
    table: dict[str, Any] = {"__metadata__": {KEY: about.model_dump_json()}}
    start = 0
    for name, kind in _TENSORS.items():
        end = start + int(np.prod(shapes[name])) * np.dtype(_TYPES[kind]).itemsize
        table[name] = {"dtype": kind, "shape": shapes[name], "data_offsets": [start, end]}
        start = end
    text = json.dumps(table).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNED)
    return struct.pack("<Q", len(text)) + text


def _starts_with(path: Path, header: bytes) -> bool | None:
    """Return whether a file begins with a header; None where there is no file."""
    try:
        with path.open("rb") as file:
            return file.read(len(header)) == header
    except FileNotFoundError:
        return None


def _allocate(path: Path, header: bytes, room: int, network: bytes) -> None:
    """Make a file of empty rows, or none at all: its whole room is taken before it is mapped."""
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(header)
            file.flush()
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), len(header), room)
            file.seek(len(header) + room)
            file.write(network)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def _read_header(first: bytes, rest: bytes, size: int) -> bytes:
    (length,) = struct.unpack("<Q", first)
    if length > min(len(rest), size):
        raise ValueError("not a file of features")
    return rest[:length]


def _mapped(path: Path, start: int, entry: dict[str, Any]) -> NDArray[Any]:
    first, last = entry["data_offsets"]
    dtype = np.dtype(_TYPES[entry["dtype"]])
    shape = tuple(entry["shape"])
    if last - first != int(np.prod(shape)) * dtype.itemsize or start + last > path.stat().st_size:
        raise ValueError("cut short, or its table is wrong")
    return np.memmap(path, dtype, "r", start + first, shape).view(np.ndarray)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"its table is wrong ({'.'.join(map(str, first['loc']))}: {first['msg']})"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | KeyError | TypeError):
        return "not a file of features"
    return str(error)


def _failure(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: the features cannot be written ({error.strerror}); make room, or name another "
        "place"
    )
