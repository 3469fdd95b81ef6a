"""What is stored, how long, and what is shown of it: a statement that machines and people read."""

from typing import Any

from mien.watch.config import Config
from mien.watch.store.schema import Base

_TABLES = {
    "visits": "one row a visit, deleted after keep_days",
    "hours": "totals of one camera, area, kind and hour; kept",
    "tallies": "counts of taps at a door, and the totals of the visits of that time; kept",
    "outboxes": "how far a local outbox is stored; says nothing of people",
}

NEVER = ("pictures", "crops", "landmarks", "embeddings", "race", "names", "positions over time")
"""What is never stored, whatever is configured."""


def statement(config: Config) -> dict[str, Any]:
    """Return what a configuration stores and shows, for `/v1/privacy`.

    Args:
        config: The watch's configuration.

    Returns:
        What JSON can hold; no address of a camera or a database, and no credentials.
    """
    expression = config.tasks.expression
    return {
        "what": "visits, not people: nobody is recognised again",
        "stored": {
            "of_a_visit": ["camera", "area", "entered", "left", "age distribution", "quality"]
            + ["gender share"] * config.tasks.gender
            + ["expression shares"] * (expression is not None),
            "never": list(NEVER),
            "keep_days": config.store.keep_days,
            "totals": "hourly totals stay after visits are deleted",
            "outbox": "visits wait on the local disk until the database has them",
        },
        "gender": config.tasks.gender,
        "expression": None if expression is None else {"purpose": expression.purpose},
        "shown": {
            "k": config.privacy.k,
            "rule": "totals from 1 to below k are hidden, and others with them so that none "
            "follows by subtraction; periods are fixed: hours, days, weeks of the local calendar",
            "live": "totals in whole steps of k; no single visit",
        },
        "cameras": [
            {"name": camera.name, "areas": [area.name for area in camera.areas if not area.ignore]}
            for camera in config.cameras
        ],
        "schema": _schema(),
    }


def _schema() -> dict[str, Any]:
    return {
        table.name: {
            "holds": _TABLES[table.name],
            "columns": {column.name: str(column.type) for column in table.columns},
        }
        for table in Base.metadata.sorted_tables
    }
