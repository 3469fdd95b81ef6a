"""CIFAR-10 from folders of classes and from the official batches: the same manifest."""

from pathlib import Path

import numpy as np
import pytest

from mien import images
from mien.data.sources.cifar10 import BATCHES, CLASSES, import_cifar10
from mien.data.sources.reading import Skipped
from mien.data.split import part_of
from mien.errors import DataError, OutputError
from tests.data.sources.batches import batch_of, pickle_of, write_batches
from tests.labelled import noise, save


def test_batches(tmp_path: Path) -> None:
    written = write_batches(tmp_path / "batches", 20)
    skipped = Skipped()
    found = import_cifar10(tmp_path / "batches", skipped, pictures=tmp_path / "pictures")
    assert skipped.total == 0
    assert len(found.samples) == 120
    for sample in found.samples:
        part, label, name = sample.path.relative_to(tmp_path / "pictures").parts
        number = int(name.removesuffix(".png"))
        assert sample.labels == {"label": label}
        assert label == CLASSES[number % 10]
        pixels = written[number if part == "train" else 100 + number]
        np.testing.assert_array_equal(images.load(sample.path).pixels, pixels)
        drawn = part_of(sample.content, (0.8, 0.2, 0.0))
        assert sample.split == ("test" if part == "test" else drawn)
        assert sample.source == "cifar10"
    assert {sample.split for sample in found.samples} == {"train", "validation", "test"}
    assert {path.name for path in tmp_path.iterdir()} == {"batches", "pictures"}


def test_the_written_pictures_are_the_other_layout(tmp_path: Path) -> None:
    write_batches(tmp_path / "batches", 10)
    (tmp_path / "pictures").mkdir()  # an empty one may be there
    first = import_cifar10(tmp_path / "batches", Skipped(), pictures=tmp_path / "pictures", seed=3)
    second = import_cifar10(tmp_path / "pictures", Skipped(), seed=3)
    assert first == second


def test_folders_of_classes(tmp_path: Path) -> None:
    for number, name in enumerate(("cat", "dog")):
        save(tmp_path / "train" / name / "1.png", noise(number))
        save(tmp_path / "test" / name / "1.png", noise(10 + number))
    save(tmp_path / "train" / "cat" / "again.png", noise(10))
    (tmp_path / "README.md").write_text("about")
    skipped = Skipped()
    found = import_cifar10(tmp_path, skipped)
    assert [(sample.labels["label"], sample.split == "test") for sample in found.samples] == [
        ("cat", True),
        ("dog", True),
        ("cat", False),
        ("dog", False),
    ]
    assert skipped.names == {
        "not a picture, by its suffix": ["README.md"],
        "training picture that the test part repeats": ["again.png"],
    }
    assert "validation is drawn from the training pictures, 20% of them" in skipped.notes


def test_other_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing: not a folder"):
        import_cifar10(tmp_path / "missing", Skipped())
    save(tmp_path / "train" / "cat" / "1.png", noise(0))
    with pytest.raises(DataError, match=r"neither CIFAR-10's class folders .* nor its batches"):
        import_cifar10(tmp_path, Skipped())
    save(tmp_path / "test" / "cat" / "1.png", noise(1))
    with pytest.raises(DataError, match=r"holds no batches .*; --pictures is for them"):
        import_cifar10(tmp_path, Skipped(), pictures=tmp_path / "pictures")
    for part in ("train", "test"):
        save(tmp_path / part / "rose" / "1.png", noise(2))
    with pytest.raises(DataError, match="rose: none of CIFAR-10's classes"):
        import_cifar10(tmp_path, Skipped())


def test_batches_that_are_incomplete(tmp_path: Path) -> None:
    write_batches(tmp_path, 1)
    with pytest.raises(DataError, match=r"hold pictures without files; .*: --pictures FOLDER"):
        import_cifar10(tmp_path, Skipped())
    (tmp_path / "data_batch_2").unlink()
    (tmp_path / "batches.meta").unlink()
    with pytest.raises(DataError, match=r"batches data_batch_2, batches\.meta are missing"):
        import_cifar10(tmp_path, Skipped(), pictures=tmp_path / "pictures")


def test_classes_in_another_order(tmp_path: Path) -> None:
    write_batches(tmp_path, 1)
    names = [name.encode() for name in reversed(CLASSES)]
    (tmp_path / "batches.meta").write_bytes(pickle_of({b"label_names": names}))
    with pytest.raises(DataError, match=r"batches\.meta: its label_names are not CIFAR-10's ten"):
        import_cifar10(tmp_path, Skipped(), pictures=tmp_path / "pictures")


picture = noise(0, 32, 32)
WRONG = {
    "a list": [],
    "no data": {b"labels": [1]},
    "no labels": {b"data": batch_of([picture], [1])[b"data"]},
    "too few labels": batch_of([picture, picture], [1]),
    "a class that is none": batch_of([picture], [10]),
    "a label that is no number": batch_of([picture], [1]) | {b"labels": [b"cat"]},
    "a label that is true": batch_of([picture], [1]) | {b"labels": [True]},
    "rows of another length": {b"labels": [1], b"data": np.zeros((1, 3071), np.uint8)},
    "data as text": {b"labels": [1], b"data": b"x" * 3072},
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_batches_of_another_shape(content: object, tmp_path: Path) -> None:
    write_batches(tmp_path / "batches", 1)
    (tmp_path / "batches" / "test_batch").write_bytes(pickle_of(content))
    with pytest.raises(DataError, match="test_batch: not a batch of CIFAR-10: expected data, N"):
        import_cifar10(tmp_path / "batches", Skipped(), pictures=tmp_path / "pictures")
    assert [path.name for path in tmp_path.iterdir()] == ["batches"]


def test_a_hostile_batch_leaves_nothing(tmp_path: Path) -> None:
    write_batches(tmp_path / "batches", 1)
    trace = tmp_path / "it ran"
    command = b"\x80\x02cposix\nsystem\nU\x40" + f"touch '{trace}'".encode().ljust(64) + b"\x85R."
    (tmp_path / "batches" / "data_batch_5").write_bytes(command)
    with pytest.raises(DataError, match=r"data_batch_5: refused, .*'posix system'"):
        import_cifar10(tmp_path / "batches", Skipped(), pictures=tmp_path / "pictures")
    assert [path.name for path in tmp_path.iterdir()] == ["batches"]


def test_places_where_pictures_cannot_be_written(tmp_path: Path) -> None:
    write_batches(tmp_path / "batches", 1)
    save(tmp_path / "full" / "mine.png", noise(0))
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        with pytest.raises(OutputError, match=f"{name}: not written: it is there already"):
            import_cifar10(tmp_path / "batches", Skipped(), pictures=tmp_path / name)
    with pytest.raises(OutputError, match=r"no/pictures: not written: there is no folder .*no;"):
        import_cifar10(tmp_path / "batches", Skipped(), pictures=tmp_path / "no" / "pictures")
    assert {path.name for path in tmp_path.iterdir()} == {"batches", "full", "file"}
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.png"]


def test_an_interrupted_import_leaves_no_pictures(tmp_path: Path) -> None:
    write_batches(tmp_path / "batches", 2)

    def interrupt(items: object, total: int) -> object:
        assert total == len(BATCHES) * 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_cifar10(
            tmp_path / "batches",
            Skipped(),
            pictures=tmp_path / "pictures",
            watch=interrupt,  # type: ignore[arg-type]
        )
    assert [path.name for path in tmp_path.iterdir()] == ["batches"]
