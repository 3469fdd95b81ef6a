"""A calibration's file."""

from pathlib import Path

import numpy as np
import pytest

from mien.errors import DataError, ModelError
from mien.watch.calibration import Calibration, of_card, packaged, read
from mien.watch.visit import BINS
from tests.tiny import AGE, face_card, model_bytes


def small() -> Calibration:
    rng = np.random.default_rng(1)
    return Calibration(
        truth=np.array([3, 25, 104]),
        years=np.array([4.4, 30.0, 88.8]),
        ages=rng.dirichlet(np.ones(BINS), 3),
        found=np.array([True, False, True]),
        prior=np.full(BINS, 1 / BINS),
        about={"network": "abc", "part": "validation"},
    )


def test_comes_back_from_its_file(tmp_path: Path) -> None:
    wrote = small()
    wrote.write(tmp_path / "c.json")

    found = read(tmp_path / "c.json")

    assert found.about == wrote.about
    assert found.truth.tolist() == [3, 25, 104]
    assert found.bins.tolist() == [0, 5, 20]
    assert found.years.tolist() == wrote.years.tolist()
    assert found.found.tolist() == wrote.found.tolist()
    assert found.ages == pytest.approx(wrote.ages, abs=2e-3)
    assert found.prior == pytest.approx(wrote.prior, abs=1e-6)


def test_rows_may_be_drawn_repeatedly() -> None:
    found = small().taken(np.array([2, 2]))
    assert found.truth.tolist() == [104, 104]
    assert found.measured_prior == pytest.approx(small().ages[2])


def test_another_network_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(model_bytes(face_card(tasks=(AGE,))))
    problem = packaged().mismatch(tmp_path / "other.onnx")
    assert problem is not None
    assert "may be off" in problem


def test_a_card_without_ages_is_refused() -> None:
    with pytest.raises(ModelError, match="no prior of ages"):
        of_card(face_card())


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}", "no calibration"), ('{"schema": 99}', "update mien"), ("[", "no calibration")],
)
def test_refuses(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read(path)
