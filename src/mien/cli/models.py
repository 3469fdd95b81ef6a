"""`mien models`: the model files that there are, and what each of them means."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.describe import describe
from mien.cli.ensemble import ensemble
from mien.cli.imagenet import imagenet
from mien.cli.inputs import check_places
from mien.cli.output import json_text, percent
from mien.cli.table import print_table
from mien.cli.tables import GAPS, gap_rows
from mien.errors import printable

if TYPE_CHECKING:
    from mien.card import Card, Confusion, Input, Metric, Task
    from mien.model import Model

_ENOUGH: Final = 100
"""Pictures below which a measured interval is mostly chance."""
_UNBOUNDED: Final = 1_000_000
_FRAMINGS: Final = {"face": "a face, aligned by its landmarks", "centre": "the picture's centre"}

app = typer.Typer(
    no_args_is_help=True,
    help="List and show model files, describe networks, calibrate and average models.",
)
app.command()(describe)
app.command()(imagenet)
app.command()(ensemble)


@app.command("list")
def list_models() -> None:
    """List the models that come with mien, what they may be used for, and which is the default.

    MIEN_MODEL names another default, a packaged model or a file, for all of mien.
    """
    from rich.console import Console
    from rich.table import Table

    from mien.model import VARIABLE, Model, default_name, packaged

    found = packaged()
    if not found:
        typer.echo("no models come with this installation", err=True)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("name", "file", "tasks", "input", "weights may be used for"):
        table.add_column(heading)
    for item in found:
        opened = Model.open(item.path)
        card = opened.card
        tasks = ", ".join(task.name for task in card.tasks)
        cells = (
            f"{item.name} (default)" if item.name == default_name() else item.name,
            _size(opened),
            tasks,
            f"{card.input.framing}, {_pixels(card.input)}",
            card.use,
        )
        table.add_row(*map(_plain, cells))
    Console(highlight=False, markup=False, width=_width()).print(table)
    if default_name() not in {item.name for item in found}:
        there = "" if Path(default_name()).is_file() else ", and there is no such model"
        _echo(f"the default is {default_name()}, by {VARIABLE}{there}")


@app.command()
def show(
    model: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A packaged model, or a model file.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show a model's card: tasks, data and its terms, measured figures, limits.

    mien models show face

    mien models show runs/face/model.onnx --json
    """
    from mien.model import Model

    opened = Model.open(model)
    if as_json:
        typer.echo(json_text(opened.card.model_dump(mode="json"), indent=2))
        return
    card = opened.card
    _echo(f"{card.name} {card.version}", bold=True)
    _echo(card.description)
    _fields("", _facts(opened))
    _fields("Tasks", ((task.name, _meaning(task)) for task in card.tasks))
    _fields("Trained on", ((d.name, f"{d.pictures:,} pictures. {d.terms}") for d in card.data))
    _fields("Shares in training", _priors(card))
    _figures(card)
    _fields("Limits", [("", card.limits)] if card.limits else [])
    if card.recipe:
        _section("Recipe")
        _echo(f"mien models show {model} --json prints the recipe in full, with all else.")


