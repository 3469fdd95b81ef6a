"""Labels in groups: decades of age, classes, measures in ten bins."""

from pathlib import Path

import pytest

from mien.data.groups import groupings, is_number, label_of
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError


def manifest_of(*labels: dict[str, str]) -> Manifest:
    return Manifest(
        tuple(Sample(Path(f"{i}"), "s", str(i), "", one) for i, one in enumerate(labels))
    )


def groups(manifest: Manifest, task: str) -> list[str]:
    (grouping,) = groupings(manifest, [task])
    return [grouping.of(sample) for sample in manifest.samples]


def test_ages_fall_into_decades() -> None:
    known = [{"age": "0"}, {"age": "9.9"}, {"age": "10"}, {"age": "116"}, {}]
    intervals = [{"age_low": "3", "age_high": "9"}, {"age_low": "70", "age_high": "130"}]
    found = manifest_of(*known, *intervals)
    expected = ["0–9", "0–9", "10–19", "110–119", "", "0–9", "70–79"]
    assert groups(found, "age") == expected
    assert groupings(found)[0].names == ("0–9", "10–19", "70–79", "110–119")


def test_classes_and_votes() -> None:
    found = manifest_of({"mood": "b"}, {"mood/a": "2", "mood/b": "1"}, {"mood/a": "0"}, {})
    assert groups(found, "mood") == ["b", "a", "", ""]
    assert groupings(found)[0].names == ("a", "b")


def test_of_equal_votes_the_first_by_name_counts() -> None:
    (sample,) = manifest_of({"mood/b": "2", "mood/a": "2"}).samples
    assert label_of(sample, "mood") == "a"


def test_measures_fall_into_ten_groups_of_equal_size() -> None:
    found = manifest_of(*({"height": f"{100 + number}"} for number in range(100)))
    names = groupings(found)[0].names
    assert len(names) == 10
    assert names[0] == "below 109.9"
    assert [groups(found, "height").count(name) for name in names] == [10] * 10


def test_numbers_that_name_classes_stay_classes() -> None:
    found = manifest_of(*({"digit": f"{number % 30}"} for number in range(600)))
    assert groupings(found)[0].names == tuple(str(number) for number in range(30))


def test_numbers_are_told_by_their_columns() -> None:
    found = manifest_of({"age": "3", "digit": "3", "h_low": "1", "h_high": "2"})
    assert [is_number(found, task) for task in found.tasks] == [True, False, True]


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(DataError, match="has no labels 'mod'; it has mood"):
        groupings(manifest_of({"mood": "a"}), ["mod"])
    with pytest.raises(DataError, match="it has none at all"):
        groupings(manifest_of({}), ["age"])
