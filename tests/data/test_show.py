"""Sheets of pictures: which are chosen, what stands under them, and how training sees them."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.augment import NONE, Augmentation
from mien.data.manifest import Manifest, Sample
from mien.data.show import SIDE, Tile, caption, changed_tiles, choose, plain_tiles, sheet
from mien.data.store import Framing
from mien.errors import DataError
from tests.labelled import manifest_of, noise


def plain(level: int, *lines: str) -> Tile:
    return Tile(np.full((SIDE, SIDE, 3), level, np.uint8), lines)


def moods(rare: int, common: int) -> Manifest:
    labels = [{"mood": "rare"}] * rare + [{"mood": "common"}] * common
    samples = [Sample(Path(f"{i}"), "s", f"c{i}", "", one) for i, one in enumerate(labels)]
    return Manifest(tuple(samples))


def test_rare_labels_are_chosen_as_often_as_common_ones() -> None:
    chosen = [s.labels["mood"] for s in choose(moods(3, 300), 6).samples]
    assert sorted(chosen) == ["common"] * 3 + ["rare"] * 3
    assert len(choose(moods(1, 4), 99).samples) == 5


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 8), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count(count: int, seed: int, rng: random.Random) -> None:
    found = moods(4, 6)
    shuffled = list(found.samples)
    rng.shuffle(shuffled)
    chosen = choose(found, count, seed)
    assert choose(Manifest(tuple(shuffled)), count, seed) == chosen
    assert len({s.content for s in chosen.samples}) == count


def test_another_seed_makes_another_choice() -> None:
    assert choose(moods(0, 50), 5, seed=1) != choose(moods(0, 50), 5, seed=2)


@pytest.mark.parametrize(
    ("labels", "lines"),
    [
        ({"age": "30", "mood": "good"}, ("age 30", "mood good")),
        ({"age_low": "3", "age_high": "9"}, ("age 3–9",)),
        ({"mood/good": "3", "mood/bad": "1"}, ("mood good",)),
        ({"mood": "good", "mood:predicted": "m", "age": "3"}, ("age 3", "mood good (predicted)")),
        ({}, ("no label",)),
    ],
)
def test_captions(labels: dict[str, str], lines: tuple[str, ...]) -> None:
    sample = Sample(Path("a"), "s", "c", "", labels)
    assert caption(sample, ["age", "mood"]) == lines


def test_tiles_stand_in_rows_with_their_captions_below() -> None:
    levels = (10, 60, 110, 160, 210)
    found = sheet([plain(level, "label") for level in levels], columns=3)
    page = found[:, :, 0]
    tops = [row for row in range(len(page)) if page[row, 10] in (10, 160)]
    assert (len(tops), found.shape[1]) == (2 * SIDE, 3 * SIDE + 24)
    assert [int(page[20, column]) for column in (20, 200, 380)] == [10, 60, 110]
    assert [int(page[tops[-1], column]) for column in (20, 200, 380)] == [160, 210, 255]
    below = page[tops[SIDE - 1] + 1 : tops[SIDE]]
    assert below.min() < 100
    assert (below == 255).mean() > 0.8


def test_tiles_without_captions_stand_close() -> None:
    assert sheet([plain(0)] * 2, columns=8).shape == (SIDE + 12, 2 * SIDE + 18, 3)


def test_a_sheet_has_its_bounds() -> None:
    with pytest.raises(DataError, match="20,000 pictures are too many for one sheet; show fewer"):
        sheet([plain(0)] * 20_000, columns=8)


def test_pictures_are_shown_whole(tmp_path: Path) -> None:
    wide = np.full((50, 100, 3), 40, np.uint8)
    (tile,) = plain_tiles(manifest_of(tmp_path, wide, labels={"mood": "good"}))
    shown = (tile.picture == 40).all(axis=2)
    assert shown.sum(axis=1).tolist() == [0] * 40 + [SIDE] * 80 + [0] * 40
    assert tile.lines == ("mood good",)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (161, 160)])
def test_any_shape_fits(shape: tuple[int, int], tmp_path: Path) -> None:
    (tile,) = plain_tiles(manifest_of(tmp_path, noise(0, *shape)))
    assert tile.picture.shape == (SIDE, SIDE, 3)


def test_a_picture_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    found = manifest_of(tmp_path, noise(0))
    found.samples[0].path.write_bytes(b"")
    (tile,) = plain_tiles(found)
    assert tile.lines[0] == "cannot be read:"
    assert "empty" in tile.lines[1]


def test_augmented_rows_begin_with_what_use_sees(tmp_path: Path) -> None:
    found = manifest_of(tmp_path, noise(0, 40, 40), noise(1, 40, 40), labels={"mood": "good"})
    tiles = changed_tiles(found, Framing(32), NONE, draws=2)
    assert [tile.lines for tile in tiles] == [("mood good",), (), ()] * 2
    for row in (tiles[:3], tiles[3:]):
        assert all((tile.picture == row[0].picture).all() for tile in row)
    assert (tiles[0].picture != tiles[3].picture).any()


def test_each_draw_differs_and_can_be_made_again(tmp_path: Path) -> None:
    found = manifest_of(tmp_path, noise(0, 40, 40))
    first, second = (changed_tiles(found, Framing(32), Augmentation(), 3, seed=4) for _ in "ab")
    assert all((a.picture == b.picture).all() for a, b in zip(first, second, strict=True))
    pictures = {tile.picture.tobytes() for tile in first}
    assert len(pictures) == 4
    other = changed_tiles(found, Framing(32), Augmentation(), 3, seed=5)
    assert (other[1].picture != first[1].picture).any()


def test_pictures_are_mixed_as_in_training(tmp_path: Path) -> None:
    black, white = (np.full((40, 40, 3), level, np.uint8) for level in (0, 255))
    mixing = NONE.model_copy(update={"mixup": 50.0})
    tiles = changed_tiles(manifest_of(tmp_path, black, white), Framing(32), mixing, draws=1)
    assert [int(tile.picture[0, 0, 0]) for tile in (tiles[0], tiles[2])] == [0, 255]
    assert all(50 < int(tile.picture[0, 0, 0]) < 205 for tile in (tiles[1], tiles[3]))
