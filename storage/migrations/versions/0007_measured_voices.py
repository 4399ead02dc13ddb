"""What a voice was trained for, its training curve, and what it was measured to be worth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("voices", sa.Column("task", sa.Text(), server_default="tone", nullable=False))
    op.add_column("voices", sa.Column("curve", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("voices", sa.Column("measured", sa.JSON(none_as_null=True), nullable=True))
