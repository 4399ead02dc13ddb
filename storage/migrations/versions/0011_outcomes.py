"""What agents make of drafts, and tickets that teach a topic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Moment, Words

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kept", sa.Float(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reply", Words(), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name="pk_outcomes"),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_outcomes_draft_id", ondelete="CASCADE"),
        sa.CheckConstraint("kind IN ('sent', 'edited', 'rewritten', 'ignored')", name=op.f("ck_outcomes_kind")),
        sa.CheckConstraint("kept >= 0 AND kept <= 1", name=op.f("ck_outcomes_kept")),
    )
    op.create_index("ix_outcomes_counted", "outcomes", ["connector", "at", "topic", "kind", "kept"])
    op.create_index("ix_outcomes_ticket", "outcomes", ["connector", "ticket_id"])
    op.create_table(
        "topic_examples",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("connector", "ticket_id", name="pk_topic_examples"),
    )
    op.create_index("ix_topic_examples_topic", "topic_examples", ["embedder", "topic", "at"])
