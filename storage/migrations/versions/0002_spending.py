"""What models cost, written before each paid call and set right after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("usd", sa.Float(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spending"),
        sa.CheckConstraint("usd >= 0", name=op.f("ck_spending_usd")),
    )
    op.create_index("ix_spending_at", "spending", ["at"])
    op.create_index("ix_spending_ticket", "spending", ["connector", "ticket_id"])
