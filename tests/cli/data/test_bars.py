"""Bars of text: aligned, told apart by part, the longest as wide as there is room."""

import io

from mien.cli.data.bars import print_bars
from mien.data.counts import Count


def printed(*counts: Count) -> list[str]:
    stream = io.StringIO()
    print_bars(counts, stream)
    return stream.getvalue().splitlines()


def test_parts_follow_each_other() -> None:
    lines = printed(
        Count("mood", "good", {"train": 20, "validation": 10, "test": 9, "no part": 1}),
        Count("mood", "bad", {"train": 5, "validation": 5, "test": 0, "no part": 0}),
    )
    assert lines[2].endswith("█" * 20 + "▓" * 10 + "▒" * 9 + "░")
    assert lines[3].endswith("  █████▓▓▓▓▓")


def test_each_task_has_a_block_of_its_own() -> None:
    lines = printed(Count("a", "x", {"train": 1000}), Count("b", "y", {"train": 3}))
    assert [line.split()[:3] for line in lines if line] == [
        ["a", "pictures", "train"],
        ["x", "1,000", "1,000"],
        ["b", "pictures", "train"],
        ["y", "3", "3"],
    ]


def test_columns_are_aligned_whatever_the_letters() -> None:
    lines = printed(
        Count("mood", "日本", {"train": 1}),
        Count("mood", "a" * 99, {"train": 1}),
        Count("mood", "b\x1b", {"train": 1}),
    )
    assert lines[2].startswith("日本" + " " * 20)
    assert lines[3].startswith("a" * 23 + "…" + " " * 2)
    assert lines[4].startswith(r"b\x1b" + " " * 19)


def test_no_labels_no_bars() -> None:
    assert printed() == []
