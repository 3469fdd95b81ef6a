"""Charts of an evaluation, each the answer to one question: plain data in, PNG or SVG out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from mien.evaluation.canvas import (
    ACCENT,
    DOT,
    FAINT,
    GRID,
    INK,
    ON_ACCENT,
    SURFACE,
    Form,
    drawable,
    one,
    percentages,
    render,
)
from mien.evaluation.wording import FEW

COLUMN: Final = 4.4
"""Width in inches of a chart that stands in a column of a page."""

WIDE: Final = 8.8
"""Width in inches of a chart that takes a page's full width."""

BAND: Final = (0.88, 0.92)
"""Where the measured coverage of intervals that should hold 90 % of the time may lie."""

_MOST_ROWS_OF_SHARES: Final = 5
_SMALLEST_COUNT: Final = 4.5


@dataclass(frozen=True)
class Estimate:
    """A figure of one group.

    Attributes:
        name: The group.
        value: The figure.
        low: Lower end of its interval, or None where there is none.
        high: Upper end.
        pictures: How many pictures it was measured on.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    pictures: int


@dataclass(frozen=True)
class Section:
    """Groups that belong together, under a title such as "race"."""

    title: str
    rows: tuple[Estimate, ...]


def confusion_matrix(
    labels: Sequence[str], counts: Sequence[Sequence[int]], *, form: Form = "svg"
) -> bytes:
    """Draw counts of true labels (down) and predicted ones (across), shaded by the row's share.

    Args:
        labels: The classes, up to about a hundred.
        counts: classes x classes.
        form: "png" or "svg".
    """
    matrix = np.array(counts, np.int64).reshape(len(labels), len(labels))
    wide = wide_confusion(len(labels))
    width = WIDE if wide else COLUMN
    row = 0.46 if len(labels) <= _MOST_ROWS_OF_SHARES else min(0.34, 7.4 / len(labels))
    names = [drawable(label) for label in labels]
    below = 0.5 + (0.075 * max(map(len, names)) if _turned(names, width) else 0.0)
    return one(
        lambda axes: _draw_confusion(axes, names, matrix, width, row),
        width,
        row * len(labels) + below,
        form,
    )


def wide_confusion(classes: int) -> bool:
    """Say whether a matrix of so many classes takes a page's full width."""
    return classes > 10


def reliability(
    confidence: ArrayLike, accuracy: ArrayLike, counts: ArrayLike, *, form: Form = "svg"
) -> bytes:
    """Draw the share of right answers against the confidence, with the counts below.

    Args:
        confidence: B mean confidences of the bins that hold pictures, rising.
        accuracy: B shares of right answers.
        counts: B counts of pictures.
        form: "png" or "svg".
    """
    bins = [np.asarray(values, np.float64) for values in (confidence, accuracy, counts)]
    return render(lambda figure: _draw_reliability(figure, *bins), COLUMN, 3.3, form)


def by_group(
    sections: Sequence[Section],
    *,
    overall: float | None = None,
    percent: bool = False,
    band: tuple[float, float] | None = None,
    label: str = "",
    form: Form = "svg",
) -> bytes:
    """Draw a figure of each group with its interval, and the figure over all as a line.

    Args:
        sections: The groups, in the order in which they are drawn.
        overall: The figure over all pictures.
        percent: Whether figures are shares, to be shown as percentages.
        band: Where figures should lie, as drawn behind them.
        label: What the figure is, below its axis.
        form: "png" or "svg".
    """
    rows = sum(len(section.rows) + 1 for section in sections)

    def draw(axes: Axes) -> None:
        _draw_references(axes, overall, band)
        _draw_sections(axes, sections, percent)
        axes.set_xlabel(label)

    return one(draw, COLUMN, 0.5 + 0.21 * rows, form)


def over_width(
    points: Sequence[Estimate], *, percent: bool = False, label: str = "", form: Form = "svg"
) -> bytes:
    """Draw a figure over the width of the face.

    Args:
        points: One a width; their names are the widths in pixels.
        percent: Whether the figure is a share.
        label: What the figure is, beside its axis.
        form: "png" or "svg".
    """
    return one(lambda axes: _draw_widths(axes, points, percent, label), COLUMN, 2.5, form)


def age_scatter(
    truth: ArrayLike, estimate: ArrayLike, low: ArrayLike, high: ArrayLike, *, form: Form = "svg"
) -> bytes:
    """Draw estimated ages against true ones, with the diagonal and the usual interval.

    Args:
        truth: N ages in years.
        estimate: N estimates.
        low: N lower ends of the intervals.
        high: N upper ends.
        form: "png" or "svg".
    """
    ages = [np.asarray(values, np.float64) for values in (truth, estimate, low, high)]
    return one(lambda axes: _draw_ages(axes, *ages), COLUMN, 3.8, form)


