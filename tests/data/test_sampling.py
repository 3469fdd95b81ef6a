"""Streams of pictures: every position from its number; classes in the shares that were asked."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.sampling import BalancedStream, Stream, apportion, classes_of, resampled

NAN = float("nan")


@st.composite
def streams(draw: st.DrawFn) -> tuple[BalancedStream, np.ndarray, np.ndarray]:
    counts = draw(st.lists(st.integers(0, 12), min_size=1, max_size=5).filter(any))
    classes = np.repeat(np.arange(-1, len(counts) - 1), counts)
    classes = np.random.default_rng(draw(st.integers(0, 99))).permutation(classes)
    pool = np.arange(len(classes)) * 3 + 5
    strength = draw(st.floats(0, 1))
    return BalancedStream(pool, (draw(st.integers(0, 9)), 0), classes, strength), pool, classes


@settings(deadline=None)
@given(streams(), st.integers(0, 200), st.integers(1, 60))
def test_a_position_s_picture_does_not_depend_on_the_cut(
    made: tuple[BalancedStream, np.ndarray, np.ndarray], start: int, count: int
) -> None:
    stream, pool, _ = made
    taken = stream.take(start, count)
    assert len(taken) == count
    assert set(taken) <= set(pool)
    singles = [int(stream.take(position, 1)[0]) for position in range(start, start + count)]
    assert taken.tolist() == singles


@settings(deadline=None)
@given(streams())
def test_no_picture_of_a_class_comes_twice_before_all_of_it_came(
    made: tuple[BalancedStream, np.ndarray, np.ndarray],
) -> None:
    stream, pool, classes = made
    taken = stream.take(0, 6 * len(pool))
    for name in set(classes):
        times = Counter(dict.fromkeys(pool[classes == name].tolist(), 0))
        times.update(int(index) for index in taken if index in times)
        assert max(times.values()) - min(times.values()) <= 1


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 9), st.integers(0, 5))
def test_balanced_rounds_hold_each_class_alike(
    counts: list[int], unlabelled: int, turn: int
) -> None:
    classes = np.repeat([*range(len(counts)), -1], [*counts, unlabelled])
    stream = BalancedStream(np.arange(len(classes)), (1, 0), classes, 1.0)
    found = Counter(classes[stream.order(turn)].tolist())
    assert found[-1] == unlabelled
    shares = [found[number] for number in range(len(counts))]
    assert max(shares) - min(shares) <= 1


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 5))
def test_no_strength_is_each_picture_once_a_round(counts: list[int], turn: int) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    stream = BalancedStream(np.arange(len(classes)), (1, 0), classes, 0.0)
    assert sorted(stream.order(turn)) == list(range(len(classes)))


def test_half_the_strength_goes_by_the_square_root() -> None:
    classes = np.repeat([0, 1], [900, 100])
    order = BalancedStream(np.arange(1000), (1, 0), classes, 0.5).order(0)
    assert (order < 900).sum() == 750


def test_rounds_differ_and_are_shuffled() -> None:
    classes = np.repeat([0, 1], [90, 10])
    stream = BalancedStream(np.arange(100), (1, 0), classes, 1.0)
    first, second = (classes[stream.order(turn)] for turn in (0, 1))
    assert not np.array_equal(first, second)
    for order in (first, second):
        assert 10 < order[:50].sum() < 40
    other = BalancedStream(np.arange(100), (1, 1), classes, 1.0)
    assert not np.array_equal(other.order(0), stream.order(0))


def test_branches_of_a_seed_differ() -> None:
    orders = [Stream(np.arange(50), (1, 0), branch).order(0).tolist() for branch in range(3)]
    assert len(set(map(tuple, orders))) == 3


def test_classes_of_labels_and_votes() -> None:
    rows = np.array([[0, 1, 0], [0.2, 0.3, 0.5], [NAN] * 3, [1, 0, 0]], np.float32)
    assert classes_of(rows, ("a", "b", "c")).tolist() == [1, 2, -1, 0]


def test_classes_of_ages_are_their_groups() -> None:
    ages = [(3, 3), (13, 13), (12.9, 12.9), (10, 20), (NAN, NAN), (20, 29), (40, 49), (70, 120)]
    found = classes_of(np.array(ages, np.float32), None)
    assert found.tolist() == [0, 1, 0, 1, -1, 2, 3, 4]


@pytest.mark.parametrize(
    ("shares", "total", "parts"),
    [([1, 1, 1], 8, [3, 3, 2]), ([0.55, 0.45], 20, [11, 9]), ([5], 3, [3]), ([9, 1], 4, [4, 0])],
)
def test_apportion(shares: list[float], total: int, parts: list[int]) -> None:
    assert apportion(shares, total).tolist() == parts


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 9), st.integers(0, 9))
def test_resampled_classes_are_alike(counts: list[int], unlabelled: int, seed: int) -> None:
    classes = np.repeat([*range(len(counts)), -1], [*counts, unlabelled])
    for how, wanted in (("under", min(counts)), ("over", max(counts))):
        places = resampled(np.random.default_rng(seed), classes, how)  # type: ignore[arg-type]
        found = Counter(classes[places].tolist())
        assert found.pop(-1, 0) == unlabelled
        assert set(found.values()) == {wanted}
        times = Counter(places.tolist())
        for name in range(len(counts)):
            of_class = [times[place] for place in np.flatnonzero(classes == name).tolist()]
            assert max(of_class) - min(of_class) <= 1


def test_resampling_pictures_without_any_label_takes_each_once() -> None:
    places = resampled(np.random.default_rng(0), np.full(3, -1), "over")
    assert places.tolist() == [0, 1, 2]
