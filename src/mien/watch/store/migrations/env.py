"""Alembic's entry: runs the migrations on the connection that `mien.watch.store.upgrade` gives."""

from alembic import context

from mien.watch.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=False,
)
context.run_migrations()
