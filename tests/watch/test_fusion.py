"""Fusion: one answer from several crops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.watch.fusion import Tempering, effective, fuse, fuse_probability

PLAIN = Tempering(1, 0)
PRODUCT = Tempering(1, 1)


def spread(mean: float, width: float) -> np.ndarray:
    years = np.arange(101)
    likely = np.exp(-0.5 * ((years - mean) / width) ** 2)
    return np.asarray(likely / likely.sum())


def width_of(distribution: np.ndarray) -> float:
    years = np.arange(101)
    mean = distribution @ years
    return float(np.sqrt(distribution @ (years - mean) ** 2))


def test_one_crop_untempered_is_itself() -> None:
    assert fuse(spread(30, 5)[None], [0.3], PLAIN) == pytest.approx(spread(30, 5), abs=1e-5)


def test_alike_crops_agree_with_each() -> None:
    crops = np.stack([spread(30, 5)] * 4)

    assert fuse(crops, [1] * 4, PLAIN) == pytest.approx(spread(30, 5), abs=1e-5)


def test_independent_crops_would_halve_the_width() -> None:
    crops = np.stack([spread(30, 5)] * 4)

    assert width_of(fuse(crops, [1] * 4, PRODUCT)) == pytest.approx(2.5, abs=0.01)


def test_a_scale_below_one_widens() -> None:
    wider = fuse(spread(50, 7)[None], [1], Tempering(0.5, 0))

    assert width_of(wider) == pytest.approx(7 * 2**0.5, abs=0.6)


def test_better_crops_count_more() -> None:
    crops = np.stack([spread(40, 10), spread(60, 10)])
    years = np.arange(101)

    assert fuse(crops, [1, 1], PLAIN) @ years == pytest.approx(50, abs=0.1)
    assert fuse(crops, [3, 1], PLAIN) @ years == pytest.approx(45, abs=0.1)


def test_one_blind_crop_does_not_decide() -> None:
    crops = np.stack([spread(30, 4), spread(30, 4), np.eye(101)[90]])

    assert fuse(crops, [1, 1, 1], PLAIN) @ np.arange(101) < 60


@pytest.mark.parametrize(("weights", "number"), [([1], 1), ([2, 2], 2), ([1, 0.0001], 1)])
def test_effective_number(weights: list[float], number: float) -> None:
    assert effective(weights) == pytest.approx(number, abs=0.001)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=1, max_size=6),
)
def test_a_probability_stays_one_between_its_crops(known: list[tuple[float, float]]) -> None:
    values, weights = zip(*known, strict=True)
    fused = fuse_probability(values, weights, PLAIN)

    assert min(values) - 1e-5 <= fused <= max(values) + 1e-5
    assert fuse_probability([1 - v for v in values], weights, PLAIN) == pytest.approx(1 - fused)
