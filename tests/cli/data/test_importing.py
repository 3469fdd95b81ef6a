"""`mien data import`: manifests from data sets as they lie, with a report of what was left out."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from mien.cli.data.importing import Source
from mien.data import manifest
from mien.data.sources import SOURCES
from tests.cli.conftest import Mien
from tests.data.sources.batches import write_batches
from tests.labelled import noise, save


def table(path: Path, *rows: Sequence[str]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


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


def test_the_layouts_are_those_of_the_library() -> None:
    assert {str(source) for source in Source} == set(SOURCES)


def test_folders_with_a_seed(mien: Mien, tmp_path: Path) -> None:
    for number in range(30):
        save(tmp_path / "animals" / "cats" / f"{number}.png", noise(number))
    splits = []
    for seed in ("1", "1", "2"):
        assert mien("data", "import", "folders", "animals", "-o", "a.csv", "--seed", seed).code == 0
        splits.append([sample.split for sample in manifest.read(tmp_path / "a.csv").samples])
    assert splits[0] == splits[1] != splits[2]


def test_folders_of_ages(mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "faces" / "007" / "a.png", noise(0))
    save(tmp_path / "faces" / "adults" / "a.png", noise(1))
    found = mien("data", "import", "folders", "faces", "--label", "age", "-o", "m.csv")
    assert found.code == 0
    assert "1: picture in a folder whose name is no age from 0 to 130 (adults/a.png)" in found.err
    assert manifest.read(tmp_path / "m.csv").samples[0].labels == {"age": "7"}


def test_folders_that_are_parts(mien: Mien, tmp_path: Path) -> None:
    for number, part in enumerate(("train", "test", "val")):
        save(tmp_path / "set" / part / "cat" / "a.png", noise(number))
    found = mien("data", "import", "folders", "set", "-o", "m.csv")
    assert found.code == 0
    assert found.err.splitlines() == [
        "m.csv: 3 pictures (1 test, 1 train, 1 validation)",
        "  labels: 3 label",
        "  taken as parted already, by the folders test, train, val",
    ]


def test_csv(mien: Mien, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    header = ("img", "file", "Mood", "Mood/sad", "age_low", "age_high", "split")
    for number in range(3):
        save(tmp_path / "set" / f"{number}.png", noise(number))
    rows = [(f"{n}.png", "x", "sad", "4", "3", "9", s) for n, s in enumerate(["train", "dev"])]
    table(tmp_path / "set" / "t.csv", header, *map(tuple, rows), ("2.png", "", "", "", "", "", ""))
    arguments = ("--path-column", "img", "--label", "Mood=mood", "--label", "age")
    found = mien("data", "import", "csv", "set/t.csv", *arguments, "-o", "m.csv")
    assert found.code == 0
    assert found.err.splitlines()[1] == "  labels: 2 mood, 2 age (interval)"
    assert "1: row without a label (2.png)" in found.err
    samples = manifest.read(tmp_path / "m.csv").samples
    labels = {"mood": "sad", "mood/sad": "4", "age_low": "3", "age_high": "9"}
    assert [(s.path.name, s.split, s.source, s.labels) for s in samples][1:] == [
        ("1.png", "validation", "t", labels)
    ]


def test_ferplus_by_either_rule(mien: Mien, tmp_path: Path) -> None:
    names = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    header = ("Usage", "Image name", *names, "unknown", "NF")
    votes = [("5", "5"), ("4", "3"), ("8", "2")]
    rows = [("Training", f"{n}.png", *own, *"00000030") for n, own in enumerate(votes)]
    (tmp_path / "set").mkdir()
    table(tmp_path / "set" / "fer2013new.csv", header, *rows)
    for number in range(3):
        save(tmp_path / "set" / "FER2013Train" / f"{number}.png", noise(number))
    kept = []
    for arguments in ([], ["--rule", "majority"], ["--rule", "argmax"]):
        assert mien("data", "import", "ferplus", "set", "-o", "m.csv", *arguments).code == 0
        kept.append([s.path.name for s in manifest.read(tmp_path / "m.csv").samples])
    assert kept == [["2.png"], ["2.png"], ["1.png", "2.png"]]


def test_fairface_in_whose_terms(mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "set" / "train" / "1.png", noise(0))
    header = ("file", "age", "gender", "race")
    row = ("train/1.png", "03-Sep", "Male", "East Asian")
    table(tmp_path / "set" / "fairface_label_train.csv", header, row)
    races = []
    for arguments in ([], ["--races", "utkface"], ["--races", "fairface"]):
        found = mien("data", "import", "fairface", "set", "-o", "m.csv", *arguments)
        assert found.err.splitlines()[1] == "  labels: 1 age (interval), 1 gender, 1 race"
        races.append(manifest.read(tmp_path / "m.csv").samples[0].labels["race"])
    assert races == ["asian", "asian", "east asian"]


def test_cifar10_from_batches(mien: Mien, tmp_path: Path) -> None:
    write_batches(tmp_path / "batches", 2)
    found = mien("data", "import", "cifar10", "batches", "-o", "m.csv")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "mien: batches: CIFAR-10's batches hold pictures without files; name a folder to write "
        "them to: --pictures FOLDER\n"
    )
    found = mien("data", "import", "cifar10", "batches", "--pictures", "pngs", "-o", "m.csv")
    assert found.code == 0
    assert found.err.startswith("m.csv: 12 pictures (")
    again = mien("data", "import", "cifar10", "pngs", "-o", "n.csv")
    assert again.code == 0
    assert (tmp_path / "m.csv").read_text() == (tmp_path / "n.csv").read_text()
    third = mien("data", "import", "cifar10", "batches", "--pictures", "pngs", "-o", "n.csv")
    assert third.code == 2
    assert "import them: mien data import cifar10 pngs" in third.err


def test_names_cannot_talk_to_the_terminal(mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "faces" / "1_0_0_2017.png", noise(0))
    (tmp_path / "faces" / "\x1b[31m\n.txt").write_text("x")
    (tmp_path / "faces" / os.fsdecode(b"\xff.txt")).write_text("x")
    arguments = ("-o", "faces.csv", "--left-out", "rest.csv")
    found = mien("data", "import", "utkface", "faces", *arguments)
    assert found.code == 0
    assert r"2: not a picture, by its suffix (\x1b[31m\n.txt, \udcff.txt)" in found.err
    assert set((tmp_path / "rest.csv").read_text().splitlines()[1:]) == {
        r'"not a picture, by its suffix",\x1b[31m\n.txt',
        r'"not a picture, by its suffix",\udcff.txt',
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["utkface", "missing", "-o", "m.csv"], "mien: missing: not a folder"),
        (["folders", "set/a", "-o", "m.csv"], "no readable picture in one"),
        (["cifar", ".", "-o", "m.csv"], "'cifar' is not one of 'folders', 'csv', 'utk"),
        (["folders", "set", "-o", "no/m.csv"], "there is no folder no; create"),
        (["folders", "set", "-o", "m.csv", "--left-out", "no/r.csv"], "there is no folder no"),
        (["folders", "set", "-o", "m.csv", "--left-out", "./m.csv"], "name the same file"),
        (["folders", "set"], "Missing option '--output' / '-o'"),
        (["csv", "missing.csv", "-o", "m.csv"], "mien: missing.csv: cannot be read (No such"),
        (["csv", "set", "-o", "m.csv"], "mien: set: cannot be read (Is a directory)"),
        (["csv", "t.csv", "-o", "./t.csv"], "t.csv: this is a file to be read; write"),
        (["csv", "t.csv", "-o", "m.csv", "--left-out", "t.csv"], "this is a file to be read"),
        (["csv", "t.csv", "-o", "m.csv", "--label", "a", "--label", "a=b"], "'a' is named twice"),
        (["folders", "set", "-o", "m.csv", "--label", "a", "--label", "b"], "name it once"),
        (["folders", "set", "-o", "m.csv", "--label", "a=b"], "'a=b': a label's name has small"),
        (["ferplus", "set", "-o", "m.csv", "--rule", "mode"], "'mode' is not one of 'majority'"),
        (["fairface", "set", "-o", "m.csv", "--races", "x"], "'x' is not one of 'utkface'"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, mien: Mien, tmp_path: Path) -> None:
    save(tmp_path / "set" / "a" / "0.png", noise(0))
    (tmp_path / "t.csv").write_text("path,a\nset/a/0.png,x\n")
    found = mien("data", "import", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (tmp_path / "m.csv").exists()
    assert (tmp_path / "t.csv").read_text() == "path,a\nset/a/0.png,x\n"


TAKERS = {
    "--label": ("x", {"folders", "csv"}),
    "--path-column": ("x", {"csv"}),
    "--rule": ("argmax", {"ferplus"}),
    "--races": ("fairface", {"fairface"}),
    "--pictures": ("x", {"cifar10"}),
}


@pytest.mark.parametrize("option", TAKERS)
@pytest.mark.parametrize("source", SOURCES)
def test_options_of_other_layouts(source: str, option: str, mien: Mien) -> None:
    value, takers = TAKERS[option]
    found = mien("data", "import", source, "missing", "-o", "m.csv", option, value)
    assert (found.code, found.out) == (2, "")
    refused = f"Invalid value for '{option}': it is for the layout" in found.err
    assert refused == (source not in takers)
    assert refused == (f"; {source} does not take it" in found.err)


def test_help_teaches_every_layout(mien: Mien) -> None:
    found = mien("data", "import", "--help")
    for source in SOURCES:
        assert f"{source}: " in found.out
        assert f"mien data import {source} " in found.out
