"""Totals as flat rows, for tables and CSV: whole visits, tenths of seconds, local times."""

import csv
import io
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from mien.watch.audience import Row
from mien.watch.correction import Estimate

Value = str | int | float | None

COLUMNS: Final = (
    *("start", "camera", "area", "age", "hidden", "visits"),
    *("corrected", "corrected_low", "corrected_high", "adjusted"),
    *("passed", "passed_low", "passed_high", "dwell", "dwell_p90", "peak"),
)


def flat(row: Row, zone: ZoneInfo) -> dict[str, Value]:
    """Return a total by `COLUMNS`; what is hidden or unknown is None.

    Args:
        row: The total.
        zone: The time zone in which its start is told.
    """
    start = None if row.start is None else row.start.astimezone(zone).isoformat()
    return {
        "start": start,
        "camera": row.camera,
        "area": row.area,
        "age": row.age,
        "hidden": int(row.hidden),
        "visits": row.visits,
        **_ends("corrected", row.corrected),
        "adjusted": _whole(row.adjusted),
        **_ends("passed", row.passed),
        "dwell": _short(row.dwell),
        "dwell_p90": _short(row.dwell_p90),
        "peak": _short(row.peak),
    }


def csv_text(rows: Iterable[Row], zone: ZoneInfo) -> str:
    """Return totals as CSV, with the names of the columns in its first line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat(row, zone) for row in rows)
    return text.getvalue()


def _ends(name: str, found: Estimate | None) -> dict[str, Value]:
    low, value, high = (None,) * 3 if found is None else (found.low, found.value, found.high)
    return {name: _whole(value), f"{name}_low": _whole(low), f"{name}_high": _whole(high)}


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
