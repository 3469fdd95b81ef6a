"""Charts of a classification: confusions, honesty of its probabilities, counts of its classes."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from mien.evaluation.canvas import (
    ACCENT,
    COLUMN,
    FAINT,
    GRID,
    INK,
    ON_ACCENT,
    WIDE,
    Form,
    drawable,
    one,
    percentages,
    render,
)

_MOST_ROWS_OF_SHARES: Final = 5
_SMALLEST_COUNT: Final = 4.5
_SHADES: Final = (0.8, 0.45, 0.22)


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


def class_counts(labels: Sequence[str], counts: Sequence[int], *, form: Form = "svg") -> bytes:
    """Draw how many pictures there are of each class, in the order given."""
    row = min(0.21, max(0.1, 8 / len(labels)))
    return one(
        lambda axes: _draw_counts(axes, labels, counts, row), COLUMN, 0.45 + row * len(labels), form
    )


def part_counts(
    labels: Sequence[str], parts: Mapping[str, Sequence[int]], *, form: Form = "svg"
) -> bytes:
    """Draw how many pictures of each label lie in which part, the parts one after the other.

    Args:
        labels: N labels, in the order in which they are drawn.
        parts: Part -> N counts.
        form: "png" or "svg".
    """
    row = min(0.21, max(0.1, 8 / len(labels)))
    height = 0.75 + row * len(labels)
    return one(lambda axes: _draw_parts(axes, labels, parts, row), COLUMN, height, form)


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


def _draw_counts(axes: Axes, labels: Sequence[str], counts: Sequence[int], row: float) -> None:
    places = range(len(labels))
    axes.barh(places, counts, height=0.7, color=ACCENT, alpha=0.75)
    size = min(8.5, 72 * row * 0.8)
    for place, count in zip(places, counts, strict=True):
        _write_at(axes, count, place, f"{count:,}", size)
    _dress_counts(axes, labels, size)


def _draw_parts(
    axes: Axes, labels: Sequence[str], parts: Mapping[str, Sequence[int]], row: float
) -> None:
    places, begun = range(len(labels)), np.zeros(len(labels))
    for (name, counts), shade in zip(parts.items(), itertools.cycle(_SHADES), strict=False):
        axes.barh(places, counts, left=begun, height=0.7, color=ACCENT, alpha=shade, label=name)
        begun = begun + np.asarray(counts)
    size = min(8.5, 72 * row * 0.8)
    for place, total in zip(places, begun.astype(int).tolist(), strict=True):
        _write_at(axes, total, place, f"{total:,}", size)
    _dress_counts(axes, labels, size)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(parts), fontsize=8.5)


def _dress_counts(axes: Axes, labels: Sequence[str], size: float) -> None:
    axes.set_yticks(range(len(labels)), [drawable(label) for label in labels], fontsize=size)
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
