"""More training pictures as files: changed copies, until every class has as many as are wanted."""

import re
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mien import images
from mien.data.augment import Augmentation
from mien.data.groups import Grouping, groupings, is_number
from mien.data.hashes import content_hash
from mien.data.manifest import Manifest, Sample, absolute
from mien.data.progress import Watcher, unwatched
from mien.data.sampling import repeated
from mien.errors import DataError, ImageError
from mien.faces import view_of_picture
from mien.files import atomic_folder
from mien.pipeline import in_batches
from mien.pixels import Image, block_mean, shrink_factor

MANIFEST: Final = "manifest.csv"
"""The manifest's name in the new folder."""
SIZE: Final = 512
"""Largest side of a new picture, where nothing else is said."""

_BATCH: Final = 16
_TRIES: Final = 8
_QUALITY: Final = 95
_ODD: Final = re.compile(r"[^\w-]+")
_LONGEST: Final = 60


@dataclass(frozen=True)
class Enlarged:
    """A manifest with new pictures, and how many each class has.

    Attributes:
        manifest: All old pictures, then the new ones.
        task: The task whose classes were filled up.
        before: Class -> pictures that it had, over all parts.
        after: Class -> pictures that it has.
    """

    manifest: Manifest
    task: str
    before: Counter[str]
    after: Counter[str]


@dataclass(frozen=True)
class _Order:
    """One picture to be made: its number, what it is made of, and its name in the folder."""

    number: int
    sample: Sample
    name: str


def enlarge(
    manifest: Manifest,
    folder: Path,
    wanted: int,
    augmentation: Augmentation,
    *,
    task: str = "",
    size: int = SIZE,
    seed: int = 0,
    threads: int = 1,
    watch: Watcher = unwatched,
) -> Enlarged:
    """Write changed pictures to a new folder until every class has as many as are wanted.

    Only training pictures are changed, each of a class about equally often; a new picture has all
    labels of the one that it was made of, and belongs to the training part. It is the changed
    largest square about the old one's centre. All other pictures stay where they are.

    What changes a whole batch in training (`translate`, `mixup`, `cutmix`) is left out; a picture
    that would be mirrored in every other round is mirrored by lot.

    The folder holds a subfolder a class and the manifest, and appears whole or not at all.

    Args:
        manifest: The pictures.
        folder: The new folder.
        wanted: Pictures that each class is to have, over all parts; classes that have more keep
            them.
        augmentation: How pictures are changed.
        task: The task whose classes are meant (of ages: decades); empty: the only one.
        size: Largest side of a new picture in pixels.
        seed: Seed of what is drawn; the same seed gives the same pictures.
        threads: Processor cores to use.
        watch: Progress over the new pictures.

    Raises:
        DataError: The task is none of the manifest's, a class has no training picture to change, a
            picture cannot be read, nothing is to be made, or the augmentation changes nothing.
        OutputError: The folder is there already, or cannot be written.
    """
    grouping = _grouping_of(manifest, task)
    before = Counter(name for name in map(grouping.of, manifest.samples) if name)
    changes = augmentation
    if changes.flip == "alternate":
        changes = changes.model_copy(update={"flip": 0.5})
    if changes.leaves_each:
        raise DataError("the augmentation changes no picture by itself: set some of its keys")
    orders = _orders(manifest, grouping, before, wanted, seed)
    if not orders:
        raise DataError(
            f"every class has {min(before.values()):,} pictures or more already; ask for more"
        )
    taken = {sample.content for sample in manifest.samples}

    def make(order: _Order) -> tuple[_Order, bytes, str]:
        return (order, *_made(order, changes, taken, size, seed))

    added = []
    with atomic_folder(folder) as place:
        made = in_batches(orders, make, list, threads=threads, batch=_BATCH)
        with closing(made):
            for order, encoded, content in watch(made, len(orders)):
                path = place / order.name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(encoded)
                added.append(replace(order.sample, path=path, content=content))
        old = tuple(replace(one, path=absolute(one.path)) for one in manifest.samples)
        Manifest((*old, *added)).write(place / MANIFEST)
    new = (replace(one, path=folder / one.path.relative_to(place)) for one in added)
    whole = Manifest((*old, *new))
    after = Counter(name for name in map(grouping.of, whole.samples) if name)
    return Enlarged(whole, grouping.task, before, after)


