"""Pictures of figures as PNG or SVG bytes: one look, and equal input gives equal bytes."""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any, Final, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mien.errors import printable

Form = Literal["png", "svg"]

ACCENT: Final = "#2468b2"
INK: Final = "#1c2126"
FAINT: Final = "#69727b"
GRID: Final = "#dfe3e7"
SURFACE: Final = "#fefefe"
ON_ACCENT: Final = "#ffffff"
DOT: Final = "#3f86d6"
"""Of what stays pixels within an SVG, and has to be seen on light and dark."""
COLUMN: Final = 4.4
"""Width in inches of a chart that stands in a column of a page."""

WIDE: Final = 8.8
"""Width in inches of a chart that takes a page's full width."""

SERIES: Final = (
    ACCENT,
    "#c4601c",
    "#2e8b5e",
    "#8a5bb5",
    "#a08000",
    "#c23b6a",
    "#2a96a5",
    "#8c564b",
    "#6b7a1e",
    "#7a7f87",
)
"""Colours of several runs in one picture, the accent first."""

_VARIABLES: Final = {
    ACCENT: "var(--accent)",
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--grid)",
    SURFACE: "var(--surface)",
}
_STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": FAINT,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.unicode_minus": True,
    "figure.dpi": 200,
    "figure.facecolor": SURFACE,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "mien",
    "text.color": INK,
    # A label may hold dollar signs; it is never a formula.
    "text.parse_math": False,
    "xtick.color": GRID,
    "xtick.labelcolor": FAINT,
    "xtick.labelsize": 8.5,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}
_SHEET: Final = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)


def render(draw: Callable[[Figure], None], width: float, height: float, form: Form) -> bytes:
    """Draw a figure and return its bytes, the same for the same drawing.

    Args:
        draw: Draws into the empty figure.
        width: Width in inches.
        height: Height in inches.
        form: "png", at 200 dots an inch, or "svg", whose texts stay texts.
    """
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Letters that the font lacks become boxes; an SVG keeps them for the reader's own fonts.
        warnings.filterwarnings("ignore", message="Glyph")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        buffer = io.BytesIO()
        unsaid = {"Date": None, "Creator": None, "Format": None, "Type": None}
        metadata = {"Software": None} if form == "png" else unsaid
        figure.savefig(buffer, format=form, metadata=metadata)
    return buffer.getvalue()


def one(draw: Callable[[Axes], None], width: float, height: float, form: Form) -> bytes:
    """Draw into a figure's only axes; as `render`."""
    return render(lambda figure: draw(figure.subplots()), width, height, form)


def drawable(text: str, longest: int = 24) -> str:
    """Return a text as a picture can show it: on one line, its middle cut out if it is long."""
    plain = printable(text)
    return plain if len(plain) <= longest else f"{plain[: longest - 6]}…{plain[-5:]}"


class _Percentages(PercentFormatter):
    """Percent with as many decimals as tell an axis' ticks apart, and no more."""

    def set_locs(self, locs: list[float]) -> None:
        super().set_locs(locs)
        ticks = [100 * place for place in locs]
        self.decimals = next(
            (n for n in range(4) if all(abs(tick - round(tick, n)) < 1e-6 for tick in ticks)), 4
        )


def percentages() -> PercentFormatter:
    """Return what writes an axis of shares in percent."""
    return _Percentages(1, decimals=0, symbol=" %")


def inline(svg: bytes, title: str, prefix: str) -> str:
    """Return an SVG as an element of an HTML page, in the page's own colours.

    The colours become the page's variables (--accent, --ink, --faint, --grid and --surface), so
    that they follow a dark theme.

    Args:
        svg: What `render` returned.
        title: What the picture shows, for those who cannot see it.
        prefix: Letters and dashes that no other picture of the page has: its ids begin with them.
    """
    text = svg.decode()
    opening = text.index("<svg")
    inside = _SHEET.sub("", text[text.index(">", opening) + 1 :], count=1)
    [box] = re.findall(r'viewBox="([\d. -]+)"', text[opening : text.index(">", opening)])
    # A text's own "<" is escaped, so this changes tags alone.
    inside = re.sub(r"<[^>]+>", lambda tag: _themed(tag[0], prefix), inside)
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(title)}">{inside.strip()}'


def _themed(tag: str, prefix: str) -> str:
    tag = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", tag)
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, variable)
    return tag
