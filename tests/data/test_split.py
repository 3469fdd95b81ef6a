"""The draw of a picture's part: by its content alone, in the wanted shares."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.manifest import SPLITS
from mien.data.split import part_of

MANY = [f"picture {number}" for number in range(20_000)]


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (0.2, 0.3, 0.5)])
def test_parts_have_the_wanted_shares(shares: tuple[float, float, float]) -> None:
    counts = Counter(part_of(content, shares, seed=3) for content in MANY)
    for name, share in zip(SPLITS, shares, strict=True):
        # Four standard deviations of a share of 20,000 draws are at most 0.0142.
        assert counts[name] / len(MANY) == pytest.approx(share, abs=0.0142)
        assert (counts[name] > 0) == (share > 0)


def test_the_draw_never_changes() -> None:
    """Published splits must stay as they are."""
    found = "".join(part_of(content)[:2] for content in MANY[:24])
    assert found == "trtrtrtetrtrtrtrtrtrtrtetrvatrtrtrtrtrtrtrtrtrtr"


def test_other_seeds_are_independent() -> None:
    first = [part_of(content, seed=1) == "train" for content in MANY]
    second = [part_of(content, seed=2) == "train" for content in MANY]
    both = sum(a and b for a, b in zip(first, second, strict=True))
    assert both / len(MANY) == pytest.approx(0.64, abs=0.0142)


@settings(deadline=None)
@given(st.text(), st.integers(0, 2**32))
def test_a_part_of_all_takes_all(content: str, seed: int) -> None:
    assert part_of(content, (1.0, 0.0, 0.0), seed) == "train"
    assert part_of(content, (0.0, 0.0, 1.0), seed) == "test"
