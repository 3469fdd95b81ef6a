"""Any CSV table of paths and labels."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mien.data import manifest
from mien.data.sources.labels import UNFIT
from mien.data.sources.reading import Skipped, fingerprint
from mien.data.sources.table import import_csv
from mien.data.split import part_of
from mien.errors import DataError
from tests.data.sources.samples import by_name
from tests.labelled import noise, save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the pictures 0.png to 9.png."""
    for number in range(10):
        save(tmp_path / f"{number}.png", noise(number))
    return tmp_path


def table(folder: Path, columns: Sequence[str], *rows: Sequence[str]) -> Path:
    """Write a table; return its path."""
    path = folder / "labels.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def labels_of(path: Path, labels: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
    found = by_name(import_csv(path, Skipped(), labels=labels))
    return {name: sample.labels for name, sample in found.items()}


def test_all_columns_by_their_own_names(folder: Path) -> None:
    save(folder.parent / "outside.png", noise(20))
    rows = [
        ("0.png", " happy ", "31"),
        ("./1.png", "", "7"),
        ("../outside.png", "sad", ""),
        (str(folder / "3.png"), "sad", "0"),
    ]
    skipped = Skipped()
    found = by_name(import_csv(table(folder, ("path", "mood", "age"), *rows), skipped))
    assert (skipped.names, skipped.notes) == ({}, [])
    assert {name: sample.labels for name, sample in found.items()} == {
        "0.png": {"mood": "happy", "age": "31"},
        "1.png": {"age": "7"},
        "outside.png": {"mood": "sad"},
        "3.png": {"mood": "sad", "age": "0"},
    }
    for sample in found.values():
        assert sample.source == "labels"
        assert sample.content == fingerprint(sample.path)
        assert sample.split == part_of(sample.content)


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (("path", "file"), 0),
        (("image", "path"), 1),
        (("Filename", "Image"), 1),
        (("x", " FILE "), 1),
        (("filename", "x"), 0),
    ],
)
def test_the_column_of_paths(columns: tuple[str, str], wanted: int, folder: Path) -> None:
    row = ["1.png", "1.png"]
    row[wanted] = "2.png"
    path = table(folder, (*columns, "mood"), (*row, "sad"))
    assert list(by_name(import_csv(path, Skipped()))) == ["2.png"]
    named = import_csv(path, Skipped(), path_column=columns[1 - wanted])
    assert list(by_name(named)) == ["1.png"]


def test_columns_of_ones_choice(folder: Path) -> None:
    columns = ("path", "Mood", "Mood/happy", "years_low", "years_high", "note", "moody")
    path = table(folder, columns, ("0.png", "happy", "3", "20", "29", "x", "y"))
    assert labels_of(path, {"Mood": "mood", "years": "age"}) == {
        "0.png": {"mood": "happy", "mood/happy": "3", "age_low": "20", "age_high": "29"}
    }
    assert labels_of(path, {"note": "note"}) == {"0.png": {"note": "x"}}


def test_votes_and_intervals_reach_the_manifest(folder: Path) -> None:
    columns = ("path", "mood", "mood/sad", "mood/happy", "age_low", "age_high")
    path = table(folder, columns, ("0.png", "sad", "7", "3", "20", "29"))
    import_csv(path, Skipped()).write(folder / "m.csv")
    sample = manifest.read(folder / "m.csv").samples[0]
    assert sample.interval("age") == (20, 29)
    assert [sample.number(f"mood/{label}") for label in ("sad", "happy")] == [7, 3]


def test_columns_that_are_no_tasks(folder: Path) -> None:
    path = table(folder, ("path", "Hair Colour", "age", ""), ("0.png", "red", "3", "x"))
    skipped = Skipped()
    found = import_csv(path, skipped)
    assert found.columns == ["age"]
    assert skipped.names == {
        "column whose name is no task's: take it by --label COLUMN=TASK": ["Hair Colour", ""]
    }
    assert labels_of(path, {"Hair Colour": "hair"}) == {"0.png": {"hair": "red"}}


def test_a_split_is_honoured(folder: Path) -> None:
    parts = ["train", "test", "val", " Valid", "dev", "validation", "TEST", "train"]
    rows = [(f"{number}.png", "x", part) for number, part in enumerate(parts)]
    skipped = Skipped()
    found = by_name(import_csv(table(folder, ("path", "mood", "split"), *rows), skipped))
    assert [found[f"{number}.png"].split for number in range(8)] == [
        "train",
        "test",
        *["validation"] * 4,
        "test",
        "train",
    ]
    assert skipped.notes == ["parts are those of the column 'split'"]
    assert found["0.png"].labels == {"mood": "x"}


def test_a_split_that_parts_identical_pictures(folder: Path) -> None:
    save(folder / "twin.bmp", noise(0))
    rows = [("0.png", "x", "train"), ("twin.bmp", "x", "test"), ("1.png", "x", "")]
    skipped = Skipped()
    found = by_name(import_csv(table(folder, ("path", "mood", "split"), *rows), skipped))
    assert set(found) == {"twin.bmp", "1.png"}
    assert skipped.names == {"training picture that the test part repeats": ["0.png"]}


