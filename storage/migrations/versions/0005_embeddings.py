"""Vectors of passages kept by their content, and what a shared index is known to hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "index_marks",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "connector", name="pk_index_marks"),
    )
    op.create_table(
        "embeddings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("used_on", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_embeddings"),
    )
    op.create_index("ix_embeddings_used_on", "embeddings", ["used_on"])
