"""Parts: drawn by content alone in the wanted shares, or dealt out evenly by labels."""

import math
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.manifest import SPLITS, Manifest, Sample
from mien.data.split import EVEN_SHARES, Scarce, part_evenly, part_of
from mien.errors import DataError

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


def people(*labels: dict[str, str], split: str = "") -> Manifest:
    samples = [Sample(Path(f"{i}"), "s", f"c{i}", split, one) for i, one in enumerate(labels)]
    return Manifest(tuple(samples))


def counts(manifest: Manifest, **labels: str) -> list[int]:
    """Return how many samples with these labels lie in train, validation and test."""
    chosen = [s for s in manifest.samples if labels.items() <= s.labels.items()]
    return [sum(s.split == part for s in chosen) for part in SPLITS]


def mixture(count: int, seed: int = 0) -> Manifest:
    rng = random.Random(seed)
    return people(
        *({"age": str(rng.randrange(90)), "mood": rng.choice("aaaabbc")} for _ in range(count))
    )


def test_every_label_has_its_share_in_every_part() -> None:
    parted = part_evenly(mixture(2000))
    assert counts(parted.manifest) == [1400, 300, 300]
    for mood in "abc":
        have = counts(parted.manifest, mood=mood)
        for number, share in zip(have, EVEN_SHARES, strict=True):
            # Nine decades, each within two pictures of its share.
            assert number == pytest.approx(share * sum(have), abs=18)
    assert parted.scarce == ()


def test_one_task_is_parted_within_a_picture_or_two() -> None:
    found = part_evenly(mixture(1000), by=["mood"]).manifest
    for mood in "abc":
        have = counts(found, mood=mood)
        for number, share in zip(have, EVEN_SHARES, strict=True):
            assert number == pytest.approx(share * sum(have), abs=2)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab")), min_size=1, max_size=40),
    st.tuples(*[st.integers(0, 5)] * 3).filter(sum),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_count(
    rows: list[tuple[int, str]], shares: tuple[int, ...], seed: int, rng: random.Random
) -> None:
    samples = [
        Sample(Path(f"{i}"), "s", str(content), "", {"mood": mood})
        for i, (content, mood) in enumerate(rows)
    ]
    first = part_evenly(Manifest(tuple(samples)), shares, seed=seed)
    rng.shuffle(samples)
    second = part_evenly(Manifest(tuple(samples)), shares, seed=seed)
    assert first.manifest.split_hash == second.manifest.split_hash
    assert first.scarce == second.scarce
    parts = {(s.content, s.split) for s in first.manifest.samples}
    assert len(parts) == len({s.content for s in samples})
    assert {part for _, part in parts} <= {
        part for part, share in zip(SPLITS, shares, strict=True) if share
    }


def test_another_seed_is_another_split() -> None:
    hashes = {part_evenly(mixture(100), seed=seed).manifest.split_hash for seed in (0, 0, 1)}
    assert len(hashes) == 2


def test_a_rare_label_is_in_every_part() -> None:
    """Of three pictures, 15 % would be none."""
    labels = [{"mood": "a"}] * 200 + [{"mood": "b"}] * 3
    parted = part_evenly(people(*labels))
    assert counts(parted.manifest, mood="b") == [1, 1, 1]
    assert parted.scarce == ()


def test_a_label_with_too_few_pictures_is_named() -> None:
    labels = [{"mood": "a"}] * 20 + [{"mood": "b"}] * 2 + [{"age": "31"}]
    parted = part_evenly(people(*labels))
    named = {(one.task, one.label): sum(one.parts.values()) for one in parted.scarce}
    assert named == {("mood", "b"): 2, ("age", "30–39"): 1}
    assert list(parted.scarce[0].parts) == list(SPLITS)


def test_copies_count_once() -> None:
    copies = [Sample(Path(f"{i}"), "s", "c", "", {"mood": "b"}) for i in range(9)]
    others = mixture(60).samples
    parted = part_evenly(Manifest((*copies, *others)), by=["mood"])
    (part,) = {s.split for s in parted.manifest.samples[:9]}
    scarce = part_evenly(Manifest(tuple(copies))).scarce
    assert part in SPLITS
    assert scarce == (Scarce("mood", "b", {"train": 1, "validation": 0, "test": 0}),)


def test_pictures_that_look_alike_stay_together() -> None:
    found = mixture(60)
    same = [(0, 1, 2), (10, 20), (20, 30), (5,)]
    splits = [s.split for s in part_evenly(found, same=same).manifest.samples]
    assert len({splits[row] for row in (0, 1, 2)}) == 1
    assert len({splits[row] for row in (10, 20, 30)}) == 1
    moved = part_evenly(found, same=[*reversed(same)]).manifest
    assert [s.split for s in moved.samples] == splits


def test_a_stratum_of_many_tiny_labels_keeps_the_shares() -> None:
    labels = [{"name": f"n{number}"} for number in range(1000)]
    parted = part_evenly(people(*labels))
    assert counts(parted.manifest) == [700, 150, 150]
    assert len(parted.scarce) == 1000


def test_the_test_part_may_be_kept() -> None:
    first = part_evenly(mixture(400)).manifest
    second = part_evenly(first, keep_test=True, seed=5).manifest
    third = part_evenly(first, keep_test=True, seed=6).manifest
    for found in (second, third):
        before = {s.content for s in first.samples if s.split == "test"}
        assert {s.content for s in found.samples if s.split == "test"} == before
        assert counts(found) == [280, 60, 60]
    assert second != third


def test_what_looks_like_a_test_picture_comes_to_the_test_part() -> None:
    found = Manifest((*people({}, {}, {}, split="train").samples,))
    samples = [*found.samples, Sample(Path("t"), "s", "t", "test", {})]
    parted = part_evenly(Manifest(tuple(samples)), keep_test=True, same=[(0, 3)])
    assert [s.split == "test" for s in parted.manifest.samples] == [True, False, False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shares": (1, 1)}, "three numbers of at least 0, as in 70,15,15, not 1,1"),
        ({"shares": (1, -1, 1)}, "three numbers"),
        ({"shares": (0, 0, 0)}, "three numbers"),
        ({"shares": (1, 1, math.inf)}, "three numbers"),
        ({"shares": (1, 1, math.nan)}, "three numbers"),
        ({"shares": (0, 0, 1), "keep_test": True}, "with the test part kept, the first two count"),
        ({"keep_test": True}, "has no test part to keep"),
        ({"by": ["mod"]}, "has no labels 'mod'; it has mood"),
    ],
)
def test_wrong_use(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        part_evenly(people({"mood": "a"}), **arguments)  # type: ignore[arg-type]
