"""A table of text: cut to the width of a terminal, in full elsewhere."""

import sys
import textwrap
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import IO, Final

_NUMBERS: Final = ("face", "rank", "probability", "score")
_DISPENSABLE: Final = ("score", "box")
_GAP: Final = "  "
_NARROWEST: Final = 16
_NARROW: Final = 32
_UNBOUNDED: Final = 1_000_000


def print_table(
    rows: Sequence[Mapping[str, str]],
    notes: Sequence[str] = (),
    stream: IO[str] | None = None,
) -> None:
    """Print rows in columns: cut to the width of a terminal, in full elsewhere.

    Args:
        rows: Column -> cell, printable text; columns without content are left out.
        notes: One a row; where not empty, it stands in place of all cells but the first.
        stream: Where to; None for standard output.
    """
    from rich.console import Console
    from rich.text import Text

    if not rows:
        return
    stream = stream or sys.stdout
    room = Console(file=stream).width if stream.isatty() else _UNBOUNDED
    console = Console(file=stream, width=room, highlight=False)
    widths = _widths(rows, room)
    lines = [Text(_line({name: name for name in widths}, widths), "bold")]
    for row, note in zip(rows, notes or repeat(""), strict=False):
        lines.extend(map(Text, _noted(row, note, widths, room) if note else [_line(row, widths)]))
    for line in lines:
        console.print(line, no_wrap=True, overflow="ellipsis")


def _widths(rows: Sequence[Mapping[str, str]], room: int) -> dict[str, int]:
    """Return the columns that hold anything, with their widths; the least important give way."""
    from rich.cells import cell_len

    widths: dict[str, int] = {}
    for row in rows:
        for name, text in row.items():
            if text:
                widths[name] = max(widths.get(name, len(name)), cell_len(text))
    # A column that is empty in the first rows stands where those rows have it.
    widths = {name: widths[name] for row in rows[:1] for name in row if name in widths}
    for first in list(widths)[:1]:
        for name in _DISPENSABLE:
            if _total(widths | {first: min(widths[first], _NARROW)}) > room:
                widths.pop(name, None)
        spare = max(0, widths[first] - _NARROWEST)
        widths[first] -= min(spare, max(0, _total(widths) - room))
    return widths


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _line(row: Mapping[str, str], widths: Mapping[str, int]) -> str:
    cells = [_fit(name, row.get(name, ""), width) for name, width in widths.items()]
    return _GAP.join(cells).rstrip()


def _noted(row: Mapping[str, str], note: str, widths: Mapping[str, int], room: int) -> list[str]:
    """Return a row whose first cell is followed by text, wrapped beside or below it."""
    first, width = next(iter(widths.items()))
    head = _fit(first, row[first], width)
    if room - width - len(_GAP) < _NARROW:
        return [
            head.rstrip(),
            *textwrap.wrap(note, room, initial_indent=_GAP, subsequent_indent=_GAP),
        ]
    indent = " " * width + _GAP
    lines = textwrap.wrap(note, room, initial_indent=indent, subsequent_indent=indent)
    return [head + lines[0][width:], *lines[1:]]


def _fit(column: str, text: str, width: int) -> str:
    """Pad a cell to its width, or leave its end, which of a path says most."""
    from rich.cells import cell_len

    if cell_len(text) > width:
        text = "…" + text[-(width - 1) :]
        while cell_len(text) > width:
            text = "…" + text[2:]
    padding = " " * (width - cell_len(text))
    return padding + text if column in _NUMBERS else text + padding
