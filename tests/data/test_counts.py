"""Counts per label and part, and their chart."""

from pathlib import Path

from mien.data.counts import as_dict, condensed, count, draw, parts, size_of_chart
from mien.data.manifest import Manifest, Sample
from mien.evaluation.canvas import render


def manifest_of(*rows: tuple[str, dict[str, str]]) -> Manifest:
    return Manifest(tuple(Sample(Path("a"), "s", "c", split, labels) for split, labels in rows))


def test_counts_by_label_and_part() -> None:
    found = manifest_of(
        ("test", {"age": "30", "mood": "good"}),
        ("train", {"age": "31"}),
        ("train", {"age": "4", "mood": "bad"}),
        ("", {}),
    )
    assert parts(found) == ["train", "test", "no part"]
    counts = count(found)
    assert as_dict(counts) == {
        "age": {
            "0–9": {"train": 1, "test": 0, "no part": 0},
            "30–39": {"train": 1, "test": 1, "no part": 0},
        },
        "mood": {
            "bad": {"train": 1, "test": 0, "no part": 0},
            "good": {"train": 0, "test": 1, "no part": 0},
        },
    }
    assert [one.total for one in counts] == [1, 2, 1, 1]


def test_of_many_labels_the_largest_are_shown() -> None:
    rows = [("train", {"kind": f"k{number}"}) for number in range(6) for _ in range(number + 1)]
    counts = count(manifest_of(*rows, ("train", {"mood": "good"})))
    shown = [(one.task, one.label, one.total) for one in condensed(counts, most=3)]
    assert shown == [
        ("kind", "k4", 5),
        ("kind", "k5", 6),
        ("kind", "4 more labels", 10),
        ("mood", "good", 1),
    ]
    assert condensed(counts, most=6) == counts


def test_the_chart_is_a_picture() -> None:
    labels = {"kind": "$x$\x1b" + "y" * 300, "mood": "gut"}
    counts = count(manifest_of(("train", labels), ("test", {"mood": "schlecht"})))
    data = render(lambda figure: draw(figure, counts), *size_of_chart(counts), "png")
    assert data.startswith(b"\x89PNG")


def test_the_chart_grows_with_the_labels() -> None:
    few, many = (
        count(manifest_of(*(("train", {"kind": f"k{n}"}) for n in range(most)))) for most in (2, 30)
    )
    assert size_of_chart(many)[1] > size_of_chart(few)[1]
