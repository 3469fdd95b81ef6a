"""Pictures of a manifest on one sheet, with their labels; also as training sees them."""

import math
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.augment import Augmentation
from mien.data.groups import groupings, label_of
from mien.data.labels import AGE
from mien.data.manifest import Manifest, Sample
from mien.data.mixing import mix
from mien.data.store import Framing, Store, open_store
from mien.draw import make_plate
from mien.errors import DataError, ImageError
from mien.faces import view_of_picture
from mien.pixels import Image, block_mean, shrink_factor

SIDE: Final = 160
"""Side of a tile in pixels."""

_LETTERS: Final = 13
_GAP: Final = 6
_PAPER: Final = 255
_BLANK: Final = 235
_LARGEST: Final = 400_000_000


@dataclass(frozen=True)
class Tile:
    """A picture on the sheet, and the lines that stand under it."""

    picture: Image
    lines: tuple[str, ...] = ()


def choose(manifest: Manifest, count: int, seed: int = 0) -> Manifest:
    """Choose pictures by chance, as many of rare labels as of common ones.

    Args:
        manifest: What to choose from; the order of its rows does not count.
        count: How many to choose; all, if there are fewer.
        seed: Another seed makes another choice.
    """
    tasks = groupings(manifest)
    strata: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    for sample in sorted(manifest.samples, key=lambda one: (one.content, str(one.path))):
        strata[tuple(task.of(sample) for task in tasks)].append(sample)
    rng = np.random.default_rng(seed)
    groups = [strata[key] for key in sorted(strata)]
    piles = [[group[i] for i in rng.permutation(len(group))] for group in groups]
    # A turn takes one of each group, the groups in a new order.
    turns = [
        [piles[i][turn] for i in rng.permutation(len(piles)) if turn < len(piles[i])]
        for turn in range(max(map(len, piles)))
    ]
    return Manifest(tuple([sample for turn in turns for sample in turn][:count]))


def caption(sample: Sample, tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the lines that say a sample's labels: ages and classes, a line for each."""
    lines = []
    for task in tasks:
        mark = " (predicted)" if task in sample.predicted else ""
        low, high = sample.interval(task) if _has_number(sample, task) else (math.nan, math.nan)
        if not math.isnan(low):
            lines.append(f"{task} {low:g}" + (f"–{high:g}" if high > low else "") + mark)
        elif label_of(sample, task):
            lines.append(f"{task} {label_of(sample, task)}{mark}")
    return tuple(lines) or ("no label",)


def plain_tiles(manifest: Manifest) -> list[Tile]:
    """Return a tile for each picture, whole; one that cannot be read says why."""
    tasks = manifest.tasks
    tiles = []
    for sample in manifest.samples:
        try:
            picture = _fitted(images.load(sample.path).pixels)
            lines = caption(sample, tasks)
        except ImageError as error:
            picture, lines = _blank(), ("cannot be read:", error.reason)
        tiles.append(Tile(picture, lines))
    return tiles


def changed_tiles(
    manifest: Manifest, framing: Framing, augmentation: Augmentation, draws: int, seed: int = 0
) -> list[Tile]:
    """Return for each picture how use sees it, and then some draws of how training does.

    The crops go the way of training: by the store, by `Augmentation.cut`, and by `mix`; the
    pictures of one draw are mixed with each other, as those of a batch.

    Args:
        manifest: The pictures.
        framing: How the network's input is cut.
        augmentation: How pictures are changed.
        draws: How many changed crops of each there are.
        seed: Seed of the changes.

    Returns:
        1 + `draws` tiles for each picture.

    Raises:
        DataError: A picture cannot be read.
    """
    side, count = framing.size, len(manifest.samples)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(manifest, framing, Path(folder))
        plain = [store.crop(index, side) for index in range(count)]
        batches = [_batch(store, augmentation, side, (seed, draw)) for draw in range(draws)]
        # Its files are mapped into memory, and not every system deletes such files.
        del store
    tasks = manifest.tasks
    tiles = []
    for index, sample in enumerate(manifest.samples):
        tiles.append(Tile(_fitted(plain[index]), caption(sample, tasks)))
        tiles += [Tile(_fitted(batch[index])) for batch in batches]
    return tiles


def sheet(tiles: Sequence[Tile], columns: int) -> Image:
    """Lay tiles out in rows from the upper left.

    Args:
        tiles: At least one.
        columns: Tiles in a row.

    Returns:
        H x W x 3, RGB.

    Raises:
        DataError: The sheet would have more than 400 million pixels.
    """
    columns = min(columns, len(tiles))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    width = columns * (SIDE + _GAP) + _GAP
    if width * len(rows) * SIDE > _LARGEST:
        raise DataError(f"{len(tiles):,} pictures are too many for one sheet; show fewer")
    bands = [np.full((_GAP, width, 3), _PAPER, np.uint8)]
    bands += [_band(row, width) for row in rows]
    return np.concatenate(bands)


def _batch(
    store: Store, augmentation: Augmentation, side: int, key: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return all pictures of a store, each changed by its own draw."""
    crops = []
    for index in range(len(store)):
        picture = store.picture(index)
        whole = view_of_picture(picture.shape[1], picture.shape[0])
        rng = np.random.default_rng([*key, index])
        crops.append(augmentation.cut(rng, picture, store.view(index), whole, side))
    mixed, _, _ = mix(np.random.default_rng([*key, len(store)]), np.stack(crops), augmentation)
    return mixed


def _has_number(sample: Sample, task: str) -> bool:
    return task == AGE or f"{task}_low" in sample.labels


def _band(row: Sequence[Tile], width: int) -> Image:
    """Return a row of tiles, as high as its longest caption needs."""
    captions = [make_plate(tile.lines, _LETTERS, SIDE, 10 * SIDE) for tile in row]
    height = max((0 if letters is None else letters.shape[0]) for letters in captions)
    band = np.full((SIDE + height + _GAP, width, 3), _PAPER, np.uint8)
    for place, (tile, letters) in enumerate(zip(row, captions, strict=True)):
        left = _GAP + place * (SIDE + _GAP)
        band[:SIDE, left : left + SIDE] = tile.picture
        if letters is not None:
            high, wide = letters.shape
            band[SIDE : SIDE + high, left : left + wide] = _PAPER - letters[:, :, np.newaxis]
    return band


def _blank() -> Image:
    return np.full((SIDE, SIDE, 3), _BLANK, np.uint8)


def _fitted(picture: Image) -> Image:
    """Return a picture whole in the middle of a tile."""
    height, width = picture.shape[:2]
    picture = block_mean(picture, shrink_factor(view_of_picture(width, height), SIDE))
    scale = SIDE / max(picture.shape[:2])
    size = [max(1, min(SIDE, round(length * scale))) for length in picture.shape[1::-1]]
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, size, interpolation=smooth)
    tile = _blank()
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile
