"""The tables, and the invariants that the database itself keeps: keys, CHECKs, partial unique indexes.

Large texts stand last in their table: SQLite then finds the small columns of a row without walking the large ones.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from storage.columns import Moment, Names, Words

SEGMENTED = "segments <> '' AND valid_to IS NULL"  # of a version: some customers may read it, and it holds
UNSETTLED = "state IN ('planned', 'sending', 'unknown')"  # of an effect: work is left


class Row(SQLModel):
    """What every table shares: names of constraints that a later migration can drop by name."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


def table(row: type[Row]) -> Table:
    """The SQL table behind a row class."""
    return row.metadata.tables[str(row.__tablename__)]


class DocumentRow(Row, table=True):
    """One document of a connector: whether it is there, and how reading it went."""

    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint("state IN ('live', 'gone', 'unreadable')", name="state"),
        CheckConstraint("(state = 'gone') = (gone_at IS NOT NULL)", name="gone_at"),
        CheckConstraint("state <> 'unreadable' OR reason IS NOT NULL", name="reason"),
        CheckConstraint("fails >= 0", name="fails"),
        Index("ix_documents_connector_state", "connector", "state"),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    connector: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Words)  # why it is unreadable
    created_at: datetime | None = Field(default=None, sa_type=Moment)  # the vendor's
    updated_at: datetime | None = Field(default=None, sa_type=Moment)  # the vendor's, of the newest version read
    seen_at: datetime = Field(sa_type=Moment)
    gone_at: datetime | None = Field(default=None, sa_type=Moment)
    fails: int = Field(default=0, sa_type=Integer)  # readings failed in a row


class VersionRow(Row, table=True):
    """What a document said from `valid_from` (inclusive) to `valid_to` (exclusive; NULL: says now)."""

    __tablename__ = "versions"
    __table_args__ = (
        CheckConstraint("audience IN ('public', 'internal')", name="audience"),
        CheckConstraint("valid_to >= valid_from", name="interval"),
        UniqueConstraint("document", "valid_from"),
        Index(
            "ix_versions_one_current",
            "document",
            unique=True,
            sqlite_where=text("valid_to IS NULL"),
            postgresql_where=text("valid_to IS NULL"),
        ),
        Index("ix_versions_held", "key", "valid_to"),  # a search asks it of every find: answered without reading the document
        Index("ix_versions_segmented", "connector", sqlite_where=text(SEGMENTED), postgresql_where=text(SEGMENTED)),
    )
    key: str = Field(primary_key=True, sa_type=Text)
    document: str = Field(foreign_key="documents.id", sa_type=Text)
    connector: str = Field(sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    audience: str = Field(sa_type=Text)
    language: str | None = Field(default=None, sa_type=Text)
    valid_from: datetime = Field(sa_type=Moment)
    valid_to: datetime | None = Field(default=None, sa_type=Moment)
    assumed: bool  # the text was edited before we read it: from valid_from to updated_at it is a guess
    updated_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime | None = Field(default=None, sa_type=Moment)
    url: str = Field(sa_type=Words)
    title: str = Field(sa_type=Words)
    markdown: str = Field(sa_type=Words)
    segments: tuple[str, ...] = Field(default=(), sa_type=Names, sa_column_kwargs={"server_default": text("''")})  # as of a Document


class CursorRow(Row, table=True):
    """Where a connector's stream is to be resumed."""

    __tablename__ = "cursors"
    connector: str = Field(primary_key=True, sa_type=Text)
    stream: str = Field(primary_key=True, sa_type=Text)
    cursor: dict[str, Any] = Field(sa_type=JSON)
    updated_at: datetime = Field(sa_type=Moment)


class SyncRow(Row, table=True):
    """How one sync of one connector went."""

    __tablename__ = "syncs"
    __table_args__ = (
        CheckConstraint("seconds >= 0", name="seconds"),
        Index("ix_syncs_connector_started_at", "connector", "started_at"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer, "sqlite"))
    connector: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=Moment)
    seconds: float
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    unreadable: int = 0
    held_back: int = 0  # removals that the brake stopped
    requests: int = 0
    caught_up: bool = False
    listing: bool = False  # a complete listing was read and held against the ledger
    error: str | None = Field(default=None, sa_type=Words)


class PartRow(Row, table=True):
    """One part of a connector's first load: how many documents the vendor counts in it, and how many were seen."""

    __tablename__ = "parts"
    __table_args__ = (CheckConstraint("seen >= 0 AND tries >= 0", name="counts"),)
    connector: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    load: str = Field(sa_type=Text)  # the load it belongs to; a new one replaces its rows
    ordinal: int  # the order in which the connector named it
    title: str = Field(sa_type=Words)
    expected: int | None = None  # NULL: the vendor does not tell
    seen: int = 0  # distinct documents, unreadable ones too
    finished: bool = False
    tries: int = 0  # readings that broke off
    started_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class QuotaRow(Row, table=True):
    """What a vendor allows one account, and which of its calls were taken, by whichever process. See `storage.quota`."""

    __tablename__ = "quotas"
    account: str = Field(primary_key=True, sa_type=Text)  # a digest; never a credential
    ours: float | None = Field(default=None, sa_type=Float)  # calls per window that may be ours; NULL: no limit is known
    reserve: float = Field(default=0.0, sa_type=Float)  # calls left in the window below which only urgent ones go
    window: float = Field(default=60.0, sa_type=Float)  # seconds
    remaining: float | None = Field(default=None, sa_type=Float)  # as the vendor said last
    remaining_until: datetime | None = Field(default=None, sa_type=Moment)  # when that is old news
    held_until: datetime | None = Field(default=None, sa_type=Moment)  # the vendor asked us to wait
    taken: list[Any] = Field(sa_type=JSON)  # [seconds since 1970, calls, lease] of the last window
    updated_at: datetime = Field(sa_type=Moment)


class DraftRow(Row, table=True):
    """One decision about one customer comment, with all that led to it (`record`, for `explain`)."""

    __tablename__ = "drafts"
    __table_args__ = (
        CheckConstraint("decision IN ('reply', 'note', 'handoff', 'skip')", name="decision"),
        Index("ix_drafts_ticket", "connector", "ticket_id"),
        Index("ix_drafts_created_at", "created_at"),
        Index("ix_drafts_requester", "requester"),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    customer_comment_id: str = Field(sa_type=Text)
    decision: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
    subject: str | None = Field(default=None, sa_type=Words)
    reason: str = Field(sa_type=Words)
    record: dict[str, Any] = Field(sa_type=JSON)
    requester: str | None = Field(default=None, sa_type=Text)  # `requester_key` of the ticket's; NULL: not known


class EffectRow(Row, table=True):
    """One comment that we mean to write at a vendor; see `storage.outbox` for the states."""

    __tablename__ = "effects"
    __table_args__ = (
        CheckConstraint("kind IN ('reply', 'note', 'handoff')", name="kind"),
        CheckConstraint("public = (kind = 'reply')", name="public"),
        CheckConstraint("state IN ('planned', 'sending', 'sent', 'unknown', 'refused', 'cancelled')", name="state"),
        CheckConstraint("attempts >= 0 AND (attempts > 0 OR state IN ('planned', 'cancelled'))", name="attempts"),
        CheckConstraint("(state = 'sent') = (vendor_ref IS NOT NULL)", name="vendor_ref"),
        CheckConstraint("state NOT IN ('refused', 'cancelled') OR reason IS NOT NULL", name="reason"),
        UniqueConstraint("draft_id"),
        Index("ix_effects_ticket", "connector", "ticket_id"),
        Index(
            "ix_effects_unsettled",
            "created_at",
            sqlite_where=text(UNSETTLED),
            postgresql_where=text(UNSETTLED),
        ),
    )
    key: str = Field(primary_key=True, sa_type=Text)
    draft_id: str = Field(foreign_key="drafts.id", sa_type=Text)
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    public: bool
    attempts: int = 0
    seen_version: str = Field(sa_type=Text)
    vendor_ref: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)
    tags: list[str] = Field(sa_type=JSON)
    reason: str | None = Field(default=None, sa_type=Words)
    html: str = Field(sa_type=Words)


class SpendingRow(Row, table=True):
    """One paid call: written at its highest possible price before the call, at its real one afterwards."""

    __tablename__ = "spending"
    __table_args__ = (
        CheckConstraint("usd >= 0", name="usd"),
        Index("ix_spending_at", "at", "usd", "model"),
        Index("ix_spending_ticket", "connector", "ticket_id"),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    usd: float = Field(sa_type=Float)
    settled: bool  # False: the call is on its way, or nobody knows what became of it
    model: str | None = Field(default=None, sa_type=Text)  # which model was paid


class SpendingDayRow(Row, table=True):
    """The sums of `spending` by (UTC) day, payer and model. The database keeps them itself, by triggers, whoever writes there."""

    __tablename__ = "spending_days"
    day: str = Field(primary_key=True, sa_type=Text)  # ISO 8601
    connector: str = Field(primary_key=True, sa_type=Text)
    model: str = Field(primary_key=True, sa_type=Text)  # empty: not recorded
    calls: int = Field(sa_type=Integer)
    usd: float = Field(sa_type=Float)


class ReviewRow(Row, table=True):
    """What a person is asked to look at: the answer to one customer comment. See `storage.reviews` for the states.

    The indexes hold all that a list is filtered by, so that a page costs the same among a hundred and a hundred thousand.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("decision IN ('reply', 'note', 'handoff')", name="decision"),
        CheckConstraint("state IN ('waiting', 'approved', 'rejected', 'overtaken', 'automatic')", name="state"),
        CheckConstraint("state <> 'approved' OR (reply_id IS NOT NULL AND decided_by IS NOT NULL)", name="approved"),
        Index("ix_reviews_list", "state", "at", "draft_id", "connector", "topic", "decision"),
        Index("ix_reviews_ticket", "connector", "ticket_id"),
        Index("ix_reviews_kind", "kind", "at"),
        Index("ix_reviews_costs", "topic", "at", "usd"),
    )
    draft_id: str = Field(primary_key=True, foreign_key="drafts.id", ondelete="CASCADE", sa_type=Text)
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    decision: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)  # the typed reason of a hand-off, else empty
    topic: str | None = Field(default=None, sa_type=Text)
    usd: float = Field(sa_type=Float)
    at: datetime = Field(sa_type=Moment)  # of the decision
    state: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_by: str | None = Field(default=None, sa_type=Text)  # NULL: nobody; it was overtaken
    reply_id: str | None = Field(default=None, sa_type=Text)  # the draft that was sent in its place
    reason: str | None = Field(default=None, sa_type=Words)


class AuditRow(Row, table=True):
    """Who did what in the console, and when: names and ids, no customer's words."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_action", "action", "subject", "at"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer, "sqlite"))
    at: datetime = Field(sa_type=Moment)
    person: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)  # a draft's id, a connector, an address, …
    detail: str | None = Field(default=None, sa_type=Words)


class SampleRow(Row, table=True):
    """One past ticket answered again; see `bot.simulate`. `unfit`: nothing to be learnt from it (no agent's answer, …)."""

    __tablename__ = "samples"
    __table_args__ = (
        UniqueConstraint("connector", "fingerprint", "ticket_id"),
        CheckConstraint("decision IN ('reply', 'note', 'handoff', 'skip', 'unfit')", name="decision"),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    connector: str = Field(sa_type=Text)
    fingerprint: str = Field(sa_type=Text)  # of the configuration and the knowledge it was made with
    ticket_id: str = Field(sa_type=Text)
    decision: str = Field(sa_type=Text)
    confidence: float = Field(sa_type=Float)
    eligible: bool  # nothing but the bound would keep the draft from being a reply
    topic: str | None = Field(default=None, sa_type=Text)
    words: str | None = Field(default=None, sa_type=Text)  # digest of ticket and draft: what a label is about
    as_of: datetime | None = Field(default=None, sa_type=Moment)
    made_at: datetime = Field(sa_type=Moment)
    record: dict[str, Any] = Field(sa_type=JSON)
    requester: str | None = Field(default=None, sa_type=Text)  # `requester_key` of the ticket's; NULL: not known


class RunRow(Row, table=True):
    """The newest simulation of a helpdesk with the file as it is; what is asked about and what bounds rest on."""

    __tablename__ = "runs"
    connector: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)


class LabelRow(Row, table=True):
    """What a person says of a draft, past or live; the same words to the same ticket need saying once."""

    __tablename__ = "labels"
    __table_args__ = (CheckConstraint("verdict IN ('right', 'wrong', 'unsure')", name="verdict"),)
    words: str = Field(primary_key=True, sa_type=Text)
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    topic: str | None = Field(default=None, sa_type=Text)
    live: bool  # of a draft that was made for a waiting ticket
    verdict: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)


class BoundRow(Row, table=True):
    """What the newest simulation showed for a topic; `threshold` NULL: nothing yet."""

    __tablename__ = "bounds"
    __table_args__ = (CheckConstraint("labelled >= 0 AND missing >= 0", name="counts"),)
    connector: str = Field(primary_key=True, sa_type=Text)
    topic: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    max_wrong: float = Field(sa_type=Float)
    threshold: float | None = Field(default=None, sa_type=Float)
    upper: float = Field(sa_type=Float)
    labelled: int = Field(sa_type=Integer)
    missing: int = Field(sa_type=Integer)
    made_at: datetime = Field(sa_type=Moment)


