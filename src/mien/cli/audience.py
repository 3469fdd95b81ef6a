"""`mien audience`: who came, by area, age and time, raw and corrected."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.output import json_text
from mien.errors import MienError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mien.cli.output import Row
    from mien.watch import audience as audiences

HELP: Final = """Show the audience: visits by camera, area, age group and time, raw and corrected.

Visits are not people, small totals are hidden, and what must be known about the figures is written
to standard error.

\bExamples:
  mien audience --from 2026-03-02 --to 2026-03-08 --by area,age --config shop.toml
  mien audience --from 2026-03-02 --by hour --format csv > monday.csv
  mien audience --from 2026-03-02 --by age,day --zone Europe/Paris --store visits.sqlite3
"""


class Form(StrEnum):
    """How the audience is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def audience(
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first local day.")
    ],
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The last day, included. \\[the first]"),
    ] = None,
    by: Annotated[
        str, typer.Option(help="camera, area, age, and one of hour, day, week; by commas.")
    ] = "area,age",
    form: Annotated[Form, typer.Option("--format", help="What to print.")] = Form.TABLE,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="CONFIG.toml", help="Whose store, zone, groups and k."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL|FILE", help="The database of visits.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of days. \\[UTC]")] = None,
    model: Annotated[
        str | None, typer.Option(help="The model that read the ages. \\[face]")
    ] = None,
    k: Annotated[
        int | None, typer.Option("--k", min=1, help="Totals below it are hidden. \\[5]")
    ] = None,
) -> None:
    """Show the audience."""
    try:
        from mien.watch import audience as audiences
        from mien.watch.calibration import for_model
        from mien.watch.config import of_source, read
        from mien.watch.correction import Corrector
        from mien.watch.keeping import store_url
        from mien.watch.store.store import Store
    except ModuleNotFoundError as error:
        raise MienError(
            f"the audience needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[watch]'"
        ) from error

    # Without a configuration the defaults are those of one.
    known = read(config) if config else of_source("0")
    words = [word.strip() for word in by.split(",") if word.strip()]
    audiences.checked(words)
    calibration, problem = for_model(model or known.model)
    opened = Store(store or store_url(known), zone=zone or known.schedule.time_zone, upgrade=False)
    try:
        found = audiences.ask(
            opened,
            first.date(),
            (last or first).date(),
            words,  # type: ignore[arg-type]
            Corrector(calibration, known.age_groups),
            k=known.privacy.k if k is None else k,
        )
    finally:
        opened.close()
    _write(found, form, opened.zone)
    for note in [problem] if problem else []:
        typer.echo(note, err=True)


def _write(found: "audiences.Audience", form: Form, zone: "ZoneInfo") -> None:
    from mien.cli.output import Format, open_writer
    from mien.cli.table import print_table
    from mien.watch import rows as flat

    rows: list[Row] = [flat.flat(row, zone) for row in found.rows]
    notes = [*found.notes, *(f"{n} counted apart: {kind}" for kind, n in found.apart.items() if n)]
    if form is Form.JSON:
        typer.echo(json_text({"rows": rows, "apart": found.apart, "notes": notes}, indent=2))
        return
    if form is Form.CSV:
        with open_writer(Format.CSV, None, flat.COLUMNS) as writer:
            writer.write(rows)
    elif rows:
        print_table([_cells(row) for row in rows])
    else:
        typer.echo("no visits in that time")
    for note in notes:
        typer.echo(note, err=True)


def _cells(row: "Row") -> dict[str, str]:
    """Return a row for reading: intervals in one cell, and what is hidden said."""
    cells = {
        name: "" if row[name] is None else str(row[name])
        for name in ("start", "camera", "area", "age")
    }
    shown = row["visits"]
    cells["visits"] = str(shown) if not row["hidden"] else f"{shown} or more" if shown else "hidden"
    for name in ("corrected", "passed"):
        value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        cells[name] = "" if value is None else f"{value} ({low} to {high})"
    for name in ("adjusted", "dwell", "dwell_p90", "peak"):
        cells[name] = "" if row[name] is None else str(row[name])
    return cells
