"""Models that read fewer attributes than the packaged one: rows, tables and drawings of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.card import Task
from tests.cli.conftest import Mien
from tests.tiny import AGE, GENDER, RACE, face_card, model_bytes

MOOD = Task(name="expression", kind="classification", labels=("calm", "wild"))


@pytest.mark.parametrize(
    ("tasks", "read"),
    [((AGE, GENDER), {"age", "gender"}), ((RACE, GENDER), {"gender"}), ((MOOD,), {"expression"})],
)
def test_what_a_model_does_not_read_stays_empty(
    mien: Mien, face: Path, tmp_path: Path, tasks: tuple[Task, ...], read: set[str]
) -> None:
    (tmp_path / "few.onnx").write_bytes(model_bytes(face_card(tasks=tasks)))
    outcome = mien("predict", face, "-m", "few.onnx", "--draw", "drawn", "-f", "csv")
    header, row = (line.split(",") for line in outcome.out.splitlines())
    found = dict(zip(header, row, strict=True))
    attributes = {"age", "gender", "race", "expression"}
    assert {name for name in attributes if found[name]} == read
    assert (np.array(Image.open("drawn/astronaut.png")) != np.array(Image.open(face))).any()
    table = mien("predict", face, "-m", "few.onnx", "-f", "table")
    assert table.code == outcome.code == 0
    assert all(found[name] in table.out for name in read - {"age"})


def test_the_default_may_be_another_model(
    mien: Mien, face: Path, face_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = mien("predict", face, "-m", face_model)
    monkeypatch.setenv("MIEN_MODEL", str(face_model))
    assert mien("predict", face) == named
