"""CIFAR-10 (Krizhevsky 2009): folders of classes, or the official batches for Python."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.data.manifest import Manifest
from mien.data.progress import Watcher, unwatched
from mien.data.sources import pickled
from mien.data.sources.folders import named_parts, read_classes
from mien.data.sources.reading import Skipped
from mien.errors import DataError, OutputError
from mien.files import atomic_folder

CLASSES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
BATCHES: Final = {
    "data_batch_1": "train",
    "data_batch_2": "train",
    "data_batch_3": "train",
    "data_batch_4": "train",
    "data_batch_5": "train",
    "test_batch": "test",
}
"""Official batch -> the part that its pictures belong to."""

_META: Final = "batches.meta"
_SIDE: Final = 32
_VALIDATION: Final = 0.2


def import_cifar10(
    folder: Path,
    skipped: Skipped,
    *,
    pictures: Path | None = None,
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Manifest:
    """Read CIFAR-10: `train/CLASS/*.png` beside `test/CLASS/*.png`, or the official batches.

    The batches (`data_batch_1` to `5`, `test_batch`, `batches.meta`) hold pictures without files;
    they are written to a folder without loss, in the layout of class folders. The validation part
    is a fifth of the training pictures, drawn by content.

    Args:
        folder: Holds the two folders, or the batches.
        skipped: Collects what is left out.
        pictures: Where to write the batches' pictures; a new or empty folder.
        seed: Seed of the validation part.
        watch: Progress over the pictures.

    Raises:
        DataError: Neither layout is there, a batch is damaged or holds more than plain values, or
            `pictures` is missing for batches, or given without.
        OutputError: The pictures cannot be written.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder")
    if any((folder / name).exists() for name in BATCHES):
        if pictures is None:
            raise DataError(
                f"{folder}: CIFAR-10's batches hold pictures without files; name a folder to "
                "write them to: --pictures FOLDER"
            )
        _write_pictures(folder, pictures, watch)
        folder = pictures
    elif pictures is not None:
        raise DataError(f"{folder}: holds no batches (data_batch_1, ...); --pictures is for them")
    _check_folders(folder)
    return read_classes(
        folder,
        skipped,
        source="cifar10",
        label="label",
        seed=seed,
        watch=watch,
        validation=_VALIDATION,
    )


def _check_folders(folder: Path) -> None:
    if set(named_parts(folder).values()) != {"train", "test"}:
        raise DataError(
            f"{folder}: neither CIFAR-10's class folders (train/CLASS/, test/CLASS/) nor its "
            f"batches ({', '.join([*BATCHES, _META])}) are there"
        )
    others = {path.name for path in folder.glob("*/*") if path.is_dir()} - set(CLASSES)
    if others:
        raise DataError(
            f"{folder}: {', '.join(sorted(others)[:5])}: none of CIFAR-10's classes; read other "
            "pictures by `mien data import folders`"
        )


@dataclass(frozen=True)
class _Batch:
    """Pictures of one batch, N x 32 x 32 x 3 RGB, and the number of each one's class."""

    part: str
    pixels: NDArray[np.uint8]
    classes: list[int]


def _write_pictures(folder: Path, pictures: Path, watch: Watcher) -> None:
    """Write all batches' pictures as PNG; the folder appears whole or not at all."""
    if pictures.exists() and not (pictures.is_dir() and not any(pictures.iterdir())):
        raise OutputError(
            f"{pictures}: not written: it is there already. If it holds CIFAR-10's pictures, "
            f"import them: mien data import cifar10 {pictures}; or name a new folder."
        )
    batches = _read_batches(folder)
    total = sum(len(batch.classes) for batch in batches)
    with atomic_folder(pictures) as temporary:
        for name in (f"{part}/{label}" for part in ("train", "test") for label in CLASSES):
            (temporary / name).mkdir(parents=True)
        for name, pixels in watch(_named_pictures(batches), total):
            Image.fromarray(pixels).save(temporary / name)


def _named_pictures(batches: list[_Batch]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield each picture's name in the layout of class folders, and its pixels."""
    numbers = {"train": 0, "test": 0}
    for batch in batches:
        for pixels, label in zip(batch.pixels, batch.classes, strict=True):
            yield f"{batch.part}/{CLASSES[label]}/{numbers[batch.part]:05}.png", pixels
            numbers[batch.part] += 1


def _read_batches(folder: Path) -> list[_Batch]:
    missing = [name for name in (*BATCHES, _META) if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder}: of CIFAR-10's batches {', '.join(missing)} are missing")
    meta = pickled.load(folder / _META)
    if not isinstance(meta, dict) or meta.get("label_names") != list(CLASSES):
        raise DataError(f"{folder / _META}: its label_names are not CIFAR-10's ten classes")
    return [_read_batch(folder / name, part) for name, part in BATCHES.items()]


def _read_batch(path: Path, part: str) -> _Batch:
    match pickled.load(path):
        case {"data": np.ndarray() as data, "labels": list(labels)} if data.shape == (
            len(labels),
            3 * _SIDE * _SIDE,
        ) and all(type(label) is int and 0 <= label < len(CLASSES) for label in labels):
            planes = data.reshape(-1, 3, _SIDE, _SIDE)
            return _Batch(part, planes.transpose(0, 2, 3, 1), labels)
    raise DataError(
        f"{path}: not a batch of CIFAR-10: expected data, N rows of {3 * _SIDE * _SIDE} bytes, "
        f"and labels, N numbers from 0 to {len(CLASSES) - 1}"
    )
