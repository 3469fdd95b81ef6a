"""Faces decoded and found once: pictures and their views in one flat array file on disk."""

import hashlib
import json
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ImageError, OutputError
from mien.faces import Detector, Template, view_of_picture, view_of_whole
from mien.pixels import Image, Matrix, block_mean, sample, shrink_factor

_VERSION: Final = 1
_AHEAD: Final = 64


@dataclass(frozen=True)
class Framing:
    """How a network's input is cut out of a picture that one subject fills.

    Attributes:
        size: Side of the input in pixels.
        template: Where a face's landmarks should lie; None for whole pictures.
    """

    size: int
    template: Template | None = None


class Store:
    """Pictures, shrunk as far as their views allow, with the view of each; read from disk.

    Indexed in the manifest's order. Reading needs no lock: many processes may share the file.

    Args:
        folder: The store's folder.

    Raises:
        DataError: The folder does not hold a whole store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            with (
                (folder / "index.npz").open("rb") as file,
                np.load(file, allow_pickle=False) as index,
            ):
                self._offsets: NDArray[np.int64] = index["offsets"]
                self._shapes: NDArray[np.int64] = index["shapes"]
                self._matrices: NDArray[np.float64] = index["matrices"]
                self.aligned: NDArray[np.bool_] = index["aligned"]
            self._pixels = np.memmap(folder / "pixels.u8", np.uint8, mode="r")
            if len(self._pixels) != self._shapes.prod(axis=1).sum():
                raise ValueError("its pixels do not match its index")
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise DataError(
                f"{folder}: not a whole store of pictures ({error}); delete this folder, and it "
                "is made again"
            ) from error

    def __reduce__(self) -> tuple[type["Store"], tuple[Path]]:
        # A loading process that gets a copy opens the file, instead of being sent its content.
        return Store, (self._folder,)

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def unaligned(self) -> int:
        """In how many pictures a face's landmarks were sought and not found."""
        return int((~self.aligned).sum())

    def picture(self, index: int) -> Image:
        """Return a stored picture, H x W x C; C is 1 where all its channels were equal."""
        shape = tuple(int(length) for length in self._shapes[index])
        start = int(self._offsets[index])
        return self._pixels[start : start + int(np.prod(shape))].reshape(shape)

    def view(self, index: int) -> Matrix:
        """Return the view to crop, in coordinates of the stored picture."""
        matrix: Matrix = self._matrices[index]
        return matrix

    def crop(self, index: int, size: int) -> Image:
        """Return the crop as use sees it, `size` x `size` x 3."""
        crop = sample(self.picture(index), self.view(index), size)
        return np.ascontiguousarray(np.broadcast_to(crop, (size, size, 3)))


def open_store(
    manifest: Manifest,
    framing: Framing,
    root: Path,
    watch: Watcher = unwatched,
    *,
    threads: int = 0,
) -> Store:
    """Open the store of a manifest's pictures, building it first where there is none.

    The folder's name is a hash of the pictures and the framing, so a changed manifest gets a new
    one. It is built beside its place and renamed when whole: an interrupted build leaves none, and
    of two builds at once either may win.

    Args:
        manifest: Its samples' order is the store's.
        framing: How the network's input is cut.
        root: Folder of all stores.
        watch: Progress over the samples.
        threads: Processor cores to use; 0 for all.

    Raises:
        DataError: A picture cannot be read any more, or the store is damaged.
        OutputError: The store cannot be written, for example because the disk is full.
    """
    named = json.dumps([_VERSION, framing.size, framing.template, *_contents(manifest)])
    folder = root / hashlib.sha256(named.encode()).hexdigest()[:20]
    if not folder.is_dir():
        try:
            _build(manifest, framing, folder, watch, threads)
        except OSError as error:
            raise OutputError(
                f"{folder}: the store of pictures cannot be written ({error.strerror}); make room, "
                "or name another place for it"
            ) from error
    return Store(folder)


def _contents(manifest: Manifest) -> list[str]:
    return [sample.content for sample in manifest.samples]


def _build(
    manifest: Manifest, framing: Framing, folder: Path, watch: Watcher, threads: int
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        _fill(manifest, framing, temporary, watch, threads)
        try:
            temporary.rename(folder)
        except OSError:
            # Another process was faster; its store is the same.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(manifest: Manifest, framing: Framing, folder: Path, watch: Watcher, threads: int) -> None:
    offset = 0
    offsets, shapes, matrices, aligned = [], [], [], []
    with (
        (folder / "pixels.u8").open("wb") as file,
        closing(_prepare_all(manifest.samples, framing, threads)) as prepared,
    ):
        for pixels, matrix, found in watch(prepared, len(manifest.samples)):
            file.write(pixels.tobytes())
            offsets.append(offset)
            shapes.append(pixels.shape)
            matrices.append(matrix)
            aligned.append(found)
            offset += pixels.size
    np.savez(
        folder / "index.npz",
        offsets=np.array(offsets, np.int64),
        shapes=np.array(shapes, np.int64),
        matrices=np.array(matrices, np.float64),
        aligned=np.array(aligned, np.bool_),
    )


_Prepared = tuple[Image, Matrix, bool]


def _prepare_all(
    samples: Sequence[Sample], framing: Framing, threads: int
) -> Generator[_Prepared, None, None]:
    """Prepare pictures side by side, in order, only some of them ahead of their use."""
    detector = Detector() if framing.template is not None else None
    waiting: deque[Future[_Prepared]] = deque()
    pool = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        for entry in samples:
            waiting.append(pool.submit(_prepare, entry, framing, detector))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(entry: Sample, framing: Framing, detector: Detector | None) -> _Prepared:
    try:
        pixels = images.load(entry.path).pixels
    except ImageError as error:
        raise DataError(f"{error}; import the data set again to leave it out") from error
    found = True
    if detector is None or framing.template is None:
        matrix = view_of_picture(pixels.shape[1], pixels.shape[0], inside=True)
    else:
        matrix, face = view_of_whole(detector, pixels, framing.template)
        found = face is not None
    factor = shrink_factor(matrix, framing.size)
    pixels = block_mean(pixels, factor)
    if (pixels == pixels[:, :, :1]).all():
        pixels = pixels[:, :, :1]
    return pixels, matrix / factor, found
