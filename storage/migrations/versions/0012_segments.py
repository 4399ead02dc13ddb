"""Which customers may read a document that is not for all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Names
from storage.tables import SEGMENTED

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("versions", sa.Column("segments", Names(), server_default=sa.text("''"), nullable=False))
    predicate = sa.text(SEGMENTED)
    op.create_index("ix_versions_segmented", "versions", ["connector"], sqlite_where=predicate, postgresql_where=predicate)
