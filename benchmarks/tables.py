"""Tables of figures: shown, and written with what is needed to judge and to repeat them."""

import csv
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

import mien
from mien.files import atomic_write

PACKAGES: Final = ("numpy", "onnxruntime", "opencv-python-headless", "pillow")

Row = dict[str, str]
"""Column -> text."""


def show(rows: Sequence[Row], title: str) -> None:
    """Print the table."""
    table = Table(title=f"{title}\n{machine()}\n{versions()}", title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="left" if name in ("measure", "unit") else "right")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)


def write(rows: Sequence[Row], path: Path, seed: int) -> None:
    """Write the table with what is needed to judge and to repeat it."""
    about = {"machine": machine(), "versions": versions(), "seed": str(seed)}
    with atomic_write(path, newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *about], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **about} for row in rows)


def machine() -> str:
    """Return the processor and how many cores of it may be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {_processor()}, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (names or [platform.processor() or "an unnamed processor"])[0]


def versions() -> str:
    """Return the versions of what the figures depend on."""
    parts = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    return ", ".join([f"mien {mien.__version__}", f"Python {platform.python_version()}", *parts])
