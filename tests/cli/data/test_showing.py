"""`mien data show`: sheets of pictures, plain and as training sees them."""

from pathlib import Path

import pytest
from PIL import Image

from mien.data.manifest import Manifest
from mien.data.show import SIDE
from tests.cli.conftest import Mien
from tests.labelled import noise, sample_of, save
from tests.runs import RECIPE


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Write pictures, their manifest and a recipe of whole pictures."""
    samples = [
        sample_of(
            save(tmp_path / f"{number}.png", noise(number, 40, 40)),
            {"mood": "good" if number % 2 else "bad"},
            "train" if number < 9 else "test",
        )
        for number in range(12)
    ]
    Manifest(tuple(samples)).write(tmp_path / "m.csv")
    (tmp_path / "toy.toml").write_text(RECIPE)
    return tmp_path


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return image.size


def test_a_sheet(mien: Mien, pictures: Path) -> None:
    found = mien("data", "show", "m.csv", "-o", "sheet.png", "--columns", "4")
    assert (found.code, found.out, found.err) == (0, "", "sheet.png: 12 of 12 pictures\n")
    width, height = size(pictures / "sheet.png")
    assert width == 4 * (SIDE + 6) + 6
    assert height > 3 * SIDE


def test_a_part_and_a_number(mien: Mien, pictures: Path) -> None:
    options = ("--split", "train", "--count", "5")
    found = mien("data", "show", "m.csv", "-o", "sheet.png", *options)
    assert (found.code, found.err) == (0, "sheet.png: 5 of 9 pictures\n")
    assert size(pictures / "sheet.png")[0] == 5 * (SIDE + 6) + 6


def test_seeds(mien: Mien, pictures: Path) -> None:
    seen = set()
    for seed in ("1", "1", "2"):
        options = ("--count", "4", "--seed", seed)
        assert mien("data", "show", "m.csv", "-o", "sheet.png", *options).code == 0
        seen.add((pictures / "sheet.png").read_bytes())
    assert len(seen) == 2


def test_as_training_sees_them(mien: Mien, pictures: Path) -> None:
    options = ("--augmented", "toy.toml", "--columns", "3", "--count", "2")
    found = mien("data", "show", "m.csv", "-o", "sheet.png", *options)
    assert (found.code, found.err) == (0, "sheet.png: 2 of 12 pictures\n")
    assert size(pictures / "sheet.png")[0] == 3 * (SIDE + 6) + 6
    assert sorted(path.name for path in pictures.iterdir() if path.is_dir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--split", "validation"], "mien: the manifest has no picture in the part 'validation'"),
        (["--augmented", "missing.toml"], "mien: missing.toml: cannot be read (No such file"),
        (["--columns", "1"], "Input should be greater than or equal to 2"),
        (["-o", "sheet.txt"], "mien: sheet.txt: no picture format has the suffix '.txt'"),
    ],
)
def test_wrong_use(arguments: list[str], message: str, mien: Mien, pictures: Path) -> None:
    found = mien("data", "show", "m.csv", "-o", "sheet.png", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (pictures / "sheet.png").exists()
