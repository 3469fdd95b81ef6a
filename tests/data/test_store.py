"""The store of pictures: its crops are those of use, bit for bit; nothing is decoded twice."""

import os
import pickle
import shutil
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.card import Input
from mien.classifier import Classifier
from mien.data import segments
from mien.data.manifest import Manifest, Sample
from mien.data.store import Framing, Store, open_store
from mien.errors import DataError, OutputError
from mien.faces import TEMPLATE
from mien.model import Model
from tests import tiny
from tests.disk import files_of_at_most
from tests.labelled import manifest_of, noise, sample_of, save
from tests.photos import astronaut

Pixels = NDArray[np.uint8]
WHOLE = Framing(16)


def face() -> Pixels:
    """230 x 200 pixels that one face fills."""
    return astronaut()[:230, 120:320]


def scaled(pixels: Pixels, factor: float) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


class Recording(Model):
    """A model that keeps what it is fed."""

    fed: NDArray[np.uint8]

    def run(
        self, pixels: NDArray[np.uint8], tasks: Sequence[str] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        self.fed = pixels.copy()
        return super().run(pixels, tasks)


def crops_in_use(manifest: Manifest, framing: Framing) -> NDArray[np.uint8]:
    """Return what the network is fed when it is used on the manifest's pictures."""
    paths = [sample.path for sample in manifest.samples]
    if framing.template is None:
        size = Input(size=framing.size, framing="centre")
        model = Recording(tiny.model_bytes(tiny.colour_card(input=size)))
        assert len(list(Classifier(model, threads=1).read(paths))) == len(paths)
    else:
        size = Input(size=framing.size, framing="face", landmarks=TEMPLATE)
        model = Recording(tiny.model_bytes(tiny.face_card(input=size)))
        assert len(list(Analyzer(model, faces="whole", threads=1).read(paths))) == len(paths)
    return model.fed


def assert_same_crops(manifest: Manifest, framing: Framing, root: Path) -> Store:
    store = open_store(manifest, framing, root, threads=1)
    found = [store.crop(index, framing.size) for index in range(len(store))]
    np.testing.assert_array_equal(found, crops_in_use(manifest, framing))
    return store


def pictures() -> list[Pixels]:
    """Faces and other pictures, small and large, in colour and grey; ten in all."""
    large = scaled(face(), 4)
    return [
        face(),
        large,
        scaled(large, 0.37),
        scaled(face(), 0.2),
        grey(face()),
        grey(scaled(face(), 0.21)),
        noise(0, 300, 70),
        noise(1, 1, 1),
        grey(noise(2, 31, 190)),
        np.zeros((500, 400, 3), np.uint8),
    ]


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize("template", [TEMPLATE, None])
def test_the_crop_in_training_is_the_crop_in_use(size: int, template: Any, tmp_path: Path) -> None:
    store = assert_same_crops(
        manifest_of(tmp_path, *pictures()), Framing(size, template), tmp_path / "stores"
    )
    assert store.aligned.tolist() == ([True] * 6 + [False] * 4 if template else [True] * 10)
    assert store.unaligned == (4 if template else 0)


@pytest.mark.parametrize("template", [TEMPLATE, None])
def test_many_crops_are_those_of_each(template: Any, tmp_path: Path) -> None:
    """Pictures of just the size are copied, all others cut."""
    fitting = [noise(5, 32, 32), grey(noise(6, 32, 32)), noise(7, 32, 40), noise(8, 64, 64)]
    manifest = manifest_of(tmp_path, *fitting, *pictures())
    store = open_store(manifest, Framing(32, template), tmp_path / "stores", threads=1)
    order = [3, 0, 0, *range(len(store))]
    for size in (32, 24):
        wanted = np.stack([store.crop(index, size) for index in order])
        np.testing.assert_array_equal(store.crops(order, size), wanted)
    assert store.crops([], 32).shape == (0, 32, 32, 3)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 250), st.integers(1, 250), st.booleans(), st.integers(16, 64), st.booleans())
