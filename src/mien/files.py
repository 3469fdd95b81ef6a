"""Files that appear whole or not at all."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Literal, overload

from mien.errors import OutputError, printable

# What a write itself may fail with, wherever inside the caller's block it happens.
_WRITE_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space or write elsewhere",
    errno.EFBIG: "larger than the system allows a file to be; write less or elsewhere",
    errno.EROFS: "the disk is read-only; write elsewhere",
    errno.EACCES: "permission denied; write to a folder of your own",
    errno.EPERM: "permission denied; write to a folder of your own",
    errno.ENAMETOOLONG: "the name is too long; shorten it",
}


@overload
def atomic_write(
    path: str | os.PathLike[str],
    mode: Literal["w"] = "w",
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
) -> AbstractContextManager[IO[str]]: ...
@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb"]
) -> AbstractContextManager[IO[bytes]]: ...
@contextmanager
def atomic_write(
    path: str | os.PathLike[str],
    mode: Literal["w", "wb"] = "w",
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
) -> Iterator[IO[Any]]:
    """Open a file for writing that replaces `path` when the block ends well.

    Until then, and whenever the block is left by an exception (Ctrl-C too), `path` stays as it
    was: absent, or with its old content. The new file is written beside it under a hidden name,
    brought to the disk, and renamed. A symbolic link keeps pointing where it pointed. A new
    file gets the permissions that open() would give it, a replaced one keeps its own.

    Args:
        path: The file to write; its folder must exist.
        mode: "w" for text, "wb" for bytes.
        encoding: Encoding of text.
        newline: As of open(), for text; "" for the csv module.

    Yields:
        The open file. It need not be closed.

    Raises:
        OutputError: The file could not be written, and why: a full disk, a missing folder, no
            permission, or a folder under this name. Other errors in the block pass unchanged.

    Example:
        >>> with atomic_write("faces.csv", newline="") as file:
        ...     csv.writer(file).writerows(rows)
    """
    target, temporary = _places(path)
    text = {} if mode == "wb" else {"encoding": encoding, "newline": newline}
    try:
        file = temporary.open("xb" if mode == "wb" else "x", **text)  # type: ignore[call-overload]
    except OSError as error:
        raise _failure(path, error) from error
    try:
        yield file
        try:
            _commit(file, temporary, target)
        except OSError as error:
            raise _failure(path, error) from error
    except BaseException as error:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.errno in _WRITE_ERRORS and not error.filename:
            raise _failure(path, error) from error
        raise


def _places(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Where the file goes, behind symbolic links, and where it is written until it is whole."""
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise OutputError(
                f"{printable(os.fspath(path))}: not written: a folder; give the name of a file"
            )
        if target.exists() and not target.is_file():
            raise OutputError(
                f"{printable(os.fspath(path))}: not written: a device or pipe; name a file"
            )
    except (OSError, ValueError) as error:
        raise _failure(path, error) from error
    # Named apart from the target, whose name may be as long as the system allows.
    return target, target.with_name(f".mien-{secrets.token_hex(8)}.tmp")


def _commit(file: IO[Any], temporary: Path, target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    with suppress(FileNotFoundError):
        shutil.copymode(target, temporary)
    temporary.replace(target)


def _failure(path: str | os.PathLike[str], error: OSError | ValueError) -> OutputError:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENOTDIR):
        folder = printable(str(Path(path).parent))
        reason = f"there is no folder {folder}; create it or write elsewhere"
    else:
        reason = _ADVICE.get(number or 0) or f"{getattr(error, 'strerror', None) or error}"
    return OutputError(f"{printable(os.fspath(path))}: not written: {reason}")


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Fill a folder that appears as `path` when the block ends well, or not at all.

    Until then, and whenever the block is left by an exception (Ctrl-C too), nothing is there: the
    files are written to a hidden folder beside it, which is renamed.

    Args:
        path: A folder that is not there yet, or is empty; the one that it lies in must exist.

    Yields:
        The folder to fill.

    Raises:
        OutputError: Something is there already, or the folder could not be filled, and why. Other
            errors in the block pass unchanged.
    """
    try:
        if path.is_symlink() or (path.exists() and not (path.is_dir() and _is_empty(path))):
            raise OutputError(
                f"{printable(str(path))}: not written: it is there already; name a new folder"
            )
        if not path.absolute().parent.is_dir():
            raise OutputError(
                f"{printable(str(path))}: not written: there is no folder "
                f"{printable(str(path.parent))}; create it first"
            )
    except OSError as error:
        raise _failure(path, error) from error
    temporary = path.absolute().with_name(f".mien-{secrets.token_hex(8)}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        if path.exists():
            path.rmdir()
        temporary.rename(path)
    except OSError as error:
        raise _failure(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, where they are missing.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{printable(str(folder))}: no folder can be made here ({error.strerror}); name another"
        ) from error
