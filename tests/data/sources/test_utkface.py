"""UTKFace: labels from the pictures' names."""

from pathlib import Path

import pytest

from mien.data.sources.reading import Skipped, fingerprint
from mien.data.sources.utkface import import_utkface
from mien.data.split import part_of
from mien.errors import DataError
from tests.data.sources.samples import by_name
from tests.labelled import noise, save

NAMED = "name is not [age]_[gender]_[race]_[date]"


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
        assert sample.content == fingerprint(sample.path)
        assert sample.split == part_of(sample.content)
    assert skipped.total == 0


def test_only_the_pictures_that_a_list_names(tmp_path: Path) -> None:
    for number, name in enumerate(["1_0_0_2017.webp", "2_0_0_2017.jpg.chip.jpg", "3_0_0_2017.png"]):
        save(tmp_path / "UTKFace" / name, noise(number))
    only = tmp_path / "list.txt"
    only.write_text("1_0_0_2017\n\nUTKFace/2_0_0_2017.jpg\n")
    skipped = Skipped()
    found = import_utkface(tmp_path / "UTKFace", skipped, only=only)
    assert sorted(sample.labels["age"] for sample in found.samples) == ["1", "2"]
    assert skipped.total == 0


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_list_that_names_nothing_is_refused(tmp_path: Path, content: bytes | None) -> None:
    save(tmp_path / "UTKFace" / "1_0_0_2017.png", noise(0))
    only = tmp_path / "list.txt"
    if content is not None:
        only.write_bytes(content)
    with pytest.raises(DataError, match=r"list\.txt"):
        import_utkface(tmp_path / "UTKFace", Skipped(), only=only)


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
    assert skipped.names == {NAMED: [name]}
