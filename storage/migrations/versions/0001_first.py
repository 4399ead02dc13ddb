"""The first schema: documents and their versions, cursors, syncs, drafts, effects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _documents()
    _syncs()
    _replies()


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("gone_at", MOMENT),
        sa.Column("fails", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
        sa.CheckConstraint("state IN ('live', 'gone', 'unreadable')", name=op.f("ck_documents_state")),
        sa.CheckConstraint("(state = 'gone') = (gone_at IS NOT NULL)", name=op.f("ck_documents_gone_at")),
        sa.CheckConstraint("state <> 'unreadable' OR reason IS NOT NULL", name=op.f("ck_documents_reason")),
        sa.CheckConstraint("fails >= 0", name=op.f("ck_documents_fails")),
    )
    op.create_index("ix_documents_connector_state", "documents", ["connector", "state"])
    op.create_table(
        "versions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT),
        sa.Column("assumed", sa.Boolean(), nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.Column("created_at", MOMENT),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_versions"),
        sa.CheckConstraint("audience IN ('public', 'internal')", name=op.f("ck_versions_audience")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_versions_interval")),
        sa.UniqueConstraint("document", "valid_from", name="uq_versions_document_valid_from"),
        sa.ForeignKeyConstraint(["document"], ["documents.id"], name="fk_versions_document"),
    )
    current = sa.text("valid_to IS NULL")
    op.create_index("ix_versions_one_current", "versions", ["document"], unique=True, sqlite_where=current, postgresql_where=current)


def _syncs() -> None:
    op.create_table(
        "cursors",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("connector", "stream", name="pk_cursors"),
    )
    op.create_table(
        "syncs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("held_back", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("caught_up", sa.Boolean(), nullable=False),
        sa.Column("listing", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_syncs"),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_syncs_seconds")),
    )
    op.create_index("ix_syncs_connector_started_at", "syncs", ["connector", "started_at"])


def _replies() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("customer_comment_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
        sa.CheckConstraint("decision IN ('reply', 'note', 'handoff', 'skip')", name=op.f("ck_drafts_decision")),
    )
    op.create_index("ix_drafts_ticket", "drafts", ["connector", "ticket_id"])
    op.create_index("ix_drafts_created_at", "drafts", ["created_at"])
    op.create_table(
        "effects",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("seen_version", sa.Text(), nullable=False),
        sa.Column("vendor_ref", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("html", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_effects"),
        sa.CheckConstraint("kind IN ('reply', 'note', 'handoff')", name=op.f("ck_effects_kind")),
        sa.CheckConstraint("public = (kind = 'reply')", name=op.f("ck_effects_public")),
        sa.CheckConstraint(
            "state IN ('planned', 'sending', 'sent', 'unknown', 'refused', 'cancelled')", name=op.f("ck_effects_state")
        ),
        sa.CheckConstraint("attempts >= 0 AND (attempts > 0 OR state IN ('planned', 'cancelled'))", name=op.f("ck_effects_attempts")),
        sa.CheckConstraint("(state = 'sent') = (vendor_ref IS NOT NULL)", name=op.f("ck_effects_vendor_ref")),
        sa.CheckConstraint("state NOT IN ('refused', 'cancelled') OR reason IS NOT NULL", name=op.f("ck_effects_reason")),
        sa.UniqueConstraint("draft_id", name="uq_effects_draft_id"),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_effects_draft_id"),
    )
    op.create_index("ix_effects_ticket", "effects", ["connector", "ticket_id"])
    unsettled = sa.text("state IN ('planned', 'sending', 'unknown')")
    op.create_index("ix_effects_unsettled", "effects", ["created_at"], sqlite_where=unsettled, postgresql_where=unsettled)
