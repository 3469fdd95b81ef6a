"""`mien evaluate`: a model file measured on labelled pictures."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.inputs import check_places
from mien.cli.tables import GAPS, amount, gap_rows
from mien.errors import OutputError, printable
from mien.files import make_folder

if TYPE_CHECKING:
    from mien.card import Card, Confusion, Metric
    from mien.evaluation.result import Evaluation

_NAMES: Final = {
    "mae": "mean absolute error",
    "median": "median absolute error",
    "within5": "off by 5 years or less",
    "coverage": "intervals that hold the truth",
    "width": "width of the intervals",
    "in_interval": "in the known interval",
    "rmse": "root mean squared error",
    "r2": "explained variance (R2)",
    "balanced_accuracy": "balanced accuracy",
    "calibration_error": "calibration error",
    "macro_precision": "precision, mean of classes",
    "macro_f1": "F1, mean of classes",
}
_MAIN: Final = {
    "mae": "MAE",
    "coverage": "coverage",
    "in_interval": "in interval",
    "accuracy": "accuracy",
}
_IN_UNITS: Final = ("mae", "median", "bias", "width", "rmse")
_MISTAKES: Final = 3


class Format(StrEnum):
    """How the result is printed."""

    TABLE = "table"
    JSON = "json"


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A packaged model, or a model file.")
    ],
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="The table of labelled pictures.")
    ],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a report: HTML, pictures, JSON and CSV."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write all figures as CSV, by group too."),
    ] = None,
    embed: Annotated[
        bool,
        typer.Option("--embed", help="Put the best and worst pictures into the report."),
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.TABLE,
    widths: Annotated[
        bool,
        typer.Option(
            "--widths/--no-widths", help="Measure small, grey, dark and damaged copies too."
        ),
    ] = True,
    grey: Annotated[
        str,
        typer.Option(
            metavar="TASK",
            help="The classification compared between colour and grey; expression by default.",
        ),
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of resamples and samples.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Measure a model file on one part of a manifest.

    Faces go the way of `mien predict --faces whole`. A model that was trained on this very split
    is measured honestly only on its test part: compare the split's hash with the card's.

    mien evaluate face face.csv --split test -o results/face-test.csv

    mien evaluate runs/face/model.onnx face.csv --report report
    """
    from mien.cli.output import json_text
    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.evaluation import evaluate as evaluation
    from mien.evaluation.predictions import NAME as PREDICTIONS
    from mien.model import Model, find

    if grey and not widths:
        raise typer.BadParameter(
            "small copies are not read; leave out --no-widths", param_hint="--grey"
        )
    if embed and report is None:
        raise typer.BadParameter("it is about the report that --report names", param_hint="--embed")
    check_places([model, manifest], output=output)
    opened = Model.open(model, threads=threads)
    whole = manifests.read(manifest)
    if report is not None:
        _check_installed()
        make_folder(report)
    result = evaluation.evaluate(
        opened,
        whole,
        split,
        widths=widths,
        grey=grey,
        seed=seed,
        threads=threads,
        watch=watch("pictures measured"),
        keep=None if report is None else report / PREDICTIONS,
    )
    _warn(opened.card, result)
    if output is not None:
        rows = evaluation.table(opened, result)
        evaluation.write_table(output, rows)
        typer.echo(f"{output}: {len(rows)} figures", err=True)
    if report is not None:
        from mien.evaluation.contenders import HISTORY

        # In a run's own folder the report keeps the curves of its training.
        curves = report / HISTORY
        known = curves if curves.exists() and report.samefile(find(model).parent) else None
        page = evaluation.save(report, opened, result, known, embed=embed)
        typer.echo(f"report: {page}", err=True)
    if form is Format.JSON:
        typer.echo(json_text(json.loads(result.to_json()), indent=1))
    else:
        _print(result, opened.card)


def _check_installed() -> None:
    try:
        import mien.evaluation.report  # noqa: F401
    except ModuleNotFoundError as error:
        raise OutputError(
            f"a report needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[train]'"
        ) from error


def _warn(card: "Card", result: "Evaluation") -> None:
    if result.split_hash != card.split_hash:
        typer.echo(
            f"note: the model was trained on split {card.split_hash or 'unknown'}, this "
            f"manifest has split {result.split_hash}: it may have seen these pictures",
            err=True,
        )


