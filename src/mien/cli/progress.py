"""How far the work is: a bar on standard error for eyes that watch it, and counts at the end."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mien.cli.output import Row

_HANDFUL: Final = 8


@contextmanager
def progress(
    total: int, unit: str, *, quiet: bool = False, note: Callable[[], str] = str
) -> Iterator[Callable[[], None]]:
    """Show how far a piece of work is, with its rate and the time left.

    Nothing is shown where standard error is no terminal, or for a handful of items. The bar
    vanishes at the end.

    Args:
        total: How many items there are.
        unit: What they are: "pictures".
        quiet: Whether to show nothing, as when results appear on the same terminal.
        note: Tells what to show beside the bar.

    Yields:
        To be called after each item.
    """
    if quiet or total <= _HANDFUL or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeftColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeLeftColumn(compact=True),
        TextColumn("left{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, rate="", note="")

        def advance() -> None:
            bar.advance(task)
            done, seconds = bar.tasks[0].completed, bar.tasks[0].elapsed
            rate = f"{unit}, {done / seconds:.1f} a second," if seconds else unit
            said = note()
            bar.update(task, rate=rate, note=f", {said}" if said else "")

        yield advance


@dataclass
class Counts:
    """How many pictures were read, as rows tell it.

    Attributes:
        total: How many pictures there are.
        faces: How many faces were found; None where none are looked for.
        read: How many pictures could be read.
        without: How many of them hold no face.
        failed: How many could not be read.
    """

    total: int
    faces: int | None = None
    read: int = 0
    without: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """How many pictures were read or failed."""
        return self.read + self.failed

    def add(self, rows: Sequence[Row]) -> None:
        """Count the rows of one picture."""
        if rows[0].get("error"):
            self.failed += 1
            return
        self.read += 1
        if self.faces is not None:
            found = sum(row.get("face") is not None for row in rows)
            self.faces += found
            self.without += found == 0

    def summary(self) -> str:
        """Return one line: "12 pictures read, 34 faces, 2 without a face, 1 failed"."""
        parts = [f"{self.read:,} {'picture' if self.read == 1 else 'pictures'} read"]
        if self.faces is not None:
            parts.append(f"{self.faces:,} {'face' if self.faces == 1 else 'faces'}")
            parts.append(f"{self.without:,} without a face")
        return ", ".join([*parts, f"{self.failed:,} failed"])


class Watch:
    """Wraps loops to show their progress, and lets them say how they fare.

    Args:
        unit: What the items are: "pictures".
    """

    def __init__(self, unit: str) -> None:
        self._unit, self._note = unit, ""

    def __call__(self, items: Iterable[Any], total: int, /) -> Iterator[Any]:
        """Take the items and their number, and give the items."""
        with progress(total, self._unit, note=lambda: self._note) as advance:
            for item in items:
                yield item
                advance()

    def note(self, text: str) -> None:
        """Show a text beside the bar from the next item on."""
        self._note = text


def watch(unit: str) -> Watch:
    """Return what wraps a loop to show its progress; it takes the items and their number.

    Args:
        unit: What the items are: "pictures".
    """
    return Watch(unit)