def test_the_crop_of_any_size_is_the_crop_in_use(
    tmp_path_factory: pytest.TempPathFactory,
    height: int,
    width: int,
    in_grey: bool,
    size: int,
    aligned: bool,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    pixels = noise(height * width, height, width)
    manifest = manifest_of(folder, grey(pixels) if in_grey else pixels)
    assert_same_crops(manifest, Framing(size, TEMPLATE if aligned else None), folder / "stores")


def test_a_lossy_picture_is_decoded_as_in_use(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", scaled(face(), 3))
    manifest = Manifest((Sample(path, "s", "c"),))
    assert_same_crops(manifest, Framing(48, TEMPLATE), tmp_path / "stores")


def test_pictures_are_kept_as_small_as_their_views_allow(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0, 33, 50), grey(noise(1, 20, 20)))
    store = open_store(manifest, WHOLE, tmp_path / "stores")
    assert store.picture(0).shape == (16, 25, 3)
    assert store.picture(1).shape == (20, 20, 1)
    assert len(store) == 2
    crop = store.crop(1, 16)
    assert crop.shape == (16, 16, 3)
    assert crop.dtype == np.uint8
    assert crop.flags.c_contiguous


class Watched:
    """A watcher that remembers how many pictures were to be decoded, and stops when told to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.totals: list[int] = []
        self._stop_after = stop_after

    def __call__(self, items: Iterable[Any], total: int, /) -> Iterable[Any]:
        self.totals.append(total)
        for number, item in enumerate(items):
            if number == self._stop_after:
                raise KeyboardInterrupt
            yield item


def segments_of(root: Path) -> list[Path]:
    return sorted(root.glob("*/segment-*"))


def leftovers(root: Path) -> list[Path]:
    return sorted(root.glob("*/.*"))


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a segment hold three pictures."""
    monkeypatch.setattr(segments, "PICTURES", 3)


def test_a_picture_is_decoded_once(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "pictures", noise(0), noise(1))
    watch = Watched()
    first = open_store(manifest, WHOLE, tmp_path / "stores", watch)
    shutil.rmtree(tmp_path / "pictures")
    again = open_store(manifest, WHOLE, tmp_path / "stores", watch)
    np.testing.assert_array_equal(again.crop(1, 16), first.crop(1, 16))
    assert watch.totals == [2]
    assert len(segments_of(tmp_path / "stores")) == 1


def test_another_manifest_decodes_only_what_is_new(tmp_path: Path) -> None:
    whole = manifest_of(tmp_path, *(noise(seed, 20 + seed, 30) for seed in range(7))).samples
    watch = Watched()
    for chosen in ([3, 1, 4], [4, 3], [6, 1, 5, 1, 3], [0, 1, 2, 3, 4, 5, 6]):
        manifest = Manifest(tuple(whole[index] for index in chosen))
        store = open_store(manifest, WHOLE, tmp_path / "stores", watch)
        found = [store.crop(index, 16) for index in range(len(store))]
        np.testing.assert_array_equal(found, crops_in_use(manifest, WHOLE))
    assert watch.totals == [3, 2, 2]


def test_a_picture_is_found_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0), noise(1), noise(0))
    store = open_store(manifest, WHOLE, tmp_path / "stores")
    np.testing.assert_array_equal(store.crop(2, 12), noise(0))
    moved = Manifest((Sample(tmp_path / "elsewhere.bmp", "s", manifest.samples[1].content),))
    again = open_store(moved, WHOLE, tmp_path / "stores")
    np.testing.assert_array_equal(again.crop(0, 12), noise(1))


def test_each_framing_has_its_own_pictures(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0), noise(1))
    watch = Watched()
    for framing in (WHOLE, Framing(17), Framing(16, TEMPLATE)):
        open_store(manifest, framing, tmp_path / "stores", watch)
    assert watch.totals == [2, 2, 2]


