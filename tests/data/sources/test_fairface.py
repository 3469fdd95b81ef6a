"""FairFace: bins of ages as intervals, also after a spreadsheet damaged them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from mien.data import manifest
from mien.data.sources.fairface import BINS, age_interval, import_fairface
from mien.data.sources.reading import Skipped
from mien.data.split import part_of
from mien.errors import DataError
from tests.data.sources.samples import by_name
from tests.labelled import noise, save

HEADER = ("file", "age", "gender", "race", "service_test")


def fairface(
    folder: Path, rows: Sequence[Sequence[str]], table: str = "fairface_label_train.csv"
) -> Path:
    """Write a label file; a row is its picture's name, age, gender and race."""
    with (folder / table).open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *([*row, "TRUE"] for row in rows)])
    return folder


def row(number: int, part: str = "train") -> tuple[str, str, str, str]:
    return f"{part}/{number}.png", "20-29", "Male", "White"


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("0-2", (0, 2)),
        ("3-9", (3, 9)),
        ("03-Sep", (3, 9)),
        ("3-Sep", (3, 9)),
        ("9-Mar", (3, 9)),
        ("Mar-09", (3, 9)),
        ("Sep-03", (3, 9)),
        ("SEP-03", (3, 9)),
        ("10-19", (10, 19)),
        ("Oct-19", (10, 19)),
        ("19-Oct", (10, 19)),
        (" 60-69 ", (60, 69)),
        ("more than 70", (70, 130)),
    ],
)
def test_age_intervals(text: str, ages: tuple[int, int]) -> None:
    assert age_interval(text) == ages


@pytest.mark.parametrize("ages", BINS[:-1])
def test_every_bin_is_read(ages: tuple[int, int]) -> None:
    assert age_interval(f"{ages[0]}-{ages[1]}") == ages


@pytest.mark.parametrize(
    "text",
    [
        "",
        "25",
        "20-30",
        "20–29",
        "12-Jan",
        "Nov-19",
        "more than 80",
        "-5-9",
        "3-9-2024",
        "2003-09-01 00:00:00",
        "٣-٩",
        "nan-nan",
        "9" * 5000 + "-9",
    ],
)
def test_what_is_no_bin(text: str) -> None:
    assert age_interval(text) is None


def test_labels_through_a_manifest(tmp_path: Path) -> None:
    rows = [
        ("train/1.png", "03-Sep", "Male", "East Asian"),
        ("train/2.png", "Oct-19", "Female", "Latino_Hispanic"),
        ("train/3.png", "more than 70", "Female", "White"),
    ]
    for number, (name, *_) in enumerate(rows):
        save(tmp_path / "fair_face" / name, noise(number))
    skipped = Skipped()
    import_fairface(fairface(tmp_path, rows), skipped).write(tmp_path / "fairface.csv")
    assert skipped.total == 0
    found = by_name(manifest.read(tmp_path / "fairface.csv"))
    assert [found[f"{number}.png"].interval("age") for number in (1, 2, 3)] == [
        (3, 9),
        (10, 19),
        (70, 130),
    ]
    assert found["1.png"].labels == {
        "age_low": "3",
        "age_high": "9",
        "gender": "male",
        "race": "asian",
    }
    assert "race" not in found["2.png"].labels
    assert found["3.png"].labels["race"] == "white"
    assert {sample.source for sample in found.values()} == {"fairface"}


def test_races_in_whose_terms(tmp_path: Path) -> None:
    named = {
        "White": ("white", "white"),
        "Black": ("black", "black"),
        "East Asian": ("asian", "east asian"),
        "Southeast Asian": ("asian", "southeast asian"),
        "Indian": ("indian", "indian"),
        "Latino_Hispanic": (None, "latino hispanic"),
        "Middle Eastern": (None, "middle eastern"),
    }
    rows = [(f"train/{race}.png", "0-2", "Male", race) for race in named]
    for number, (name, *_) in enumerate(rows):
        save(tmp_path / name, noise(number))
    fairface(tmp_path, rows)
    for position, races in enumerate(("utkface", "fairface")):
        found = by_name(import_fairface(tmp_path, Skipped(), races=races))
        assert {name.removesuffix(".png"): s.labels.get("race") for name, s in found.items()} == {
            race: labels[position] for race, labels in named.items()
        }
    with pytest.raises(DataError, match="races must be one of utkface, fairface, not 'mine'"):
        import_fairface(tmp_path, Skipped(), races="mine")


def test_parts_where_fairface_has_its_own(tmp_path: Path) -> None:
    for number in range(30):
        save(tmp_path / "train" / f"{number}.png", noise(number))
    save(tmp_path / "val" / "1.png", noise(5))
    fairface(tmp_path, [row(number) for number in range(30)])
    alone = import_fairface(tmp_path, Skipped())
    assert all(sample.split == part_of(sample.content) for sample in alone.samples)
    fairface(tmp_path, [row(1, "val")], "fairface_label_val.csv")
    skipped = Skipped()
    found = import_fairface(tmp_path, skipped)
    assert skipped.names == {"training picture that the test part repeats": ["5.png"]}
    assert len(found.samples) == 30
    for sample in found.samples:
        drawn = part_of(sample.content, (0.9, 0.1, 0.0))
        assert sample.split == ("test" if sample.path.parent.name == "val" else drawn)


def test_rows_that_cannot_be_used(tmp_path: Path) -> None:
    save(tmp_path / "train" / "1.png", noise(0))
    save(tmp_path.parent / "secret.png", noise(1))
    names = ["train/1.png", "train/1.png", "train/2.png", "../secret.png", "", "x" * 5000]
    names.append(str(tmp_path / "train" / "1.png"))
    rows = [(name, *row(1)[1:]) for name in names]
    skipped = Skipped()
    found = import_fairface(fairface(tmp_path, rows), skipped)
    assert list(by_name(found)) == ["1.png"]
    assert skipped.names == {
        "row that names a picture again": ["train/1.png"],
        "row whose picture is missing": names[2:],
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("1.png", "20-30", "Male", "White"), "age must be a bin such as 20-29, not '20-30'"),
        (("1.png", "12-Jan", "Male", "White"), "age must be a bin such as 20-29, not '12-Jan'"),
        (("1.png", "20-29", "male", "White"), "gender must be Male or Female, not 'male'"),
        (("1.png", "20-29", "Male", "Asian"), "race must be one of White, .*, not 'Asian'"),
        (("1.png", "20-29", "Male", "White", "more"), "5 values expected, 6 found"),
    ],
)
def test_rows_that_are_not_fairfaces(wrong: tuple[str, ...], message: str, tmp_path: Path) -> None:
    fairface(tmp_path, [row(0), wrong])
    with pytest.raises(DataError, match=rf"fairface_label_train\.csv, line 3: {message}"):
        import_fairface(tmp_path, Skipped())


def test_without_its_tables_or_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of FairFace's label files is there: fairface_label_"):
        import_fairface(tmp_path, Skipped())
    fairface(tmp_path, [row(0)])
    with pytest.raises(DataError, match="no picture that a label file names found there"):
        import_fairface(tmp_path, Skipped())
    (tmp_path / "fairface_label_train.csv").write_text("file,age\n")
    with pytest.raises(DataError, match="the columns gender, race are missing"):
        import_fairface(tmp_path, Skipped())
