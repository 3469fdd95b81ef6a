"""Databases for the tests: SQLite in a folder, and a schema of a real PostgreSQL."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from mien.watch.store.database import connect
from mien.watch.store.store import Store
from tests.watch.servers import Postgres, postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL for all tests."""
    # Not below pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'audience.db'}"
    running: Postgres = request.getfixturevalue("server")
    schema = f"test{next(_numbers)}"
    engine = connect(running.url())
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    engine.dispose()
    return running.url(schema)


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., Store]]:
    """Open stores of the database, which are closed in the end."""
    opened: list[Store] = []

    def opening(zone: str = "UTC", **options: bool) -> Store:
        opened.append(Store(url, zone=zone, **options))
        return opened[-1]

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    """An empty store, on each kind of database."""
    return open_store()