def _print(result: "Evaluation", card: "Card") -> None:
    """Print the figures over all pictures, the main ones by group, and what stands out."""
    typer.echo(
        f"{printable(f'{result.model} {result.version}')}, {result.split} part of split "
        f"{result.split_hash}: {result.pictures:,} pictures"
    )
    units = {task.name: _unit(task.kind, task.unit) for task in card.tasks}
    overall = [metric for metric in result.metrics if not metric.by]
    _table("", (_figure(metric, units[metric.task]) for metric in overall))
    _table("By group", _by_group(result))
    _table(GAPS, gap_rows(result.gaps))
    _table("By width of the face in pixels", _by_width(result))
    _table("Under bad conditions (the same pictures as they are)", _by_condition(result))
    _table("Largest confusions", (row for c in result.confusions for row in _mistakes(c)))
    _table("Never or rarely confused", (row for c in result.confusions for row in _apart(c)))
    if result.grey is not None:
        found = result.grey
        typer.echo(
            f"\n{found.task} of a colour picture and of its small grey copy: equal in "
            f"{found.share:.1%} ({found.low:.1%} to {found.high:.1%}) of {found.pictures:,}"
        )


def _table(title: str, rows: Iterator[dict[str, str]]) -> None:
    from mien.cli.table import print_table

    found = list(rows)
    if found:
        typer.echo()
        if title:
            typer.secho(title, bold=True)
        print_table(found)


def _unit(kind: str, unit: str) -> str:
    from mien.evaluation.wording import counted

    return printable(counted(kind, unit))


def _figure(metric: "Metric", unit: str) -> dict[str, str]:
    ends = (metric.low, metric.high)
    low, high = (None if end is None else _text(metric.name, end) for end in ends)
    value = _text(metric.name, metric.value)
    return {
        "task": metric.task,
        "figure": _NAMES.get(metric.name, metric.name),
        "value": f"{value} {unit}".rstrip() if metric.name in _IN_UNITS else value,
        "95 % interval": "" if low is None else f"{low} to {high}",
        "pictures": f"{metric.pictures:,}",
    }


def _text(name: str, value: float) -> str:
    return amount(value) if name in (*_IN_UNITS, "r2") else f"{value:.1%}"


def _by_group(result: "Evaluation") -> Iterator[dict[str, str]]:
    """Yield one row a group, with the main figures of all tasks beside each other."""
    main = [metric for metric in result.metrics if metric.name in _MAIN]
    names = list(dict.fromkeys(f"{metric.task} {_MAIN[metric.name]}" for metric in main))
    groups = dict.fromkeys((metric.by, metric.group) for metric in main if metric.by)
    for by, group in sorted(groups, key=lambda pair: pair[0]):
        row = {"by": by.replace("_", " "), "group": group} | dict.fromkeys(names, "")
        for metric in main:
            if (metric.by, metric.group) == (by, group):
                value = _text(metric.name, metric.value)
                row[f"{metric.task} {_MAIN[metric.name]}"] = f"{value} ({metric.pictures:,})"
        yield row


def _by_width(result: "Evaluation") -> Iterator[dict[str, str]]:
    widths = sorted({figure.width for figure in result.widths})
    for task, name in dict.fromkeys((figure.task, figure.name) for figure in result.widths):
        row = {"task": f"{task} {_MAIN[name]}"} | dict.fromkeys(map(str, widths), "")
        for figure in result.widths:
            if figure.task == task:
                value = _text(name, figure.value)
                row[str(figure.width)] = f"{value} ({figure.pictures:,})"
        yield row


def _by_condition(result: "Evaluation") -> Iterator[dict[str, str]]:
    names = dict.fromkeys(f"{f.task} {_MAIN[f.name]}" for f in result.conditions)
    for condition in dict.fromkeys(figure.condition for figure in result.conditions):
        row = {"condition": condition} | dict.fromkeys(names, "")
        for figure in result.conditions:
            if figure.condition == condition:
                value, plain = (_text(figure.name, v) for v in (figure.value, figure.plain))
                row[f"{figure.task} {_MAIN[figure.name]}"] = f"{value} ({plain})"
        yield row


def _mistakes(confusion: "Confusion") -> Iterator[dict[str, str]]:
    from mien.evaluation.confusions import largest

    for found in largest(confusion, _MISTAKES):
        yield {
            "task": confusion.task,
            "truth": found.truth,
            "read as": found.said,
            "share": f"{found.share:.1%}",
            "pictures": f"{found.pictures:,}",
        }


def _apart(confusion: "Confusion") -> Iterator[dict[str, str]]:
    from mien.evaluation.confusions import apart

    for found in apart(confusion)[:_MISTAKES]:
        yield {
            "task": confusion.task,
            "classes": ", ".join(found.first),
            "and": ", ".join(found.second),
            "confused": f"{found.mistakes:,} of {found.pictures:,}",
        }
