"""A grid of single pictures, each with all that a classification says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mien.evaluation.canvas import ACCENT, FAINT, INK, SERIES, WIDE, Form, drawable, render

_COLUMNS: Final = 3
_MOST: Final = 10
_LONGEST: Final = 14
_WRONG: Final = SERIES[1]


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture.

    Attributes:
        title: What stands above it.
        truth: Its label.
        probabilities: The probability of each label.
        picture: H x W x 3, RGB; None where pictures are not to be shown.
    """

    title: str
    truth: str
    probabilities: Sequence[float]
    picture: NDArray[np.uint8] | None = None


def samples(labels: Sequence[str], panels: Sequence[Panel], *, form: Form = "svg") -> bytes:
    """Draw pictures with their probabilities: the label's own in colour, a wrong answer in another.

    Args:
        labels: The labels; of more than ten the most probable are drawn, and the right one.
        panels: At least one.
        form: "png" or "svg".
    """
    rows = -(-len(panels) // _COLUMNS)
    height = rows * (0.45 + 0.17 * max(4, min(len(labels), _MOST)))
    return render(lambda figure: _draw(figure, labels, panels, rows), WIDE, height, form)


def _draw(figure: Figure, labels: Sequence[str], panels: Sequence[Panel], rows: int) -> None:
    pictures = any(panel.picture is not None for panel in panels)
    each = 2 if pictures else 1
    ratios = (1.0, 1.6) if pictures else (1.0,)
    grid = figure.subplots(rows, each * _COLUMNS, width_ratios=ratios * _COLUMNS, squeeze=False)
    places = grid.reshape(-1, each)
    for place, panel in zip(places, panels, strict=False):
        if panel.picture is not None:
            place[0].imshow(panel.picture, interpolation="none")
        if pictures:
            place[0].set_axis_off()
        _draw_bars(place[-1], labels, panel)
    for place in places[len(panels) :]:
        for axes in place:
            axes.set_axis_off()


def _draw_bars(axes: Axes, labels: Sequence[str], panel: Panel) -> None:
    shares = np.asarray(panel.probabilities, np.float64)
    right, said = labels.index(panel.truth), int(shares.argmax())
    chosen = list(range(len(labels)))
    if len(labels) > _MOST:
        chosen = np.argsort(-shares)[:_MOST].tolist()
        chosen = chosen if right in chosen else [*chosen[:-1], right]
    for place, index in enumerate(chosen):
        colour = ACCENT if index == right else _WRONG if index == said else FAINT
        axes.barh(place, shares[index], height=0.7, color=colour, alpha=0.85)
        text = f"{100 * shares[index]:.0f}"
        axes.text(1.2, place, text, ha="right", va="center", fontsize=7, color=FAINT)
    names = [drawable(labels[index], longest=_LONGEST) for index in chosen]
    axes.set_yticks(range(len(chosen)), names, fontsize=7)
    axes.get_yticklabels()[chosen.index(right)].set(fontweight="bold", color=ACCENT)
    axes.set(xlim=(0, 1.2), ylim=(len(chosen) - 0.4, -0.6))
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    title = drawable(panel.title, longest=20)
    axes.set_title(title, fontsize=7.5, color=INK if said == right else _WRONG)
