"""Labels as arrays, and the groups of samples, by tables."""

from pathlib import Path

import numpy as np
import pytest

from mien.card import Card, Task
from mien.data.manifest import Manifest, Sample
from mien.errors import DataError
from mien.evaluation.labels import Labels, decade_of, groups_of, in_order, labels_of
from tests import tiny

SAMPLES = tuple(
    Sample(Path(f"{number}.png"), source, str(number), "test", labels)
    for number, (source, labels) in enumerate(
        [
            ("a", {"age": "34", "gender": "male"}),
            ("a", {"age_low": "20", "age_high": "29", "gender": "female"}),
            ("b\x1b", {"age_low": "30", "age_high": "39", "race": "x" * 900}),
            ("b", {"age_low": "7", "age_high": "7"}),
            ("b", {}),
        ]
    )
)


def labels(*tasks: Task) -> list[Labels]:
    card: Card = tiny.face_card(tasks=tasks)
    return labels_of(card, Manifest(SAMPLES))


def test_ages_known_exactly_and_by_an_interval() -> None:
    (age,) = labels(tiny.AGE)
    assert age.low.tolist()[:4] == [34, 20, 30, 7]
    assert age.high.tolist()[:4] == [34, 29, 39, 7]
    assert np.isnan([age.low[4], age.high[4]]).all()
    assert age.exact.tolist() == [0, 3]
    assert age.by_interval.tolist() == [1, 2]
    assert [age.told(index) for index in range(4)] == ["34", "20-29", "30-39", "7"]


def test_classes() -> None:
    age, gender = labels(tiny.AGE, tiny.GENDER)
    assert (age.task, gender.task) == (tiny.AGE, tiny.GENDER)
    assert gender.exact.tolist() == [0, 1]
    assert gender.by_interval.tolist() == []
    assert gender.classes.tolist() == [0, 1]
    assert gender.told(1) == "female"


def test_where_there_are_votes_alone_the_most_decide() -> None:
    samples = [{"mood/good": "3", "mood/bad": "1"}, {"mood/bad": "2"}, {"mood": "good"}, {}]
    rows = [Sample(Path(f"{n}.png"), "s", str(n), "test", one) for n, one in enumerate(samples)]
    task = Task(name="mood", kind="classification", labels=("good", "bad"))
    card = tiny.face_card(tasks=(task,))
    (found,) = labels_of(card, Manifest(tuple(rows)))
    np.testing.assert_array_equal(found.low, [0, 1, 0, np.nan])
    other = tiny.face_card(tasks=(task.model_copy(update={"labels": ("bad", "dull")}),))
    with pytest.raises(DataError, match=r"0.png: mood is 'good'; the model's labels are bad, dull"):
        labels_of(other, Manifest(tuple(rows)))


def test_a_task_without_labels_is_left_out() -> None:
    assert [found.task.name for found in labels(tiny.AGE, tiny.COLOUR)] == ["age"]
    with pytest.raises(DataError, match="no label for the model's tasks, colour; its columns are"):
        labels(tiny.COLOUR)


def test_a_number_has_its_own_column() -> None:
    task = Task(name="age_low", kind="regression")
    assert labels(task)[0].exact.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("gender", ["male", "female", "", "", ""]),
        # 30 to 39 lies on both sides of 36.
        ("age_group", ["youth", "youth", "", "child", ""]),
        ("decade", ["30-39", "20-29", "30-39", "0-9", ""]),
        ("source", ["a", "a", "b\\x1b", "b", "b"]),
    ],
)
def test_groups(by: str, wanted: list[str]) -> None:
    (age,) = labels(tiny.AGE)
    assert groups_of(age, SAMPLES, by) == wanted


def test_an_endless_label_is_cut() -> None:
    (age,) = labels(tiny.AGE)
    assert len(groups_of(age, SAMPLES, "race")[2]) < 300


def test_order() -> None:
    assert in_order({"senior", "adult", "child"}, "age_group") == ["child", "adult", "senior"]
    assert in_order({"100-109", "0-9", "20-29"}, "decade") == ["0-9", "20-29", "100-109"]
    assert in_order({"white", "asian"}, "race") == ["asian", "white"]


@pytest.mark.parametrize(
    ("years", "name"), [(0, "0-9"), (9.9, "0-9"), (10, "10-19"), (116, "110-119")]
)
def test_decades(years: float, name: str) -> None:
    assert decade_of(years) == name