def test_a_picture_that_is_not_what_its_manifest_states(tmp_path: Path) -> None:
    """It is stored, but not found by those who state the same content of another file."""
    wrong, right = manifest_of(tmp_path, noise(0), noise(1)).samples
    stated = Manifest((Sample(wrong.path, "s", right.content),))
    watch = Watched()
    for _ in range(2):
        found = open_store(stated, WHOLE, tmp_path / "stores", watch)
        np.testing.assert_array_equal(found.crop(0, 16)[None], crops_in_use(stated, WHOLE))
    assert watch.totals == [1]
    assert_same_crops(Manifest((right,)), WHOLE, tmp_path / "stores")


def test_the_place_of_a_picture_never_changes(tmp_path: Path) -> None:
    """A picture that was stored once is found again by a newer program."""
    path = save(tmp_path / "a.png", np.zeros((16, 16), np.uint8))
    sample = sample_of(path)
    open_store(Manifest((sample,)), Framing(16), tmp_path / "stores")
    (place,) = segments_of(tmp_path / "stores")
    assert place.parent.name == "16-1122e4738ebc"
    (key,) = segments.read_segment(place).keys
    assert sample.content == "4f4acc419113349176c7"
    assert key.hex() == "703d3ef055498caecb82da99efdedabe"


@pytest.mark.usefixtures("small_segments")
def test_an_interrupted_build_loses_one_segment(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(80)))
    root, begun, watch = tmp_path / "stores", threading.active_count(), Watched(stop_after=7)
    with pytest.raises(KeyboardInterrupt):
        open_store(manifest, WHOLE, root, watch, threads=2)
    assert leftovers(root) == []
    assert threading.active_count() == begun
    going_on = Watched()
    store = open_store(manifest, WHOLE, root, going_on, threads=2)
    assert (watch.totals, going_on.totals) == ([80], [74])
    for index in (0, 5, 6, 79):
        np.testing.assert_array_equal(store.crop(index, 12), noise(index))


@pytest.mark.usefixtures("small_segments")
def test_a_picture_that_vanished(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(5)))
    manifest.samples[3].path.unlink()
    with pytest.raises(DataError, match=r"3\.bmp: .*; import the data set again to leave it out"):
        open_store(manifest, WHOLE, tmp_path / "stores")
    assert len(segments_of(tmp_path / "stores")) == 1
    assert leftovers(tmp_path / "stores") == []


@pytest.mark.usefixtures("small_segments")
def test_a_full_disk_keeps_whole_segments_only(tmp_path: Path) -> None:
    pictures = [noise(0), noise(1), noise(2), *(noise(seed, 100, 100) for seed in range(3, 6))]
    manifest = manifest_of(tmp_path, *pictures)
    message = "the store of pictures cannot be written .*; make room, or name another place"
    with files_of_at_most(40_000), pytest.raises(OutputError, match=message):
        open_store(manifest, Framing(100), tmp_path / "stores")
    assert len(segments_of(tmp_path / "stores")) == 1
    assert leftovers(tmp_path / "stores") == []


