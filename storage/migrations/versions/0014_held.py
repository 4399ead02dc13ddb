"""What a search asks of every find, whether its version holds, answered without reading the document."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("ix_versions_held", "versions", ["key", "valid_to"])
