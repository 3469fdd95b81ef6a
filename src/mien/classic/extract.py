"""Pictures -> a file of features, through onnxruntime; what was done is never done again."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.card import Input
from mien.classic.extractor import Extractor
from mien.classic.store import Filling, read
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.reading import Skipped
from mien.errors import DataError, ImageError
from mien.faces import Detector, view_of_picture, view_of_whole
from mien.pipeline import in_batches
from mien.pixels import Image, sample

_BATCH: Final = 16
_KEPT: Final = 64
"""Rows that an interruption may lose."""


def extract(
    extractor: Extractor,
    manifest: Manifest,
    path: Path,
    skipped: Skipped,
    *,
    threads: int = 0,
    watch: Watcher = unwatched,
    tell: Callable[[str], None] = lambda line: None,
) -> int:
    """Write the features of a manifest's pictures into a file.

    Pictures are cut as use cuts them. An interrupted extraction goes on where it was; until all
    pictures were looked at the file bears `.part` behind its name.

    Args:
        extractor: The network without its heads.
        manifest: The pictures, with their labels and parts, which the file keeps.
        path: The file to write.
        skipped: Collects the pictures that cannot be read; their rows stay empty.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures that are still to be done.
        tell: Gets what a user should know, as that an earlier attempt goes on.

    Returns:
        How many pictures have features.

    Raises:
        DataError: No picture at all can be read, or the file holds other features.
        OutputError: The file cannot be written.
    """
    if path.exists():
        return _already(extractor, manifest, path, skipped, tell)
    filling = Filling(path, extractor, manifest)
    wanted = filling.missing
    total = len(manifest.samples)
    if filling.begun_before:
        tell(f"goes on: {total - len(wanted):,} of {total:,} pictures were done before")
    if filling.outdated:
        tell("an earlier attempt was about other pictures or another network, and is dropped")
    cut = _Cut(extractor.origin.input)
    work = in_batches(
        [manifest.samples[row] for row in wanted],
        cut,
        lambda crops: _run(extractor, crops),
        threads=threads or os.cpu_count() or 1,
        batch=_BATCH,
    )
    waiting: dict[int, NDArray[np.float32]] = {}
    try:
        for row, found in zip(wanted, watch(work, len(wanted)), strict=True):
            if isinstance(found, ImageError):
                skipped.add("unreadable picture", f"{manifest.samples[row].path} ({found.reason})")
                continue
            waiting[row] = found
            if len(waiting) == _KEPT:
                _put(filling, waiting)
    finally:
        _put(filling, waiting)
        work.close()
    done = total - len(filling.missing)
    if not done:
        first = next(name for names in skipped.names.values() for name in names)
        raise DataError(f"none of the {total:,} pictures can be read; the first: {first}")
    filling.finish()
    return done


def _already(
    extractor: Extractor,
    manifest: Manifest,
    path: Path,
    skipped: Skipped,
    tell: Callable[[str], None],
) -> int:
    """Return how many pictures of a finished file have features.

    Raises:
        DataError: It holds others than are wanted.
    """
    found = read(path)
    made = (found.origin.fingerprint, found.data_fingerprint)
    if made != (extractor.origin.fingerprint, manifest.fingerprint):
        raise DataError(
            f"{path}: holds the features of {found.origin.name} for another manifest or another "
            "network; delete it, or name another file"
        )
    tell("already there")
    for picture, done in zip(manifest.samples, found.done, strict=True):
        if not done:
            skipped.add("unreadable picture", f"{picture.path} (delete {path} to try it again)")
    return int(found.done.sum())


class _Cut:
    """Cuts pictures as use cuts them for a network."""

    def __init__(self, wanted: Input) -> None:
        self._input = wanted
        self._detector = Detector() if wanted.framing == "face" else None

    def __call__(self, picture: Sample) -> Image | ImageError:
        try:
            pixels = images.load(picture.path).pixels
        except ImageError as error:
            return error
        if self._detector is None:
            view = view_of_picture(pixels.shape[1], pixels.shape[0], inside=True)
        else:
            view, _ = view_of_whole(self._detector, pixels, self._input.landmarks)
        return sample(pixels, view, self._input.size)


def _run(
    extractor: Extractor, crops: Sequence[Image | ImageError]
) -> list[NDArray[np.float32] | ImageError]:
    pictures = [crop for crop in crops if not isinstance(crop, ImageError)]
    rows = iter(extractor.run(np.stack(pictures)) if pictures else ())
    return [crop if isinstance(crop, ImageError) else next(rows) for crop in crops]


def _put(filling: Filling, waiting: dict[int, NDArray[np.float32]]) -> None:
    if waiting:
        filling.put(list(waiting), np.stack(list(waiting.values())))
        waiting.clear()
