"""Training batches: each follows from its number; shares are exact; targets are as labelled."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.augment import NONE, Augmentation
from mien.data.batches import BatchPlan, Target, targets
from mien.data.manifest import Manifest, Sample
from mien.data.store import Framing, Store, open_store
from mien.errors import DataError
from tests.labelled import manifest_of, noise

MOOD = Target("mood", ("good", "bad", "so"))
AGE = Target("age")
NAN = float("nan")


def labelled(*labels: Mapping[str, str], sources: Sequence[str] = "") -> Manifest:
    """Samples of these labels; their pictures are not needed."""
    return Manifest(
        tuple(
            Sample(
                Path(f"{number}.png"), sources[number] if sources else "s", "c", "train", {**own}
            )
            for number, own in enumerate(labels)
        )
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Store]:
    """Seven labelled pictures of two sources, five and two, and their store."""
    folder = tmp_path_factory.mktemp("pictures")
    manifest = manifest_of(folder, *(noise(seed, 20, 20) for seed in range(7)))
    samples = [
        Sample(old.path, "x" if number < 5 else "y", old.content, "train", {"age": str(number)})
        for number, old in enumerate(manifest.samples)
    ]
    manifest = Manifest(tuple(samples))
    return manifest, open_store(manifest, Framing(16), folder / "stores", threads=1)


def plan(
    pictures: tuple[Manifest, Store],
    shares: Mapping[str, float] | None = None,
    augmentation: Augmentation = NONE,
    size: int = 4,
    seed: int = 0,
) -> BatchPlan:
    return BatchPlan(*pictures, [AGE], shares or {}, augmentation, size, seed)


def test_a_batch_follows_from_its_number(pictures: tuple[Manifest, Store]) -> None:
    changes = Augmentation(border=0.5, grey=0.5, noise=0.5)
    first, again = (plan(pictures, augmentation=changes) for _ in range(2))
    for number in (3, 0, 1_000_000):
        one, other = first.batch(number, 16), again.batch(number, 16)
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.targets["age"], other.targets["age"])
    pixels = {plan(pictures, augmentation=changes).batch(n, 16).pixels.tobytes() for n in range(9)}
    assert len(pixels) == 9
    assert plan(pictures, seed=1).batch(0, 16).pixels.tobytes() not in pixels


def test_pictures_come_with_their_own_labels(pictures: tuple[Manifest, Store]) -> None:
    _, store = pictures
    batch = plan(pictures, size=10).batch(5, 16)
    assert (batch.pixels.shape, str(batch.pixels.dtype)) == ((10, 16, 16, 3), "uint8")
    assert batch.targets["age"].shape == (10, 2)
    for pixels, (age, same) in zip(batch.pixels, batch.targets["age"], strict=True):
        assert age == same
        np.testing.assert_array_equal(pixels, store.crop(int(age), 16))


def test_a_picture_is_changed_anew_each_time(pictures: tuple[Manifest, Store]) -> None:
    changing = plan(pictures, augmentation=Augmentation(), size=14)
    batch = changing.batch(0, 16)
    assert len({pixels.tobytes() for pixels in batch.pixels}) == 14


def test_pictures_are_mirrored_in_every_other_round(pictures: tuple[Manifest, Store]) -> None:
    _, store = pictures
    changes = NONE.model_copy(update={"flip": "alternate"})
    rounds = [plan(pictures, augmentation=changes, size=7).batch(n, 16) for n in range(4)]
    seen = []
    for batch in rounds:
        mirrored = {}
        for pixels, (age, _) in zip(batch.pixels, batch.targets["age"], strict=True):
            crop = store.crop(int(age), 16)
            mirrored[int(age)] = np.array_equal(pixels, crop[:, ::-1])
            assert mirrored[int(age)] or np.array_equal(pixels, crop)
        seen.append([mirrored[age] for age in range(7)])
    assert seen[0] == seen[2] != seen[1] == seen[3]
    assert [not one for one in seen[0]] == seen[1]


def test_whole_batches_are_moved_after_each_picture(pictures: tuple[Manifest, Store]) -> None:
    """What moves a batch does not change how its pictures are changed by themselves."""
    alone = Augmentation(noise=0.5)
    moved = alone.model_copy(update={"translate": 3})
    one, other = (plan(pictures, augmentation=each).batch(2, 16).pixels for each in (alone, moved))
    assert not np.array_equal(one, other)
    for pixels, shifted in zip(one, other, strict=True):
        padded = np.pad(pixels, [(3, 3), (3, 3), (0, 0)], mode="reflect")
        parts = (padded[y : y + 16, x : x + 16] for y in range(7) for x in range(7))
        assert any(np.array_equal(part, shifted) for part in parts)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.lists(st.floats(0.05, 5), min_size=3, max_size=3),
    st.integers(6, 20),
    st.integers(0, 2**32 - 1),
)
def test_each_source_is_met_once_a_round_in_its_share(
    counts: list[int], shares: list[float], size: int, seed: int
) -> None:
    names = "abc"[: len(counts)]
    sources = "".join(name * count for name, count in zip(names, counts, strict=True))
    manifest = labelled(*({"age": "1"} for _ in sources), sources=sources)
    wanted = dict(zip(names, shares, strict=False))
    try:
        made = BatchPlan(manifest, None, [AGE], wanted, NONE, size, seed)  # type: ignore[arg-type]
    except DataError:
        assert min(wanted.values()) / sum(wanted.values()) * size < 1
        return
    drawn = [made.indices(number) for number in range(20)]
    for name in names:
        pool = [i for i, source in enumerate(sources) if source == name]
        stream = [int(i) for batch in drawn for i in batch if sources[i] == name]
        each = Counter(sources[int(i)] for i in drawn[0])[name]
        assert abs(each - wanted[name] / sum(wanted.values()) * size) < 1
        assert len(stream) == 20 * each
        for start in range(0, len(stream) - len(pool), len(pool)):
            assert sorted(stream[start : start + len(pool)]) == pool
    assert all(len(batch) == size for batch in drawn)


def test_mixed_batches_follow_from_their_number(pictures: tuple[Manifest, Store]) -> None:
    mixing = Augmentation.model_validate(NONE.model_dump() | {"mixup": 1, "cutmix": 1})
    for number in range(4):
        batch, again = (
            plan(pictures, augmentation=mixing, size=10).batch(number, 16) for _ in range(2)
        )
        np.testing.assert_array_equal(batch.pixels, again.pixels)
        np.testing.assert_array_equal(batch.partners, again.partners)
        np.testing.assert_array_equal(batch.kept, again.kept)
        plain = plan(pictures, size=10).batch(number, 16)
        np.testing.assert_array_equal(batch.targets["age"], plain.targets["age"])
        kept = batch.kept[:, np.newaxis, np.newaxis, np.newaxis]
        blended = kept * plain.pixels + (1 - kept) * plain.pixels[batch.partners]
        even = np.abs(blended - batch.pixels).max(axis=(1, 2, 3)) < 0.51
        own = (batch.pixels == plain.pixels) | (batch.pixels == plain.pixels[batch.partners])
        assert (even | own.all(axis=(1, 2, 3))).all()
        assert (batch.kept < 1).sum() >= 5


def test_an_unmixed_batch_keeps_all_of_its_own(pictures: tuple[Manifest, Store]) -> None:
    batch = plan(pictures, size=6).batch(0, 16)
    assert batch.partners.tolist() == list(range(6))
    assert batch.kept.tolist() == [1] * 6


def balanced(manifest: Manifest, task: str, size: int, **options: Any) -> BatchPlan:
    """A plan whose pictures are not needed."""
    wanted = [MOOD, AGE]
    return BatchPlan(manifest, None, wanted, {}, NONE, size, 0, balance=task, **options)  # type: ignore[arg-type]


def test_balanced_classes_and_age_groups() -> None:
    old, young = {"age": "70", "mood": "good"}, {"age_low": "3", "age_high": "9", "mood": "bad"}
    manifest = labelled(*[old] * 14, *[young] * 2, *[{"mood": "so"}] * 4)
    made = balanced(manifest, "mood", 21)
    drawn = Counter(int(i) for number in range(20) for i in made.indices(number))
    shares = [sum(drawn[i] for i in part) / 420 for part in (range(14), (14, 15), range(16, 20))]
    np.testing.assert_allclose(shares, [7 / 20, 7 / 20, 6 / 20], atol=0.02)
    made = balanced(manifest, "age", 20)
    for number in range(5):
        found = made.indices(number)
        assert ((found < 14).sum(), (found >= 16).sum()) == (8, 4)
    assert sorted(balanced(manifest, "age", 20, balance_strength=0).indices(1)) == list(range(20))


def test_each_source_is_balanced_by_itself() -> None:
    rows = [{"mood": "good", "age": "1"}] * 9 + [{"mood": "bad"}] + [{"mood": "so"}] * 5
    manifest = labelled(*rows, sources="x" * 10 + "y" * 5)
    shares = {"x": 0.5, "y": 0.5}
    made = BatchPlan(manifest, None, [MOOD], shares, NONE, 20, 0, balance="mood")  # type: ignore[arg-type]
    found = made.indices(3)
    assert [(found < 9).sum(), (found == 9).sum(), (found > 9).sum()] == [5, 5, 10]


def test_a_balance_that_is_no_task() -> None:
    with pytest.raises(DataError, match=r"no task 'race' to balance .*; the tasks are mood, age"):
        balanced(labelled({"mood": "bad", "age": "1"}), "race", 2)


def test_shares(pictures: tuple[Manifest, Store]) -> None:
    mixed = plan(pictures, {"x": 0.55, "y": 0.45}, size=20)
    for number in range(5):
        ages = mixed.batch(number, 16).targets["age"][:, 0]
        assert ((ages < 5).sum(), (ages >= 5).sum()) == (11, 9)
    alike = [plan(pictures, size=7).indices(number) for number in range(3)]
    assert all(sorted(indices) == list(range(7)) for indices in alike)
    assert len({tuple(indices) for indices in alike}) == 3


def test_shares_that_do_not_fit_the_data(pictures: tuple[Manifest, Store]) -> None:
    message = "shares name {}; the manifest's training part holds x, y. Give each of these its sh"
    with pytest.raises(DataError, match=message.format("x, z")):
        plan(pictures, {"x": 0.5, "z": 0.5})
    with pytest.raises(DataError, match=message.format("x")):
        plan(pictures, {"x": 1})
    with pytest.raises(DataError, match=r"shares of 99, 1 leave one .* in a batch of 4; make opti"):
        plan(pictures, {"x": 99, "y": 1})


def test_classes_and_votes() -> None:
    found = targets(
        labelled(
            {"mood": "bad"},
            {"mood": "good", "mood/good": "3", "mood/so": "1"},
            {"mood/bad": "2"},
            {"age": "3"},
            {"mood": "so", "mood/so": "0"},
        ),
        [MOOD],
    )["mood"]
    assert found.dtype == np.float32
    wanted = [[0, 1, 0], [0.75, 0, 0.25], [0, 1, 0], [NAN] * 3, [0, 0, 1]]
    np.testing.assert_array_equal(found, np.array(wanted, np.float32))


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["good", "bad", "so"]), st.floats(0, allow_infinity=False)),
        min_size=1,
    )
)
def test_votes_sum_to_one(votes: list[dict[str, float]]) -> None:
    rows = [{f"mood/{name}": repr(weight) for name, weight in own.items()} for own in votes]
    found = targets(labelled({"mood": "so"}, *rows), [MOOD])["mood"][1:]
    for row, own in zip(found, votes, strict=True):
        total = sum(map(Fraction, own.values()))
        if not total:
            assert np.isnan(row).all()
            continue
        np.testing.assert_allclose(row.sum(), 1, rtol=1e-6)
        wanted = [float(Fraction(own.get(name, 0)) / total) for name in ("good", "bad", "so")]
        np.testing.assert_allclose(row, wanted, atol=1e-6)


def test_ages_known_exactly_in_part_or_not_at_all() -> None:
    found = targets(
        labelled(
            {"age": "30"},
            {},
            {"age": "0.5"},
            {"age_low": "20", "age_high": "29"},
            {"age": "24", "age_low": "20", "age_high": "29"},
        ),
        [AGE],
    )["age"]
    assert found.dtype == np.float32
    wanted = [[30, 30], [NAN, NAN], [0.5, 0.5], [20, 29], [24, 24]]
    np.testing.assert_array_equal(found, np.array(wanted, np.float32))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"mood": "sad"}, "0.png: mood is 'sad'; the task's labels are good, bad, so"),
        (
            {"mood": "good", "mood/sad": "1"},
            "votes for mood/sad; the labels of the task 'mood' are",
        ),
        ({"mood": "good", "age": "old"}, "0.png: age must be a number, not 'old'"),
        ({"mood": "good", "age_low": "3"}, "0.png: age_low and age_high must be an interval"),
        (
            {"mood": "good", "age_low": "9", "age_high": "3"},
            "0.png: age_low and age_high must be an interval, not 9 and 3",
        ),
        ({"mood": "good", "age": "1", "age/2": "1"}, "votes for age/2; .* 'age' are numbers"),
        ({"mood": "good"}, "none of the 2 pictures in train has a label for the task 'age'; they"),
        ({"age": "1"}, "none of the 2 pictures .* for the task 'mood'; they have age"),
    ],
)
def test_labels_that_do_not_fit_the_tasks(labels: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        targets(labelled(labels, {}), [MOOD, AGE])
