"""The tables: visits for some days, hourly totals for good, tallies, and how far outboxes are."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Double, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAME: Final = 200
"""The longest name of a camera, an area or a group."""


class Moment(TypeDecorator[datetime]):
    """A moment, kept in UTC whatever the database knows of time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC; what a database gives without a zone is in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""


class VisitRow(Base):
    """A visit, until it is forgotten."""

    __tablename__ = "visits"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    camera: Mapped[str] = mapped_column(String(NAME))
    area: Mapped[str] = mapped_column(String(NAME))
    kind: Mapped[str] = mapped_column(String(8))
    entered: Mapped[datetime] = mapped_column(Moment, index=True)
    left: Mapped[datetime] = mapped_column(Moment, index=True)
    ages: Mapped[list[float]] = mapped_column(JSON)
    years: Mapped[float] = mapped_column(Double)
    low: Mapped[float] = mapped_column(Double)
    high: Mapped[float] = mapped_column(Double)
    group: Mapped[str] = mapped_column(String(NAME))
    quality: Mapped[float] = mapped_column(Double)
    female: Mapped[float | None] = mapped_column(Double)
    expressions: Mapped[dict[str, float] | None] = mapped_column(JSON)


class HourRow(Base):
    """The totals of one camera, area, kind and hour."""

    __tablename__ = "hours"

    start: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    camera: Mapped[str] = mapped_column(String(NAME), primary_key=True)
    area: Mapped[str] = mapped_column(String(NAME), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    count: Mapped[int]
    totals: Mapped[dict[str, Any]] = mapped_column(JSON)


class OutboxRow(Base):
    """How far an outbox has been drained; moved together with the visits that came from it."""

    __tablename__ = "outboxes"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    drained: Mapped[int] = mapped_column(BigInteger)


class TallyRow(Base):
    """A tally at the door: counts, and the totals of mien's own visits of that time."""

    __tablename__ = "tallies"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    camera: Mapped[str] = mapped_column(String(NAME), index=True)
    area: Mapped[str] = mapped_column(String(NAME))
    started: Mapped[datetime] = mapped_column(Moment)
    ended: Mapped[datetime] = mapped_column(Moment)
    taps: Mapped[dict[str, int]] = mapped_column(JSON)
    visits: Mapped[dict[str, Any]] = mapped_column(JSON)
