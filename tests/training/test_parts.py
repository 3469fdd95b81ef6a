"""What a training sees: parts that do not overlap, and all that must be there before it begins."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.data import manifest as manifests
from mien.data.manifest import Manifest, Sample
from mien.data.split import part_of
from mien.errors import DataError
from mien.faces import TEMPLATE
from mien.training.describe import card_of
from mien.training.parts import Parts, framing_of, halves, load_parts, targets_of
from tests.runs import toy_recipe


def contents(manifest: Manifest) -> set[str]:
    return {sample.content for sample in manifest.samples}


def test_parts(parts: Parts) -> None:
    seen = [contents(part.manifest) for part in (parts.train, parts.choice, parts.calibration)]
    seen.append(contents(parts.whole.part("test")))
    assert sum(map(len, seen)) == len(set.union(*seen)) == len(parts.whole.samples)
    assert seen[1] | seen[2] == contents(parts.whole.part("validation"))
    for part in (parts.train, parts.choice, parts.calibration):
        assert len(part.store) == len(part.manifest.samples)
        assert part.store.crop(0, 32).shape == (32, 32, 3)


def test_identical_validation_pictures_stay_in_one_half(parts: Parts) -> None:
    samples = parts.whole.samples
    copies = tuple(Sample(s.path, "copy", s.content, s.split, s.labels) for s in samples)
    path = parts.whole.samples[0].path.parent.parent / "copies.csv"
    Manifest(samples + copies).write(path)
    doubled = load_parts(toy_recipe(path, data={"manifest": path}), path.parent / "doubled")
    assert not contents(doubled.choice.manifest) & contents(doubled.calibration.manifest)
    assert contents(doubled.choice.manifest) == contents(parts.choice.manifest)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_set_whose_parts_were_drawn_by_the_same_numbers_is_halved_too(seed: int) -> None:
    contents = [f"{number:020}" for number in range(2000)]
    validation = [
        Sample(Path(f"{source}{content}.png"), source, content, "validation")
        for source, drawn in (("own", seed), ("other", seed + 1))
        for content in contents
        if part_of(content, (0.8, 0.1, 0.1), drawn) == "validation"
    ]
    first, second = halves(Manifest(tuple(validation)), seed)
    for source in ("own", "other"):
        in_first, in_second = (
            sum(s.source == source for s in half.samples) for half in (first, second)
        )
        assert 0.3 < in_first / (in_first + in_second) < 0.7


def test_what_the_network_sees(manifest: Path) -> None:
    recipe = toy_recipe(manifest)
    assert framing_of(recipe).size == 32
    assert framing_of(recipe).template == TEMPLATE
    assert [(t.task, t.labels) for t in targets_of(recipe)] == [
        ("age", None),
        ("gender", ("male", "female")),
        ("expression", ("calm", "wild")),
    ]
    mood = {"name": "expression", "kind": "classification", "labels": ["calm", "wild"]}
    whole = toy_recipe(manifest, input={"size": 32, "framing": "centre"}, tasks=[mood])
    assert framing_of(whole).template is None


Change = Callable[[Sample], Sample | None]


def without_label(sample: Sample) -> Sample | None:
    if sample.split != "test":
        return sample
    labels = {name: value for name, value in sample.labels.items() if name != "age"}
    return Sample(sample.path, sample.source, sample.content, sample.split, labels)


def with_wrong_label(sample: Sample) -> Sample:
    labels = sample.labels | ({"gender": "?"} if sample.split == "test" else {})
    return Sample(sample.path, sample.source, sample.content, sample.split, labels)


def lost(sample: Sample) -> Sample:
    path = sample.path.with_name("lost") if sample.split == "validation" else sample.path
    return Sample(path, sample.source, sample.content + "'", sample.split, sample.labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s if s.split != "train" else None, "no picture in the part 'train'; it has"),
        (lambda s: s if s.split != "test" else None, "no picture in the part 'test'"),
        (lambda s: s if s.split != "validation" else None, "no picture in the part 'validation'"),
        (without_label, "none of the 24 pictures in test has a label for the task 'age'"),
        (with_wrong_label, "gender is '\\?'; the task's labels are male, female"),
        (lost, "lost: .*; import the data set again to leave it out"),
    ],
)
def test_what_would_stop_a_run_stops_it_first(
    change: Change, message: str, parts: Parts, tmp_path: Path
) -> None:
    changed = [change(sample) for sample in parts.whole.samples]
    path = tmp_path / "changed.csv"
    Manifest(tuple(sample for sample in changed if sample is not None)).write(path)
    with pytest.raises(DataError, match=message):
        load_parts(toy_recipe(path), tmp_path / "stores")


def test_a_validation_part_of_one_picture(parts: Parts, tmp_path: Path) -> None:
    validation = parts.whole.part("validation").samples[:1]
    rest = tuple(sample for sample in parts.whole.samples if sample.split != "validation")
    Manifest(rest + validation).write(tmp_path / "m.csv")
    with pytest.raises(DataError, match="the validation part, 1 pictures, is too small"):
        load_parts(toy_recipe(tmp_path / "m.csv"), tmp_path / "stores")


def test_the_stores_are_found_again(parts: Parts, manifest: Path) -> None:
    before = sorted((manifest.parent / "stores").glob("*/*"))
    again = load_parts(toy_recipe(manifest), manifest.parent / "stores")
    assert sorted((manifest.parent / "stores").glob("*/*")) == before
    assert len(before) == 3
    np.testing.assert_array_equal(again.train.store.crop(5, 32), parts.train.store.crop(5, 32))
    assert again.whole == manifests.read(manifest)


def test_a_label_that_no_training_picture_has(parts: Parts, manifest: Path) -> None:
    tasks = [{"name": "gender", "kind": "classification", "labels": ["male", "female", "neither"]}]
    with pytest.raises(DataError, match="no picture of the training part has the label 'neither'"):
        load_parts(toy_recipe(manifest, tasks=tasks), manifest.parent / "stores")


def test_labels_that_are_all_alike(manifest: Path) -> None:
    whole = manifests.read(manifest)
    samples = [
        replace(sample, labels=sample.labels | {"gender": "male"} if "age" in sample.labels else {})
        for sample in whole.samples
    ]
    path = manifest.with_name("alike.csv")
    Manifest(tuple(samples)).write(path)
    tasks = [{"name": "gender", "kind": "classification", "labels": ["male", "female"]}]
    recipe = toy_recipe(path, tasks=tasks)
    with pytest.raises(DataError, match="all training pictures with a gender are 'male'"):
        load_parts(recipe, manifest.parent / "stores")


def test_classes_resampled_once(parts: Parts, manifest: Path, tmp_path: Path) -> None:
    """Of the training part only, to the rarest or the most frequent class, again the same."""
    samples = [
        replace(s, labels=s.labels | {"gender": "male" if place % 4 else "female"})
        if s.split == "train"
        else s
        for place, s in enumerate(parts.whole.samples)
    ]
    path = tmp_path / "uneven.csv"
    Manifest(tuple(samples)).write(path)
    plain = Counter(s.labels["gender"] for s in samples if s.split == "train")
    assert plain["female"] < plain["male"]
    for how, wanted in (("under", plain["female"]), ("over", plain["male"])):
        recipe = toy_recipe(path, data={"manifest": path, "balance": "gender", "balance_by": how})
        found, again = (load_parts(recipe, manifest.parent / "stores") for _ in range(2))
        counts = Counter(s.labels["gender"] for s in found.train.manifest.samples)
        assert counts == {"female": wanted, "male": wanted}
        assert len(found.train.store) == 2 * wanted
        assert found.train.manifest == again.train.manifest
        assert found.whole.samples == tuple(samples)
        assert contents(found.choice.manifest) == contents(parts.choice.manifest)


def test_classes_resampled_within_each_source(parts: Parts, manifest: Path, tmp_path: Path) -> None:
    train = [s for s in parts.whole.samples if s.split == "train"]
    rest = [s for s in parts.whole.samples if s.split != "train"]
    labels = ["male", "female", "female", "male", "male", "male", "female"]
    few = [
        replace(s, source="a" if place < 3 else "b", labels=s.labels | {"gender": label})
        for place, (s, label) in enumerate(zip(train[:7], labels, strict=True))
    ]
    path = tmp_path / "two.csv"
    Manifest((*few, *rest)).write(path)
    recipe = toy_recipe(
        path,
        tasks=[{"name": "gender", "kind": "classification", "labels": ["male", "female"]}],
        data={
            "manifest": path,
            "shares": {"a": 1.0, "b": 1.0},
            "balance": "gender",
            "balance_by": "under",
        },
    )
    found = load_parts(recipe, manifest.parent / "stores").train.manifest.samples
    counts = Counter((s.source, s.labels["gender"]) for s in found)
    assert set(counts.values()) == {1}
    assert len(counts) == 4


def test_predictions_are_learnt_and_never_measured_by(
    parts: Parts, manifest: Path, tmp_path: Path
) -> None:
    samples = [
        replace(s, labels=s.labels | {"gender:predicted": "tiny 1"}) if place % 2 else s
        for place, s in enumerate(parts.whole.samples)
    ]
    path = tmp_path / "predicted.csv"
    Manifest(tuple(samples)).write(path)
    found = load_parts(toy_recipe(path), manifest.parent / "stores")
    assert any("gender:predicted" in s.labels for s in found.train.manifest.samples)
    for part in (found.choice, found.calibration):
        assert all(not s.predicted for s in part.manifest.samples)
        assert not all("gender" in s.labels for s in part.manifest.samples)
    named = {data.name for data in card_of(toy_recipe(path), found).data}
    assert "gender predicted by tiny 1" in named
