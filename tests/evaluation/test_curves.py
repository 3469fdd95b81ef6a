"""Training curves from a run's history."""

import math
from pathlib import Path

import pytest

from mien.errors import DataError
from mien.evaluation.curves import History, Panel, curve, panels, read_history, training_curves
from mien.images import load
from tests.charts import texts

TABLE = """\
epoch,stage,size,rate,loss,loss/age,validation/age/loss,validation/age/mae,validation/loss
1,1,64,0.001,9.5,7,7.8,17.4,12
2,1,64,0.002,8.5,6,6.9,,10.5
3,2,64,0.001,7.5,5,6.5,14.3,10
"""


def history(tmp_path: Path, text: str = TABLE) -> History:
    path = tmp_path / "history.csv"
    path.write_text(text, encoding="utf-8")
    return read_history(path)


def test_read(tmp_path: Path) -> None:
    found = history(tmp_path)
    assert found.epochs == (1, 2, 3)
    assert found.borders == (2,)
    assert found.figures["validation/loss"] == (12, 10.5, 10)
    assert math.isnan(found.figures["validation/age/mae"][1])


def test_without_stages_the_size_tells_the_borders(tmp_path: Path) -> None:
    text = "epoch,size,loss\n1,64,9\n2,80,8\n3,80,7\n4,96,6\n"
    assert history(tmp_path, text).borders == (1, 3)


def test_panels_pair_training_with_validation(tmp_path: Path) -> None:
    assert panels([history(tmp_path)]) == (
        Panel("loss of all tasks", "loss", "validation/loss"),
        Panel("learning rate", "rate"),
        Panel("age: loss", "loss/age", "validation/age/loss"),
        Panel("age: mean error", "", "validation/age/mae"),
    )


def test_a_training_without_validation(tmp_path: Path) -> None:
    found = panels([history(tmp_path, "epoch,loss_epoch\n1,9\n")])
    assert found == (Panel("loss of all tasks", train="loss_epoch"),)


def test_one_curve(tmp_path: Path) -> None:
    run = history(tmp_path)
    found = texts(curve(panels([run])[0], {"run": run}))
    assert {"training", "validation", "epoch"} <= set(found)


def test_several_runs_are_named(tmp_path: Path) -> None:
    run = history(tmp_path)
    other = history(tmp_path, "epoch,validation/loss\n1,11\n2,9\n")
    runs = {"first$": run, "<second>": other}
    found = texts(training_curves(runs, form="svg"))
    assert {"first$: training", "first$: validation", "<second>: validation"} <= set(found)
    assert "<second>: training" not in found
    assert "loss of all tasks" in found


def test_bytes_are_the_same_twice(tmp_path: Path) -> None:
    runs = {"run": history(tmp_path)}
    first = training_curves(runs)
    assert first == training_curves(runs)
    assert load(first).width > 1_000


def test_one_epoch(tmp_path: Path) -> None:
    assert training_curves({"run": history(tmp_path, "epoch,loss\n1,9\n")}, form="svg")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a column 'epoch'"),
        ("loss\n1\n", "needs a column 'epoch'"),
        ("epoch,loss\n", "needs a column 'epoch' and a row"),
        ("epoch,loss\n1,high\n", "loss is 'high'"),
        ("epoch,loss\none,3\n", "epoch is 'one'"),
        ("epoch,loss\n,3\n", "epoch is 'nan'"),
        ("epoch,loss\n1e999,3\n", "epoch is '1e999'"),
    ],
)
def test_what_is_no_history(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        history(tmp_path, text)


def test_a_short_row_has_gaps(tmp_path: Path) -> None:
    found = history(tmp_path, "epoch,loss,validation/loss\n1,9\n")
    assert math.isnan(found.figures["validation/loss"][0])


def test_a_long_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more cells"):
        history(tmp_path, "epoch,loss\n1,9,7\n")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_history(tmp_path / "none.csv")


def test_other_bytes(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a CSV file"):
        read_history(path)


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run: the history holds no figure"):
        training_curves({"run": history(tmp_path, "epoch,seconds\n1,9\n")})
