"""`mien data label`: a manifest -> the same one with labels that models predict."""

from pathlib import Path

import pytest

from mien.data import manifest
from tests.cli.conftest import Mien

HEADER = "path,source,content,split"


@pytest.fixture
def pictures(tmp_path: Path, red: Path) -> Path:
    path = tmp_path / "pictures.csv"
    path.write_text(f"{HEADER},age\n{red},s,1,train,3\n{red},s,2,test,3\n{red},s,3,,\n")
    return path


def test_label(mien: Mien, pictures: Path, colour_model: Path, tmp_path: Path) -> None:
    arguments = ["data", "label", pictures, "--task", "colour", "--model", colour_model]
    found = mien(*arguments, "-o", "more.csv")
    assert (found.code, found.out) == (0, "")
    assert found.err.splitlines() == [
        "more.csv: 3 pictures (1 train, 1 test, 1 no part)",
        "  labels: 2 age, 2 colour (predicted)",
        "  2 got a predicted colour; for 0 it is too unsure",
    ]
    samples = manifest.read(tmp_path / "more.csv").samples
    assert [sample.labels.get("colour") for sample in samples] == ["red", None, "red"]
    assert mien(*arguments, "--split", "test", "-o", "test.csv").code == 0
    samples = manifest.read(tmp_path / "test.csv").samples
    assert [sample.labels.get("colour") for sample in samples] == [None, "red", None]


def test_the_default_model_is_the_setting(
    mien: Mien, pictures: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_MODEL", str(colour_model))
    assert mien("data", "label", pictures, "--task", "colour", "-o", "more.csv").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "mood"], "reads no 'mood'; it reads colour"),
        (["--task", "colour", "--split", "all"], "--split is one of train, validation, test, not"),
    ],
)
def test_wrong_use(
    arguments: list[str],
    message: str,
    mien: Mien,
    pictures: Path,
    colour_model: Path,
    tmp_path: Path,
) -> None:
    found = mien("data", "label", pictures, "--model", colour_model, "-o", "m.csv", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert not (tmp_path / "m.csv").exists()
