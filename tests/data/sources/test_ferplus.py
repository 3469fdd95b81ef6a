"""FER+: labels and soft labels from votes."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.sources.ferplus import EXPRESSIONS, RULES, import_ferplus
from mien.data.sources.reading import Skipped
from mien.data.split import part_of
from mien.errors import DataError
from tests.data.sources.samples import by_name
from tests.labelled import noise, save

VOTES = (*EXPRESSIONS, "unknown", "NF")
AGREED = {"happiness": 8, "neutral": 2}
FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid"}


def ferplus(folder: Path, *rows: tuple[str, str, dict[str, Any]]) -> Path:
    """Write FER+'s table; a row is its part, its picture's name, and its votes."""
    with (folder / "fer2013new.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["Usage", "Image name", *VOTES], restval="0")
        table.writeheader()
        for usage, name, votes in rows:
            table.writerow({"Usage": usage, "Image name": name} | votes)
    return folder


def test_ferplus(tmp_path: Path) -> None:
    rows = [("Training", f"t{number:02}.png", AGREED) for number in range(60)]
    rows += [("PublicTest", "p.png", {"anger": 6, "disgust": 4, "fear": 1, "unknown": 1})]
    for usage, name, _ in rows:
        save(tmp_path / FOLDERS[usage] / name, noise(int(name[1:3]) if name[0] == "t" else 99))
    (tmp_path / FOLDERS["Training"] / "t00.png").rename(tmp_path / "FER2013Train" / "t00.webp")
    skipped = Skipped()
    found = by_name(import_ferplus(ferplus(tmp_path, *rows), skipped))
    assert skipped.total == 0
    assert len(found) == 61
    assert found["t00.webp"].labels == {
        "expression": "happiness",
        "expression/neutral": "2",
        "expression/happiness": "8",
    }
    assert found["p.png"].labels == {
        "expression": "anger",
        "expression/anger": "6",
        "expression/disgust": "4",
    }
    for name, sample in found.items():
        drawn = part_of(sample.content, (0.9, 0.1, 0))
        assert sample.split == ("test" if name == "p.png" else drawn)
        assert sample.source == "ferplus"
    assert {"train", "validation"} <= {sample.split for sample in found.values()}


def test_ferplus_keeps_the_test_part_out_of_training(tmp_path: Path) -> None:
    disputed = {"fear": 5, "sadness": 5}
    rows = [
        ("Training", "twin.png", AGREED),
        ("Training", "twin of disputed.png", AGREED),
        ("Training", "own.png", AGREED),
        ("PublicTest", "tested.png", AGREED),
        ("PublicTest", "disputed.png", disputed),
    ]
    for (usage, name, _), seed in zip(rows, (1, 2, 3, 1, 2), strict=True):
        save(tmp_path / FOLDERS[usage] / name, noise(seed))
    skipped = Skipped()
    found = by_name(import_ferplus(ferplus(tmp_path, *rows), skipped))
    assert list(found) == ["own.png", "tested.png"]
    assert skipped.names == {
        "training picture that the test part repeats": ["twin.png", "twin of disputed.png"],
        "no expression has more than half of the votes": ["disputed.png"],
    }


def test_ferplus_rows_that_cannot_be_used(tmp_path: Path) -> None:
    rows = [
        ("Training", "a.png", AGREED),
        ("Training", "a.png", AGREED),
        ("Training", "gone.png", AGREED),
        ("Training", "", AGREED),
        ("Training", "../../secret.png", AGREED),
        ("PrivateTest", "c.png", AGREED),
    ]
    save(tmp_path / "FER2013Train" / "a.png", noise(0))
    save(tmp_path.parent / "secret.png", noise(1))
    skipped = Skipped()
    found = import_ferplus(ferplus(tmp_path, *rows), skipped)
    assert list(by_name(found)) == ["a.png"]
    assert skipped.names == {
        "row that names a picture again": ["a.png"],
        "row whose picture is missing": ["gone.png", "../../secret.png"],
        "row without a picture's name": [f"{tmp_path / 'fer2013new.csv'}, line 5"],
        "row of a part that is not used": ["c.png of PrivateTest"],
    }


@pytest.mark.parametrize("votes", ["", "2.0", "-1", "x", "٣", "1" * 12])
def test_ferplus_votes_that_are_no_whole_number(votes: str, tmp_path: Path) -> None:
    ferplus(tmp_path, ("Training", "a.png", AGREED), ("Training", "b.png", {"fear": votes}))
    message = rf"fer2013new\.csv, line 3: the votes for fear must be a whole number, not '{votes}'"
    with pytest.raises(DataError, match=message):
        import_ferplus(tmp_path, Skipped())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the columns Image name, NF, Usage, anger, .*, unknown are missing"),
        (b"Usage,Image name\nTraining,a.png\n", "the columns NF, anger, .* are missing"),
        (b"\xff\xfe\x00", "not a CSV table in UTF-8"),
    ],
)
def test_a_table_that_is_not_that_of_ferplus(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "fer2013new.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"fer2013new\.csv: {message}"):
        import_ferplus(tmp_path, Skipped())


def test_ferplus_without_its_table_or_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fer2013new\.csv: cannot be read \(No such file"):
        import_ferplus(tmp_path, Skipped())
    ferplus(tmp_path, ("Training", "a.png", AGREED))
    with pytest.raises(DataError, match="no readable picture with a label in fer2013new"):
        import_ferplus(tmp_path, Skipped())


def majority(votes: list[int]) -> int | None:
    """FER+'s rule as its authors' program has it: outliers away, then a true majority."""
    kept = np.array(votes, float)
    kept[kept < 1.5] = 0.0
    best = int(kept.argmax())
    return best if kept[best] > 0.5 * kept.sum() and best < 8 else None


def argmax(votes: list[int]) -> int | None:
    """The largest of the eight, by sorting: its margin to the next must not be zero."""
    order = np.argsort(votes[:8], stable=True)
    return int(order[-1]) if votes[order[-1]] > votes[order[-2]] else None


@pytest.mark.parametrize("least", [1, 2], ids=["argmax", "majority"])
@settings(deadline=None)
@given(votes=st.lists(st.integers(0, 3) | st.integers(0, 10), min_size=10, max_size=10))
def test_rules(least: int, votes: list[int]) -> None:
    rule, reference = (RULES["argmax"], argmax) if least == 1 else (RULES["majority"], majority)
    found, wanted = rule(dict(zip(VOTES, votes, strict=True))), reference(votes)
    if wanted is None:
        assert found is None
        return
    soft = {
        f"expression/{name}": str(count)
        for name, count in zip(EXPRESSIONS, votes, strict=False)
        if count >= least
    }
    assert found == soft | {"expression": EXPRESSIONS[wanted]}


def test_the_two_rules_part_on_a_plurality(tmp_path: Path) -> None:
    votes = {"fear": 4, "surprise": 3, "sadness": 1, "unknown": 5}
    save(tmp_path / "FER2013Train" / "agreed.png", noise(0))
    save(tmp_path / "FER2013Train" / "plural.png", noise(1))
    save(tmp_path / "FER2013Train" / "even.png", noise(2))
    even = {"fear": 4, "surprise": 4}
    rows = [("agreed.png", AGREED), ("plural.png", votes), ("even.png", even)]
    ferplus(tmp_path, *(("Training", name, own) for name, own in rows))
    own_rule = Skipped()
    assert list(by_name(import_ferplus(tmp_path, own_rule))) == ["agreed.png"]
    assert own_rule.names == {
        "no expression has more than half of the votes": ["plural.png", "even.png"]
    }
    skipped = Skipped()
    found = by_name(import_ferplus(tmp_path, skipped, rule="argmax"))
    assert skipped.names == {"no single expression has the most votes": ["even.png"]}
    assert found["plural.png"].labels == {
        "expression": "fear",
        "expression/surprise": "3",
        "expression/sadness": "1",
        "expression/fear": "4",
    }
    with pytest.raises(DataError, match="rule must be one of majority, argmax, not 'mode'"):
        import_ferplus(tmp_path, Skipped(), rule="mode")
