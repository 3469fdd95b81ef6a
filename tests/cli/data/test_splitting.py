"""`mien data split`: a manifest in new parts, and the labels that are too rare for it."""

from collections import Counter
from pathlib import Path

import pytest

from mien.data import manifest
from mien.data.manifest import Manifest, Sample
from tests.cli.conftest import Mien
from tests.data.test_check import dimmed, large
from tests.labelled import sample_of, save


def write(folder: Path, *moods: str, split: str = "") -> None:
    samples = [
        Sample(folder / f"{i}.png", "s", f"c{i}", split, {"mood": mood, "sort": "x"})
        for i, mood in enumerate(moods)
    ]
    Manifest(tuple(samples)).write(folder / "m.csv")


def parts(path: Path) -> Counter[str]:
    return Counter(sample.split for sample in manifest.read(path).samples)


def test_split(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, *["a"] * 20, *["b"] * 20)
    found = mien("data", "split", "m.csv", "-o", "parted.csv")
    assert (found.code, found.out) == (0, "")
    parted = manifest.read(tmp_path / "parted.csv")
    assert Counter(sample.split for sample in parted.samples) == {
        "train": 28,
        "validation": 6,
        "test": 6,
    }
    first, *rest = found.err.splitlines()
    assert first.startswith("parted.csv: 40 pictures (28 train, 6 ")
    assert rest == [
        "  labels: 40 mood, 40 sort",
        f"  split: {parted.split_hash}",
    ]
    again = mien("data", "split", "m.csv", "-o", "again.csv", "--seed", "0")
    assert again.err.splitlines()[2] == found.err.splitlines()[2]


def test_shares_and_seed(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, *["a"] * 20)
    hashes = set()
    for seed in ("1", "2"):
        options = ("--shares", "0.5,0,0.5", "--seed", seed, "--by", "mood")
        assert mien("data", "split", "m.csv", "-o", "p.csv", *options).code == 0
        assert parts(tmp_path / "p.csv") == {"train": 10, "test": 10}
        hashes.add(manifest.read(tmp_path / "p.csv").split_hash)
    assert len(hashes) == 2


def test_a_rare_label_is_named(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, *["a"] * 20, *(f"rare {number}" for number in range(13)))
    lines = mien("data", "split", "m.csv", "-o", "p.csv").err.splitlines()
    assert lines[3] == "  too few pictures for every part: 13 labels"
    assert lines[4].startswith("    mood rare 0: ")
    assert lines[-1] == "    and 1 more"


def test_the_test_part_may_be_kept(mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, *["a"] * 40)
    assert mien("data", "split", "m.csv", "-o", "p.csv").code == 0
    assert mien("data", "split", "p.csv", "-o", "q.csv", "--seed", "3", "--keep-test").code == 0
    before, after = (
        {s.content for s in manifest.read(tmp_path / name).samples if s.split == "test"}
        for name in ("p.csv", "q.csv")
    )
    assert before == after


def test_leaks_of_the_old_parts_do_not_matter(mien: Mien, tmp_path: Path) -> None:
    rows = [f"{i}.png,s,same,{part}" for i, part in enumerate(("train", "test"))]
    (tmp_path / "m.csv").write_text("\n".join(["path,source,content,split", *rows]))
    assert mien("data", "split", "m.csv", "-o", "p.csv").code == 0
    assert parts(tmp_path / "p.csv") == {"train": 2}


def test_near_duplicates_may_stay_together(mien: Mien, tmp_path: Path) -> None:
    samples: list[Sample] = []
    for seed in range(12):
        for pixels in (large(seed), dimmed(large(seed))):
            samples.append(sample_of(save(tmp_path / f"{len(samples)}.png", pixels)))
    Manifest(tuple(samples)).write(tmp_path / "m.csv")
    assert mien("data", "split", "m.csv", "-o", "p.csv", "--near").code == 0
    splits = [sample.split for sample in manifest.read(tmp_path / "p.csv").samples]
    assert splits[::2] == splits[1::2]
    assert len(set(splits)) == 3
    samples[3].path.write_bytes(b"")
    found = mien("data", "split", "m.csv", "-o", "q.csv", "--near")
    assert (found.code, "3.png: " in found.err) == (2, True)
    assert "`mien data check --fix` leaves such pictures out" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shares", "70/30"], "mien: --shares takes numbers as in 70,15,15, not '70/30'"),
        (["--shares", "1,1"], "mien: the shares of train, validation and test are three numbers"),
        (["--by", "mod"], "mien: the manifest has no labels 'mod'; it has mood, sort"),
        (["--keep-test"], "mien: the manifest has no test part to keep"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, mien: Mien, tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    found = mien("data", "split", "m.csv", "-o", "p.csv", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (tmp_path / "p.csv").exists()
