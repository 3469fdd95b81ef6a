"""What every import shares: pictures found, read once and told apart; the rest named."""

import os
from pathlib import Path

import numpy as np

from mien.data.sources.reading import Skipped, fingerprint
from mien.data.sources.utkface import import_utkface
from tests.data.sources.samples import by_name
from tests.labelled import noise, save


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
    assert fingerprint(wide) != fingerprint(tall)
