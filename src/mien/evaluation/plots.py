"""Charts of figures by group and by width: plain data in, PNG or SVG out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mien.evaluation.canvas import (
    ACCENT,
    COLUMN,
    FAINT,
    INK,
    SURFACE,
    Form,
    drawable,
    one,
    percentages,
)
from mien.evaluation.wording import FEW

BAND: Final = (0.88, 0.92)
"""Where the measured coverage of intervals that should hold 90 % of the time may lie."""


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


def by_group(
    sections: Sequence[Section],
    *,
    overall: float | None = None,
    percent: bool = False,
    band: tuple[float, float] | None = None,
    label: str = "",
    digits: int = 1,
    form: Form = "svg",
) -> bytes:
    """Draw a figure of each group with its interval, and the figure over all as a line.

    Args:
        sections: The groups, in the order in which they are drawn.
        overall: The figure over all pictures.
        percent: Whether figures are shares, to be shown as percentages.
        band: Where figures should lie, as drawn behind them.
        label: What the figure is, below its axis.
        digits: Decimals of a figure that is no share.
        form: "png" or "svg".
    """
    rows = sum(len(section.rows) + 1 for section in sections)

    def draw(axes: Axes) -> None:
        _draw_references(axes, overall, band)
        _draw_sections(axes, sections, percent, digits)
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


def _draw_references(axes: Axes, overall: float | None, band: tuple[float, float] | None) -> None:
    if band is not None:
        axes.axvspan(*band, color=ACCENT, alpha=0.13, linewidth=0)
    if overall is not None:
        axes.axvline(overall, color=FAINT, linewidth=1, dashes=(3, 3))


def _draw_sections(axes: Axes, sections: Sequence[Section], percent: bool, digits: int) -> None:
    names: list[str] = []
    titles = []
    for section in sections:
        titles.append(len(names))
        names.append(drawable(section.title))
        for estimate in section.rows:
            _draw_estimate(axes, estimate, len(names), percent, digits)
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


def _draw_estimate(axes: Axes, estimate: Estimate, place: int, percent: bool, digits: int) -> None:
    if estimate.low is not None and estimate.high is not None:
        axes.plot((estimate.low, estimate.high), (place, place), color=ACCENT, alpha=0.55)
    face = SURFACE if estimate.pictures < FEW else ACCENT
    axes.plot(
        estimate.value, place, "o", color=ACCENT, markerfacecolor=face, markersize=5, clip_on=False
    )
    value = f"{100 * estimate.value:.1f} %" if percent else f"{estimate.value:.{digits}f}"
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
