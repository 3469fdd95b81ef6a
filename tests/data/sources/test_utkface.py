"""UTKFace: labels from the pictures' names."""

from pathlib import Path

import pytest

from mien.data.sources.reading import Skipped, fingerprint
from mien.data.sources.utkface import import_utkface
from mien.data.split import part_of
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
