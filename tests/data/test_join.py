"""Manifests joined: files once, identical pictures in one part, contradictions refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.join import Joined, join, most_guarded
from mien.data.manifest import SPLITS, Manifest, Sample
from mien.errors import DataError


def one(path: str, content: str = "1", split: str = "", **labels: str) -> Manifest:
    return Manifest((Sample(Path(path), "s", content, split, labels),))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Manifests of few files, which repeat; a file has its content and its mood."""
    numbers = draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    parts = {number // 2: draw(st.sampled_from(["", *SPLITS])) for number in numbers}
    samples = []
    for number in numbers:
        labels = {name: str(number) for name in draw(st.sets(st.sampled_from(["mood", "age"])))}
        sample = Sample(Path(f"/{number}"), "s", str(number // 2), parts[number // 2], labels)
        samples.append(sample)
    return Manifest(tuple(samples))


def test_identical_pictures_go_to_the_guarded_side() -> None:
    first = Manifest((Sample(Path("a"), "x", "1", "train"), Sample(Path("b"), "x", "2", "test")))
    second = Manifest((Sample(Path("c"), "y", "1", "validation"), Sample(Path("d"), "y", "2", "")))
    joined = join([first, second])
    samples = joined.manifest.samples
    assert [s.split for s in samples] == ["validation", "test", "validation", "test"]
    assert [s.path.name for s in samples] == ["a", "b", "c", "d"]
    assert (joined.moved, joined.repeated) == (2, 0)


def test_most_guarded() -> None:
    assert most_guarded(["train", "test", "validation"]) == "test"
    assert most_guarded(["", "train", "validation"]) == "validation"
    assert most_guarded([""]) == ""


def test_a_file_that_two_list_gets_the_labels_of_both() -> None:
    joined = join([one("a", age="30", split="train"), one("a", mood="good", split="test")])
    (sample,) = joined.manifest.samples
    assert sample.labels == {"age": "30", "mood": "good"}
    assert (sample.split, joined.moved, joined.repeated) == ("test", 1, 1)


def test_a_file_is_told_by_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").mkdir()
    assert join([one("a"), one(str(tmp_path / "a")), one("b/../a")]).repeated == 2


def test_contradicting_labels_are_named() -> None:
    with pytest.raises(
        DataError, match="set/a: its mood is 'good' in one row and 'bad' in another"
    ):
        join([one("set/a", mood="good"), one("set/a", mood="bad")])


def test_contradicting_contents_are_named() -> None:
    with pytest.raises(DataError, match=r"a: listed with the content 1 and with 2.*import that"):
        join([one("a", "1"), one("a", "2")])


@settings(deadline=None)
@given(st.lists(manifests(), min_size=1, max_size=4))
def test_joined_manifests_agree_with_their_rows(several: list[Manifest]) -> None:
    joined = join(several)
    rows = [sample for manifest in several for sample in manifest.samples]
    samples = joined.manifest.samples
    assert [s.path for s in samples] == list(dict.fromkeys(row.path for row in rows))
    order = ["", *SPLITS]
    for sample in samples:
        same = [row for row in rows if row.path == sample.path]
        assert sample.labels == {n: v for row in same for n, v in row.labels.items()}
        copies = [row.split for row in rows if row.content == sample.content]
        assert sample.split == max(copies, key=order.index)
    assert joined.repeated == len(rows) - len(samples)
    # Joined again, or with itself, nothing changes.
    assert join([joined.manifest]) == Joined(joined.manifest, 0, 0)
    assert join([joined.manifest] * 2).manifest == joined.manifest


def test_a_prediction_gives_way_to_a_truth() -> None:
    guess = {"mood": "bad", "mood/bad": "0.9", "mood:predicted": "face 1", "hat": "none"}
    truth = {"mood": "good", "mood/good": "7", "age": "3"}
    for rows in ((guess, truth), (truth, guess)):
        samples = [Sample(Path("x.png"), "s", "c", "train", labels) for labels in rows]
        (found,) = join(Manifest((sample,)) for sample in samples).manifest.samples
        assert found.labels == truth | {"hat": "none"}
    guess, truth = {"age": "30.2", "age:predicted": "face 1"}, {"age_low": "50", "age_high": "59"}
    for rows in ((guess, truth), (truth, guess)):
        samples = [Sample(Path("x.png"), "s", "c", "train", labels) for labels in rows]
        (found,) = join(Manifest((sample,)) for sample in samples).manifest.samples
        assert found.labels == truth
    guess = {"mood": "bad", "mood/bad": "0.9", "mood:predicted": "face 1", "hat": "none"}
    other = guess | {"mood": "good", "mood:predicted": "face 2"}
    samples = [Sample(Path("x.png"), "s", "c", "train", labels) for labels in (guess, other)]
    (found,) = join(Manifest((sample,)) for sample in samples).manifest.samples
    assert found.labels == guess
