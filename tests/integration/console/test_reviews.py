"""What people are asked to look at, on real databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlmodel import Session

from storage import audit, expenses, outbox, reviews
from storage.database import upgrade
from storage.reviews import Place, Stand, Wanted
from storage.tables import AuditRow, DraftRow, SpendingRow

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make_draft(number: int, *, ticket: str | None = None, decision: str = "note", reason: str = "policy: deliver note") -> DraftRow:
    record = {
        "triage": {"topic": "refunds" if number % 2 else None, "questions": ["Where is it?"]},
        "usage": {"cost_usd": 0.01},
        "confidence": 0.5,
    }
    return DraftRow(
        id=f"draft{number:04d}",
        connector="help",
        ticket_id=ticket or f"t{number}",
        customer_comment_id=f"c{number}",
        decision=decision,
        created_at=NOON + timedelta(seconds=number // 2),  # two at a time: the id must break the tie
        subject=f"Subject {number}",
        reason=reason,
        record=record,
    )


def ask(s: Session, draft: DraftRow) -> DraftRow:
    outbox.plan(s, draft, None)
    reviews.ask(s, draft)
    return draft


def test_a_list_read_page_by_page_shows_each_waiting_draft_once_newest_first(session: Session) -> None:
    for number in range(11):
        ask(session, make_draft(number))
    seen, after = [], None
    while page := reviews.lines(session, Wanted(Stand.WAITING), 3, after):
        seen += [line.review.draft_id for line in page]
        after = Place(page[-1].review.at, page[-1].review.draft_id)
    assert seen == [f"draft{number:04d}" for number in reversed(range(11))]
    back = reviews.ids(session, Wanted(Stand.WAITING), 3, after=Place(NOON + timedelta(seconds=1), "draft0002"), newest_first=False)
    assert back == ["draft0003", "draft0004", "draft0005"]


def test_a_list_can_be_narrowed_by_topic_and_decision(session: Session) -> None:
    for number in range(6):
        ask(session, make_draft(number, decision="handoff" if number == 3 else "note", reason="conflict: a and b"))
    narrowed = reviews.lines(session, Wanted(Stand.WAITING, topic="refunds"), 10)
    assert [line.review.draft_id for line in narrowed] == ["draft0005", "draft0003", "draft0001"]
    [one] = reviews.lines(session, Wanted(Stand.WAITING, decision="handoff"), 10)
    assert (one.subject, one.question, one.confidence, one.review.kind) == ("Subject 3", "Where is it?", 0.5, "conflict")
    assert reviews.of_kind(session, "conflict", 5) == [one]


def test_of_two_people_one_decides(session: Session) -> None:
    ask(session, make_draft(1))
    assert reviews.approve(session, "draft0001", "reply", "ada", NOON)
    assert not reviews.reject(session, "draft0001", "wrong tone", "ben", NOON)
    assert not reviews.approve(session, "draft0001", "other", "ben", NOON)
    kept = reviews.review(session, "draft0001")
    assert kept is not None
    assert (kept.state, kept.decided_by, kept.reply_id) == ("approved", "ada", "reply")


def test_a_rejection_can_be_taken_back_an_approval_cannot(session: Session) -> None:
    ask(session, make_draft(1))
    assert reviews.reject(session, "draft0001", "wrong", "ada", NOON)
    assert reviews.reopen(session, "draft0001")
    assert reviews.approve(session, "draft0001", "reply", "ada", NOON)
    assert not reviews.reopen(session, "draft0001")


def test_a_newer_message_of_the_customer_overtakes_what_waited_and_nothing_that_was_decided(session: Session) -> None:
    for number in (1, 2):
        ask(session, make_draft(number, ticket="t"))
    reviews.reject(session, "draft0002", "no", "ada", NOON)
    ask(session, make_draft(3, ticket="t"))
    stands = {number: reviews.review(session, f"draft000{number}").state for number in (1, 2, 3)}  # type: ignore[union-attr]
    assert stands == {1: "overtaken", 2: "rejected", 3: "waiting"}
    assert reviews.counts(session) == {"overtaken": 1, "rejected": 1, "waiting": 1}


def test_being_asked_again_changes_nothing(session: Session) -> None:
    draft = ask(session, make_draft(1))
    reviews.reject(session, "draft0001", "no", "ada", NOON)
    reviews.ask(session, draft)
    assert reviews.counts(session) == {"rejected": 1}


def test_a_ticket_that_nobody_waits_for_leaves_the_list(session: Session) -> None:
    ask(session, make_draft(1, ticket="t"))
    ask(session, make_draft(2, ticket="other"))
    reviews.overtake_tickets(session, "help", ["t", "unknown"], "the ticket was solved", NOON)
    assert [line.review.ticket_id for line in reviews.lines(session, Wanted(Stand.WAITING), 5)] == ["other"]


def test_a_reply_that_went_out_by_itself_waits_for_nobody(session: Session) -> None:
    ask(session, make_draft(1, decision="reply"))
    assert reviews.counts(session) == {"automatic": 1}


def test_costs_are_told_by_topic_day_and_model(session: Session) -> None:
    for number in range(3):
        ask(session, make_draft(number))
    told = {cost.topic: (cost.answers, round(cost.usd, 4)) for cost in reviews.costs_by_topic(session, NOON)}
    assert told == {None: (2, 0.02), "refunds": (1, 0.01)}
    for number, model in enumerate(("luna", "luna", None)):
        at = NOON + timedelta(days=number // 2)
        session.add(SpendingRow(id=str(number), connector="help", ticket_id="t", at=at, usd=0.5, settled=True, model=model))
    session.flush()
    told_days = [(one.day, one.model, one.calls, one.usd) for one in expenses.by_day(session, NOON)]
    assert told_days == [("2026-11-20", "luna", 2, 1.0), ("2026-11-21", None, 1, 0.5)]


def test_deeds_are_listed_newest_first_and_counted(session: Session) -> None:
    for number in range(5):
        row = AuditRow(at=NOON + timedelta(minutes=number), person=f"p{number % 2}", role="agent", action="refused", subject="10.0.0.1")
        audit.note(session, row)
    page = audit.newest(session, 2)
    rest = audit.newest(session, 9, before=page[-1].id)
    assert [row.at.minute for row in (*page, *rest)] == [4, 3, 2, 1, 0]
    assert [row.at.minute for row in audit.newest(session, 9, person="p1")] == [3, 1]
    assert audit.count(session, "refused", "10.0.0.1", NOON + timedelta(minutes=3)) == 2
    assert audit.count(session, "refused", "10.0.0.2", NOON) == 0


def test_answers_from_before_there_were_reviews_are_there_to_be_looked_at(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/old.sqlite")
    with engine.begin() as connection:
        upgrade(connection, "0008")
        record = '{"triage": {"topic": "refunds"}, "usage": {"cost_usd": 0.25}}'
        past = [("a", "note", "sent"), ("a", "handoff", "sent"), ("b", "reply", "sent"), ("c", "note", "cancelled")]
        for number, (ticket, kind, state) in enumerate(past):
            at = f"2026-11-20 12:00:0{number}.000000"
            connection.execute(
                text("INSERT INTO drafts (id, connector, ticket_id, customer_comment_id, decision, created_at, reason, record)"
                     " VALUES (:id, 'help', :ticket, :id, :kind, :at, 'no_knowledge: nothing', :record)"),
                {"id": f"d{number}", "ticket": ticket, "kind": kind, "at": at, "record": record},
            )  # fmt: skip
            connection.execute(
                text("INSERT INTO effects (key, draft_id, connector, ticket_id, kind, state, public, attempts, seen_version, vendor_ref,"
                     " created_at, updated_at, tags, reason, html)"
                     " VALUES (:id, :id, 'help', :ticket, :kind, :state, :public, 1, '1', :ref, :at, :at, '[]', 'why', '')"),
                {"id": f"d{number}", "ticket": ticket, "kind": kind, "state": state, "public": kind == "reply", "at": at,
                 "ref": "9" if state == "sent" else None},
            )  # fmt: skip
        upgrade(connection)
    with Session(engine) as s:
        found = {one: reviews.review(s, one) for one in ("d0", "d1", "d2", "d3")}
    engine.dispose()
    assert [row and row.state for row in found.values()] == ["overtaken", "waiting", "automatic", "overtaken"]
    first = found["d1"]
    assert first is not None
    assert (first.kind, first.topic, first.usd) == ("no_knowledge", "refunds", 0.25)
