"""What a person is asked to look at, who did what in the console, and which model was paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Moment, Words

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("usd", sa.Float(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reply_id", sa.Text(), nullable=True),
        sa.Column("reason", Words(), nullable=True),
        sa.PrimaryKeyConstraint("draft_id", name="pk_reviews"),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_reviews_draft_id", ondelete="CASCADE"),
        sa.CheckConstraint("decision IN ('reply', 'note', 'handoff')", name=op.f("ck_reviews_decision")),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'rejected', 'overtaken', 'automatic')", name=op.f("ck_reviews_state")
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR (reply_id IS NOT NULL AND decided_by IS NOT NULL)", name=op.f("ck_reviews_approved")
        ),
    )
    op.create_index("ix_reviews_list", "reviews", ["state", "at", "draft_id", "connector", "topic", "decision"])
    op.create_index("ix_reviews_ticket", "reviews", ["connector", "ticket_id"])
    op.create_index("ix_reviews_kind", "reviews", ["kind", "at"])
    op.create_index("ix_reviews_costs", "reviews", ["at", "topic", "usd"])
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", Words(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_action", "audit", ["action", "subject", "at"])
    op.add_column("spending", sa.Column("model", sa.Text(), nullable=True))
    op.drop_index("ix_spending_at", "spending")
    op.create_index("ix_spending_at", "spending", ["at", "usd", "model"])
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Answers that were given before there were reviews: the newest of each ticket waits, the others are overtaken."""
    text, json = sa.Text(), sa.JSON()
    drafts = sa.table(
        "drafts",
        *(sa.column(name, text) for name in ("id", "connector", "ticket_id", "decision", "reason")),
        sa.column("created_at", Moment()),
        sa.column("record", json),
    )
    effects = sa.table("effects", *(sa.column(name, text) for name in ("key", "draft_id", "connector", "ticket_id", "kind", "state")))
    effects.append_column(sa.column("created_at", Moment()))
    newer = effects.alias("newer")
    later = sa.select(newer.c.key).where(
        newer.c.connector == effects.c.connector, newer.c.ticket_id == effects.c.ticket_id, newer.c.created_at > effects.c.created_at
    )
    over = sa.or_(effects.c.state == "cancelled", later.exists())
    columns = {
        "draft_id": drafts.c.id,
        "connector": drafts.c.connector,
        "ticket_id": drafts.c.ticket_id,
        "decision": effects.c.kind,
        "kind": sa.case((drafts.c.decision == "handoff", _typed(connection, drafts.c.reason)), else_=""),
        "topic": drafts.c.record["triage"]["topic"].as_string(),
        "usd": sa.func.coalesce(drafts.c.record["usage"]["cost_usd"].as_float(), 0.0),
        "at": drafts.c.created_at,
        "state": sa.case((over, "overtaken"), (effects.c.kind == "reply", "automatic"), else_="waiting"),
    }
    query = sa.select(*columns.values()).select_from(drafts.join(effects, effects.c.draft_id == drafts.c.id))
    reviews = sa.table("reviews", *(sa.column(name) for name in columns))
    connection.execute(sa.insert(reviews).from_select(list(columns), query))


def _typed(connection: sa.Connection, reason: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """What stands before the first colon of a reason."""
    if connection.dialect.name == "postgresql":
        return sa.func.split_part(reason, ":", 1)
    colon = sa.func.instr(reason, ":")
    return sa.case((colon > 0, sa.func.substr(reason, 1, colon - 1)), else_=reason)
