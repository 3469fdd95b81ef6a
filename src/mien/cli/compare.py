"""`mien compare`: runs and model files side by side."""

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mien.cli.inputs import check_places
from mien.errors import OutputError, printable
from mien.files import atomic_write

if TYPE_CHECKING:
    from mien.evaluation.comparison import Comparison, Entry

ROUNDS: Final = 100
_KINDS: Final = (".csv", ".json", ".html")


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="Run folders, folders of runs, model files, packaged models."
        ),
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="Write all of it: .csv, .json or .html; may be given again."
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=0, help="Pictures that each reads to measure speed; 0: none.")
    ] = ROUNDS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
) -> None:
    """Compare runs and model files: figures, speed, size, and what is more than noise.

    Runs that differ by their seed alone are joined, with mean and spread. Differences are judged on
    the same test pictures, which the runs remember; where the splits differ they cannot be.

    mien compare runs/face runs/face-small -o comparison.html

    mien compare runs/sweep face -o comparison.csv
    """
    from mien.evaluation import comparison as comparisons
    from mien.evaluation.contenders import gather

    for path in output or []:
        if path.suffix.lower() not in _KINDS:
            raise OutputError(
                f"{printable(str(path))}: name a file that ends in {', '.join(_KINDS)}"
            )
    for path in output or []:
        check_places(runs, output=path)
    found = comparisons.compare(gather(runs, rounds=rounds, seed=seed), seed)
    show(found)
    for path in output or []:
        write(found, path)
        typer.echo(f"{path}: {len(found.contenders)} compared", err=True)


def show(comparison: "Comparison") -> None:
    """Print one table, what is best, and what cannot be compared."""
    from mien.cli.table import print_table
    from mien.evaluation.comparison_page import verdict

    print_table([_line(entry, comparison) for entry in comparison.entries])
    typer.echo()
    for task in comparison.headlines:
        typer.echo(f"{task}: {verdict(comparison, task)}")
    for pair in comparison.apart:
        typer.echo(f"not comparable: {pair.first} and {pair.second}: {pair.reason}")


def write(comparison: "Comparison", path: Path) -> None:
    """Write a comparison as CSV, JSON or HTML, by the file's ending.

    Raises:
        OutputError: The file cannot be written.
    """
    from mien.evaluation import comparison as comparisons
    from mien.evaluation.evaluate import write_table

    if path.suffix.lower() == ".html":
        from mien.evaluation.comparison_page import write_page

        write_page(comparison, path, f"{platform.system()} {platform.machine()}")
    elif path.suffix.lower() == ".csv":
        write_table(path, comparisons.rows(comparison))
    else:
        with atomic_write(path) as file:
            json.dump(comparisons.told(comparison), file, indent=1)


def _line(entry: "Entry", comparison: "Comparison") -> dict[str, str]:
    from mien.evaluation.comparison import row_of
    from mien.evaluation.comparison_page import told_span, told_value

    row: dict[str, Any] = row_of(entry, comparison)
    cells = {
        "run": entry.name,
        "runs": str(row["runs"]),
        "parameters": f"{row['parameters']:,}",
        "MACs": f"{row['macs']:,}",
        "MB": f"{row['bytes'] / 1e6:.2f}",
        "p50 ms": str(row["p50_ms"]),
        "p95 ms": str(row["p95_ms"]),
        "s/epoch": str(row["seconds_an_epoch"]),
        "best epoch": str(row["best_epoch"]),
    }
    for task, name in comparison.headlines.items():
        figure = comparison.figure(entry.name, task, name)
        if figure is None:
            cells[f"{task} {name}"] = ""
            continue
        spread = "" if figure.spread is None else f" ± {told_value(name, figure.spread)}"
        span = told_span(name, figure.low, figure.high)
        value = f"{told_value(name, figure.value)}{spread}"
        cells[f"{task} {name}"] = f"{value} ({span})" if span else value
    return cells