def test_source_and_content(folder: Path) -> None:
    good = fingerprint(folder / "0.png")
    rows = [("0.png", "mine", good, "x"), ("1.png", "", "stale", "x"), ("2.png", "", "", "x")]
    skipped = Skipped()
    found = by_name(
        import_csv(table(folder, ("path", "source", "content", "mood"), *rows), skipped)
    )
    assert [found[f"{number}.png"].source for number in range(3)] == ["mine", "labels", "labels"]
    assert all(sample.content == fingerprint(sample.path) for sample in found.values())
    assert skipped.notes == ["the content of 1 pictures was computed anew, for it differs"]


def test_a_source_that_no_model_card_can_hold(folder: Path) -> None:
    rows = [("0.png", "mine", "x"), ("1.png", "\x1b[31m", "x")]
    skipped = Skipped()
    assert len(import_csv(table(folder, ("path", "source", "mood"), *rows), skipped).samples) == 1
    reason = "source that no model card can hold: too long, or with control characters"
    assert skipped.names == {reason: ["1.png"]}


def test_a_manifest_can_be_imported(folder: Path) -> None:
    rows = [(f"{number}.png", "x") for number in range(10)]
    found = import_csv(table(folder, ("path", "mood"), *rows), Skipped())
    found.write(folder / "m.csv")
    skipped = Skipped()
    again = import_csv(folder / "m.csv", skipped)
    assert again.split_hash == found.split_hash
    assert again.columns == found.columns
    assert skipped.total == 0


def test_rows_that_cannot_be_used(folder: Path) -> None:
    (folder / "broken.png").write_text("no picture")
    rows = [
        ("0.png", "sad", "30", "train"),
        ("0.png", "happy", "30", "train"),
        ("gone.png", "sad", "30", "train"),
        ("x" * 5000, "sad", "30", "train"),
        ("1.png", "", "", "train"),
        ("2.png", "\x1b[31m", "30", "train"),
        ("3.png", "x" * 301, "30", "train"),
        ("4.png", "sad", "131", "train"),
        ("5.png", "sad", "30", "holdout"),
        ("", "sad", "30", "train"),
        ("broken.png", "sad", "30", "train"),
        ("a\0b", "sad", "30", "train"),
    ]
    path = table(folder, ("path", "mood", "age", "split"), *rows)
    skipped = Skipped()
    assert list(by_name(import_csv(path, skipped))) == ["0.png"]
    [broken] = skipped.names.pop("unreadable picture")
    assert broken.startswith("broken.png (")
    assert skipped.names == {
        "row that names a picture again": ["0.png"],
        "row whose picture is missing": ["gone.png", "x" * 5000, f"{path}, line 11", "a\0b"],
        "row without a label": ["1.png"],
        UNFIT: ["2.png", "3.png"],
        "age that is no number from 0 to 130": ["4.png"],
        "row whose split is none of train, validation, val, valid, dev, test": ["5.png"],
    }


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (("x", "mood"), {}, r"no column is called path, .*; it has 'x', 'mood'. .*--path-column"),
        (("path", "mood"), {"path_column": "img"}, "there is no column 'img'; it has 'path', 'moo"),
        (("path",), {}, "no column holds labels; it has 'path'"),
        (("path", "Mood"), {}, "no column holds labels; it has 'path', 'Mood'. Name some"),
        (("path", "mood"), {"labels": {"Mood": "mood"}}, "there is no column 'Mood'; it has"),
        (("path", "mood"), {"labels": {"split": "split"}}, "'split' cannot name a task"),
        (("path", "Mood"), {"labels": {"Mood": "Mood"}}, "'Mood' cannot name a task: .*Mood=TASK"),
        (("path", "mood"), {"labels": {"mood": "mood/x"}}, "'mood/x' cannot name a task"),
        (("path", "a", "b"), {"labels": {"a": "t", "b": "t"}}, "two columns are for the same"),
        (("path", "mood", " mood"), {}, "two columns are for the same task: mood,  mood"),
        (("path", "m", "m/"), {"labels": {"m": "m"}}, "'m/': no label that a model card can"),
        (("path", "mood", "mood"), {}, "two columns are called 'mood'"),
    ],
)
def test_columns_that_cannot_be_used(
    columns: tuple[str, ...], options: dict[str, object], message: str, folder: Path
) -> None:
    path = table(folder, columns, ["0.png"] * len(columns))
    with pytest.raises(DataError, match=message):
        import_csv(path, Skipped(), **options)  # type: ignore[arg-type]


def test_tables_without_a_row_to_use(folder: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.csv: cannot be read"):
        import_csv(folder / "missing.csv", Skipped())
    with pytest.raises(DataError, match="no row with a readable picture and a label found there"):
        import_csv(table(folder, ("path", "mood"), ("gone.png", "sad")), Skipped())
