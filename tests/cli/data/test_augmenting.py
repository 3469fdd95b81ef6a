"""`mien data augment`: a manifest -> a folder in which every class has as many pictures."""

from pathlib import Path

import pytest

from mien.data import manifest
from mien.data.manifest import Manifest
from tests.cli.conftest import Mien
from tests.labelled import noise, sample_of, save


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Return a manifest of four cats and two dogs."""
    labels = ["cat"] * 4 + ["dog"] * 2
    samples = [
        sample_of(save(tmp_path / f"{number}.png", noise(number)), {"label": label}, "train")
        for number, label in enumerate(labels)
    ]
    Manifest(tuple(samples)).write(tmp_path / "pets.csv")
    return tmp_path / "pets.csv"


def test_augment(mien: Mien, pets: Path, tmp_path: Path) -> None:
    found = mien("data", "augment", pets, "-o", "new", "--to", 4, "--set", "noise=1")
    assert (found.code, found.out) == (0, "")
    written = manifest.read(tmp_path / "new" / "manifest.csv")
    assert found.err.splitlines() == [
        "new/manifest.csv: 8 pictures (8 train)",
        "  labels: 8 label",
        f"  split: {written.split_hash}",
        "  label cat: 4",
        "  label dog: 2 -> 4",
    ]
    assert sorted(path.name for path in (tmp_path / "new" / "dog").iterdir()) == [
        "000000.png",
        "000001.png",
    ]


def test_the_changes_are_a_recipe_s(mien: Mien, pets: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[augmentation]\nnoise = 1.0\nflip = 0\n[data]\nodd = 1\n")
    for name, more in (("a", []), ("b", []), ("c", ["--set", "rotation=90"]), ("d", ["--seed", 1])):
        found = mien("data", "augment", pets, "-o", name, "--to", 4, "--recipe", "r.toml", *more)
        assert found.code == 0
    first, again, *others = (
        (tmp_path / name / "dog" / "000000.png").read_bytes() for name in ("a", "b", "c", "d")
    )
    assert first == again
    assert first not in others


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "rotate=40"], "mien: --set: unknown key 'rotate'; did you mean 'rotation'?"),
        (["--set", "rotation=far"], "mien: --set: rotation: Input should be a valid number"),
        (["--set", "rotation"], "mien: 'rotation': a change is written key=value, as in"),
        (["--recipe", "odd.toml"], "mien: odd.toml: augmentation must be a table"),
        (["--recipe", "pets.csv"], "mien: pets.csv: not a TOML file"),
        (["--task", "mood"], "mien: the manifest has no labels 'mood'; it has label"),
    ],
)
def test_wrong_use(
    arguments: list[str], message: str, mien: Mien, pets: Path, tmp_path: Path
) -> None:
    (tmp_path / "odd.toml").write_text("augmentation = 1\n")
    found = mien("data", "augment", pets, "-o", "new", "--to", 4, *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (tmp_path / "new").exists()
