"""A running total of every day's payments, which the database itself keeps, and reviews in the order of their topics."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

COUNTED = """
    INSERT INTO spending_days (day, connector, model, calls, usd) VALUES ({day}, NEW.connector, coalesce(NEW.model, ''), 1, NEW.usd)
    ON CONFLICT (day, connector, model) DO UPDATE SET calls = spending_days.calls + 1, usd = spending_days.usd + excluded.usd
"""
CORRECTED = """
    UPDATE spending_days SET usd = usd + NEW.usd - OLD.usd
    WHERE day = {day} AND connector = NEW.connector AND model = coalesce(NEW.model, '')
"""
LET_GO = """
    UPDATE spending_days SET calls = calls - 1, usd = usd - OLD.usd
    WHERE day = {day} AND connector = OLD.connector AND model = coalesce(OLD.model, '')
"""
EMPTIED = """
    DELETE FROM spending_days
    WHERE day = {day} AND connector = OLD.connector AND model = coalesce(OLD.model, '') AND calls = 0
"""
EVENTS = (
    ("counted", "INSERT", "NEW", (COUNTED,)),
    ("corrected", "UPDATE OF usd", "NEW", (CORRECTED,)),
    ("let_go", "DELETE", "OLD", (LET_GO, EMPTIED)),
)


def upgrade() -> None:
    op.create_table(
        "spending_days",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("usd", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("day", "connector", "model", name="pk_spending_days"),
    )
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        op.execute("LOCK TABLE spending IN SHARE ROW EXCLUSIVE MODE")  # what is paid meanwhile waits, and is counted
    for name, event, row, statements in EVENTS:
        (_create_on_postgresql if on_postgresql else _create_on_sqlite)(name, event, row, statements)
    op.execute(
        f"INSERT INTO spending_days (day, connector, model, calls, usd) "  # noqa: S608 - constants
        f"SELECT {_day(on_postgresql, 'spending')}, connector, coalesce(model, ''), count(*), sum(usd) FROM spending GROUP BY 1, 2, 3"
    )
    op.drop_index("ix_reviews_costs", "reviews")
    op.create_index("ix_reviews_costs", "reviews", ["topic", "at", "usd"])


def _day(on_postgresql: bool, row: str) -> str:
    return f"to_char({row}.at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if on_postgresql else f"substr({row}.at, 1, 10)"


def _create_on_sqlite(name: str, event: str, row: str, statements: tuple[str, ...]) -> None:
    body = ";".join(statements).format(day=_day(False, row))
    op.execute(sa.text(f"CREATE TRIGGER spending_{name} AFTER {event} ON spending BEGIN {body}; END"))


def _create_on_postgresql(name: str, event: str, row: str, statements: tuple[str, ...]) -> None:
    body = ";".join(statements).format(day=_day(True, row))
    begin = f"CREATE OR REPLACE FUNCTION spending_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
    op.execute(sa.text(begin))
    op.execute(sa.text(f"CREATE TRIGGER spending_{name} AFTER {event} ON spending FOR EACH ROW EXECUTE FUNCTION spending_{name}()"))
