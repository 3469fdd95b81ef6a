"""What a command is to read, and where it may write: paths, folders and patterns -> pictures."""

import glob
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.errors import MienError, OutputError

_SHOWN: Final = 5
_DRAWN_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Input:
    """One picture to read; or a name that leads to none.

    Attributes:
        path: Its path, or "-" for standard input.
        root: The folder that it was found in or under.
        error: Why there is no picture, where that is known beforehand.
        data: The picture's bytes, where it comes from standard input.
    """

    path: str
    root: str = ""
    error: str = ""
    data: bytes | None = None

    @property
    def source(self) -> str | bytes:
        """What the picture is decoded from."""
        return self.path if self.data is None else self.data


def collect(arguments: Iterable[str], draw: Path | None) -> list[Input]:
    """Return the pictures that the arguments name, each once.

    Raises:
        MienError: No argument leads to a picture.
    """
    found: dict[str, Input] = {}
    for argument in _without(list(arguments), draw):
        for item in _expand(argument, draw):
            found.setdefault(_entry(item.path), item)
    inputs = list(found.values())
    if all(item.error for item in inputs):
        reasons = [f"{item.path or repr('')}: {item.error}" for item in inputs]
        more = [f"and {len(reasons) - _SHOWN:,} more"] if len(reasons) > _SHOWN else []
        raise MienError("\n".join(reasons[:_SHOWN] + more))
    return inputs


def _entry(path: str) -> str:
    """Return what all ways to write a path share; links to one file are pictures of their own."""
    if path == "-":
        return path
    folder, name = os.path.split(path)
    return str(Path(os.path.realpath(folder or ".")) / name)


def _without(arguments: list[str], draw: Path | None) -> list[str]:
    """Return the arguments but the folder of drawings, which `photos/*` names from its second run.

    As the only argument it stays: then it is what is to be read.
    """
    if draw is None or len(arguments) < 2 or not draw.is_dir():
        return arguments
    return [each for each in arguments if _identity(each) != _identity(draw)] or arguments


def _expand(argument: str, draw: Path | None) -> list[Input]:
    if argument == "-":
        if sys.stdin is not None and sys.stdin.isatty():
            raise MienError("-: standard input is a terminal; pipe a picture into it")
        return [Input("-", data=_standard_input())]
    if os.path.lexists(argument):
        return _found(argument, draw)
    matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (may be absolute)
    if matches:
        return [item for match in _without(matches, draw) for item in _found(match, draw)]
    reason = "no such file or folder; check the path"
    if "://" in argument:
        reason = "a URL is not fetched; download the picture first"
    elif glob.has_magic(argument):
        reason = "nothing matches this pattern; check the path"
    return [Input(argument, error=reason)]


def _standard_input() -> bytes:
    from mien.images import DEFAULT_LIMITS

    # One byte more than is allowed, so that too much is noticed.
    return sys.stdin.buffer.read(DEFAULT_LIMITS.max_bytes + 1) if sys.stdin else b""


def _found(path: str, draw: Path | None) -> list[Input]:
    if os.path.isdir(path):  # noqa: PTH112 (where Path.is_dir would raise, reading will tell)
        return _walk(path, draw)
    return [Input(path, str(Path(path).parent))]


def _walk(folder: str, draw: Path | None) -> list[Input]:
    """Return the pictures in and below a folder, through links too, sorted by path."""
    from mien.images import SUFFIXES

    found: list[str] = []
    refused: list[OSError] = []
    seen = {_identity(draw)} if draw else set()
    for place, folders, names in os.walk(folder, onerror=refused.append, followlinks=True):
        identity = _identity(place)
        if identity in seen and place != folder:
            folders.clear()
            continue
        seen.add(identity)
        found += [
            f"{Path(place) / name}" for name in names if Path(name).suffix.lower() in SUFFIXES
        ]
    inputs = [Input(path, folder) for path in sorted(found)]
    inputs += [
        Input(str(error.filename), error=f"{error.strerror}; make the folder readable")
        for error in refused
    ]
    endings = ", ".join(sorted(SUFFIXES))
    return inputs or [Input(folder, error=f"a folder without pictures; they end in {endings}")]


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Return what two paths to the same file share; None where there is none."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def check_places(read: Iterable[str | Path], **written: Path | None) -> None:
    """Refuse, before long work, what could not be written in the end, or would lose what is read.

    Args:
        read: Files that are read; a name that is none, as of a packaged model, does not matter.
        written: Option -> the file that it names.

    Raises:
        OutputError: A file's folder is missing, it is one of those read, or two are the same.
    """
    there = {identity: path for path in read if (identity := _identity(path))}
    targets = {name: path for name, path in written.items() if path is not None}
    taken: dict[Path, str] = {}
    for name, path in targets.items():
        if not path.absolute().parent.is_dir():
            raise OutputError(
                f"{path}: not written: there is no folder {path.parent}; create it or write "
                "elsewhere"
            )
        if _identity(path) in there:
            raise OutputError(f"{path}: this is a file to be read; write somewhere else")
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            first, second = (f"--{one.replace('_', '-')}" for one in (other, name))
            raise OutputError(f"{path}: {first} and {second} name the same file; name two")


def protect(inputs: Iterable[Input], targets: Iterable[Path]) -> None:
    """Refuse to write over a picture that is to be read."""
    there = {identity: path for path in targets if (identity := _identity(path))}
    if not there:
        return
    for item in inputs:
        identity = _identity(item.path)
        if identity in there:
            raise OutputError(
                f"{there[identity]}: this is a picture to be read; write somewhere else"
            )


def drawings_of(inputs: Sequence[Input], folder: Path) -> dict[str, Path]:
    """Return where the copy of each picture goes: the folders below what they share are kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file of this name is there" if folder.is_file() else error.strerror
        raise OutputError(f"{folder}: cannot be made a folder ({reason}); name another") from error
    roots = {_absolute(item.root) for item in inputs if item.root}
    try:
        base = os.path.commonpath(roots) if roots else ""
    except ValueError as error:
        raise MienError("--draw takes pictures from one drive at a time") from error
    targets: dict[str, Path] = {}
    taken: set[str] = set()
    for item in (item for item in inputs if not item.error):
        name = Path("stdin")
        if item.root:
            name = Path(_absolute(item.path)).relative_to(base)
        if name.suffix.lower() not in _DRAWN_SUFFIXES:
            name = name.with_name(f"{name.name}.png")
        free = name
        number = 2
        while str(free).casefold() in taken:
            free, number = name.with_stem(f"{name.stem}-{number}"), number + 1
        taken.add(str(free).casefold())
        targets[item.path] = folder / free
    return targets


def _absolute(path: str) -> str:
    return os.path.normpath(Path(path).absolute())
