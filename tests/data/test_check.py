"""A manifest checked against its pictures: each kind of finding, and no other."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.data.check import Check, Kind, check
from mien.data.manifest import Manifest, Sample
from tests.labelled import noise, sample_of, save


def large(seed: int) -> NDArray[np.uint8]:
    """Return a picture that stays what it is when it is dimmed a little."""
    return np.asarray(np.kron(noise(seed, 8, 8), np.ones((6, 6, 1), np.uint8)), np.uint8)


def dimmed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(pixels * 0.8, np.uint8)


class Set:
    """A manifest in the making."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.samples: list[Sample] = []

    def add(
        self, pixels: NDArray[np.uint8], split: str = "", labels: Mapping[str, str] | None = None
    ) -> Sample:
        path = save(self.folder / f"{len(self.samples)}.png", pixels)
        self.samples.append(sample_of(path, labels, split))
        return self.samples[-1]

    def check(self) -> Check:
        return check(Manifest(tuple(self.samples)), threads=1)


@pytest.fixture
def pictures(tmp_path: Path) -> Set:
    return Set(tmp_path)


def found(result: Check) -> dict[str, list[tuple[int, ...]]]:
    kinds = {kind.value: [finding.rows for finding in result.of(kind)] for kind in Kind}
    return {kind: rows for kind, rows in kinds.items() if rows}


def test_a_clean_manifest(pictures: Set) -> None:
    for seed in range(5):
        pictures.add(large(seed), "train", {"age": "3"})
    result = pictures.check()
    assert result.findings == ()
    assert result.problems(near=True) == []
    assert result.same == result.near == ((0,), (1,), (2,), (3,), (4,))


def test_unreadable_and_changed_files(pictures: Set) -> None:
    for seed in range(4):
        pictures.add(large(seed))
    pictures.samples[1].path.write_bytes(b"no picture")
    pictures.samples[2].path.unlink()
    save(pictures.samples[3].path, large(9))
    result = pictures.check()
    assert found(result) == {"unreadable": [(1,), (2,)], "changed": [(3,)]}
    reasons = [finding.reason for finding in result.of(Kind.UNREADABLE)]
    assert reasons[1].startswith("no such file")
    assert len(result.problems()) == 3


def test_identical_pictures(pictures: Set) -> None:
    for seed in (0, 1, 0, 0):
        pictures.add(large(seed), labels={"mood": "good"})
    result = pictures.check()
    assert found(result) == {"duplicates": [(0, 2, 3)]}
    assert result.problems() == list(result.findings)


def test_contradicting_labels(pictures: Set) -> None:
    for labels in ({"mood": "good", "age": "3"}, {"mood": "bad", "age": "3"}, {"age": "30.5"}):
        pictures.add(large(0), labels=labels)
    result = pictures.check()
    mood, age = result.of(Kind.CONTRADICTIONS)
    assert (mood.task, mood.reason, mood.apart, mood.rows) == ("mood", "bad, good", 0, (0, 1, 2))
    assert (age.task, age.reason, age.apart) == ("age", "3, 30.5", 27.5)


def test_intervals_that_overlap_do_not_contradict(pictures: Set) -> None:
    pictures.add(large(0), labels={"age_low": "10", "age_high": "19"})
    pictures.add(large(0), labels={"age": "19"})
    assert found(pictures.check()) == {"duplicates": [(0, 1)]}
    pictures.add(large(0), labels={"age_low": "21", "age_high": "29"})
    (finding,) = pictures.check().of(Kind.CONTRADICTIONS)
    assert (finding.reason, finding.apart) == ("10–19, 19, 21–29", 2)


def test_votes_contradict_by_the_label_that_they_elect(pictures: Set) -> None:
    pictures.add(large(0), labels={"mood/good": "3", "mood/bad": "2"})
    pictures.add(large(0), labels={"mood/good": "9"})
    assert found(pictures.check()) == {"duplicates": [(0, 1)]}
    pictures.add(large(0), labels={"mood": "bad"})
    assert found(pictures.check())["contradictions"] == [(0, 1, 2)]


def test_a_prediction_contradicts_no_truth(pictures: Set) -> None:
    pictures.add(large(0), labels={"mood": "good"})
    pictures.add(large(0), labels={"mood": "bad", "mood:predicted": "face 1"})
    assert found(pictures.check()) == {"duplicates": [(0, 1)]}


def test_leaks(pictures: Set) -> None:
    pictures.add(large(0), "train")
    pictures.add(large(0), "test")
    pictures.add(large(1), "train")
    pictures.add(large(1), "train")
    result = pictures.check()
    assert found(result) == {"duplicates": [(0, 1), (2, 3)], "leaks": [(0, 1)]}
    assert result.of(Kind.LEAKS)[0].reason == "test, train"


def test_near_duplicates_are_harmless_in_one_part(pictures: Set) -> None:
    pictures.add(large(0), "train", {"age": "3"})
    pictures.add(dimmed(large(0)), "train", {"age": "4"})
    result = pictures.check()
    assert found(result) == {"near duplicates": [(0, 1)], "near contradictions": [(0, 1)]}
    assert result.problems() == []
    assert result.problems(near=True) == list(result.findings)
    assert result.near == ((0, 1),)


def test_near_duplicates_in_different_parts_are_a_problem(pictures: Set) -> None:
    pictures.add(large(0), "train")
    pictures.add(dimmed(large(0)), "validation")
    result = pictures.check()
    assert found(result) == {"near duplicates": [(0, 1)], "near leaks": [(0, 1)]}
    assert [finding.kind for finding in result.problems()] == [Kind.NEAR_LEAKS]


def test_the_distance_of_near_duplicates(pictures: Set) -> None:
    pictures.add(large(0))
    pictures.add(np.asarray(0.85 * large(0) + 0.15 * large(1), np.uint8))
    manifest = Manifest(tuple(pictures.samples))
    groups = [len(check(manifest, distance=distance).near) for distance in (0, 4)]
    assert groups == [2, 1]


def test_identical_flat_pictures_belong_together(pictures: Set) -> None:
    for level in (0, 0, 255):
        pictures.add(np.full((9, 9, 3), level, np.uint8))
    assert pictures.check().near == ((0, 1), (2,))


def test_findings_as_a_dict(pictures: Set) -> None:
    paths = [str(pictures.add(large(0), labels={"age": age}).path) for age in ("3", "9")]
    found = pictures.check().as_dict()
    assert found["duplicates"] == [{"paths": paths}]
    gap = {"paths": paths, "task": "age", "apart": 6.0, "reason": "3, 9"}
    assert found["contradictions"] == [gap]
    assert found["near_leaks"] == []


def test_nothing_that_can_be_read(pictures: Set) -> None:
    pictures.add(large(0)).path.write_bytes(b"")
    assert found(pictures.check()) == {"unreadable": [(0,)]}


def test_progress_is_told(pictures: Set) -> None:
    told: list[int] = []

    def watch(items, total):  # type: ignore[no-untyped-def]
        for item in items:
            told.append(total)
            yield item

    pictures.add(large(0))
    pictures.add(large(1))
    check(Manifest(tuple(pictures.samples)), watch=watch)
    assert told == [2, 2]