def class_counts(labels: Sequence[str], counts: Sequence[int], *, form: Form = "svg") -> bytes:
    """Draw how many pictures there are of each class, in the order given."""
    row = min(0.21, max(0.1, 8 / len(labels)))
    return one(
        lambda axes: _draw_counts(axes, labels, counts, row), COLUMN, 0.45 + row * len(labels), form
    )


def _draw_confusion(
    axes: Axes, names: Sequence[str], matrix: NDArray[np.int64], width: float, row: float
) -> None:
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shade = np.empty((*matrix.shape, 4))
    shade[..., :3] = to_rgb(ACCENT)
    # A share of one in a hundred should still be seen.
    shade[..., 3] = shares**0.7
    axes.imshow(shade, interpolation="none", aspect="auto")
    size = min(8.5, 72 * row * 0.8)
    places = range(len(names))
    turned = _turned(names, width)
    axes.set_xticks(places, names, rotation=90 if turned else 0, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("the model says")
    axes.set_ylabel("labelled as")
    _write_counts(axes, matrix, shares, 72 * min(row, 0.8 * width / len(names)))


def _turned(names: Sequence[str], width: float) -> bool:
    """Say whether the names below a matrix have to stand upright."""
    return max(map(len, names)) * 0.085 * len(names) > width - 1


def _write_counts(
    axes: Axes, matrix: NDArray[np.int64], shares: NDArray[np.float64], side: float
) -> None:
    """Write the counts into their cells, `side` points wide, where they can be read."""
    size = min(8.5, side / (0.62 * len(f"{matrix.max():,}") + 0.4))
    if size < _SMALLEST_COUNT:
        return
    with_share = len(matrix) <= _MOST_ROWS_OF_SHARES
    for true, said in zip(*np.nonzero(matrix), strict=True):
        text = f"{matrix[true, said]:,}"
        text += f"\n{shares[true, said]:.0%}".replace("%", " %") if with_share else ""
        colour = ON_ACCENT if shares[true, said] > 0.7 else INK
        axes.text(said, true, text, ha="center", va="center", fontsize=size, color=colour)


def _draw_reliability(
    figure: Figure,
    confidence: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> None:
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    lowest = max(0.0, np.floor(10 * confidence.min() - 0.5) / 10)
    above.plot((0, 1), (0, 1), color=FAINT, linewidth=1, dashes=(3, 3))
    above.plot(confidence, accuracy, color=ACCENT, marker="o", markersize=4.5)
    above.set_xlim(lowest, 1.01)
    above.set_ylim(max(0.0, min(lowest, accuracy.min() - 0.05)), 1.02)
    above.set_ylabel("answers that are right")
    below.bar(confidence, counts, width=(1 - lowest) / 30, color=ACCENT, alpha=0.6)
    below.set_ylabel("pictures")
    below.set_xlabel("how sure the model is")
    below.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    for axis in (above.yaxis, below.xaxis):
        axis.set_major_formatter(percentages())
    figure.align_ylabels()


def _draw_references(axes: Axes, overall: float | None, band: tuple[float, float] | None) -> None:
    if band is not None:
        axes.axvspan(*band, color=ACCENT, alpha=0.13, linewidth=0)
    if overall is not None:
        axes.axvline(overall, color=FAINT, linewidth=1, dashes=(3, 3))


def _draw_sections(axes: Axes, sections: Sequence[Section], percent: bool) -> None:
    names: list[str] = []
    titles = []
    for section in sections:
        titles.append(len(names))
        names.append(drawable(section.title))
        for estimate in section.rows:
            _draw_estimate(axes, estimate, len(names), percent)
            names.append(drawable(estimate.name))
    axes.set_yticks(range(len(names)), names)
    for place in titles:
        axes.get_yticklabels()[place].set(fontweight="bold", color=FAINT)
    _write_beside(axes, 0, "pictures", 74, FAINT)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(length=0)
    axes.tick_params("y", pad=8)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    _set_range(axes, [row for section in sections for row in section.rows], percent)


def _draw_estimate(axes: Axes, estimate: Estimate, place: int, percent: bool) -> None:
    if estimate.low is not None and estimate.high is not None:
        axes.plot((estimate.low, estimate.high), (place, place), color=ACCENT, alpha=0.55)
    face = SURFACE if estimate.pictures < FEW else ACCENT
    axes.plot(
        estimate.value, place, "o", color=ACCENT, markerfacecolor=face, markersize=5, clip_on=False
    )
    value = f"{100 * estimate.value:.1f} %" if percent else f"{estimate.value:.1f}"
    _write_beside(axes, place, value, 42, INK)
    _write_beside(axes, place, f"{estimate.pictures:,}", 74, FAINT)


def _write_beside(axes: Axes, place: int, text: str, offset: float, colour: str) -> None:
    """Write into a column that ends so many points right of the axes."""
    axes.annotate(
        text,
        (1, place),
        xycoords=("axes fraction", "data"),
        xytext=(offset, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8.5,
        color=colour,
        annotation_clip=False,
    )


def _set_range(axes: Axes, rows: Sequence[Estimate], percent: bool) -> None:
    """Show years from 0; shares from where they begin, and never beyond 100 %."""
    ends = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
    lowest, highest = min(ends), max(ends)
    if percent:
        lowest = min(lowest, axes.dataLim.x0 if np.isfinite(axes.dataLim.x0) else lowest)
        room = max(0.02, 0.08 * (highest - lowest))
        axes.set_xlim(max(0.0, lowest - room), min(1.005, max(highest, 0.92) + room))
        axes.xaxis.set_major_formatter(percentages())
    else:
        axes.set_xlim(min(0.0, lowest * 1.1), max(1.0, highest * 1.06))


def _draw_widths(axes: Axes, points: Sequence[Estimate], percent: bool, label: str) -> None:
    places = [float(point.name) for point in points]
    for place, point in zip(places, points, strict=True):
        if point.low is not None and point.high is not None:
            axes.plot((place, place), (point.low, point.high), color=ACCENT, alpha=0.55)
    axes.plot(places, [point.value for point in points], "o-", color=ACCENT, markersize=5)
    axes.set_xticks(places, [point.name for point in points])
    axes.set_xlabel("width of the face in pixels")
    axes.set_ylabel(label)
    axes.margins(x=0.06, y=0.15)
    if percent:
        axes.yaxis.set_major_formatter(percentages())
        axes.set_ylim(top=min(1.0, axes.get_ylim()[1]))
    else:
        axes.set_ylim(bottom=0)


def _draw_ages(
    axes: Axes,
    truth: NDArray[np.float64],
    estimate: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    centres, lows, highs = _usual_interval(truth, low, high)
    axes.fill_between(
        centres, lows, highs, color=ACCENT, alpha=0.13, linewidth=0, label="usual interval"
    )
    # As pixels also within an SVG: thousands of points would make it heavy.
    axes.scatter(
        truth,
        estimate,
        s=7,
        color=DOT,
        alpha=min(0.7, max(0.2, 500 / max(1, len(truth)))),
        linewidths=0,
        rasterized=True,
    )
    end = 5 * np.ceil(max(truth.max(), estimate.max(), 20) / 5)
    axes.plot((0, end), (0, end), color=FAINT, linewidth=1, dashes=(3, 3))
    axes.set(xlim=(0, end), ylim=(0, end), aspect="equal")
    axes.set_xlabel("true age in years")
    axes.set_ylabel("estimated age in years")
    if len(centres):
        axes.legend(loc="upper left")


def _usual_interval(
    truth: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[list[float], list[float], list[float]]:
    """Return the medians of both ends by every five years of true age that hold five pictures."""
    fives = np.floor(truth / 5).astype(int)
    known = [five for five in np.unique(fives) if (fives == five).sum() >= 5]
    return (
        [float(truth[fives == five].mean()) for five in known],
        [float(np.median(low[fives == five])) for five in known],
        [float(np.median(high[fives == five])) for five in known],
    )


def _draw_counts(axes: Axes, labels: Sequence[str], counts: Sequence[int], row: float) -> None:
    places = range(len(labels))
    axes.barh(places, counts, height=0.7, color=ACCENT, alpha=0.75)
    size = min(8.5, 72 * row * 0.8)
    for place, count in zip(places, counts, strict=True):
        _write_at(axes, count, place, f"{count:,}", size)
    axes.set_yticks(places, [drawable(label) for label in labels], fontsize=size)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.spines["left"].set_color(GRID)
    axes.set_xlabel("pictures")


def _write_at(axes: Axes, x: float, y: float, text: str, size: float) -> None:
    """Write to the right of a point."""
    axes.annotate(
        text,
        (x, y),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=size,
        color=FAINT,
    )
