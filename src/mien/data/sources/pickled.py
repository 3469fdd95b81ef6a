"""Reads the few pickles that data sets come as, without executing anything they could carry.

Not a restriction of `pickle` but a small machine of its own: it knows the opcodes that Python 2
wrote for plain values and numpy arrays of bytes, and builds those by hand. No name in a pickle is
ever looked up, no object of it called; whatever else stands in the bytes is refused.
"""

import math
import pickletools
import warnings
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

MAX_BYTES: Final = 64 * 1024**2
_MAX_STEPS: Final = 300_000


def load(path: Path) -> object:
    """Read a pickle file of dicts, lists, tuples, texts, whole numbers and arrays of bytes.

    Args:
        path: The file, of at most 64 MiB.

    Returns:
        What it holds. Python 2's byte strings become text, by Latin-1.

    Raises:
        DataError: The file cannot be read, is too large, or holds anything else.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: more than {MAX_BYTES:,} bytes; not a file of the data set")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        with warnings.catch_warnings():
            # Of escape sequences in names, which are refused anyway.
            warnings.simplefilter("ignore", DeprecationWarning)
            return _Machine().run(data)
    except _RefusedError as error:
        raise DataError(
            f"{path}: refused, for it holds more than plain values and arrays of bytes ({error}); "
            "nothing of it was run. Download the data set again from its makers."
        ) from error
    except (IndexError, KeyError, ValueError) as error:
        raise DataError(
            f"{path}: not a pickle, or a damaged one; download the data set again"
        ) from error


class _RefusedError(Exception):
    """Something in a pickle that is none of the plain values."""


class _Name(Enum):
    """The names that a pickle may refer to; none is ever looked up."""

    RECONSTRUCT = "numpy.core.multiarray _reconstruct"
    NDARRAY = "numpy ndarray"
    DTYPE = "numpy dtype"


class _Mark(Enum):
    """What stands for an object of numpy until its state is known."""

    DTYPE = "the type of bytes"
    ARRAY = "an array"


class _Machine:
    """A stack, a memo, and the steps that Python 2's protocol 2 takes for plain values."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: dict[int, object] = {}

    def run(self, data: bytes) -> object:
        """Return the value that a pickle describes."""
        for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
            if opcode.name == "STOP":
                return self._stack.pop()
            step = _STEPS.get(opcode.name)
            if step is None or count > _MAX_STEPS:
                raise _RefusedError(f"{opcode.name} at byte {position}")
            step(self, argument)
        raise ValueError("the end is missing")

    def push(self, value: object) -> None:
        self._stack.append(value)

    def mark(self, _: object) -> None:
        self._below.append(self._stack)
        self._stack = []

    def since_mark(self) -> list[object]:
        found, self._stack = self._stack, self._below.pop()
        return found

    def last(self, count: int) -> list[object]:
        if count > len(self._stack):
            raise IndexError("too few values")
        found = self._stack[-count:]
        del self._stack[-count:]
        return found

    def put(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def get(self, place: int) -> None:
        self.push(self._memo[place])

    def append(self, values: list[object]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise _RefusedError("values added to what is no list")
        target.extend(values)

    def set_items(self, values: list[object]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise _RefusedError("items set in what is no dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, str):
                raise _RefusedError("a key that is no text")
            target[key] = value

    def name(self, text: str) -> None:
        if text not in {name.value for name in _Name}:
            raise _RefusedError(f"it refers to {text!r:.80}")
        self.push(_Name(text))

    def reduce(self, _: object) -> None:
        """Stand in for the two calls by which an array and its type are begun."""
        match self.last(2):
            case [_Name.RECONSTRUCT, (_Name.NDARRAY, (0,), "b")]:
                self.push(_Mark.ARRAY)
            case [_Name.DTYPE, ("u1", 0, 1)]:
                self.push(_Mark.DTYPE)
            case _:
                raise _RefusedError("a call that begins no array of bytes")

    def build(self, _: object) -> None:
        match self.last(2):
            case [_Mark.DTYPE, tuple()]:
                self.push(_Mark.DTYPE)
            case [_Mark.ARRAY, (int(), tuple(shape), _Mark.DTYPE, False, str(content))]:
                self.push(_array(shape, content))
            case _:
                raise _RefusedError("a state that is none of an array of bytes")


def _array(shape: tuple[object, ...], content: str) -> NDArray[np.uint8]:
    lengths = [length for length in shape if isinstance(length, int) and length >= 0]
    if len(lengths) < len(shape) or math.prod(lengths) != len(content):
        raise _RefusedError("an array whose shape does not fit its content")
    return np.frombuffer(content.encode("latin-1"), np.uint8).reshape(lengths)


_Step = Callable[[_Machine, Any], None]

_STEPS: Final[dict[str, _Step]] = {
    "PROTO": lambda _machine, _version: None,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "BININT": _Machine.push,
    "BININT1": _Machine.push,
    "BININT2": _Machine.push,
    "BINSTRING": _Machine.push,
    "SHORT_BINSTRING": _Machine.push,
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "MARK": _Machine.mark,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.last(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.last(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.last(3))),
    "APPEND": lambda machine, _: machine.append(machine.last(1)),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.name,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}
