"""Alembic's entry point. Run by `storage.database.upgrade` on a connection that holds the migration lock and a transaction."""

from __future__ import annotations

from alembic import context

from storage.database import SCHEMA_TABLE
from storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    version_table=SCHEMA_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
