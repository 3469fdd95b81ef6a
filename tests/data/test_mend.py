"""Clean manifests: what is kept, merged, dropped and moved; checked again they are clean."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data import manifest
from mien.data.check import Check, check, near_pictures, same_pictures
from mien.data.check import Seen as SeenFile
from mien.data.manifest import SPLITS, Manifest, Sample
from mien.data.mend import mend
from mien.errors import DataError
from tests.data.test_check import dimmed, large
from tests.labelled import sample_of, save


def seen(*samples: Sample) -> Check:
    """Check pictures that are told by their names: a content, and a look after a dash."""
    files = [file_of(sample) for sample in samples]
    whole = Manifest(samples)
    return Check(whole, tuple(files), same_pictures(files), near_pictures(files), ())


def file_of(sample: Sample) -> SeenFile:
    look = sample.content.partition("-")[0]
    row = np.random.default_rng(int(look)).normal(0, 1, 64)
    return SeenFile(sample.content, np.asarray(row / np.linalg.norm(row), np.float32))


def sample(content: str, split: str = "", **labels: str) -> Sample:
    return Sample(Path(f"/set/{content}.png"), "s", content, split, labels)


def test_one_of_identical_pictures_is_kept_with_the_labels_of_all() -> None:
    mended = mend(
        seen(
            sample("1", mood="good", sort="a"),
            sample("2", age="20"),
            sample("1", mood="good", age="30", **{"look/x": "2"}),
        )
    )
    first, second = mended.manifest.samples
    assert first.labels == {"mood": "good", "sort": "a", "age": "30", "look/x": "2"}
    assert second.labels == {"age": "20"}
    assert mended.dropped.names == {"the same picture once more": ["/set/1.png (as 1.png)"]}


def test_a_truth_is_kept_before_a_prediction() -> None:
    guess = {"mood": "bad", "mood/bad": "0.9", "mood:predicted": "face 1"}
    for labels in ([guess, {"mood": "good"}], [{"mood": "good"}, guess]):
        (kept,) = mend(seen(*(sample("1", **one) for one in labels))).manifest.samples
        assert kept.labels == {"mood": "good"}
    (kept,) = mend(seen(sample("1", age="3"), sample("1", **guess))).manifest.samples
    assert kept.labels == {"age": "3"} | guess


def test_none_is_kept_if_classes_contradict() -> None:
    mended = mend(seen(sample("1", mood="good"), sample("1", mood="bad"), sample("2")))
    assert [one.content for one in mended.manifest.samples] == ["2"]
    reason = "the same picture with different labels of mood"
    assert mended.dropped.names == {reason: ["/set/1.png (bad, good)"] * 2}


@pytest.mark.parametrize(
    ("ages", "years", "kept"),
    [
        (("20", "25"), 5, "22.5"),
        (("20", "25.1"), 5, None),
        (("20", "21", "25"), 5, "22"),
        (("20", "20.0"), 0, "20"),
        (("20", "21"), 0, None),
    ],
)
def test_near_ages_are_averaged(ages: tuple[str, ...], years: float, kept: str | None) -> None:
    found = seen(sample("2"), *(sample("1", age=age) for age in ages))
    mended = mend(found, years=years)
    labels = [one.labels for one in mended.manifest.samples if one.content == "1"]
    assert labels == ([] if kept is None else [{"age": kept}])
    assert mended.averaged == (kept not in (None, "20"))


def test_the_mean_of_predictions_is_a_prediction() -> None:
    one, other = ({"age": age, "age:predicted": "face 1"} for age in ("30.2", "33.1"))
    (kept,) = mend(seen(sample("1", **one), sample("1", **other))).manifest.samples
    assert kept.labels == {"age": "31.65", "age:predicted": "face 1"}
    assert kept.predicted == ("age",)


def test_intervals_keep_what_they_share() -> None:
    def merged(*ends: tuple[str, str]) -> dict[str, str]:
        samples = [sample("1", age_low=low, age_high=high) for low, high in ends]
        return mend(seen(*samples)).manifest.samples[0].labels

    assert merged(("10", "19"), ("15", "29")) == {"age_low": "15", "age_high": "19"}
    assert merged(("10", "19"), ("20", "29")) == {"age_low": "15", "age_high": "24"}


def test_a_known_number_goes_before_an_interval() -> None:
    found = seen(sample("1", age_low="10", age_high="19"), sample("1", age="14"))
    assert mend(found).manifest.samples[0].labels == {"age": "14"}


def test_a_lone_picture_keeps_its_labels_to_the_letter() -> None:
    labels = {"age": "20.0", "age_low": "18", "age_high": "22", "mood/a": "1.50"}
    assert mend(seen(sample("1", "test", **labels))).manifest.samples[0].labels == labels


def test_leaks_go_to_the_guarded_part() -> None:
    mended = mend(
        seen(
            sample("1", "train"),
            sample("1", "test"),
            sample("2-a", "train"),
            sample("2-b", "validation"),
            sample("3", "train"),
        )
    )
    samples = mended.manifest.samples
    assert [(one.content, one.split) for one in samples] == [
        ("1", "test"),
        ("2-a", "validation"),
        ("2-b", "validation"),
        ("3", "train"),
    ]
    assert mended.moved == 2


def test_a_picture_that_is_dropped_moves_no_other() -> None:
    contradicting = [sample("1-a", "test", mood=mood) for mood in ("good", "bad")]
    mended = mend(seen(*contradicting, sample("1-b", "train")))
    assert [one.split for one in mended.manifest.samples] == ["train"]
    assert mended.moved == 0


def test_near_pictures_may_be_treated_as_identical() -> None:
    found = seen(sample("1-a", "train", age="20"), sample("1-b", "test", age="22"), sample("2"))
    assert len(mend(found).manifest.samples) == 3
    first, _ = mend(found, near=True).manifest.samples
    assert (first.content, first.split, first.labels) == ("1-a", "test", {"age": "21"})


def test_nothing_left() -> None:
    with pytest.raises(DataError, match="no picture would be left; see what is wrong"):
        mend(seen(sample("1", mood="good"), sample("1", mood="bad")))


def test_files_that_cannot_be_read_or_have_changed(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{seed}.png", large(seed)) for seed in range(3)]
    samples = [sample_of(path, {"age": "3"}) for path in paths]
    paths[0].write_bytes(b"")
    save(paths[1], large(7))
    mended = mend(check(Manifest(tuple(samples)), threads=1))
    first, second = mended.manifest.samples
    assert first == sample_of(paths[1], {"age": "3"})
    assert second == samples[2]
    assert mended.renewed == 1
    ((reason, (name,)),) = mended.dropped.names.items()
    assert (reason, name.startswith(f"{paths[0]} (")) == ("unreadable picture", True)


def test_near_pictures_on_disk(tmp_path: Path) -> None:
    first = sample_of(save(tmp_path / "a.png", large(0)), split="train")
    second = sample_of(save(tmp_path / "b.png", dimmed(large(0))), split="test")
    mended = mend(check(Manifest((first, second)), threads=1))
    assert [one.split for one in mended.manifest.samples] == ["test", "test"]


contents = st.sampled_from(["1", "1-b", "2", "2-b", "3", "4"])
labels = st.fixed_dictionaries(
    {},
    optional={
        "age": st.sampled_from(["20", "23", "40"]),
        "mood": st.sampled_from(["good", "bad"]),
    },
)
rows = st.builds(
    lambda content, split, known: sample(content, split, **known),
    contents,
    st.sampled_from(["", *SPLITS]),
    labels,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(rows, min_size=1, max_size=8), st.booleans())
def test_what_was_mended_is_clean(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Sample], near: bool
) -> None:
    try:
        mended = mend(seen(*samples), near=near)
    except DataError:
        return
    clean = mended.manifest
    assert len(clean.samples) + mended.dropped.total == len(samples)
    again = seen(*clean.samples)
    assert all(len(group) == 1 for group in again.same)
    assert all(len({clean.samples[row].split for row in group}) == 1 for group in again.near)
    assert not near or all(len(group) == 1 for group in again.near)
    path = tmp_path_factory.getbasetemp() / "clean.csv"
    clean.write(path)
    assert manifest.read(path) == clean
    assert mend(again, near=near).manifest == clean
