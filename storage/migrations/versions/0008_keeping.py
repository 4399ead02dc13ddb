"""Whose ticket a row is about, who was erased, and which processes work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("drafts", sa.Column("requester", sa.Text(), nullable=True))
    op.create_index("ix_drafts_requester", "drafts", ["requester"])
    op.add_column("samples", sa.Column("requester", sa.Text(), nullable=True))
    op.create_table(
        "forgotten",
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("requester", name="pk_forgotten"),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
