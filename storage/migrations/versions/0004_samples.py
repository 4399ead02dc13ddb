"""Past tickets answered again, what people say of the answers, and the bounds shown with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "samples",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("topic", sa.Text()),
        sa.Column("words", sa.Text()),
        sa.Column("as_of", MOMENT),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_samples"),
        sa.UniqueConstraint("connector", "fingerprint", "ticket_id", name="uq_samples_connector_fingerprint_ticket_id"),
        sa.CheckConstraint("decision IN ('reply', 'note', 'handoff', 'skip', 'unfit')", name=op.f("ck_samples_decision")),
    )
    op.create_table(
        "labels",
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text()),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("words", name="pk_labels"),
        sa.CheckConstraint("verdict IN ('right', 'wrong', 'unsure')", name=op.f("ck_labels_verdict")),
    )
    op.create_table(
        "bounds",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("max_wrong", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float()),
        sa.Column("upper", sa.Float(), nullable=False),
        sa.Column("labelled", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("connector", "topic", name="pk_bounds"),
        sa.CheckConstraint("labelled >= 0 AND missing >= 0", name=op.f("ck_bounds_counts")),
    )
