"""Training curves: what a run's history.csv tells, drawn for one run or for several."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mien.errors import DataError, printable, shortened
from mien.evaluation.canvas import (
    COLUMN,
    FAINT,
    SERIES,
    WIDE,
    Form,
    drawable,
    one,
    percentages,
    render,
)

_Style = str | tuple[float, tuple[float, ...]]

_VALIDATION: Final = "validation/"
_RATES: Final = ("rate", "learning_rate", "lr")
_TOTALS: Final = ("loss", "loss_epoch")
_UNDRAWN: Final = frozenset({"validation/choice"})
_WORDS: Final = {
    "mae": "mean error",
    "accuracy": "share of right answers",
    "in_interval": "share within the labelled interval",
}
_SHARES: Final = ("/accuracy", "/in_interval")
_LARGEST: Final = 50 * 1024**2
_HEIGHT: Final = 2.1
_STYLES: Final[tuple[_Style, ...]] = ("-", (0, (5, 2)), (0, (1, 1.2)))


@dataclass(frozen=True)
class History:
    """The figures of a run, epoch by epoch.

    Attributes:
        epochs: Numbers of the epochs, from 1.
        figures: Name of a figure -> its value in each epoch; nan where there is none.
        borders: Epochs after which another stage began.
    """

    epochs: tuple[int, ...]
    figures: Mapping[str, tuple[float, ...]]
    borders: tuple[int, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One chart of a run: a figure in training beside the same in validation.

    Attributes:
        title: What is drawn.
        train: Name of the training figure; empty where there is none.
        validation: Name of the validation figure; empty where there is none.
    """

    title: str
    train: str = ""
    validation: str = ""


def read_history(path: Path) -> History:
    """Read a run's history.csv.

    Raises:
        DataError: The file is missing, or is no history.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path}: no history: it holds more than {_LARGEST >> 20} MiB")
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        rows = list(reader)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV file ({error})") from error
    columns = reader.fieldnames or []
    if "epoch" not in columns or not rows:
        raise DataError(f"{path}: no history: it needs a column 'epoch' and a row an epoch")
    if any(None in row for row in rows):
        raise DataError(f"{path}: no history: a row has more cells than there are columns")
    epochs = tuple(int(_number(path, row, "epoch")) for row in rows)
    names = [name for name in columns if name not in ("epoch", "stage")]
    figures = {name: tuple(_number(path, row, name) for row in rows) for name in names}
    mark = "stage" if "stage" in columns else "size"
    changes = ((a, b) for a, b in pairwise(rows) if a.get(mark) != b.get(mark))
    return History(epochs, figures, tuple(int(a["epoch"]) for a, _ in changes))


def panels(histories: Sequence[History]) -> tuple[Panel, ...]:
    """Return the charts that histories call for: the loss, each task's figures, the rate."""
    names = list(dict.fromkeys(name for history in histories for name in history.figures))
    found = [
        _panel_of(name, names)
        for name in names
        if name.startswith(_VALIDATION) and name not in _UNDRAWN
    ]
    if not found:
        found = [Panel("loss of all tasks", train=name) for name in names if name in _TOTALS]
    found += [Panel("learning rate", train=name) for name in names if name in _RATES]
    # The loss of all and the rate first; the tasks keep their order.
    return tuple(sorted(found, key=lambda panel: panel.validation.count("/") > 1))


def curve(panel: Panel, histories: Mapping[str, History], *, form: Form = "svg") -> bytes:
    """Draw one chart, without its title.

    Args:
        panel: Which figure.
        histories: Name of a run -> its history.
        form: "png" or "svg".
    """
    return one(lambda axes: _draw(axes, panel, histories), COLUMN, _HEIGHT, form)


def training_curves(histories: Mapping[str, History], *, form: Form = "png") -> bytes:
    """Draw all charts of one run, or of several over each other.

    Args:
        histories: Name of a run -> its history; at least one.
        form: "png" or "svg".

    Raises:
        DataError: There is nothing to draw.
    """
    chosen = panels(list(histories.values()))
    if not chosen:
        names = ", ".join(map(printable, histories)) or "no run"
        raise DataError(f"{names}: the history holds no figure that could be drawn")
    rows = math.ceil(len(chosen) / 2)
    draw = partial(_draw_all, chosen=chosen, histories=histories)
    return render(draw, 2 * COLUMN, rows * _HEIGHT, form)


