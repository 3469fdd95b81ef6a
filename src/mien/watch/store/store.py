"""The store of visits: each added once, counted in hourly totals, and forgotten in time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mien.watch.periods import zone_of
from mien.watch.store import database
from mien.watch.store.schema import HourRow, OutboxRow, TallyRow, VisitRow
from mien.watch.totals import Totals, of_visit
from mien.watch.visit import Kind, Visit

DEFAULT: Final = "sqlite:///mien-watch.sqlite3"
_CHUNK: Final = 500


class Key(NamedTuple):
    """Which totals a row holds."""

    start: datetime
    camera: str
    area: str
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class Hour:
    """The totals of one camera, area and kind in the local hour that begins at `start`, UTC."""

    start: datetime
    camera: str
    area: str
    kind: Kind
    totals: Totals


class Store:
    """Visits in a database. One may be shared by threads.

    Args:
        url: "sqlite:///audience.db", "postgresql://user@host/name", or a file's path.
        zone: The time zone whose hours the totals are kept by; matters where it is not whole
            hours from UTC.
        upgrade: Whether an older or empty database is brought to the newest schema.

    Raises:
        StoreError: The database cannot be reached or used.

    Example:
        >>> Store("audience.db", zone="Europe/Berlin").add([visit])
        1
    """

    def __init__(self, url: str = DEFAULT, *, zone: str = "UTC", upgrade: bool = True) -> None:
        self.zone: ZoneInfo = zone_of(zone)
        self._engine = database.connect(url)
        self.name = database.shown(url)
        try:
            database.upgrade(self._engine, only_check=not upgrade)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def add(self, visits: Sequence[Visit]) -> int:
        """Store visits; those that are there already, by their id, change nothing.

        Returns:
            How many were new.

        Raises:
            RefusedError: The database refuses a value; nothing was stored.
            StoreError: It cannot be reached or written; nothing was stored, unless the connection
                broke at the very end. Adding the same visits again is always right.
        """
        with self._writing() as connection:
            return self._add(connection, visits)

    def drain(self, outbox: str, records: Sequence[tuple[int, Visit]], upto: int) -> int:
        """Store what comes from an outbox, and how far it is drained, in one transaction.

        So a record counts once even where its visit was stored and forgotten long ago.

        Args:
            outbox: The outbox's own id.
            records: Number and visit, by rising numbers; those drained before are passed over.
            upto: The last number that is dealt with hereby.

        Returns:
            How many visits were new.
        """
        with self._writing() as connection:
            place = sa.select(OutboxRow.drained).where(OutboxRow.id == outbox).with_for_update()
            drained = connection.execute(place).scalar_one_or_none()
            new = self._add(connection, [v for number, v in records if number > (drained or 0)])
            row = {"id": outbox, "drained": max(upto, drained or 0)}
            statement = self._insert(OutboxRow).values(row)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"], set_={"drained": row["drained"]}
                )
            )
            return new

    def drained(self, outbox: str) -> int:
        """Return the number of the last record of an outbox that is stored; 0 for none."""
        with self._reading() as connection:
            place = sa.select(OutboxRow.drained).where(OutboxRow.id == outbox)
            return connection.execute(place).scalar_one_or_none() or 0

    def visits(self, begin: datetime, end: datetime) -> list[Visit]:
        """Return the visits, still kept, that entered from `begin` to before `end`, in order."""
        wanted = (
            sa.select(VisitRow.__table__)
            .where(VisitRow.entered >= begin, VisitRow.entered < end)
            .order_by(VisitRow.entered, VisitRow.id)
        )
        with self._reading() as connection:
            return [_visit(row) for row in connection.execute(wanted)]

    def hours(self, begin: datetime, end: datetime) -> list[Hour]:
        """Return the totals of the hours that begin from `begin` to before `end`, in order."""
        wanted = (
            sa.select(HourRow.__table__)
            .where(HourRow.start >= begin, HourRow.start < end)
            .order_by(HourRow.start, HourRow.camera, HourRow.area, HourRow.kind)
        )
        with self._reading() as connection:
            return [
                Hour(row.start, row.camera, row.area, row.kind, Totals.from_json(row.totals))
                for row in connection.execute(wanted)
            ]

    def forget(self, before: datetime) -> int:
        """Delete the visits that left before a moment; all totals stay as they are.

        Returns:
            How many visits were deleted.
        """
        with self._writing() as connection:
            return connection.execute(sa.delete(VisitRow).where(VisitRow.left < before)).rowcount

    def add_tally(self, row: dict[str, Any]) -> None:
        """Store a tally, by the columns of `TallyRow`; the same id twice changes nothing."""
        with self._writing() as connection:
            connection.execute(self._insert(TallyRow).values(row).on_conflict_do_nothing())

    def tallies(self) -> list[dict[str, Any]]:
        """Return all tallies, the oldest first, by the columns of `TallyRow`."""
        wanted = sa.select(TallyRow.__table__).order_by(TallyRow.started, TallyRow.id)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def _add(self, connection: sa.Connection, visits: Sequence[Visit]) -> int:
        new: dict[str, Visit] = {}
        for start in range(0, len(visits), _CHUNK):
            part = {visit.id: visit for visit in visits[start : start + _CHUNK]}
            inserted = (
                self._insert(VisitRow)
                .values([_row(visit) for visit in part.values()])
                .on_conflict_do_nothing(index_elements=["id"])
                .returning(VisitRow.id)
            )
            new |= {name: part[name] for name in connection.execute(inserted).scalars()}
        sums: dict[Key, Totals] = defaultdict(Totals)
        for visit in new.values():
            for hour, totals in self._parts(visit):
                sums[Key(hour, visit.camera, visit.area, visit.kind)].add(totals)
        # In one order, so that two who add at once cannot wait for each other.
        for key in sorted(sums):
            self._count(connection, key, sums[key])
        return len(new)

    def _parts(self, visit: Visit) -> list[tuple[datetime, Totals]]:
        try:
            return of_visit(visit, self.zone)
        except ValueError as error:
            raise database.RefusedError(f"{self.name}: visit {visit.id}: {error}") from error

    def _count(self, connection: sa.Connection, key: Key, more: Totals) -> None:
        empty = {**key._asdict(), "count": 0, "totals": {}}
        connection.execute(self._insert(HourRow).values(empty).on_conflict_do_nothing())
        place = [getattr(HourRow, name) == value for name, value in key._asdict().items()]
        kept = sa.select(HourRow.totals).where(*place).with_for_update()
        totals = Totals.from_json(connection.execute(kept).scalar_one())
        totals.add(more)
        connection.execute(
            sa.update(HourRow).where(*place).values(count=totals.count, totals=totals.to_json())
        )

    def _insert(self, table: type[Any]) -> Any:
        """Return an insert of the database's own kind, which knows what to do with conflicts."""
        dialect = self._engine.dialect.name
        return (postgresql if dialect == "postgresql" else sqlite).insert(table)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with database.explained(self._engine), database.writing(self._engine) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with database.explained(self._engine), self._engine.begin() as connection:
            yield connection


def _row(visit: Visit) -> dict[str, Any]:
    return {column.key: getattr(visit, column.key) for column in VisitRow.__table__.columns} | {
        "ages": list(visit.ages)
    }


def _visit(row: Any) -> Visit:
    return Visit(**{**row._mapping, "ages": tuple(row.ages)})
