"""Data sets as they lie on disk, read into manifests; all that is left out is counted and named."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data import sources
from mien.data.manifest import Manifest, Sample
from mien.data.sources.ferplus import EXPRESSIONS, import_ferplus
from mien.data.sources.folders import import_folders
from mien.data.sources.reading import Skipped
from mien.data.sources.utkface import import_utkface
from mien.data.split import part_of
from mien.errors import DataError
from tests.labelled import noise, save

UTKFACE_NAMED = "name is not [age]_[gender]_[race]_[date]"


def by_name(manifest: Manifest) -> dict[str, Sample]:
    return {sample.path.name: sample for sample in manifest.samples}


def test_utkface(tmp_path: Path) -> None:
    names = ["1_0_0_2017.jpg.chip.jpg", "26_1_2_2017.png", "110_1_4_2017 .jpg", "0_0_3_2017jpg.bmp"]
    for number, name in enumerate(names):
        save(tmp_path / "part1" / name, noise(number))
    skipped = Skipped()
    found = by_name(import_utkface(tmp_path, skipped))
    assert {name: sample.labels for name, sample in found.items()} == {
        names[0]: {"age": "1", "gender": "male", "race": "white"},
        names[1]: {"age": "26", "gender": "female", "race": "asian"},
        names[2]: {"age": "110", "gender": "female", "race": "other"},
        names[3]: {"age": "0", "gender": "male", "race": "indian"},
    }
    for sample in found.values():
        assert sample.source == "utkface"
        assert sample.content == sources.fingerprint(sample.path)
        assert sample.split == part_of(sample.content)
    assert skipped.total == 0


@pytest.mark.parametrize(
    "name",
    [
        "61_1_20170109142408075.jpg",
        "39_1_20170116174525125.jpg.chip.jpg",
        "26_1_2_.jpg",
        "26_1_2_2017_1.jpg",
        "-5_1_2_2017.jpg",
        "131_1_2_2017.jpg",
        "26_2_2_2017.jpg",
        "26_1_5_2017.jpg",
        "26_1_x_2017.jpg",
        "2６_1_1_2017.jpg",
        "._26_1_2_2017.jpg",
    ],
)
def test_utkface_names_that_lack_a_field(name: str, tmp_path: Path) -> None:
    save(tmp_path / "26_1_2_2017.png", noise(0))
    save(tmp_path / name, noise(1))
    skipped = Skipped()
    assert len(import_utkface(tmp_path, skipped).samples) == 1
    assert skipped.names == {UTKFACE_NAMED: [name]}


def test_what_is_no_picture_is_counted_and_named(tmp_path: Path) -> None:
    save(tmp_path / "26_1_2_2017.png", noise(0))
    (tmp_path / "27_1_2_2017.jpg").write_text("no picture")
    (tmp_path / "28_1_2_2017.png").write_bytes((tmp_path / "26_1_2_2017.png").read_bytes()[:-40])
    (tmp_path / "readme.txt").write_text("hello")
    save(tmp_path / os.fsdecode(b"29_1_2_caf\xe9.png"), noise(1))
    skipped = Skipped()
    assert list(by_name(import_utkface(tmp_path, skipped))) == ["26_1_2_2017.png"]
    assert skipped.total == 4
    assert skipped.names["not a picture, by its suffix"] == ["readme.txt"]
    assert skipped.names["name is not valid Unicode"] == [r"29_1_2_caf\udce9.png"]
    first, second = skipped.names["unreadable picture"]
    assert first.startswith("27_1_2_2017.jpg (")
    assert second.startswith("28_1_2_2017.png (")


def test_identical_pictures_share_a_content_and_a_part(tmp_path: Path) -> None:
    for number in range(40):
        for age in (10, 20):
            save(tmp_path / f"{age}_0_0_{number}.{'bmp' if age == 10 else 'png'}", noise(number))
    found = by_name(import_utkface(tmp_path, Skipped()))
    for number in range(40):
        first, second = found[f"10_0_0_{number}.bmp"], found[f"20_0_0_{number}.png"]
        assert (first.content, first.split) == (second.content, second.split)
    assert len({sample.content for sample in found.values()}) == 40
    assert {sample.split for sample in found.values()} == {"train", "validation", "test"}


def test_another_seed_draws_another_split(tmp_path: Path) -> None:
    for number in range(40):
        save(tmp_path / f"1_0_0_{number}.png", noise(number))
    splits = [
        [sample.split for sample in import_utkface(tmp_path, Skipped(), seed=seed).samples]
        for seed in (0, 0, 1)
    ]
    assert splits[0] == splits[1] != splits[2]


def test_contents_tell_pictures_of_the_same_bytes_apart(tmp_path: Path) -> None:
    wide = save(tmp_path / "wide.png", np.zeros((2, 8, 3), np.uint8))
    tall = save(tmp_path / "tall.png", np.zeros((8, 2, 3), np.uint8))
    assert sources.fingerprint(wide) != sources.fingerprint(tall)


def test_folders(tmp_path: Path) -> None:
    root = tmp_path / "animals"
    save(root / "cat" / "a.png", noise(0))
    save(root / "cat" / "more" / "a.png", noise(1))
    save(root / "chó" / "b.JPG", noise(2))
    save(root / "stray.png", noise(3))
    skipped = Skipped()
    found = import_folders(root, skipped)
    assert [sample.labels for sample in found.samples] == [
        {"label": "cat"},
        {"label": "cat"},
        {"label": "chó"},
    ]
    assert {sample.source for sample in found.samples} == {"animals"}
    assert skipped.names == {"picture outside of the classes' folders": ["stray.png"]}


@pytest.mark.parametrize("read", [import_utkface, import_folders])
def test_folders_without_pictures(read: Callable[..., Manifest], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1_0_0_2017.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"no readable picture .* found there"):
        read(tmp_path, Skipped())
    with pytest.raises(DataError, match=r"1_0_0_2017\.jpg: not a folder"):
        read(tmp_path / "a" / "1_0_0_2017.jpg", Skipped())
    with pytest.raises(DataError, match="missing: not a folder"):
        read(tmp_path / "missing", Skipped())


VOTES = (*EXPRESSIONS, "unknown", "NF")
AGREED = {"happiness": 8, "neutral": 2}
FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid"}


def ferplus(folder: Path, *rows: tuple[str, str, dict[str, Any]]) -> Path:
    """Write FER+'s table; a row is its part, its picture's name, and its votes."""
    with (folder / "fer2013new.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["Usage", "Image name", *VOTES], restval="0")
        table.writeheader()
        for usage, name, votes in rows:
            table.writerow({"Usage": usage, "Image name": name} | votes)
    return folder


def test_ferplus(tmp_path: Path) -> None:
    rows = [("Training", f"t{number:02}.png", AGREED) for number in range(60)]
    rows += [("PublicTest", "p.png", {"anger": 6, "disgust": 4, "fear": 1, "unknown": 1})]
    for usage, name, _ in rows:
        save(tmp_path / FOLDERS[usage] / name, noise(int(name[1:3]) if name[0] == "t" else 99))
    (tmp_path / FOLDERS["Training"] / "t00.png").rename(tmp_path / "FER2013Train" / "t00.webp")
    skipped = Skipped()
    found = by_name(import_ferplus(ferplus(tmp_path, *rows), skipped))
    assert skipped.total == 0
    assert len(found) == 61
    assert found["t00.webp"].labels == {
        "expression": "happiness",
        "expression/neutral": "2",
        "expression/happiness": "8",
    }
    assert found["p.png"].labels == {
        "expression": "anger",
        "expression/anger": "6",
        "expression/disgust": "4",
    }
    for name, sample in found.items():
        drawn = part_of(sample.content, (0.9, 0.1, 0))
        assert sample.split == ("test" if name == "p.png" else drawn)
        assert sample.source == "ferplus"
    assert {"train", "validation"} <= {sample.split for sample in found.values()}


def test_ferplus_keeps_the_test_part_out_of_training(tmp_path: Path) -> None:
    disputed = {"fear": 5, "sadness": 5}
    rows = [
        ("Training", "twin.png", AGREED),
        ("Training", "twin of disputed.png", AGREED),
        ("Training", "own.png", AGREED),
        ("PublicTest", "tested.png", AGREED),
        ("PublicTest", "disputed.png", disputed),
    ]
    for (usage, name, _), seed in zip(rows, (1, 2, 3, 1, 2), strict=True):
        save(tmp_path / FOLDERS[usage] / name, noise(seed))
    skipped = Skipped()
    found = by_name(import_ferplus(ferplus(tmp_path, *rows), skipped))
    assert list(found) == ["own.png", "tested.png"]
    assert skipped.names == {
        "training picture that the test part repeats": ["twin.png", "twin of disputed.png"],
        "no expression has more than half of the votes": ["disputed.png"],
    }


def test_ferplus_rows_that_cannot_be_used(tmp_path: Path) -> None:
    rows = [
        ("Training", "a.png", AGREED),
        ("Training", "a.png", AGREED),
        ("Training", "gone.png", AGREED),
        ("Training", "", AGREED),
        ("Training", "../../secret.png", AGREED),
        ("PrivateTest", "c.png", AGREED),
    ]
    save(tmp_path / "FER2013Train" / "a.png", noise(0))
    save(tmp_path.parent / "secret.png", noise(1))
    skipped = Skipped()
    found = import_ferplus(ferplus(tmp_path, *rows), skipped)
    assert list(by_name(found)) == ["a.png"]
    assert skipped.names == {
        "row that names a picture again": ["a.png"],
        "row whose picture is missing": ["gone.png", "../../secret.png"],
        "row without a picture's name": ["a row of Training"],
        "row of a part that is not used": ["c.png of PrivateTest"],
    }


@pytest.mark.parametrize("votes", ["", "2.0", "-1", "x", "٣", "1" * 12])
def test_ferplus_votes_that_are_no_whole_number(votes: str, tmp_path: Path) -> None:
    ferplus(tmp_path, ("Training", "a.png", AGREED), ("Training", "b.png", {"fear": votes}))
    message = rf"fer2013new\.csv, line 3: the votes for fear must be a whole number, not '{votes}'"
    with pytest.raises(DataError, match=message):
        import_ferplus(tmp_path, Skipped())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the columns Image name, NF, Usage, anger, .*, unknown are missing"),
        (b"Usage,Image name\nTraining,a.png\n", "the columns NF, anger, .* are missing"),
        (b"\xff\xfe\x00", "not a CSV table in UTF-8"),
    ],
)
def test_a_table_that_is_not_that_of_ferplus(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "fer2013new.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"fer2013new\.csv: {message}"):
        import_ferplus(tmp_path, Skipped())


def test_ferplus_without_its_table_or_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fer2013new\.csv: cannot be read \(No such file"):
        import_ferplus(tmp_path, Skipped())
    ferplus(tmp_path, ("Training", "a.png", AGREED))
    with pytest.raises(DataError, match="no readable picture with a label in fer2013new"):
        import_ferplus(tmp_path, Skipped())


def majority(votes: list[int]) -> int | None:
    """FER+'s rule as its authors' program has it: outliers away, then a true majority."""
    kept = np.array(votes, float)
    kept[kept < 1.5] = 0.0
    best = int(kept.argmax())
    return best if kept[best] > 0.5 * kept.sum() and best < 8 else None


@pytest.fixture(scope="module")
def ten_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ferplus")
    for number in range(10):
        save(folder / "FER2013Train" / f"{number}.png", noise(number))
    return folder


some_votes = st.lists(st.integers(0, 3) | st.integers(0, 10), min_size=10, max_size=10)


@settings(deadline=None, max_examples=50)
@given(st.lists(some_votes, min_size=10, max_size=10))
def test_the_rule_of_ferplus(ten_pictures: Path, votes: list[list[int]]) -> None:
    agreed = ("Training", "0.png", AGREED)  # for an import finds one picture at least
    rows = [("Training", f"{n}.png", dict(zip(VOTES, votes[n], strict=True))) for n in range(1, 10)]
    found = by_name(import_ferplus(ferplus(ten_pictures, agreed, *rows), Skipped()))
    for number in range(1, 10):
        wanted = majority(votes[number])
        if wanted is None:
            assert f"{number}.png" not in found
            continue
        soft = {
            f"expression/{name}": str(count)
            for name, count in zip(EXPRESSIONS, votes[number], strict=False)
            if count > 1
        }
        assert found[f"{number}.png"].labels == soft | {"expression": EXPRESSIONS[wanted]}