@app.command()
def calibrate(
    model: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A packaged model, or a model file.")
    ],
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="Labelled pictures, with all parts.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The model file to write.")
    ],
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Make a model's age intervals hold for your own pictures; its weights stay as they are.

    The margins are measured on the validation part, the figures of the card on the test part.

    mien models calibrate face my-faces.csv -o my-face.onnx
    """
    from mien import model as models
    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.files import atomic_write
    from mien.model import Model
    from mien.training.recalibrate import recalibrate

    check_places([model, manifest], output=output)
    data = models.find(model).read_bytes()
    whole = manifests.read(manifest)
    found = recalibrate(data, whole, name=model, threads=threads, watch=watch("pictures read"))
    with atomic_write(output, "wb") as file:
        file.write(found)
    typer.echo(f"{output}: mien models show {output} prints its figures", err=True)
    for task in Model(found, str(output)).card.tasks:
        pictures = sum(interval.pictures for interval in task.intervals)
        if 0 < pictures < _ENOUGH:
            typer.echo(
                f"note: the intervals of {task.name} rest on {pictures:,} pictures alone; take "
                f"{_ENOUGH} or more",
                err=True,
            )


def _facts(opened: "Model") -> Iterator[tuple[str, str]]:
    card = opened.card
    yield "may be used for", card.use or "not stated"
    yield "licence", card.licence or "not stated"
    yield "file", _size(opened)
    yield "input", f"{_pixels(card.input)}, RGB: {_FRAMINGS[card.input.framing]}"
    yield "created", " by ".join(part for part in (card.created, card.created_by) if part)
    yield "data fingerprint", card.data_fingerprint
    yield "split", card.split_hash


def _meaning(task: "Task") -> str:
    says = {
        "age": f"age in years, from probabilities of 0 to {task.ages - 1}",
        "regression": f"a number{f' of {task.unit}' if task.unit else ''}",
        "classification": ", ".join(task.labels),
    }
    return says[task.kind] + ("" if task.default else " (only when named)")


def _priors(card: "Card") -> Iterator[tuple[str, str]]:
    labels = {task.name: task.labels for task in card.tasks}
    for task, shares in card.priors.items():
        if len(labels.get(task, ())) == len(shares):
            pairs = zip(labels[task], shares, strict=True)
            yield task, ", ".join(f"{label} {percent(share, 1)}" for label, share in pairs)
        else:
            yield task, f"{len(shares)} shares; --json prints them"


def _figures(card: "Card") -> None:
    from mien.evaluation.gaps import gaps

    overall = [metric for metric in card.metrics if not metric.by]
    grouped = [metric for metric in card.metrics if metric.by]
    _table("Measured on the test part", (_figure(metric) for metric in overall))
    _table(
        "Measured by group",
        ({"by": printable(m.by), "group": printable(m.group), **_figure(m)} for m in grouped),
    )
    _table(GAPS, gap_rows(gaps(card.metrics)))
    _table(
        "Age intervals: years added at both ends",
        (
            {
                "task": task.name,
                "from age": f"{interval.from_age:g}",
                "years": f"{interval.margin:+.1f}",
                "holds": percent(interval.level),
                "pictures": f"{interval.pictures:,}",
            }
            for task in card.tasks
            for interval in task.intervals
        ),
    )
    for confusion in card.confusions:
        _table(f"Confusion of {confusion.task}: true in rows, read in columns", _counts(confusion))


def _figure(metric: "Metric") -> dict[str, str]:
    return {
        "task": printable(metric.task),
        "figure": printable(metric.name),
        "value": f"{metric.value:.4g}",
        "pictures": f"{metric.pictures:,}",
    }


def _counts(confusion: "Confusion") -> Iterator[dict[str, str]]:
    for label, counts in zip(confusion.labels, confusion.counts, strict=True):
        row = {read: f"{n:,}" for read, n in zip(confusion.labels, counts, strict=True)}
        yield {f"{confusion.task} ": label} | row


def _size(opened: "Model") -> str:
    return f"{opened.bytes / 1e6:.1f} MB" if opened.bytes >= 1e5 else f"{opened.bytes / 1e3:.1f} kB"


def _pixels(taken: "Input") -> str:
    return f"{taken.size} x {taken.size} pixels"


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNBOUNDED


def _plain(text: str) -> str:
    return " ".join(printable(line) for line in text.splitlines())


def _echo(text: str, *, bold: bool = False) -> None:
    for line in text.splitlines():
        for part in textwrap.wrap(printable(line), _width(), drop_whitespace=False) or [""]:
            typer.secho(part, bold=bold)


def _section(title: str) -> None:
    typer.echo()
    if title:
        typer.secho(title, bold=True)


def _fields(title: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Print names with text, wrapped under itself; nothing where there is none."""
    filled = [(printable(name), text) for name, text in pairs if text]
    if not filled:
        return
    _section(title)
    indent = max(len(name) for name, _ in filled) + 2 if filled[0][0] else 0
    for name, text in filled:
        lines = [
            part
            for line in text.splitlines()
            for part in textwrap.wrap(printable(line), max(20, _width() - indent)) or [""]
        ]
        for start, line in zip([name] + [""] * len(lines), lines, strict=False):
            typer.echo(f"{start:<{indent}}{line}".rstrip())


def _table(title: str, rows: Iterable[dict[str, str]]) -> None:
    found = list(rows)
    if found:
        _section(title)
        print_table(found)
