"""Charts of a comparison: who is better than whom beyond noise, and what being better costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from mien.evaluation.canvas import (
    ACCENT,
    COLUMN,
    FAINT,
    GRID,
    INK,
    WIDE,
    Form,
    drawable,
    one,
    percentages,
)

_ROW: Final = 0.3
_LONGEST: Final = 34
_LETTER: Final = 0.072


@dataclass(frozen=True)
class Duel:
    """One cell of a table of differences.

    Attributes:
        text: The difference, as it is written.
        beyond: Whether it is more than noise.
        better: Whether the row's entry is the better one.
    """

    text: str
    beyond: bool
    better: bool


@dataclass(frozen=True)
class Offer:
    """What an entry gives, and what it costs."""

    name: str
    figure: float
    cost: float


def duels(
    names: Sequence[str], cells: Sequence[Sequence[Duel | None]], *, form: Form = "svg"
) -> bytes:
    """Draw the differences between all pairs: row minus column, those beyond noise filled.

    Args:
        names: N entries.
        cells: N x N; None where there is nothing to say.
        form: "png" or "svg".
    """
    words = [drawable(name, longest=_LONGEST) for name in names]
    below = 0.35 + _LETTER * max(map(len, words))
    width = WIDE if len(names) > 4 else COLUMN
    return one(lambda axes: _draw_duels(axes, words, cells), width, below + _ROW * len(names), form)


def wide_duels(entries: int) -> bool:
    """Say whether the differences of so many entries take a page's full width."""
    return entries > 4


def trade(
    offers: Sequence[Offer], *, cost: str, label: str, percent: bool = False, form: Form = "svg"
) -> bytes:
    """Draw a figure against what it costs, an entry a point.

    Args:
        offers: At least one.
        cost: What the cost counts, below its axis.
        label: What the figure is, beside its axis.
        percent: Whether the figure is a share.
        form: "png" or "svg".
    """
    return one(lambda axes: _draw_trade(axes, offers, cost, label, percent), COLUMN, 3.3, form)


def _draw_duels(axes: Axes, names: Sequence[str], cells: Sequence[Sequence[Duel | None]]) -> None:
    places = range(len(names))
    for row in places:
        for column in places:
            cell = cells[row][column]
            if cell is None:
                continue
            if cell.beyond:
                strength = 0.3 if cell.better else 0.08
                box = Rectangle((column - 0.5, row - 0.5), 1, 1, color=ACCENT, alpha=strength)
                box.set_linewidth(0)
                axes.add_patch(box)
            axes.text(
                column,
                row,
                cell.text,
                ha="center",
                va="center",
                fontsize=8.5,
                color=INK if cell.beyond else FAINT,
                fontweight="bold" if cell.beyond else "normal",
            )
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticks(places, names, rotation=90)
    axes.set_yticks(places, names)
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    for border in range(len(names) + 1):
        axes.axhline(border - 0.5, color=GRID, linewidth=0.6)
        axes.axvline(border - 0.5, color=GRID, linewidth=0.6)
    axes.spines[:].set_visible(False)


def _draw_trade(axes: Axes, offers: Sequence[Offer], cost: str, label: str, percent: bool) -> None:
    costs = [offer.cost for offer in offers]
    middle = (min(costs) * max(costs)) ** 0.5
    for offer in offers:
        axes.plot(offer.cost, offer.figure, "o", color=ACCENT, markersize=5)
        left = offer.cost > middle
        axes.annotate(
            drawable(offer.name, longest=28),
            (offer.cost, offer.figure),
            xytext=(-6 if left else 6, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            color=INK,
        )
    if max(costs) > 1.5 * min(costs):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.2, y=0.15)
    axes.set_xlabel(cost)
    axes.set_ylabel(label)
    if percent:
        axes.yaxis.set_major_formatter(percentages())
