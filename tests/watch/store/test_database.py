"""Schemas: made, brought up to date, and refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from mien.errors import StoreError
from mien.watch.store.database import connect, upgrade
from mien.watch.store.schema import Base
from mien.watch.store.store import Store


def test_the_migrations_make_the_tables_that_the_program_knows(url: str) -> None:
    engine = connect(url)
    upgrade(engine)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_several_may_upgrade_at_once(open_store: Callable[..., Store]) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(), range(4)))
    assert {store.drained("box") for store in stores} == {0}


def test_an_older_schema_is_refused_where_it_may_not_be_changed(
    open_store: Callable[..., Store],
) -> None:
    with pytest.raises(StoreError, match="mien store upgrade"):
        open_store(upgrade=False)
    open_store()
    open_store(upgrade=False)


def test_a_newer_schema_is_refused(url: str, open_store: Callable[..., Store]) -> None:
    open_store()
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    engine.dispose()

    with pytest.raises(StoreError, match="9999 is newer than this mien knows") as caught:
        open_store()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root@localhost/x", "not mysql"),
        ("sqlite://", "name a file"),
        ("postgresql://mien:secret@127.0.0.1:1/x", r"\*\*\*@127.0.0.1.*refused"),
        ("sqlite:////no/such/folder/audience.db", "unable to open"),
    ],
)
def test_refuses(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        Store(url)


def test_a_file_that_is_only_looked_at_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        Store(str(tmp_path / "audience.db"), upgrade=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audience.db"
    path.write_bytes(b"not a database, by far" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(str(path))
    assert path.read_bytes().startswith(b"not a database, by far")
