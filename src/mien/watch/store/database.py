"""A database by its URL: opened, brought to the newest schema, its failures explained."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from mien.errors import StoreError, printable, shortened

_BUSY: Final = 30
_CONNECT: Final = 5
_PAUSE: Final = 0.02
# Any number that nobody else uses: whoever upgrades holds it.
_LOCK: Final = 0x6D69656E


class RefusedError(StoreError):
    """The database refuses a value itself; trying again will not help."""


def connect(url: str) -> sa.Engine:
    """Return an engine; nothing is connected yet.

    Args:
        url: "sqlite:///audience.db", "postgresql://user@host/name", or a file's path.

    Raises:
        StoreError: The URL makes no sense, or its driver is not installed.
    """
    parsed = _parsed(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            engine = sa.create_engine(parsed, connect_args={"timeout": _BUSY})
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        options = {"connect_timeout": _CONNECT, "keepalives_idle": 10, "tcp_user_timeout": 30_000}
        return sa.create_engine(parsed, pool_pre_ping=True, connect_args=options)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{shown(url)}: needs the package {error.name}; install mien with the extra `postgres`"
        ) from error


def shown(url: str) -> str:
    """Return a URL without its password, for messages."""
    try:
        text = sa.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        text = url
    return printable(shortened(text))


def upgrade(engine: sa.Engine, *, only_check: bool = False) -> None:
    """Bring a database to the schema of this mien; may be done by several at once.

    Args:
        engine: The database.
        only_check: Whether an older schema is refused instead.

    Raises:
        StoreError: The schema is newer than this mien knows, or older and only checked, or the
            database cannot be reached or changed.
    """
    config = Config()
    config.set_main_option("script_location", str(files("mien.watch.store") / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    name = shown(engine.url.render_as_string())
    file = engine.url.database
    if only_check and engine.dialect.name == "sqlite" and file and not Path(file).exists():
        raise StoreError(
            f"{name}: there is no such file. `mien store upgrade --store {name}` makes it."
        )
    with explained(engine), writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
            raise StoreError(
                f"{name}: its schema {current} is newer than this mien knows "
                f"({scripts.get_current_head()}). Update mien."
            )
        if only_check:
            raise StoreError(
                f"{name}: its schema is {current or 'empty'}, this mien needs "
                f"{scripts.get_current_head()}. Run `mien store upgrade` with its URL as --store."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that writes; in SQLite it waits for others first, not half-way."""
    with engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def explained(engine: sa.Engine) -> Iterator[None]:
    """Turn what a database fails with into a `StoreError` that says which, and why.

    Raises:
        RefusedError: A value is refused.
        StoreError: Anything else.
    """
    try:
        yield
    except SQLAlchemyError as error:
        kind = RefusedError if isinstance(error, DataError | IntegrityError) else StoreError
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        first = printable(shortened(reason[0])) if reason else type(error).__name__
        raise kind(f"{shown(engine.url.render_as_string())}: {first}") from error


def _parsed(url: str) -> sa.URL:
    if "://" not in url:
        return sa.URL.create("sqlite", database=str(Path(url).expanduser()))
    try:
        parsed = sa.make_url(url)
        parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"{shown(url)}: no URL of a database") from error
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(
            f"{shown(url)}: mien keeps visits in sqlite:///FILE or postgresql://..., not {backend}"
        )
    if parsed.database in (None, "", ":memory:"):
        raise StoreError(f"{shown(url)}: name a file, for example sqlite:///audience.db")
    return parsed


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by hand, below.
    connection.isolation_level = None
    _write_ahead(connection)
    for setting in (
        # What the outbox drops must be on the disk here.
        "synchronous = FULL",
        # What is forgotten is overwritten.
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {setting}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have a log written ahead; while another connection asks for the same, SQLite does not wait.

    Raises:
        sqlite3.OperationalError: The file stays locked, or cannot be written.
    """
    deadline = time.monotonic() + _BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
