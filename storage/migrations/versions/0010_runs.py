"""Which simulation of a helpdesk is the newest: a comparison with another file makes samples too, and is none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Moment

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connector", name="pk_runs"),
    )
    names = ("id", "connector", "fingerprint")
    samples = sa.table("samples", *(sa.column(name, sa.Text()) for name in names), sa.column("made_at", Moment()))
    other = samples.alias("other")
    last = sa.select(other.c.id).where(other.c.connector == samples.c.connector).order_by(other.c.made_at.desc(), other.c.id).limit(1)
    newest = sa.select(samples.c.connector, samples.c.fingerprint, samples.c.made_at).where(samples.c.id == last.scalar_subquery())
    runs = sa.table("runs", sa.column("connector"), sa.column("fingerprint"), sa.column("at"))
    op.get_bind().execute(sa.insert(runs).from_select(["connector", "fingerprint", "at"], newest))
