"""How many pictures each label has, as bars of text."""

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Final

from mien.errors import printable

if TYPE_CHECKING:
    from rich.text import Text

    from mien.data.counts import Count

_WIDTH: Final = 40
_LONGEST: Final = 24
# Told apart by their shade too, where there are no colours.
_LOOKS: Final = {
    "train": ("█", "blue"),
    "validation": ("▓", "cyan"),
    "test": ("▒", "yellow"),
    "no part": ("░", "bright_black"),
}


def print_bars(counts: "Sequence[Count]", stream: IO[str]) -> None:
    """Print the pictures of each label, one block a task; the parts follow each other in a bar.

    Args:
        counts: What to print; of tasks with many labels, the largest.
        stream: Where to.
    """
    from rich.console import Console

    from mien.data.counts import condensed

    console = Console(file=stream, highlight=False, soft_wrap=True)
    shown = condensed(counts)
    for task in dict.fromkeys(one.task for one in shown):
        for line in _block(task, [one for one in shown if one.task == task]):
            console.print(line)


def _block(task: str, row: "Sequence[Count]") -> "list[Text]":
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    cells = [_cells(one) for one in row]
    heads = [_fit(printable(task)), "pictures", *row[0].parts, ""]
    widths = [
        max(cell_len(heads[place]), *(cell_len(cell[place]) for cell in cells))
        for place in range(len(heads) - 1)
    ]
    head = Text("\n").append("  ".join(_aligned(heads, widths)), "bold")
    for part in row[0].parts:
        glyph, colour = _LOOKS[part]
        head.append("  ").append(glyph, colour).append(f" {part}")
    most = max(one.total for one in row)
    lines = [head]
    for one, cell in zip(row, cells, strict=True):
        line = Text("  ".join(_aligned(cell, widths)) + "  ")
        start = 0
        for part, pictures in one.parts.items():
            end = start + pictures
            length = round(end / most * _WIDTH) - round(start / most * _WIDTH)
            glyph, colour = _LOOKS[part]
            line.append(set_cell_size(glyph * length, length), colour)
            start = end
        lines.append(line)
    return lines


def _cells(one: "Count") -> list[str]:
    return [_fit(printable(one.label)), f"{one.total:,}", *(f"{n:,}" for n in one.parts.values())]


def _fit(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    from rich.cells import cell_len

    first, *rest = zip(cells, widths, strict=False)
    gap = " " * (first[1] - cell_len(first[0]))
    return [first[0] + gap, *(cell.rjust(width) for cell, width in rest)]