def test_a_place_that_cannot_hold_stores(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.write_text("x")
    with pytest.raises(OutputError, match=r"file/.* cannot be written"):
        open_store(manifest_of(tmp_path, noise(0)), WHOLE, root)


@pytest.mark.usefixtures("small_segments")
def test_two_builds_at_once(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(9)))
    root = tmp_path / "stores"
    meeting = threading.Barrier(2, timeout=20)
    stores = []

    def meet(items: Iterable[Any], total: int) -> Iterable[Any]:
        assert total == 9
        meeting.wait()
        yield from items

    def build() -> None:
        stores.append(open_store(manifest, WHOLE, root, meet))

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = stores
    for index in range(9):
        np.testing.assert_array_equal(first.crop(index, 12), noise(index))
        np.testing.assert_array_equal(second.crop(index, 12), noise(index))
    assert len(segments_of(root)) == 3
    assert leftovers(root) == []


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("name", ["pixels.u8", "index.bin"])
@pytest.mark.parametrize("damage", ["cut", "empty", "missing"])
def test_a_damaged_segment_is_made_again(name: str, damage: str, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(5)))
    root, watch = tmp_path / "stores", Watched()
    assert open_store(manifest, WHOLE, root, watch).discarded == 0
    place = next(p for p in segments_of(root) if len(segments.read_segment(p).keys) == 3)
    content = (place / name).read_bytes()
    (place / name).unlink()
    if damage != "missing":
        (place / name).write_bytes(content[: len(content) // 2 if damage == "cut" else 0])
    store = open_store(manifest, WHOLE, root, watch)
    assert (watch.totals, store.discarded, len(store)) == ([5, 3], 1, 5)
    for index in range(5):
        np.testing.assert_array_equal(store.crop(index, 12), noise(index))
    assert open_store(manifest, WHOLE, root, watch).discarded == 0
    assert len(segments_of(root)) == 2


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_damage_to_an_index_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    manifest = manifest_of(folder, noise(0))
    open_store(manifest, WHOLE, folder / "stores")
    (place,) = segments_of(folder / "stores")
    content = bytearray((place / "index.bin").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (place / "index.bin").write_bytes(content)
    store = open_store(manifest, WHOLE, folder / "stores")
    assert store.discarded == 1
    np.testing.assert_array_equal(store.crop(0, 12), noise(0))


def age(place: Path, hours: float) -> None:
    """Let a segment be last used so many hours ago."""
    then = place.stat().st_mtime - 3600 * hours
    os.utime(place, (then, then))


def test_beyond_the_limit_the_longest_unused_goes_first(tmp_path: Path) -> None:
    root = tmp_path / "stores"
    manifests = [manifest_of(tmp_path / str(n), noise(n, 64, 64)) for n in range(4)]
    places: list[Path] = []
    for number, manifest in enumerate(manifests):
        open_store(manifest, Framing(64 - number % 2), root)
        (new,) = set(segments_of(root)) - set(places)
        places.append(new)
    size = sum(file.stat().st_size for file in places[0].iterdir())
    for place, hours in zip(places, (3, 5, 2, 4), strict=True):
        age(place, hours)
    open_store(manifests[1], Framing(63), root, limit=int(3.5 * size))
    # The second was longest unused, but is needed; the fourth is next.
    assert segments_of(root) == sorted([places[0], places[1], places[2]])
    open_store(manifests[2], Framing(64), root, limit=0)
    # The second was opened just now: it may be in use.
    assert segments_of(root) == sorted([places[1], places[2]])
    assert leftovers(root) == []


def test_a_store_larger_than_the_limit(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(3)))
    store = open_store(manifest, WHOLE, tmp_path / "stores", limit=1)
    np.testing.assert_array_equal(store.crop(2, 12), noise(2))
    assert len(segments_of(tmp_path / "stores")) == 1


def test_what_a_killed_build_left_is_deleted_in_time(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0))
    open_store(manifest, WHOLE, tmp_path / "stores")
    (place,) = segments_of(tmp_path / "stores")
    new, old = place.parent / ".building-new", place.parent / ".building-old"
    for folder in (new, old):
        folder.mkdir()
        (folder / "pixels.u8").write_bytes(b"x")
    for path in (old / "pixels.u8", old):
        age(path, 2)
    open_store(manifest, WHOLE, tmp_path / "stores")
    assert leftovers(tmp_path / "stores") == [new]


def test_other_things_in_the_root_are_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "stores"
    for path in (root / "note.txt", root / "0123456789abcdef0123" / "index.npz"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    open_store(manifest_of(tmp_path, noise(0)), WHOLE, root, limit=0)
    assert (root / "note.txt").exists()
    assert (root / "0123456789abcdef0123" / "index.npz").exists()


def test_a_loading_process_opens_the_files_itself(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0, 300, 300), noise(1))
    store = open_store(manifest, Framing(300), tmp_path / "stores")
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).crop(1, 64), store.crop(1, 64))


def test_a_segment_that_was_deleted_meanwhile(tmp_path: Path) -> None:
    store = open_store(manifest_of(tmp_path, noise(0)), WHOLE, tmp_path / "stores")
    sent = pickle.dumps(store)
    shutil.rmtree(tmp_path / "stores")
    with pytest.raises(DataError, match=r"segment-.*: not a whole segment .*; begin again, and it"):
        pickle.loads(sent)
    np.testing.assert_array_equal(store.crop(0, 12), noise(0))
