"""One folder a class."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.data.manifest import Manifest
from mien.data.sources.folders import import_folders
from mien.data.sources.labels import UNFIT
from mien.data.sources.reading import Skipped
from mien.data.sources.utkface import import_utkface
from mien.data.split import part_of
from mien.errors import DataError
from tests.labelled import noise, save


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


def test_the_label_has_a_name(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", noise(0))
    found = import_folders(tmp_path, Skipped(), label="animal")
    assert found.samples[0].labels == {"animal": "cat"}


@pytest.mark.parametrize("name", ["", "Animal", "my label", "path", "content", "age/x", "a\n"])
def test_names_that_no_task_can_bear(name: str, tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", noise(0))
    with pytest.raises(DataError, match="a label's name has small letters, digits and _"):
        import_folders(tmp_path, Skipped(), label=name)


def test_folders_named_by_age(tmp_path: Path) -> None:
    names = ["001", "026", "110", "0", "130", "131", "7a", "-5", "٣", "young"]
    for number, name in enumerate(names):
        save(tmp_path / name / "a.png", noise(number))
    skipped = Skipped()
    found = import_folders(tmp_path, skipped, label="age")
    assert {s.path.parent.name: s.labels["age"] for s in found.samples} == {
        "001": "1",
        "026": "26",
        "110": "110",
        "0": "0",
        "130": "130",
    }
    assert skipped.names == {
        "picture in a folder whose name is no age from 0 to 130": [
            "-5/a.png",
            "131/a.png",
            "7a/a.png",
            "young/a.png",
            "٣/a.png",
        ]
    }
    with_names = import_folders(tmp_path, Skipped())
    assert {sample.labels["label"] for sample in with_names.samples} == set(names)


def test_classes_that_no_model_card_can_hold(tmp_path: Path) -> None:
    for number, name in enumerate(("cat", "\x1b[31mred", "two\nlines", "d\u2028og")):
        save(tmp_path / name / "a.png", noise(number))
    skipped = Skipped()
    found = import_folders(tmp_path, skipped)
    assert [sample.labels["label"] for sample in found.samples] == ["cat"]
    assert skipped.names == {UNFIT: ["\x1b[31mred/a.png", "d\u2028og/a.png", "two\nlines/a.png"]}


def test_folders_may_be_links(tmp_path: Path) -> None:
    for number, folder in enumerate(["set/red", "set/red", "set/green", "elsewhere"]):
        save(tmp_path / folder / f"{number}.png", noise(number))
    (tmp_path / "set" / "blue").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "red" / "more").symlink_to(tmp_path / "set")

    skipped = Skipped()
    found = import_folders(tmp_path / "set", skipped)

    counts = Counter(sample.labels["label"] for sample in found.samples)
    assert counts == {"red": 2, "green": 1, "blue": 1}
    assert skipped.names["a link that leads back"] == ["more"]


def test_hidden_folders_are_no_classes(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", noise(0))
    save(tmp_path / ".trash" / "a.png", noise(1))
    save(tmp_path / "cat" / ".thumbnails" / "b.png", noise(2))
    skipped = Skipped()
    assert len(import_folders(tmp_path, skipped).samples) == 1
    assert skipped.names == {
        "in a hidden folder": [".trash/a.png", "cat/.thumbnails/b.png"],
    }


@pytest.mark.parametrize("name", ["validation", "val", "Valid", "dev"])
def test_folders_that_are_parts(name: str, tmp_path: Path) -> None:
    for number, part in enumerate(("train", "Test", name)):
        for place, label in enumerate(("cat", "dog")):
            save(tmp_path / part / label / f"{part}.png", noise(10 * number + place))
    save(tmp_path / "stray.png", noise(99))
    (tmp_path / ".cache").mkdir()
    skipped = Skipped()
    found = import_folders(tmp_path, skipped)
    assert {(s.path.parent.parent.name, s.split, s.labels["label"]) for s in found.samples} == {
        (folder, part, label)
        for folder, part in (("train", "train"), ("Test", "test"), (name, "validation"))
        for label in ("cat", "dog")
    }
    assert skipped.names == {"picture outside of the classes' folders": ["stray.png"]}
    folders = ", ".join(sorted(["train", "Test", name]))
    assert skipped.notes == [f"taken as parted already, by the folders {folders}"]


def test_a_part_that_is_missing_is_drawn(tmp_path: Path) -> None:
    for number in range(40):
        save(tmp_path / "train" / "cat" / f"{number}.png", noise(number))
    save(tmp_path / "test" / "cat" / "twin.png", noise(7))
    skipped = Skipped()
    found = import_folders(tmp_path, skipped, seed=4)
    assert skipped.names == {"training picture that the test part repeats": ["7.png"]}
    assert "validation is drawn from the training pictures, 10% of them" in skipped.notes
    for sample in found.samples:
        drawn = part_of(sample.content, (0.9, 0.1, 0.0), 4)
        assert sample.split == ("test" if sample.path.name == "twin.png" else drawn)
    assert {"train", "validation"} <= {sample.split for sample in found.samples}


@pytest.mark.parametrize(
    "places",
    [
        ["train/1.png", "test/1.png"],
        ["train/a/1.png", "bus/a/1.png"],
        ["train/a/1.png", "test/a/1.png", "bus/1.png"],
        ["train/a/1.png"],
        ["val/a/1.png", "test/a/1.png"],
    ],
)
def test_folders_that_are_classes_though_some_are_called_as_parts(
    places: list[str], tmp_path: Path
) -> None:
    for number, place in enumerate(places):
        save(tmp_path / place, noise(number))
    skipped = Skipped()
    found = import_folders(tmp_path, skipped)
    assert [s.labels["label"] for s in found.samples] == sorted(p.split("/")[0] for p in places)
    assert skipped.notes == []


def test_parts_of_different_classes(tmp_path: Path) -> None:
    save(tmp_path / "train" / "cat" / "1.png", noise(0))
    save(tmp_path / "train" / "dog" / "1.png", noise(1))
    save(tmp_path / "test" / "cat" / "1.png", noise(2))
    with pytest.raises(DataError, match=r"not all have dog, as train has. Make empty folders"):
        import_folders(tmp_path, Skipped())
    (tmp_path / "test" / "dog").mkdir()
    assert len(import_folders(tmp_path, Skipped()).samples) == 3
    save(tmp_path / "val" / "cat" / "1.png", noise(3))
    save(tmp_path / "dev" / "cat" / "1.png", noise(4))
    with pytest.raises(DataError, match="one part stands there twice: dev, test, train, val"):
        import_folders(tmp_path, Skipped())
