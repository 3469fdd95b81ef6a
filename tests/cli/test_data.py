"""`mien data`: what it writes and what it says."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Mien


def make(folder: str, names: dict[str, tuple[int, int, int]]) -> None:
    """Write small pictures of one colour each."""
    for name, colour in names.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(path)


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_import_names_what_it_left_out(mien: Mien) -> None:
    make("UTK", {f"{age}_0_1_2017.png": (age, 0, 0) for age in range(20, 30)})
    make("UTK", {f"{age}_0_2017.png": (age, 0, 0) for age in range(5)})
    Path("UTK/7_1_2_2017.png").write_text("no picture")

    outcome = mien("data", "import", "utkface", "UTK", "-o", "utk.csv", "--left-out", "out.csv")

    assert outcome.code == 0
    assert {row["age"] for row in read("utk.csv")} == {str(age) for age in range(20, 30)}
    assert "left out: 6" in outcome.err
    assert "5: name is not [age]_[gender]_[race]_[date] (0_0_2017.png" in outcome.err
    assert "and 2 more" in outcome.err
    assert [row["name"].split(" ")[0] for row in read("out.csv")] == [
        *(f"{age}_0_2017.png" for age in range(5)),
        "7_1_2_2017.png",
    ]


def test_join_keeps_labels_and_leaves_the_missing_ones_empty(mien: Mien) -> None:
    make("UTK", {"31_1_0_2017.png": (31, 0, 0)})
    make("pets", {"cats/a.png": (1, 2, 3), "dogs/b.png": (3, 2, 1)})
    for layout, folder in (("utkface", "UTK"), ("folders", "pets")):
        assert mien("data", "import", layout, folder, "-o", f"{folder}.csv").code == 0

    outcome = mien("data", "join", "UTK.csv", "pets.csv", "-o", "all.csv")

    assert outcome.code == 0
    assert [(row["age"], row["label"]) for row in read("all.csv")] == [
        ("31", ""),
        ("", "cats"),
        ("", "dogs"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "folders", "nowhere", "-o", "x.csv"], "nowhere"),
        (["import", "folders", ".", "-o", "x.csv"], "no readable picture in one folder a class"),
        (["import", "zip", ".", "-o", "x.csv"], "'zip'"),
        (["import", "folders", "."], "--output"),
        (["join", "gone.csv", "-o", "x.csv"], "gone.csv"),
        (["join", "wrong.csv", "-o", "x.csv"], "a manifest starts with the columns"),
    ],
)
def test_wrong_use(mien: Mien, arguments: list[str], says: str) -> None:
    Path("wrong.csv").write_text("file,label\na.png,cat\n")

    outcome = mien("data", *arguments)

    assert outcome.code == 2
    assert says in outcome.err
    assert not Path("x.csv").exists()
