"""`mien data`: manifests from folders, with a report of what was left out."""

import os
from pathlib import Path

import pytest

from mien.data import manifest
from tests.cli.conftest import Mien
from tests.labelled import noise, save


def test_import(mien: Mien, tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / "faces" / f"{20 + number}_1_0_2017.png", noise(number))
    for name in ("a", "b", "c", "d"):
        (tmp_path / "faces" / f"{name}.txt").write_text("no picture")
    save(tmp_path / "faces" / "30_1_2017.png", noise(9))
    found = mien("data", "import", "utkface", "faces", "-o", "faces.csv", "--left-out", "rest.csv")
    assert (found.code, found.out) == (0, "")
    left_out = (tmp_path / "rest.csv").read_text().splitlines()
    assert left_out[0] == "reason,name"
    names = {line.rpartition(",")[2] for line in left_out[1:]}
    assert names == {"a.txt", "b.txt", "c.txt", "d.txt", "30_1_2017.png"}
    first, *rest = found.err.splitlines()
    assert first.startswith("faces.csv: 4 pictures (")
    assert rest == [
        "  labels: 4 age, 4 gender, 4 race",
        "  left out: 5",
        "    4: not a picture, by its suffix (a.txt, b.txt, c.txt, and 1 more)",
        "    1: name is not [age]_[gender]_[race]_[date] (30_1_2017.png)",
    ]
    assert len(manifest.read(tmp_path / "faces.csv").samples) == 4


def test_import_of_folders_with_a_seed(mien: Mien, tmp_path: Path) -> None:
    for number in range(30):
        save(tmp_path / "animals" / "cats" / f"{number}.png", noise(number))
    splits = []
    for seed in ("1", "1", "2"):
        assert mien("data", "import", "folders", "animals", "-o", "a.csv", "--seed", seed).code == 0
        splits.append([sample.split for sample in manifest.read(tmp_path / "a.csv").samples])
    assert splits[0] == splits[1] != splits[2]


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


def test_names_cannot_talk_to_the_terminal(mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "faces" / "1_0_0_2017.png", noise(0))
    (tmp_path / "faces" / "\x1b[31m\n.txt").write_text("x")
    (tmp_path / "faces" / os.fsdecode(b"\xff.txt")).write_text("x")
    found = mien("data", "import", "utkface", "faces", "-o", "faces.csv")
    assert found.code == 0
    assert r"2: not a picture, by its suffix (\x1b[31m\n.txt, \udcff.txt)" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "import", "utkface", "missing", "-o", "m.csv"], "mien: missing: not a folder"),
        (["data", "import", "folders", "set/a", "-o", "m.csv"], "no readable picture in one"),
        (["data", "import", "cifar", ".", "-o", "m.csv"], "'cifar' is not one of 'folders', 'utk"),
        (["data", "import", "folders", "set", "-o", "no/m.csv"], "there is no folder no; create"),
        (["data", "import", "folders", "set"], "Missing option '--output' / '-o'"),
        (["data", "join", "missing.csv", "-o", "m.csv"], "mien: missing.csv: cannot be read (No"),
        (["data", "join", "set/a/0.png", "-o", "m.csv"], "0.png, line 1: not UTF-8"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "set" / "a" / "0.png", noise(0))
    found = mien(*arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (tmp_path / "m.csv").exists()


def test_help(mien: Mien) -> None:
    found = mien("data", "import", "--help")
    assert (
        "utkface: age, gender, race and date in the names, as in 26_1_2_20170116.jpg" in found.out
    )
