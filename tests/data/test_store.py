"""The store of pictures: its crops are those of use, bit for bit; a build is whole or absent."""

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
from mien.data.manifest import Manifest, Sample
from mien.data.store import Framing, Store, open_store
from mien.errors import DataError, OutputError
from mien.faces import TEMPLATE
from mien.model import Model
from tests import tiny
from tests.disk import files_of_at_most
from tests.labelled import manifest_of, noise, save
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


def test_a_store_is_built_once(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "pictures", noise(0), noise(1))
    first = open_store(manifest, WHOLE, tmp_path / "stores")
    shutil.rmtree(tmp_path / "pictures")
    again = open_store(manifest, WHOLE, tmp_path / "stores")
    np.testing.assert_array_equal(again.crop(1, 16), first.crop(1, 16))
    assert len(list((tmp_path / "stores").iterdir())) == 1


def test_other_pictures_order_or_framing_make_another_store(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0), noise(1))
    root = tmp_path / "stores"
    open_store(manifest, WHOLE, root)
    open_store(Manifest(manifest.samples[::-1]), WHOLE, root)
    open_store(Manifest(manifest.samples[:1]), WHOLE, root)
    open_store(manifest, Framing(17), root)
    open_store(manifest, Framing(16, TEMPLATE), root)
    assert len(list(root.iterdir())) == 5


def test_the_place_of_a_store_never_changes(tmp_path: Path) -> None:
    """A store that was built once is found again by a newer program."""
    path = save(tmp_path / "a.png", noise(0))
    manifest = Manifest((Sample(path, "s", "some content"),))
    open_store(manifest, Framing(96, TEMPLATE), tmp_path / "stores")
    assert [place.name for place in (tmp_path / "stores").iterdir()] == ["cde804c981cd50606294"]


def test_a_picture_that_vanished(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(5)))
    manifest.samples[3].path.unlink()
    with pytest.raises(DataError, match=r"3\.bmp: .*; import the data set again to leave it out"):
        open_store(manifest, WHOLE, tmp_path / "stores")
    assert list((tmp_path / "stores").iterdir()) == []


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(200)))
    begun = threading.active_count()

    def stop(items: Iterable[Any], total: int) -> Iterable[Any]:
        assert total == 200
        for number, item in enumerate(items):
            if number == 3:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        open_store(manifest, WHOLE, tmp_path / "stores", stop, threads=2)
    assert list((tmp_path / "stores").iterdir()) == []
    assert threading.active_count() == begun


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *(noise(seed, 100, 100) for seed in range(5)))
    message = "the store of pictures cannot be written .*; make room, or name another place"
    with files_of_at_most(40_000), pytest.raises(OutputError, match=message):
        open_store(manifest, Framing(100), tmp_path / "stores")
    assert list((tmp_path / "stores").iterdir()) == []


def test_a_place_that_cannot_hold_stores(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.write_text("x")
    with pytest.raises(OutputError, match=r"file/.* cannot be written"):
        open_store(manifest_of(tmp_path, noise(0)), WHOLE, root)


def test_two_builds_at_once(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, *map(noise, range(9)))
    root = tmp_path / "stores"
    meeting = threading.Barrier(2, timeout=20)
    stores = []

    def meet(items: Iterable[Any], total: int) -> Iterable[Any]:
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
        np.testing.assert_array_equal(first.crop(index, 16), second.crop(index, 16))
    assert len(list(root.iterdir())) == 1


@pytest.mark.parametrize("name", ["pixels.u8", "index.npz"])
@pytest.mark.parametrize("damage", ["cut", "empty", "missing"])
def test_a_damaged_store(name: str, damage: str, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, noise(0), noise(1))
    open_store(manifest, WHOLE, tmp_path / "stores")
    (folder,) = (tmp_path / "stores").iterdir()
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage != "missing":
        (folder / name).write_bytes(content[: len(content) // 2 if damage == "cut" else 0])
    with pytest.raises(DataError, match=f"{folder.name}: not a whole store .* delete this folder"):
        open_store(manifest, WHOLE, tmp_path / "stores")


def test_a_loading_process_opens_the_file_itself(tmp_path: Path) -> None:
    store = open_store(manifest_of(tmp_path, noise(0, 300, 300)), Framing(300), tmp_path / "stores")
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).crop(0, 64), store.crop(0, 64))
