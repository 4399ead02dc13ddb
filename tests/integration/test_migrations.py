"""Models and migrations describe one schema, whichever way the database came to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from connectors.base import ConfigProblem
from storage.database import MIGRATIONS, SCHEMA_TABLE
from storage.tables import Row


def shape(connection: Connection) -> dict[str, object]:
    """Everything the database knows of each table, CHECKs and predicates of partial indexes included."""
    eye = inspect(connection)
    return {
        name: (
            [{**column, "type": repr(column["type"])} for column in eye.get_columns(name)],
            eye.get_pk_constraint(name),
            sorted(map(repr, eye.get_foreign_keys(name))),
            sorted(map(repr, eye.get_unique_constraints(name))),
            sorted(map(repr, eye.get_check_constraints(name))),
            sorted(
                (str(index["name"]), index["column_names"], index["unique"], [str(option) for option in index["dialect_options"].values()])
                for index in eye.get_indexes(name)
            ),
        )
        for name in eye.get_table_names()
        if name != SCHEMA_TABLE
    }


def test_migrations_lead_to_what_the_models_say(engine: Engine) -> None:
    with engine.begin() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": SCHEMA_TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Row.metadata) == []


def test_migrations_create_the_checks_and_partial_indexes_of_the_models(engine: Engine) -> None:
    with engine.begin() as connection:
        migrated = shape(connection)
        Row.metadata.drop_all(connection)
        Row.metadata.create_all(connection)
        assert migrated == shape(connection)
    assert set(migrated) == set(Row.metadata.tables)


def test_every_migration_file_is_named_after_its_revision_and_follows_the_one_before() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    assert [Path(revision.path).name[:4] for revision in revisions] == [revision.revision for revision in revisions]
    assert [revision.revision for revision in revisions] == sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert [revision.down_revision for revision in revisions[1:]] == [revision.revision for revision in revisions[:-1]]


def test_a_schema_of_a_newer_release_is_refused_with_what_to_do(open_again: Callable[[], Engine]) -> None:
    with open_again().begin() as connection:
        connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigProblem, match=r"schema is 9999.* newer release: install that one, or restore"):
        open_again()


def test_a_migration_that_fails_leaves_the_database_as_it_was(open_again: Callable[[], Engine]) -> None:
    """The last table of the first migration exists already: what was created before it must not stay."""
    engine = open_again()
    with engine.begin() as connection:
        Row.metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE {SCHEMA_TABLE}"))
        connection.execute(text("CREATE TABLE effects (mine INTEGER)"))
    with pytest.raises(Exception, match="effects"):
        open_again()
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == ["effects"]
