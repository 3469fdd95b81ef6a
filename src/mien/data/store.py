"""Faces decoded and found once: pictures and their views, kept on disk by content and framing."""

import hashlib
import json
import os
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.hashes import content_hash
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.segments import (
    KEY,
    Entry,
    Segment,
    read_segment,
    read_segments,
    trim,
    write_segment,
)
from mien.errors import DataError, ImageError, OutputError
from mien.faces import Detector, Template, view_of_picture, view_of_whole
from mien.pixels import Image, Matrix, block_mean, sample, shrink_factor

LIMIT: Final = 20 * 10**9
"""Bytes that all stores of a root may take, where nothing else is said."""

_VERSION: Final = 2
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

    Indexed in the manifest's order. Reading needs no lock: many processes may share the files.

    Args:
        folders: The segments that hold the pictures.
        rows: Where each picture lies, counted through all segments.
        discarded: How many damaged segments were discarded to open it.

    Attributes:
        aligned: N, bool: whether a face's landmarks were found, or were not sought.
        discarded: As given.

    Raises:
        DataError: A segment is gone or damaged.
    """

    def __init__(
        self, folders: Sequence[Path], rows: NDArray[np.int64], discarded: int = 0
    ) -> None:
        self._folders, self._rows = tuple(folders), rows
        self.discarded = discarded
        segments = [read_segment(folder) for folder in folders]
        owners = np.repeat(np.arange(len(segments)), [len(found.keys) for found in segments])
        offsets = np.concatenate([found.offsets for found in segments])
        shapes = np.concatenate([found.shapes for found in segments])
        self._places: NDArray[np.int64] = np.column_stack([owners, offsets, shapes])[rows]
        self._views = np.concatenate([found.views for found in segments])[rows]
        self.aligned: NDArray[np.bool_] = np.concatenate([found.aligned for found in segments])[
            rows
        ]
        self._pixels = [found.open_pixels() for found in segments]

    def __reduce__(self) -> tuple[type["Store"], tuple[tuple[Path, ...], NDArray[np.int64], int]]:
        # A loading process that gets a copy opens the files, instead of being sent their content.
        return Store, (self._folders, self._rows, self.discarded)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def unaligned(self) -> int:
        """In how many pictures a face's landmarks were sought and not found."""
        return int((~self.aligned).sum())

    def picture(self, index: int) -> Image:
        """Return a stored picture, H x W x C; C is 1 where all its channels were equal."""
        owner, start, height, width, channels = self._places[index].tolist()
        flat: Image = self._pixels[owner][start : start + height * width * channels]
        return flat.reshape(height, width, channels)

    def view(self, index: int) -> Matrix:
        """Return the view to crop, in coordinates of the stored picture."""
        matrix: Matrix = self._views[index]
        return matrix

    def crop(self, index: int, size: int) -> Image:
        """Return the crop as use sees it, `size` x `size` x 3."""
        crop = sample(self.picture(index), self.view(index), size)
        return np.ascontiguousarray(np.broadcast_to(crop, (size, size, 3)))

    def crops(self, indices: Iterable[int], size: int) -> NDArray[np.uint8]:
        """Return some crops as use sees them, N x `size` x `size` x 3.

        Those of pictures that are stored just as they are cropped are copied, which is fast.
        """
        chosen = [int(index) for index in indices]
        found = np.empty((len(chosen), size, size, 3), np.uint8)
        whole = np.array([[size, 0, 0], [0, size, 0]], np.float64)
        as_stored = (self._views[chosen] == whole).all(axis=(1, 2))
        as_stored &= (self._places[chosen, 2:4] == size).all(axis=1)
        for place, index in enumerate(chosen):
            found[place] = self.picture(index) if as_stored[place] else self.crop(index, size)
        return found