def _grouping_of(manifest: Manifest, task: str) -> Grouping:
    if not task:
        tasks = [name for name in manifest.tasks if not is_number(manifest, name)]
        if len(tasks) != 1:
            raise DataError(
                f"name the task whose classes are meant: the manifest has "
                f"{', '.join(manifest.tasks) or 'no labels'}"
            )
        (task,) = tasks
    (found,) = groupings(manifest, [task])
    return found


def _orders(
    manifest: Manifest, grouping: Grouping, before: Counter[str], wanted: int, seed: int
) -> list[_Order]:
    """Return what is to be made, class by class."""
    places: dict[str, list[int]] = {name: [] for name in grouping.names}
    for place, sample in enumerate(manifest.samples):
        name = grouping.of(sample)
        if name and sample.split == "train":
            places[name].append(place)
    orders: list[_Order] = []
    for number, (name, pool) in enumerate(places.items()):
        missing = wanted - before[name]
        if missing <= 0:
            continue
        if not pool:
            raise DataError(
                f"{grouping.task} {name!r} has no picture in the training part to be changed"
            )
        rng = np.random.default_rng([seed, number])
        for place in np.sort(repeated(rng, np.array(pool, np.int64), missing)).tolist():
            sample = manifest.samples[place]
            orders.append(_Order(len(orders), sample, _name(name, len(orders), sample.path)))
    return orders


def _name(label: str, number: int, path: Path) -> str:
    """Return a name that no label or path can lead out of the folder; its number is unique."""
    kind = ".jpg" if path.suffix.lower() in (".jpg", ".jpeg") else ".png"
    return f"{_plain(label) or 'class'}/{number:06}{kind}"


def _plain(text: str) -> str:
    return _ODD.sub("_", text)[:_LONGEST].strip("_")


def _made(
    order: _Order, changes: Augmentation, taken: set[str], size: int, seed: int
) -> tuple[bytes, str]:
    """Return a changed picture, encoded, and its fingerprint, which no old picture has."""
    try:
        picture = images.load(order.sample.path).pixels
    except ImageError as error:
        raise DataError(
            f"{error}; `mien data check --fix` leaves such pictures out of a manifest"
        ) from error
    side = min(size, *picture.shape[:2])
    square = view_of_picture(picture.shape[1], picture.shape[0], inside=True)
    picture = block_mean(picture, shrink_factor(square, side))
    height, width = picture.shape[:2]
    view, whole = (view_of_picture(width, height, inside=inside) for inside in (True, False))
    for attempt in range(_TRIES):
        rng = np.random.default_rng([seed, order.number, attempt])
        crop = changes.cut(rng, picture, view, whole, side)
        encoded = _encoded(crop, Path(order.name).suffix)
        content = content_hash(images.load(encoded).pixels)
        # A flat picture may come out as another one, which might lie in the test part.
        if content not in taken:
            return encoded, content
    raise DataError(
        f"{order.sample.path}: stays as it is whatever is drawn, as a picture of one colour does; "
        "leave it out, or change more"
    )


def _encoded(crop: Image, kind: str) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if kind == ".jpg" else []
    done, data = cv2.imencode(kind, np.ascontiguousarray(crop[:, :, ::-1]), options)
    if not done:  # pragma: no cover - OpenCV encodes every picture of 8 bits
        raise DataError(f"a picture of {crop.shape} cannot be encoded as {kind}")
    return data.tobytes()
