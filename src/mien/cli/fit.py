"""`mien fit`: scikit-learn's classifiers and regressors on stored features -> a model file."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from mien.cli.inputs import check_places
from mien.cli.tables import amount
from mien.errors import DataError, OutputError

if TYPE_CHECKING:
    from mien.card import Metric
    from mien.classic.balance import Balance as Method
    from mien.classic.fitting import Fitted


class Balance(StrEnum):
    """How classes are made equally frequent."""

    NONE = "none"
    UNDER = "under"
    OVER = "over"
    SMOTE = "smote"
    WEIGHTS = "weights"


_SHOWN: Final = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "calibration_error": "calibration error",
    "mae": "MAE",
    "balanced_mae": "balanced MAE",
    "r2": "R2",
}


def fit(
    features: Annotated[
        Path, typer.Argument(metavar="FEATURES", help="A file that `mien features` wrote.")
    ],
    task: Annotated[
        str, typer.Option(help="What to learn: a label of the manifest's, or age_group of ages.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="all (the default), or of classes: logistic-regression, k-nn, svm-linear, "
            "svm-kernel, naive-bayes, tree, random-forest; of numbers: ridge, k-nn, svm-linear, "
            "svm-kernel, tree, random-forest. Repeat it for several."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The model file to write."),
    ] = None,
    balance: Annotated[
        list[Balance] | None,
        typer.Option(
            help="Make classes (of ages: age groups) equally frequent in what is learnt from: "
            "none (the default). Repeat it to compare several."
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            help="The figure that chooses: accuracy, balanced_accuracy or macro_f1; mae, "
            "balanced_mae or rmse. By default the first, or the second where classes are balanced."
        ),
    ] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE,...", help="Values of a parameter to try."),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of cross-validation.")] = 5,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all figures as CSV.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="With -o: write a report.")
    ] = None,
    name: Annotated[str, typer.Option(help="The model's name; by default the file's.")] = "",
    licence: Annotated[str, typer.Option(help="For the card: licence of the weights.")] = "",
    use: Annotated[str, typer.Option(help="For the card: what they may be used for.")] = "",
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of folds, resampling and models.")
    ] = 0,
) -> None:
    """Fit ordinary classifiers, or regressors, on stored features.

    Parameters are chosen by cross-validation on the training part, in folds that part no identical
    pictures; probabilities are calibrated on the validation part; figures are those of the test
    part. With -o the best one by cross-validation that a model file can express is written: the
    network that made the features and the classifier in one file, for predict, serve and evaluate.

    mien fit animals.safetensors --task label -o animals.onnx

    mien fit faces.safetensors --task age --model ridge --balance smote --table ridge.csv
    """
    _check_installed()
    from mien.classic import express, results, store
    from mien.classic.choosing import Plan
    from mien.classic.fitting import compare
    from mien.classic.learning import material
    from mien.cli.data.reporting import say
    from mien.cli.progress import watch
    from mien.cli.table import print_table
    from mien.evaluation.evaluate import write_table

    if report is not None and output is None:
        raise typer.BadParameter("it is about the file that -o names", param_hint="--report")
    check_places([features], output=output, table=table)
    read = store.read(features)
    given = material(read, task)
    _say_left_out(read.missing, given.unlabelled, task)
    balances = [one.value for one in balance or [Balance.NONE]]
    plans = [
        Plan(
            tuple(model or ["all"]),
            cast("Method", one),
            by,
            folds,
            dict(map(_values, changes or [])),
            seed,
        )
        for one in balances
    ]
    called = name or _name(output or features)
    card = express.card_of(read, given, called, licence=licence, use=use)
    fitted = compare(given, card, plans, watch=watch("fits"), tell=say)
    found = [(one, express.expressed_or_why(one, read, given, card)) for one in fitted]
    print_table([_row(one, file) for one, file in found])
    for one, file in found:
        if isinstance(file, str):
            say(f"{one.estimator.name} has no model file: {file}")
    if table is not None:
        write_table(table, results.table(found, read))
    if output is not None:
        _write(output, report, found)


def _say_left_out(missing: "list[Any]", unlabelled: int, task: str) -> None:
    from mien.cli.data.reporting import say

    if missing:
        say(f"without features, and left out: {len(missing):,} ({missing[0].path}, ...)")
    if unlabelled:
        say(f"without a label of {task}, and left out: {unlabelled:,}")


def _write(output: Path, report: Path | None, found: "list[tuple[Fitted, bytes | str]]") -> None:
    from mien.cli.data.reporting import say
    from mien.evaluation.evaluate import save
    from mien.files import atomic_write
    from mien.model import Model

    able = [(one, file) for one, file in found if isinstance(file, bytes)]
    if not able:
        raise OutputError(f"{output}: not written: none of the models can be a model file")
    one, data = able[0]
    with atomic_write(output, "wb") as file:
        file.write(data)
    say(f"{output}: {one.estimator.name}, {len(data) / 1e6:.1f} MB")
    if report is not None:
        say(f"report: {save(report, Model.open(output), one.evaluation)}")


def _row(one: "Fitted", file: bytes | str) -> dict[str, str]:
    from mien.classic.results import parameters

    found = {metric.name: metric for metric in one.evaluation.metrics if not metric.by}
    row = {
        "model": one.estimator.name,
        "balance": one.plan.balance,
        "chosen": parameters(one),
        f"{one.figure}, cross-validated": _text(one.figure, one.chosen.mean),
    }
    for name, heading in _SHOWN.items():
        if name in found:
            row[f"test {heading}"] = _measured(found[name])
    size = f"{len(file):,}" if isinstance(file, bytes) else ""
    return row | {"seconds": f"{one.seconds:.1f}", "file bytes": size}


def _measured(metric: "Metric") -> str:
    value = _text(metric.name, metric.value)
    if metric.low is None or metric.high is None:
        return value
    return f"{value} ({_text(metric.name, metric.low)} to {_text(metric.name, metric.high)})"


def _text(name: str, value: float) -> str:
    return amount(value) if name in ("mae", "balanced_mae", "rmse", "r2") else f"{value:.1%}"


def _values(change: str) -> "tuple[str, list[Any]]":
    key, equals, text = change.partition("=")
    if not equals or not key or not text:
        raise DataError(f"--set {change!r}: write a parameter and its values, as in C=0.01,0.1")
    return key, [_value(one.strip()) for one in text.split(",")]


def _value(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"none": None, "true": True, "false": False}.get(text.lower(), text)


def _name(path: Path) -> str:
    return re.sub("[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "model"


def _check_installed() -> None:
    try:
        import mien.classic.express  # noqa: F401
    except ModuleNotFoundError as error:
        raise OutputError(
            f"fitting needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[train]'"
        ) from error