def open_store(
    manifest: Manifest,
    framing: Framing,
    root: Path,
    watch: Watcher = unwatched,
    *,
    threads: int = 0,
    limit: int = LIMIT,
) -> Store:
    """Open the store of a manifest's pictures; those that no earlier store held are decoded first.

    All stores of a framing share one folder of segments, in which pictures are found by their
    content, whatever the manifest. A build that is interrupted keeps all but its last segment; two
    at once do no harm. Damaged segments are discarded, and their pictures decoded again.

    Args:
        manifest: Its samples' order is the store's.
        framing: How the network's input is cut.
        root: Folder of all stores.
        watch: Progress over the pictures to be decoded; not called where there are none.
        threads: Processor cores to use; 0 for all.
        limit: Bytes that all stores of the root together may take. Beyond it the segments that
            were not used for longest are deleted; those that this store needs, or that were
            opened within the last hour, stay in any case.

    Raises:
        DataError: A picture cannot be read any more.
        OutputError: The store cannot be written or read, for example because the disk is full.
    """
    folder = root / _name(framing)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shelf = _Shelf(folder, manifest.samples)
        missing = shelf.missing()
        if missing:
            with closing(_prepare_all(missing, framing, threads)) as prepared:
                entries = iter(watch(prepared, len(missing)))
                while segment := write_segment(folder, entries):
                    shelf.add(segment)
                    trim(root, limit, shelf.used())
        store = shelf.store()
        trim(root, limit, shelf.used())
    except OSError as error:
        raise OutputError(
            f"{folder}: the store of pictures cannot be written or read ({error.strerror}); make "
            "room, or name another place for it"
        ) from error
    return store


class _Shelf:
    """The segments of one framing, and where in them the pictures of some samples lie."""

    def __init__(self, folder: Path, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._keys = [_key(sample.content) for sample in samples]
        self._private: dict[int, bytes] = {}
        self._wanted = set(self._keys)
        self._found: dict[bytes, tuple[Segment, int]] = {}
        segments, self._discarded = read_segments(folder)
        for segment in segments:
            self.add(segment)
        # Few are stored under such keys, which take longer to make: only the others may be.
        absent = [index for index, key in enumerate(self._keys) if key not in self._found]
        self._private = {index: _private_key(samples[index]) for index in absent}
        self._wanted.update(self._private.values())
        for segment in segments if absent else []:
            self.add(segment)

    def add(self, segment: Segment) -> None:
        """Take up a segment, as far as its pictures are wanted and not yet found."""
        for row, key in enumerate(segment.keys):
            if key in self._wanted:
                self._found.setdefault(key, (segment, row))

    def missing(self) -> list[Sample]:
        """Return the samples whose pictures lie in no segment, each file once."""
        private = {key: index for index, key in self._private.items() if key not in self._found}
        return [self._samples[index] for index in private.values()]

    def used(self) -> set[Path]:
        """Return the folders of the segments that hold wanted pictures."""
        return {segment.folder for segment, _ in self._found.values()}

    def store(self) -> Store:
        """Return the store of all samples, none of which may be missing."""
        keys = enumerate(self._keys)
        places = [self._found.get(key) or self._found[self._private[index]] for index, key in keys]
        first: dict[Path, int] = {}
        count = 0
        for segment, _ in places:
            if segment.folder not in first:
                first[segment.folder] = count
                count += len(segment.keys)
        rows = np.array([first[segment.folder] + row for segment, row in places], np.int64)
        return Store(list(first), rows, self._discarded)


def _name(framing: Framing) -> str:
    named = json.dumps([_VERSION, framing.size, framing.template])
    return f"{framing.size}-{hashlib.sha256(named.encode()).hexdigest()[:12]}"


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()[:KEY]


def _private_key(sample: Sample) -> bytes:
    """Return the key of a picture that does not have the content which its manifest states.

    Found by its content it would be taken for another picture, also by other manifests; so it is
    found only by those that state the same of the same file.
    """
    return _key(sample.content, str(Path.cwd() / sample.path))


def _prepare_all(
    samples: Iterable[Sample], framing: Framing, threads: int
) -> Generator[Entry, None, None]:
    """Prepare pictures side by side, in order, only some of them ahead of their use."""
    detector = Detector() if framing.template is not None else None
    waiting: deque[Future[Entry]] = deque()
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


def _prepare(entry: Sample, framing: Framing, detector: Detector | None) -> Entry:
    try:
        pixels = images.load(entry.path).pixels
    except ImageError as error:
        raise DataError(f"{error}; import the data set again to leave it out") from error
    as_stated = content_hash(pixels) == entry.content
    key = _key(entry.content) if as_stated else _private_key(entry)
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
    return Entry(key, pixels, matrix / factor, found)
