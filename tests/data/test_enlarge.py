"""More pictures as files: the right ones changed, all parts kept, whole or not at all."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import images
from mien.data import manifest as manifests
from mien.data.augment import NONE, Augmentation
from mien.data.enlarge import MANIFEST, Enlarged, enlarge
from mien.data.hashes import content_hash
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError, OutputError
from tests.labelled import noise, sample_of, save

PARTS = ("train", "train", "train", "validation", "test")
CHANGES = Augmentation(noise=1.0, flip="alternate")


def pets(folder: Path, cats: int = 5, dogs: int = 9, suffix: str = ".png") -> Manifest:
    """Return a manifest of two classes, three in five pictures of each in the training part."""
    samples: list[Sample] = []
    for label, count in (("cat", cats), ("dog", dogs)):
        for number in range(count):
            pixels = noise(len(samples), 20, 30)
            path = save(folder / label / f"{number}{suffix}", pixels)
            labels = {"label": label, "label/dog": str(number)} if number else {"label": label}
            samples.append(sample_of(path, labels, PARTS[number % len(PARTS)], source=label))
    return Manifest(tuple(samples))


def made(found: Enlarged, before: Manifest) -> tuple[Sample, ...]:
    return found.manifest.samples[len(before.samples) :]


def test_every_class_is_filled_up(tmp_path: Path) -> None:
    before = pets(tmp_path)
    found = enlarge(before, tmp_path / "new", 8, CHANGES, task="label", threads=2)
    assert found.before == {"cat": 5, "dog": 9}
    assert found.after == {"cat": 8, "dog": 9}
    assert found.manifest.samples[: len(before.samples)] == before.samples
    new = made(found, before)
    assert {(one.split, one.labels["label"], one.source) for one in new} == {
        ("train", "cat", "cat")
    }
    # Three more from three training pictures: each once.
    assert sorted(one.labels.get("label/dog", "0") for one in new) == ["0", "1", "2"]
    assert manifests.read(tmp_path / "new" / MANIFEST) == found.manifest
    for one in new:
        pixels = images.load(one.path).pixels
        assert pixels.shape == (20, 20, 3)
        assert content_hash(pixels) == one.content
    assert len({one.content for one in found.manifest.samples}) == len(found.manifest.samples)


def test_new_pictures_are_the_changed_square_of_their_own(tmp_path: Path) -> None:
    before = pets(tmp_path)
    mild = NONE.model_copy(update={"flip": 1.0})
    found = enlarge(before, tmp_path / "new", 8, mild, task="label")
    squares = {
        sample.labels.get("label/dog", "0"): images.load(sample.path).pixels[:, 5:25]
        for sample in before.samples[:3]
    }
    for one in made(found, before):
        old = squares[one.labels.get("label/dog", "0")]
        np.testing.assert_array_equal(images.load(one.path).pixels, old[:, ::-1])


def test_pictures_of_jpeg_stay_jpeg_and_large_ones_shrink(tmp_path: Path) -> None:
    before = pets(tmp_path, suffix=".jpg")
    found = enlarge(before, tmp_path / "new", 8, CHANGES, task="label", size=10)
    for one in made(found, before):
        assert one.path.suffix == ".jpg"
        assert one.path.read_bytes()[:2] == b"\xff\xd8"
        assert images.load(one.path).pixels.shape == (10, 10, 3)


def test_the_seed_makes_the_pictures(tmp_path: Path) -> None:
    before = pets(tmp_path)

    def contents(name: str, seed: int, threads: int) -> list[str]:
        folder = tmp_path / name
        found = enlarge(before, folder, 12, CHANGES, task="label", seed=seed, threads=threads)
        return [one.content for one in made(found, before)]

    first = contents("a", 0, 1)
    assert contents("b", 0, 2) == first
    assert not set(contents("c", 1, 1)) & set(first)


def test_ages_fill_up_by_decades(tmp_path: Path) -> None:
    ages = (3, 4, 31, 32, 33, 35)
    samples = [
        sample_of(save(tmp_path / f"{age}.png", noise(age)), {"age": str(age)}, "train")
        for age in ages
    ]
    found = enlarge(Manifest(tuple(samples)), tmp_path / "new", 4, CHANGES, task="age")
    assert found.after == {"0–9": 4, "30–39": 4}
    assert Counter(one.labels["age"] for one in found.manifest.samples)["3"] == 2


def test_labels_never_lead_out_of_the_folder(tmp_path: Path) -> None:
    labels = ("../out", "/etc", "..", "a/b", "mèo")
    samples = []
    for number, label in enumerate(labels):
        path = save(tmp_path / "old" / f"{number}.png", noise(number))
        samples.append(sample_of(path, {"label": label}, "train"))
    before = Manifest(tuple(samples))
    found = enlarge(before, tmp_path / "new", 2, CHANGES)
    places = [one.path.relative_to(tmp_path / "new").as_posix() for one in made(found, before)]
    names = ["class/000000.png", "out/000001.png", "etc/000002.png", "a_b/000003.png"]
    assert places == [*names, "mèo/000004.png"]
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new"}


@pytest.mark.parametrize(
    ("wanted", "task", "changes", "message"),
    [
        (5, "label", CHANGES, "every class has 5 pictures or more already; ask for more"),
        (8, "label", NONE, "the augmentation changes no picture by itself"),
        (8, "mood", CHANGES, "the manifest has no labels 'mood'; it has label"),
    ],
)
def test_what_cannot_be_done(
    wanted: int, task: str, changes: Augmentation, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        enlarge(pets(tmp_path), tmp_path / "new", wanted, changes, task=task)
    assert not (tmp_path / "new").exists()


def test_which_of_several_tasks(tmp_path: Path) -> None:
    one = sample_of(save(tmp_path / "a.png", noise(1)), {"age": "1", "mood": "calm"}, "train")
    found = enlarge(Manifest((one,)), tmp_path / "new", 2, CHANGES)
    assert (found.task, found.after) == ("mood", {"calm": 2})
    two = replace(one, labels={"mood": "calm", "hat": "none"})
    with pytest.raises(DataError, match=r"name the task .* the manifest has mood, hat"):
        enlarge(Manifest((two,)), tmp_path / "other", 2, CHANGES)


def test_a_class_without_a_training_picture(tmp_path: Path) -> None:
    before = pets(tmp_path, cats=3)
    held = before.with_splits(["test"] * 3 + ["train"] * 9)
    with pytest.raises(DataError, match="label 'cat' has no picture in the training part"):
        enlarge(held, tmp_path / "new", 8, CHANGES, task="label")


def test_a_flat_picture_never_becomes_another_one(tmp_path: Path) -> None:
    """A black picture, cut square, is the black one of the test part."""
    wide = save(tmp_path / "wide.png", np.zeros((12, 20, 3), np.uint8))
    held = save(tmp_path / "held.png", np.zeros((12, 12, 3), np.uint8))
    samples = (
        sample_of(wide, {"label": "a"}, "train"),
        sample_of(held, {"label": "b"}, "test"),
        sample_of(save(tmp_path / "c.png", noise(1)), {"label": "b"}, "train"),
    )
    mild = NONE.model_copy(update={"rotation": 10.0})
    with pytest.raises(DataError, match=r"wide.png: stays as it is whatever is drawn"):
        enlarge(Manifest(samples), tmp_path / "new", 3, mild)
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    before = pets(tmp_path)
    save(tmp_path / "new" / "mine.png", noise(0))
    with pytest.raises(OutputError, match="new: not written: it is there already"):
        enlarge(before, tmp_path / "new", 8, CHANGES, task="label")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.png"]


def test_a_lost_picture(tmp_path: Path) -> None:
    before = pets(tmp_path)
    before.samples[0].path.unlink()
    with pytest.raises(DataError, match=r"0.png: .*--fix. leaves such pictures out"):
        enlarge(before, tmp_path / "new", 8, CHANGES, task="label")
    assert {path.name for path in tmp_path.iterdir()} == {"cat", "dog"}


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    before = pets(tmp_path)

    def interrupt(items: object, total: int) -> object:
        assert total == 3
        next(iter(items))  # type: ignore[call-overload]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enlarge(before, tmp_path / "new", 8, CHANGES, task="label", watch=interrupt)  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.iterdir()} == {"cat", "dog"}
