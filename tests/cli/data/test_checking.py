"""`mien data check`: what it says, what it writes, and its exit code."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.cli.data import checking
from mien.data import hashes, manifest, mend
from mien.data.manifest import Manifest
from tests.cli.conftest import Mien
from tests.data.test_check import dimmed, large
from tests.labelled import sample_of, save


def write(folder: Path, *rows: tuple[NDArray[np.uint8], str, dict[str, str]]) -> list[Path]:
    samples = []
    for number, (pixels, split, labels) in enumerate(rows):
        path = save(folder / "set" / f"{number}.png", pixels)
        samples.append(sample_of(path, labels, split))
    Manifest(tuple(samples)).write(folder / "m.csv")
    return [sample.path for sample in samples]


def write_dirty(folder: Path) -> list[Path]:
    """Write a set with one of each problem: pictures 0 to 7."""
    paths = write(
        folder,
        (large(0), "train", {"age": "20"}),
        (large(0), "test", {"age": "23"}),
        (large(1), "train", {"mood": "good"}),
        (large(1), "train", {"mood": "bad"}),
        (large(2), "train", {}),
        (dimmed(large(2)), "validation", {}),
        (large(3), "train", {"mood": "good"}),
        (large(4), "train", {"mood": "good"}),
    )
    paths[6].write_bytes(b"")
    save(paths[7], large(5))
    return paths


def test_a_clean_manifest(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, (large(0), "train", {"mood": "good"}), (large(1), "test", {"mood": "bad"}))
    found = mien("data", "check", "m.csv")
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[:2] == ["m.csv: 2 pictures (1 train, 1 test)", "nothing wrong"]
    assert lines[3:] == [
        "mood  pictures  train  test  █ train  ▒ test",
        f"bad          1      0     1  {'▒' * 40}",
        f"good         1      1     0  {'█' * 40}",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "no/c.csv"], "there is no folder no"),
        (["-o", "c.csv", "--left-out", "m.csv"], "m.csv: this is a file to be read"),
        (["-o", "c.csv", "--left-out", "c.csv"], "--output and --left-out name the same file"),
        (["-o", "c.csv", "--plot", "c.csv"], "--output and --plot name the same file"),
    ],
)
def test_nothing_is_lost_to_a_wrong_place(
    mien: Mien, tmp_path: Path, arguments: list[str], message: str
) -> None:
    write(tmp_path, (large(0), "train", {"mood": "good"}), (large(1), "test", {"mood": "bad"}))
    before = (tmp_path / "m.csv").read_bytes()
    found = mien("data", "check", "m.csv", "--fix", *arguments)
    assert (found.code, message in found.err) == (2, True), found.err
    assert (tmp_path / "m.csv").read_bytes() == before
    assert not (tmp_path / "c.csv").exists()


def test_all_that_is_wrong_is_named(mien: Mien, tmp_path: Path) -> None:
    write_dirty(tmp_path)
    found = mien("data", "check", "m.csv")
    assert (found.code, found.err) == (1, "")
    text = found.out.partition("\n\n")[0].splitlines()
    assert [line for line in text if not line.startswith(" ")][1:] == [
        "cannot be read: 1 picture",
        "changed since the import: 1 picture",
        "identical pictures: 2 groups, 4 pictures",
        "identical, with different labels: 2 groups, 4 pictures: "
        "age in 1, 3 apart at the median, 3 at most; mood in 1",
        "identical, in different parts: 1 group, 2 pictures",
        "almost alike: 1 group, 2 pictures",
        "almost alike, in different parts: 1 group, 2 pictures",
    ]
    assert "    0.png, 1.png (age: 20, 23)" in text
    assert "    2.png, 3.png (mood: bad, good)" in text


def test_the_findings_as_json(mien: Mien, tmp_path: Path) -> None:
    write_dirty(tmp_path)
    found = mien("data", "check", "m.csv", "--format", "json")
    assert (found.code, found.err) == (1, "")
    result = json.loads(found.out)
    assert (result["pictures"], result["problems"]) == (8, 8)
    assert result["split"] == manifest.read(tmp_path / "m.csv", parted=False).split_hash
    assert result["leaks"] == [{"paths": ["set/0.png", "set/1.png"], "reason": "test, train"}]
    assert result["counts"]["mood"]["good"] == {"train": 3, "validation": 0, "test": 0}


def test_a_fixed_manifest_is_clean(mien: Mien, tmp_path: Path) -> None:
    paths = write_dirty(tmp_path)
    found = mien("data", "check", "m.csv", "--fix", "-o", "clean.csv", "--left-out", "rest.csv")
    assert found.code == 0
    clean = manifest.read(tmp_path / "clean.csv")
    kept = [(s.path.name, s.split, s.labels) for s in clean.samples]
    assert kept == [
        ("0.png", "test", {"age": "21.5"}),
        ("4.png", "validation", {}),
        ("5.png", "validation", {}),
        ("7.png", "train", {"mood": "good"}),
    ]
    assert found.err.splitlines()[0] == "clean.csv: 4 pictures (2 validation, 1 test, 1 train)"
    assert found.err.splitlines()[-3:] == [
        "  1 kept with the mean of their differing numbers",
        "  1 changed since the import, and kept as they are now",
        "  2 moved to the part of an identical or similar picture",
    ]
    rest = (tmp_path / "rest.csv").read_text().splitlines()
    reason = "the same picture with different labels of mood"
    assert f'{reason},"{paths[2]} (bad, good)"' in rest
    assert len(rest) == 5
    again = mien("data", "check", "clean.csv")
    assert (again.code, "in different parts" in again.out) == (0, False)


def test_near_duplicates_may_count_as_duplicates(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, (large(0), "train", {}), (dimmed(large(0)), "train", {}))
    assert mien("data", "check", "m.csv").code == 0
    assert mien("data", "check", "m.csv", "--near").code == 1
    assert mien("data", "check", "m.csv", "--near", "--fix", "-o", "clean.csv").code == 0
    assert len(manifest.read(tmp_path / "clean.csv").samples) == 1


def test_ages_may_differ_by_a_stated_number(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, *((large(0), "train", {"age": age}) for age in ("20", "30")))
    assert mien("data", "check", "m.csv", "--fix", "-o", "c.csv", "--years", "10").code == 0
    assert manifest.read(tmp_path / "c.csv").samples[0].labels == {"age": "25"}
    found = mien("data", "check", "m.csv", "--fix", "-o", "d.csv")
    assert (found.code, "no picture would be left" in found.err) == (2, True)


def test_the_counts_as_a_picture(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, (large(0), "train", {"mood": "good"}))
    assert mien("data", "check", "m.csv", "--plot", "counts.png").code == 0
    assert (tmp_path / "counts.png").read_bytes().startswith(b"\x89PNG")


def test_names_cannot_talk_to_the_terminal(mien: Mien, tmp_path: Path) -> None:
    path = save(tmp_path / "\x1b[31m.png", large(0))
    Manifest((sample_of(path), sample_of(path))).write(tmp_path / "m.csv")
    found = mien("data", "check", "m.csv")
    assert (found.code, "\x1b" in found.out) == (1, False)
    assert r"\x1b[31m.png" in found.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fix"], "mien: --fix and --output go together, and --left-out needs both"),
        (["-o", "clean.csv"], "--fix and --output go together"),
        (["--left-out", "rest.csv"], "--left-out needs both"),
        (["--distance", "13"], "Input should be less than or equal to 12"),
        (["--plot", "counts.png"], "mien: --plot: the manifest has no labels to draw"),
        (["--fix", "-o", "no/c.csv"], "there is no folder no; create"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, (large(0), "train", {}))
    found = mien("data", "check", "m.csv", *arguments)
    assert (found.code, message in found.err) == (2, True)


def test_the_defaults_are_the_librarys(mien: Mien) -> None:
    defaults = checking.check.__defaults__ or ()
    assert hashes.DISTANCE in defaults
    assert mend.YEARS in defaults
    assert f"0<=x<={hashes.FARTHEST}" in mien("data", "check", "--help").out
