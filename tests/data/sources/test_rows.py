"""Rows of tables from outside: whole ones, each with its line."""

from pathlib import Path

import pytest

from mien.data.sources.rows import read_rows
from mien.errors import DataError


def write(folder: Path, content: bytes) -> Path:
    (folder / "t.csv").write_bytes(content)
    return folder / "t.csv"


def test_rows(tmp_path: Path) -> None:
    table = write(tmp_path, b'\xef\xbb\xbf\na,b\r\n\r\n1,"x\ny"\r\n2,\xc3\xa9')
    columns, rows = read_rows(table, ("b",))
    assert columns == ["a", "b"]
    assert list(rows) == [
        (f"{table}, line 5", {"a": "1", "b": "x\ny"}),
        (f"{table}, line 6", {"a": "2", "b": "é"}),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the columns b are missing"),
        (b"a,c\n", "the columns b are missing"),
        (b"a,b,a\n", "two columns are called 'a'"),
        (b"a,b\n1,2\n3\n", "line 3: 2 values expected, 1 found"),
        (b"a,b\n1,2,3\n", "line 2: 2 values expected, 3 found"),
        (b"a,b\n\xff,1\n", "not a CSV table in UTF-8"),
        (b'a,b\n"x"y,1\n', "not a CSV table in UTF-8"),
        (b'a,b\n"x,1\n', "not a CSV table in UTF-8"),
        (b"a,b\n" + b"x" * 200_000 + b",1\n", "not a CSV table in UTF-8 .field larger"),
    ],
)
def test_tables_that_cannot_be_used(content: bytes, message: str, tmp_path: Path) -> None:
    table = write(tmp_path, content)
    with pytest.raises(DataError, match=rf"t\.csv[:,] {message}"):
        list(read_rows(table, ("b",))[1])


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing: cannot be read \(No such file"):
        read_rows(tmp_path / "missing")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory"):
        read_rows(tmp_path)
