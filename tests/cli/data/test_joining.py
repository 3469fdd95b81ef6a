"""`mien data join`: several manifests -> one."""

from pathlib import Path

import pytest

from mien.data import manifest
from tests.cli.conftest import Mien
from tests.labelled import noise, save


def test_join(mien: Mien, tmp_path: Path) -> None:
    header = "path,source,content,split"
    (tmp_path / "a.csv").write_text(f"{header},age\nx.png,a,1,train,30\ny.png,a,2,,\n")
    (tmp_path / "b.csv").write_text(f"{header},mood\nz.png,b,1,test,good\n")
    found = mien("data", "join", "a.csv", "b.csv", "-o", "all.csv")
    assert (found.code, found.out) == (0, "")
    assert found.err.splitlines() == [
        "all.csv: 3 pictures (2 test, 1 no part)",
        "  labels: 1 age, 1 mood",
        "  1 moved to the part of an identical picture",
    ]
    samples = manifest.read(tmp_path / "all.csv").samples
    assert [sample.split for sample in samples] == ["test", "", "test"]
    assert samples[2].path == tmp_path / "z.png"


def test_a_manifest_joined_with_itself_stays_as_it_is(mien: Mien, tmp_path: Path) -> None:
    row = "path,source,content,split,age\nx.png,a,1,train,30\n"
    (tmp_path / "a.csv").write_text(row)
    found = mien("data", "join", "a.csv", "a.csv", "-o", "all.csv")
    assert found.code == 0
    assert found.err.splitlines()[2:] == ["  1 listed more than once, and taken once"]
    assert (tmp_path / "all.csv").read_text() == row


def test_contradicting_labels_are_refused(mien: Mien, tmp_path: Path) -> None:
    for name, age in (("a", 30), ("b", 31)):
        row = f"path,source,content,split,age\nx.png,a,1,train,{age}\n"
        (tmp_path / f"{name}.csv").write_text(row)
    found = mien("data", "join", "a.csv", "b.csv", "-o", "all.csv")
    assert (found.code, (tmp_path / "all.csv").exists()) == (2, False)
    assert "mien: x.png: its age is '30' in one row and '31' in another" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv", "-o", "m.csv"], "mien: missing.csv: cannot be read (No"),
        (["set/a/0.png", "-o", "m.csv"], "0.png, line 1: not UTF-8"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "set" / "a" / "0.png", noise(0))
    found = mien("data", "join", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (tmp_path / "m.csv").exists()
