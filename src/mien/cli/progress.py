"""A progress bar on standard error, for work that takes a while and eyes that watch it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_HANDFUL: Final = 8


@contextmanager
def progress(total: int, unit: str, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Show how far a piece of work is, with its rate and the time left.

    Nothing is shown where standard error is no terminal, or for a handful of items. The bar
    vanishes at the end.

    Args:
        total: How many items there are.
        unit: What they are: "pictures".
        quiet: Whether to show nothing, as when results appear on the same terminal.

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
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, rate="")

        def advance() -> None:
            speed = bar.tasks[0].speed
            rate = f"{unit}, {speed:.1f} a second," if speed else unit
            bar.update(task, advance=1, rate=rate)

        yield advance
