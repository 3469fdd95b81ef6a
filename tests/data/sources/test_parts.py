"""Parts that a data set names: kept, completed, and kept apart."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mien.data.manifest import SPLITS
from mien.data.sources.parts import settle
from mien.data.sources.reading import Skipped
from mien.data.split import part_of

RANK = {"": 0, "train": 0, "validation": 1, "test": 2}


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", *SPLITS])), max_size=12))
def test_no_content_lies_in_two_parts(rows: list[tuple[int, str]]) -> None:
    contents = {Path(str(place)): f"c{content}" for place, (content, _) in enumerate(rows)}
    named = {Path(str(place)): part for place, (_, part) in enumerate(rows)}
    skipped = Skipped()
    settled = settle(contents, named, skipped, seed=0)
    assert len(settled) + skipped.total == len(rows)
    parts: dict[str, set[str]] = {}
    for path, part in settled.items():
        parts.setdefault(contents[path], set()).add(part)
        assert part == named[path] or RANK[named[path]] == 0
    assert set(parts) == set(contents.values())  # one of each content stays at least
    assert all(len(found) == 1 for found in parts.values())


def settled(*named: str, validation: float = 0.1) -> tuple[list[str], list[str]]:
    """Settle 200 different pictures, named in turn; return their parts, and what is noted."""
    paths = [Path(str(number)) for number in range(200)]
    contents = {path: f"content {path}" for path in paths}
    parts = {path: named[number % len(named)] for number, path in enumerate(paths)}
    skipped = Skipped()
    found = settle(contents, parts, skipped, seed=1, validation=validation)
    assert skipped.total == 0
    return [found[path] for path in paths], skipped.notes


def drawn(*shares: float) -> list[str]:
    return [part_of(f"content {number}", shares, 1) for number in range(200)]


def test_nothing_named() -> None:
    assert settled("") == (drawn(0.8, 0.1, 0.1), [])


def test_only_training_named() -> None:
    parts, notes = settled("train")
    assert parts == drawn(0.8, 0.1, 0.1)
    assert notes == [
        "validation is drawn from the training pictures, 10% of them",
        "test is drawn from the training pictures, 10% of them",
    ]


def test_validation_missing() -> None:
    parts, notes = settled("train", "test", "", validation=0.2)
    expected = drawn(0.8, 0.2, 0.0)
    expected[1::3] = ["test"] * len(expected[1::3])
    assert parts == expected
    assert notes == ["validation is drawn from the training pictures, 20% of them"]


def test_test_missing() -> None:
    parts, notes = settled("train", "validation")
    expected = drawn(0.9, 0.0, 0.1)
    expected[1::2] = ["validation"] * 100
    assert parts == expected
    assert notes == ["test is drawn from the training pictures, 10% of them"]


def test_all_named() -> None:
    parts, notes = settled(*SPLITS)
    assert parts == [SPLITS[number % 3] for number in range(200)]
    assert notes == []


def test_only_a_test_part() -> None:
    assert settled("test") == (["test"] * 200, [])
