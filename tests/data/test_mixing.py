"""Mixed pictures: the pixels and the shares tell the same."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.data.augment import NONE, Augmentation
from mien.data.mixing import Mixed, mix

QUIET = NONE.model_dump()


def plain(count: int, size: int) -> NDArray[np.uint8]:
    """Pictures of one value each: 0, 20, 40, ..."""
    values = np.arange(count, dtype=np.uint8) * 20
    return np.broadcast_to(values[:, None, None, None], (count, size, size, 3)).copy()


def mixed(pixels: NDArray[np.uint8], seed: int = 0, **changes: Any) -> Mixed:
    augmentation = Augmentation.model_validate(QUIET | changes)
    return mix(np.random.default_rng(seed), pixels, augmentation)


ALPHAS = st.just(0.0) | st.floats(0, 100)


@settings(deadline=None)
@given(
    st.integers(1, 10),
    st.integers(1, 24),
    st.integers(0, 99),
    ALPHAS,
    ALPHAS,
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_the_mean_of_a_picture_shows_what_it_kept(
    count: int, size: int, seed: int, mixup: float, cutmix: float, chance: float
) -> None:
    before = plain(count, size)
    before.flags.writeable = False
    pixels, partners, kept = mixed(before, seed, mixup=mixup, cutmix=cutmix, mix_chance=chance)
    assert (pixels.shape, str(pixels.dtype)) == (before.shape, "uint8")
    assert (str(partners.dtype), str(kept.dtype)) == ("int64", "float32")
    assert ((kept >= 0) & (kept <= 1)).all()
    own, other = (values[:, 0, 0, 0].astype(float) for values in (before, before[partners]))
    means = pixels.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, kept * own + (1 - kept) * other, atol=0.501)
    assert (kept[partners == np.arange(count)] == 1).all()
    if not (mixup or cutmix) or chance == 0 or count == 1:
        assert (kept == 1).all()
        np.testing.assert_array_equal(pixels, before)


def test_every_other_picture_may_be_a_partner() -> None:
    found = [mixed(plain(4, 4), seed, mixup=1)[1] for seed in range(100)]
    counts = np.zeros((4, 4), int)
    for partners in found:
        counts[np.arange(4), partners] += 1
    assert (np.diag(counts) == 0).all()
    assert (counts[~np.eye(4, dtype=bool)] > 15).all()


def test_the_chance_is_each_picture_s_own() -> None:
    shares = [(mixed(plain(10, 4), seed, mixup=1, mix_chance=0.3)[2] < 1) for seed in range(50)]
    assert 0.21 < np.mean(shares) < 0.39  # 4.4 standard deviations
    assert len({tuple(which) for which in shares}) > 40


def test_blended_pictures_are_even_and_covered_ones_are_not() -> None:
    blended, _, _ = mixed(plain(6, 16), mixup=1)
    assert (blended == blended[:, :1, :1]).all()
    covered, partners, kept = mixed(plain(6, 16), cutmix=1)
    for index, picture in enumerate(covered[:, :, :, 0]):
        other = picture == 20 * partners[index]
        rows, columns = other.any(axis=1), other.any(axis=0)
        np.testing.assert_array_equal(other, rows[:, None] & columns)
        assert (picture[~other] == 20 * index).all()
        assert kept[index] == np.float32(1 - other.mean())


def test_with_both_each_picture_takes_one_of_them() -> None:
    even = []
    for seed in range(20):
        pixels, _, kept = mixed(plain(10, 16), seed, mixup=5, cutmix=5)
        even += (pixels == pixels[:, :1, :1]).all(axis=(1, 2, 3))[kept < 1].tolist()
    assert 0.35 < np.mean(even) < 0.65


@pytest.mark.parametrize(("alpha", "spread"), [(0.05, 0.4), (50, 0.1)])
def test_alpha_says_how_evenly_two_pictures_are_blended(alpha: float, spread: float) -> None:
    kept = np.concatenate([mixed(plain(10, 2), seed, mixup=alpha)[2] for seed in range(20)])
    assert kept.mean() == pytest.approx(0.5, abs=0.12)
    assert (kept.std() > spread) == (alpha < 1)
