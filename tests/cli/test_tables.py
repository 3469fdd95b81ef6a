"""Figures as lines of text."""

from mien.card import Metric
from mien.cli.tables import amount, epoch_line, gap_rows, headline
from mien.evaluation.result import Evaluation, Gap

UNITS = {"age": "years"}


def test_headline() -> None:
    figures = [
        ("age", "mae", 4.789),
        ("age", "bias", 0.5),
        ("age", "coverage", 0.9012),
        ("age", "width", 18.04),
        ("expression", "accuracy", 0.81234),
        ("expression", "balanced_accuracy", 0.6),
        ("expression", "calibration_error", 0.02),
    ]
    metrics = [Metric(task=t, name=n, value=v, pictures=4321) for t, n, v in figures]
    metrics.append(metrics[0].model_copy(update={"by": "gender", "group": "male"}))
    result = Evaluation(
        model="m",
        version="1",
        split="test",
        split_hash="s",
        data_fingerprint="d",
        pictures=4321,
        seed=0,
        level=0.95,
        metrics=tuple(metrics),
    )
    assert headline(result, UNITS).splitlines() == [
        "age         4,321 pictures, MAE 4.79 years, 90 % intervals hold 90.1%, "
        "their mean width is 18.0 years",
        "expression  4,321 pictures, accuracy 81.2%, balanced 60.0%, calibration error 2.0%",
    ]


def test_epoch_line() -> None:
    row = {
        "epoch": "3",
        "size": "64",
        "validation/age/loss": "4.2",
        "validation/age/mae": "5.126",
        "validation/gender/accuracy": "0.9",
        "validation/loss": "4.64416",
        "loss": "4.07474",
        "loss/age": "3.9",
    }
    assert epoch_line(row, 17, UNITS) == (
        "epoch 3 of 17: loss 4.075, validation 4.644, age MAE 5.13 years, gender accuracy 90.0%"
    )


def test_gaps_between_groups() -> None:
    share = Gap("gender", "accuracy", "age_group", "youth", "child", 0.203, 0.172, 0.232, 500)
    years = Gap("age", "mae", "gender", "female", "male", 0.46, None, None, 900)
    first, second = gap_rows([share, years])
    assert list(first.values()) == [
        *("gender", "right answers", "age group", "youth", "child"),
        *("20.3 points", "17.2 to 23.2 points"),
    ]
    assert (second["gap"], second["95 % interval"]) == ("0.5", "")


def test_amounts() -> None:
    """Two decimals, and of what they would make 0.00 two digits; units are the task's own."""
    assert [amount(x) for x in (4.789, 0.5, 0.0044, -0.012, 0.0)] == [
        *("4.79", "0.50", "0.0044", "-0.012", "0.00"),
    ]
    row = {"epoch": "1", "validation/w/mae": "0.0044", "validation/loss": "1", "loss": "1"}
    assert epoch_line(row, 2, {"w": "kg"}).endswith("w MAE 0.0044 kg")
    assert epoch_line(row, 2, {}).endswith("w MAE 0.0044")
