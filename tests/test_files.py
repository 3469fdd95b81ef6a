"""A file appears whole or not at all: by real failures, and by leaving the block in every way."""

import csv
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import OutputError
from mien.files import atomic_folder, atomic_write, make_folder


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text(tmp_path: Path) -> None:
    path = tmp_path / "ảnh.txt"
    with atomic_write(path) as file:
        file.write("tuổi\n")
        assert not path.exists()
    assert path.read_bytes() == "tuổi\n".encode()
    assert listing(tmp_path) == ["ảnh.txt"]


def test_bytes_over_an_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old content")
    with atomic_write(str(path), "wb") as file:
        file.write(b"new")
        assert path.read_bytes() == b"old content"
    assert path.read_bytes() == b"new"
    assert listing(tmp_path) == ["a.bin"]


def test_newline_and_encoding(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.csv", newline="", encoding="utf-16-le") as file:
        csv.writer(file).writerows([["a", "b"], [1, 2]])
    assert (tmp_path / "a.csv").read_bytes() == "a,b\r\n1,2\r\n".encode("utf-16-le")


def test_a_file_closed_in_the_block_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="closed file"), atomic_write(tmp_path / "a") as file:
        file.close()
    assert listing(tmp_path) == []


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyboardInterrupt(), SystemExit(1), OSError("other"), GeneratorExit()],
)
def test_any_exception_leaves_all_as_it_was(
    error: BaseException, old: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    if old:
        path.write_text(old)

    def write_half() -> None:
        with atomic_write(path) as file:
            file.write("half")
            file.flush()
            raise error

    with pytest.raises(type(error)) as caught:
        write_half()
    assert caught.value is error
    assert listing(tmp_path) == (["a.txt"] if old else [])
    assert not old or path.read_text() == old


def test_an_error_of_another_file_passes_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a") as file:
        file.write((tmp_path / "missing").read_text())
    assert listing(tmp_path) == []


def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_write(path) as file, Path("/dev/full").open("w") as full:
            file.write("half")
            full.write("x")  # the system's own error, from the device that is always full

    with pytest.raises(OutputError, match=r"a\.txt: not written: the disk is full; free some"):
        write_half()
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["a.txt"]


WRITE_TOO_MUCH = """
import resource, sys
from mien.errors import OutputError
from mien.files import atomic_folder, atomic_write, make_folder
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    with atomic_write(sys.argv[1]) as file:
        file.write("x" * int(sys.argv[2]))
except OutputError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("size", [10_001, 1_000_000])  # found on the flush, and in the block
def test_a_write_that_the_system_stops(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    child = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, path, str(size)], capture_output=True, text=True
    )
    assert child.returncode == 1
    assert child.stderr.startswith(f"{path}: not written: larger than the system allows")
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["a.txt"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    cases = [
        (tmp_path / "no" / "a.txt", rf"there is no folder {tmp_path}/no; create it"),
        (tmp_path / "file" / "a.txt", rf"there is no folder {tmp_path}/file"),
        (tmp_path, "a folder; give the name of a file"),
        (tmp_path / "pipe", "a device or pipe; name a file"),
        (Path("/dev/null"), "a device or pipe"),
        (tmp_path / ("x" * 300), "the name is too long; shorten it"),
        (Path("a\0b"), r"^a\\x00b: not written: "),
        (tmp_path / "no\n\x1b[2J" / "a", r"no\\n\\x1b\[2J"),
    ]
    before = listing(tmp_path)
    for path, words in cases:
        with pytest.raises(OutputError, match=words), atomic_write(path) as file:
            file.write("x")
    assert listing(tmp_path) == before
    assert Path("/dev/null").is_char_device()


@pytest.fixture
def unprivileged() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_no_permission(tmp_path: Path, unprivileged: None) -> None:
    folder = tmp_path
    if os.getuid() != 0:
        folder.chmod(0o500)
    with (
        pytest.raises(OutputError, match="permission denied; write to"),
        atomic_write(folder / "a"),
    ):
        pass


def test_permissions_are_those_of_open(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "new"):
            pass
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(0o604)
        with atomic_write(tmp_path / "old"):
            pass
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old")]
    assert modes == [0o640, 0o604]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/real")
    with atomic_write(tmp_path / "link") as file:
        file.write("x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "real").read_text() == "x"
    assert listing(tmp_path / "folder") == ["real"]


@given(st.binary(max_size=10_000), st.integers(0, 10_000))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_whole_or_old(tmp_path_factory: pytest.TempPathFactory, content: bytes, stop: int) -> None:
    path = tmp_path_factory.getbasetemp() / "whole_or_old"
    path.write_bytes(b"old")
    try:
        with atomic_write(path, "wb") as file:
            file.write(content[:stop])
            if stop < len(content):
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert path.read_bytes() == (content if stop >= len(content) else b"old")


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("file", "file/report"):
        with pytest.raises(OutputError, match="no folder can be made here"):
            make_folder(tmp_path / name)


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.mkdir()  # an empty one may be there
    with atomic_folder(path) as place:
        (place / "a").write_text("1")
        assert listing(path) == []
    assert listing(tmp_path) == ["new"]
    assert (path / "a").read_text() == "1"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_a_folder_that_is_left_is_not_there(error: BaseException, tmp_path: Path) -> None:
    def fill() -> None:
        with atomic_folder(tmp_path / "new") as place:
            (place / "a").write_text("1")
            raise error

    with pytest.raises(type(error)):
        fill()
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name", ["full", "file", "link"])
def test_a_folder_replaces_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("1")
    (tmp_path / "file").write_text("1")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match=f"{name}: not written: it is there already"):  # noqa: SIM117
        with atomic_folder(tmp_path / name):
            raise AssertionError
    assert listing(tmp_path) == ["file", "full", "link"]


def test_a_folder_needs_one_to_lie_in(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no/new: not written: there is no folder .*no;"):  # noqa: SIM117
        with atomic_folder(tmp_path / "no" / "new"):
            raise AssertionError