class MarkRow(Row, table=True):
    """A connector whose points in a server's collection agree with the ledger; without a row they are to be compared."""

    __tablename__ = "index_marks"
    collection: str = Field(primary_key=True, sa_type=Text)
    connector: str = Field(primary_key=True, sa_type=Text)


class EmbeddingRow(Row, table=True):
    """A passage's vector as a model that costs time or money gave it; see `storage.recall`."""

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_used_on", "used_on"),)
    key: str = Field(primary_key=True, sa_type=Text)  # digest of the embedder's name and the text
    used_on: int = Field(sa_type=Integer)  # days since 1970
    vector: bytes = Field(sa_type=LargeBinary)  # float32, little-endian


class VoiceRow(Row, table=True):
    """A voice that was, or is being, trained. The newest `promoted_at` of a task is in use."""

    __tablename__ = "voices"
    __table_args__ = (CheckConstraint("state IN ('planned', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),)
    key: str = Field(primary_key=True, sa_type=Text)  # digest of data set, base model and parameters; goes into the job's metadata
    dataset: str = Field(sa_type=Text)
    provider: str = Field(sa_type=Text)
    base: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    job: str | None = Field(default=None, sa_type=Text)
    model: str | None = Field(default=None, sa_type=Text)
    tokens: int | None = Field(default=None, sa_type=BigInteger)  # as billed
    usd: float | None = Field(default=None, sa_type=Float)
    promoted_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    reason: str | None = Field(default=None, sa_type=Text)
    parameters: dict[str, Any] = Field(sa_type=JSON)
    task: str = Field(default="tone", sa_type=Text, sa_column_kwargs={"server_default": "tone"})  # what it was trained for: tone or triage
    curve: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    measured: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))


class OutcomeRow(Row, table=True):
    """What an agent made of a draft; see `bot.answer.outcomes`."""

    __tablename__ = "outcomes"
    __table_args__ = (
        CheckConstraint("kind IN ('sent', 'edited', 'rewritten', 'ignored')", name="kind"),
        CheckConstraint("kept >= 0 AND kept <= 1", name="kept"),
        Index("ix_outcomes_counted", "connector", "at", "topic", "kind", "kept"),
        Index("ix_outcomes_ticket", "connector", "ticket_id"),
    )
    draft_id: str = Field(primary_key=True, sa_type=Text, foreign_key="drafts.id", ondelete="CASCADE")
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    topic: str | None = Field(default=None, sa_type=Text)
    language: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    kept: float = Field(sa_type=Float)  # share of the draft's words that stand in the answer, in their order
    at: datetime = Field(sa_type=Moment)
    reply: str = Field(sa_type=Words)  # what the agent sent; "" when nothing was sent


class TopicRow(Row, table=True):
    """A ticket that an agent marked with a topic's tag: what new tickets are compared with."""

    __tablename__ = "topic_examples"
    __table_args__ = (Index("ix_topic_examples_topic", "embedder", "topic", "at"),)
    connector: str = Field(primary_key=True, sa_type=Text)
    ticket_id: str = Field(primary_key=True, sa_type=Text)
    topic: str = Field(sa_type=Text)
    embedder: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    vector: bytes = Field(sa_type=LargeBinary)  # float32, little-endian, of the question


class ForgottenRow(Row, table=True):
    """Somebody who was erased: an answer that was being written meanwhile is erased too."""

    __tablename__ = "forgotten"
    requester: str = Field(primary_key=True, sa_type=Text)  # `requester_key`
    at: datetime = Field(sa_type=Moment)


class WorkerRow(Row, table=True):
    """A process that works, and when it last said so; see `storage.heartbeats`."""

    __tablename__ = "workers"
    name: str = Field(primary_key=True, sa_type=Text)  # under which it runs workflows
    started_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)


class AssignmentRow(Row, table=True):
    """Which piece of durable work gives the answer to one customer comment; see `storage.assignments`."""

    __tablename__ = "assignments"
    __table_args__ = (Index("ix_assignments_ticket", "connector", "ticket_id"),)
    key: str = Field(primary_key=True, sa_type=Text)  # of the effect
    connector: str = Field(sa_type=Text)
    ticket_id: str = Field(sa_type=Text)
    work: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)  # when that work was last at it