def overlay(panel: Panel, histories: Mapping[str, History], *, form: Form = "svg") -> bytes:
    """Draw one chart of several runs over each other, by their validation figure.

    Args:
        panel: Which figure.
        histories: Name of a run -> its history; up to about twenty can be told apart.
        form: "png" or "svg".
    """

    def draw(axes: Axes) -> None:
        name = panel.validation or panel.train
        for place, (run, history) in enumerate(histories.items()):
            colour, turn = SERIES[place % len(SERIES)], place // len(SERIES)
            style = _STYLES[turn % len(_STYLES)]
            _draw_line(axes, history, name, colour, style, drawable(run, longest=40))
        _dress(axes, panel)
        axes.legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(1.01, 1.02))

    return one(draw, WIDE, max(_HEIGHT + 0.6, 0.5 + 0.18 * len(histories)), form)


def mean_history(histories: Sequence[History]) -> History:
    """Return the mean of several runs, as far as the shortest of them goes.

    Args:
        histories: At least one.
    """
    length = min(len(history.epochs) for history in histories)
    shared = [n for n in histories[0].figures if all(n in other.figures for other in histories)]
    figures = {
        name: tuple(
            sum(history.figures[name][place] for history in histories) / len(histories)
            for place in range(length)
        )
        for name in shared
    }
    epochs = histories[0].epochs[:length]
    borders = tuple(epoch for epoch in histories[0].borders if epoch in epochs)
    return History(epochs, figures, borders)


def _number(path: Path, row: Mapping[str, str | None], name: str) -> float:
    text = row[name] or "nan"
    try:
        value = float(text)
        if name == "epoch":
            int(value)
    except (ValueError, OverflowError) as error:
        shown = printable(shortened(text))
        raise DataError(f"{path}: no history: {printable(name)} is {shown!r}") from error
    return value if math.isfinite(value) else math.nan


def _panel_of(validation: str, names: Sequence[str]) -> Panel:
    """Pair a validation figure with that of the training."""
    inner = validation.removeprefix(_VALIDATION)
    task, _, figure = inner.rpartition("/")
    if not task:
        candidates = [f"train/{inner}", *(_TOTALS if inner == "loss" else (inner,))]
        title = "loss of all tasks" if inner == "loss" else inner
    else:
        candidates = [f"train/{inner}", inner, f"{figure}/{task}"]
        title = f"{task}: {_WORDS.get(figure, figure)}"
    train = next((name for name in candidates if name in names), "")
    return Panel(title, train, validation)


def _draw_all(figure: Figure, *, chosen: Sequence[Panel], histories: Mapping[str, History]) -> None:
    rows = math.ceil(len(chosen) / 2)
    for place, panel in enumerate(chosen, start=1):
        axes = figure.add_subplot(rows, 2, place)
        axes.set_title(drawable(panel.title, longest=48))
        _draw(axes, panel, histories)


def _draw(axes: Axes, panel: Panel, histories: Mapping[str, History]) -> None:
    alone = len(histories) == 1
    for place, (name, history) in enumerate(histories.items()):
        colour = SERIES[place % len(SERIES)]
        said = "" if alone else f"{drawable(name)}: "
        _draw_line(axes, history, panel.validation, colour, "-", f"{said}validation")
        train = FAINT if alone else colour
        _draw_line(axes, history, panel.train, train, (0, (3, 2)), f"{said}training")
        for border in history.borders:
            axes.axvline(border + 0.5, color=FAINT, linewidth=0.7, dashes=(1, 2))
    _dress(axes, panel)
    if len(axes.get_legend_handles_labels()[0]) > 1:
        axes.legend(fontsize=8)


def _dress(axes: Axes, panel: Panel) -> None:
    """Name the axes, and mark them as the figure wants it."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if panel.validation.endswith(_SHARES):
        axes.yaxis.set_major_formatter(percentages())


def _draw_line(
    axes: Axes,
    history: History,
    name: str,
    colour: str,
    style: _Style,
    label: str,
) -> None:
    values = history.figures.get(name, ())
    if all(math.isnan(value) for value in values):
        return
    marker = "o" if len(values) == 1 else ""
    axes.plot(history.epochs, values, color=colour, linestyle=style, label=label, marker=marker)
