"""Effects happen at most once, and what was decided first stays; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from storage.outbox import (
    LEASE,
    AlreadySettled,
    Effect,
    InFlight,
    State,
    WrongTurn,
    claim,
    draft,
    effect,
    effect_key,
    plan,
    replies_to,
    settle,
    unsettled,
)
from storage.tables import DraftRow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICKETS = count(1)


def decided(ticket: str = "7", kind: Any = "reply", **changes: Any) -> tuple[DraftRow, Effect]:
    key = effect_key("help", ticket, "c1", kind)
    row = DraftRow(
        id=key[:12],
        connector="help",
        ticket_id=ticket,
        customer_comment_id="c1",
        subject="Refund?",
        decision=kind,
        reason="",
        record={"confidence": 0.9, "sentences": [{"text": "é", "citations": [1]}]},
        created_at=NOON,
    )
    planned = Effect(
        key=key,
        draft_id=row.id,
        connector="help",
        ticket_id=ticket,
        kind=kind,
        state=State.PLANNED,
        html="<p>Hello</p>",
        public=kind == "reply",
        tags=("draftdesk", "draftdesk-x"),
        seen_version="v1",
        attempts=0,
        vendor_ref=None,
        reason=None,
        created_at=NOON,
        updated_at=NOON,
    )
    return row, replace(planned, **changes)


def planned(s: Session, ticket: str = "7", kind: str = "reply") -> str:
    made = plan(s, *decided(ticket, kind))
    assert made is not None
    return made.key


def test_a_draft_and_its_effect_come_back_as_they_were_given(session: Session) -> None:
    row, wanted = decided()
    assert plan(session, row, wanted) == wanted
    assert effect(session, wanted.key) == wanted
    held = draft(session, row.id)
    assert held is not None
    assert held.model_dump() == row.model_dump()
    assert (effect(session, "nothing"), draft(session, "nothing")) == (None, None)


def test_a_draft_and_its_effect_are_stored_together_or_not_at_all(engine: Engine) -> None:
    row, wanted = decided()
    with Session(engine) as s:
        plan(s, row, wanted)
        s.rollback()
    with Session(engine) as s:
        assert (draft(s, row.id), effect(s, wanted.key)) == (None, None)


def test_a_key_that_exists_keeps_its_body_and_its_draft(session: Session) -> None:
    row, wanted = decided()
    plan(session, row, wanted)
    other_row, other = decided(html="<p>Something else</p>", seen_version="v2")
    other_row.record = {"confidence": 0.1}
    assert plan(session, other_row, other) == wanted
    assert plan(session, other_row, None) == wanted
    held = draft(session, row.id)
    assert held is not None
    assert held.record == row.record


def test_a_draft_without_effect_gives_way_to_a_later_one(session: Session) -> None:
    row, wanted = decided()
    assert plan(session, row, None) is None
    later = DraftRow(**{**row.model_dump(), "record": {"confidence": 0.1}})
    assert plan(session, later, wanted) == wanted
    held = draft(session, row.id)
    assert held is not None
    assert held.record == {"confidence": 0.1}


def test_an_effect_of_another_draft_is_refused(session: Session) -> None:
    row, wanted = decided()
    with pytest.raises(ValueError, match="belongs to draft"):
        plan(session, row, replace(wanted, draft_id="other"))


def test_keys_are_for_ever_and_differ_wherever_the_answer_does() -> None:
    """Changed, they would let an upgrade answer every waiting comment a second time."""
    assert effect_key("help", "7", "c1", "reply") == "0492895ff385422e7bddc90feaa0e477"
    parts = [("help", "7", "c1", "reply"), ("help", "7c", "1", "reply"), ("help7", "", "c1", "reply"), ("help", "7", "c1", "note")]
    assert len({effect_key(*part) for part in parts}) == len(parts)


def test_an_effect_goes_its_way_and_ends_once(session: Session) -> None:
    key = planned(session)
    sending = claim(session, key, NOON + SECOND)
    assert (sending.state, sending.attempts, sending.updated_at) == (State.SENDING, 1, NOON + SECOND)
    sent = settle(session, key, "sent", vendor_ref="c99", now=NOON + 2 * SECOND)
    assert (sent.state, sent.vendor_ref, sent.attempts) == (State.SENT, "c99", 1)
    assert effect(session, key) == sent


@pytest.mark.parametrize(("state", "more"), [("sent", {"vendor_ref": "1"}), ("refused", {"reason": "x"}), ("cancelled", {"reason": "x"})])
def test_nothing_leaves_a_terminal_state(session: Session, state: str, more: dict[str, str]) -> None:
    key = planned(session)
    claim(session, key, NOON)
    ended = settle(session, key, state, **more, now=NOON)
    with pytest.raises(AlreadySettled) as caught:
        claim(session, key, NOON + 10 * LEASE)
    assert caught.value.effect == ended
    for other, words in (("sent", {"vendor_ref": "2"}), ("unknown", {}), ("refused", {"reason": "y"}), ("cancelled", {"reason": "y"})):
        with pytest.raises(AlreadySettled):
            settle(session, key, other, **words, now=NOON)
    assert effect(session, key) == ended


def test_a_time_out_is_unknown_and_the_next_claim_is_a_further_attempt(session: Session) -> None:
    key = planned(session)
    claim(session, key, NOON)
    settle(session, key, "unknown", reason="timed out", now=NOON)
    again = claim(session, key, NOON)
    assert (again.state, again.attempts) == (State.SENDING, 2)
    settle(session, key, "unknown", now=NOON)
    assert settle(session, key, "sent", vendor_ref="found", now=NOON).state is State.SENT


def test_a_claim_holds_for_its_lease_and_then_may_be_taken_over(session: Session) -> None:
    key = planned(session)
    claim(session, key, NOON)
    with pytest.raises(InFlight) as caught:
        claim(session, key, NOON + 30 * SECOND)
    assert caught.value.retry_after == (LEASE - 30 * SECOND).total_seconds()
    assert claim(session, key, NOON + LEASE).attempts == 2
    assert claim(session, key, NOON + LEASE, lease=timedelta(0)).attempts == 3


def test_a_claim_from_before_the_clock_was_set_back_does_not_hold_for_ever(session: Session) -> None:
    key = planned(session)
    claim(session, key, NOON + timedelta(hours=1))
    with pytest.raises(InFlight):
        claim(session, key, NOON + timedelta(hours=1) - SECOND)
    assert claim(session, key, NOON).attempts == 2


@pytest.mark.parametrize("state", ["unknown", "refused", "sent"])
def test_what_was_never_claimed_was_never_called(session: Session, state: str) -> None:
    key = planned(session)
    words = {"sent": {"vendor_ref": "1"}, "refused": {"reason": "x"}}.get(state, {})
    with pytest.raises(WrongTurn):
        settle(session, key, state, **words, now=NOON)


def test_an_effect_may_be_cancelled_before_it_is_sent(session: Session) -> None:
    key = planned(session)
    assert settle(session, key, "cancelled", reason="agent answered", now=NOON).reason == "agent answered"


@pytest.mark.parametrize(
    ("state", "words"),
    [("sent", {}), ("refused", {}), ("cancelled", {}), ("unknown", {"vendor_ref": "1"}), ("planned", {}), ("sending", {})],
)
def test_a_settlement_without_its_evidence_is_refused(session: Session, state: str, words: dict[str, str]) -> None:
    key = planned(session)
    claim(session, key, NOON)
    with pytest.raises(WrongTurn):
        settle(session, key, state, **words, now=NOON)


def test_a_key_that_was_never_planned_is_a_key_error(session: Session) -> None:
    with pytest.raises(KeyError):
        claim(session, "nothing", NOON)
    with pytest.raises(KeyError):
        settle(session, "nothing", "unknown", now=NOON)


@pytest.mark.parametrize(
    "change",
    [
        "state = 'lost'",
        "kind = 'essay'",
        "public = NOT public",
        "attempts = -1",
        "state = 'sending'",
        "state = 'sent', attempts = 1",
        "state = 'refused', attempts = 1",
        "draft_id = 'nothing'",
    ],
)
def test_the_database_itself_refuses_an_impossible_effect(session: Session, change: str) -> None:
    planned(session)
    with pytest.raises(IntegrityError):
        session.connection().execute(text(f"UPDATE effects SET {change}"))


def test_unsettled_effects_are_listed_oldest_first_by_way_of_their_index(session: Session) -> None:
    for ticket, age in (("1", 3), ("2", 2), ("3", 1), ("4", 0)):
        row, wanted = decided(ticket)
        plan(session, row, replace(wanted, created_at=NOON - age * SECOND))
    keys = [effect_key("help", ticket, "c1", "reply") for ticket in "1234"]
    claim(session, keys[0], NOON)
    settle(session, keys[0], "sent", vendor_ref="1", now=NOON)
    claim(session, keys[1], NOON)
    claim(session, keys[2], NOON)
    settle(session, keys[2], "unknown", now=NOON)
    assert [(item.key, item.state) for item in unsettled(session)] == [
        (keys[1], State.SENDING),
        (keys[2], State.UNKNOWN),
        (keys[3], State.PLANNED),
    ]
    if session.get_bind().dialect.name == "sqlite":
        query = "EXPLAIN QUERY PLAN SELECT * FROM effects WHERE state IN ('planned', 'sending', 'unknown') ORDER BY created_at"
        assert "ix_effects_unsettled" in str(session.connection().execute(text(query)).all())


def test_replies_are_counted_from_the_moment_they_may_be_there(session: Session) -> None:
    reply, note, handoff = (planned(session, "7", kind) for kind in ("reply", "note", "handoff"))
    planned(session, "8")
    assert replies_to(session, "help", "7") == 0
    for key in (reply, note, handoff):
        claim(session, key, NOON)
    assert replies_to(session, "help", "7") == 2
    settle(session, reply, "unknown", now=NOON)
    settle(session, handoff, "sent", vendor_ref="1", now=NOON)
    assert replies_to(session, "help", "7") == 2
    settle(session, note, "refused", reason="closed", now=NOON)
    assert (replies_to(session, "help", "7"), replies_to(session, "fresh", "7")) == (1, 0)


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    def outcome(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (InFlight, AlreadySettled) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(outcome, works))


def test_of_many_workers_one_gets_the_claim(open_again: Callable[[], Engine]) -> None:
    engines = [open_again() for _ in range(4)]
    for ticket in range(10):
        with Session(engines[0]) as s, s.begin():
            key = planned(s, str(ticket))

        def take(engine: Engine, key: str = key) -> int:
            with Session(engine) as s, s.begin():
                return claim(s, key, NOON).attempts

        outcomes = at_once([lambda engine=engine: take(engine) for engine in engines])  # type: ignore[misc]
        assert sorted(map(str, outcomes)) == sorted(map(str, [1, InFlight, InFlight, InFlight]))


def test_of_many_planners_the_first_ones_words_stay_for_all(open_again: Callable[[], Engine]) -> None:
    engines = [open_again() for _ in range(4)]
    for ticket in range(10):

        def write(number: int, ticket: int = ticket) -> str:
            row, wanted = decided(str(ticket), html=f"<p>{number}</p>")
            row.record = {"by": number}
            with Session(engines[number]) as s, s.begin():
                made = plan(s, row, wanted)
            assert made is not None
            return made.html

        bodies = at_once([lambda number=number: write(number) for number in range(4)])  # type: ignore[misc]
        with Session(engines[0]) as s:
            held = draft(s, decided(str(ticket))[0].id)
        assert held is not None
        assert set(bodies) == {f"<p>{held.record['by']}</p>"}


class Life(RuleBasedStateMachine):
    """Two workers, a vendor that may lose requests and answers, crashes anywhere, and a person who may cancel.

    A worker holds what it has claimed until it settles it or dies. The vendor's comments are what customers see.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.key = ""
        self.ticket = f"life-{next(TICKETS)}"
        self.now = NOON
        self.holder: dict[int, int] = {}  # worker -> attempts it saw at its claim
        self.found: dict[int, str] = {}  # worker -> comment it knows of
        self.comments: list[str] = []
        self.attempts = 0
        self.ended: State | None = None

    def call(self, work: Callable[[Session], Any], *, crash: bool = False) -> Any:
        with Session(self.engine) as s:
            result = work(s)
            if not crash:
                s.commit()
            return result

    @rule(crash=st.booleans(), body=st.sampled_from(["<p>a</p>", "<p>b</p>"]))
    def plan(self, crash: bool, body: str) -> None:
        made = self.call(lambda s: plan(s, *decided(self.ticket, html=body)), crash=crash)
        if not crash:
            self.key = made.key

    @precondition(lambda self: self.key)
    @rule(worker=st.sampled_from([1, 2]), crash=st.booleans())
    def claim(self, worker: int, crash: bool) -> None:
        try:
            taken = self.call(lambda s: claim(s, self.key, self.now), crash=crash)
        except AlreadySettled:
            assert self.ended is not None
        except InFlight:
            assert self.ended is None
        else:
            assert self.ended is None
            assert not self.holder
            if not crash:
                self.holder = {worker: taken.attempts}

    @precondition(lambda self: self.holder)
    @rule(arrives=st.booleans(), answered=st.booleans())
    def post(self, arrives: bool, answered: bool) -> None:
        [(worker, attempts)] = self.holder.items()
        if attempts > 1 and self.comments:
            self.found[worker] = self.comments[0]
        elif worker not in self.found and not self.comments and arrives:
            self.comments.append(f"c{self.now.timestamp()}")
            if answered:
                self.found[worker] = self.comments[0]

    @precondition(lambda self: self.holder)
    @rule(crash=st.booleans(), outcome=st.sampled_from(["refused", "cancelled"]))
    def settle(self, crash: bool, outcome: str) -> None:
        [(worker, _)] = self.holder.items()
        if worker in self.found:
            state, words = "sent", {"vendor_ref": self.found[worker]}
        elif self.comments:
            state, words = "unknown", {}
        else:
            state, words = outcome, {"reason": "closed"}
        self.call(lambda s: settle(s, self.key, state, **words, now=self.now), crash=crash)
        if not crash:
            self.holder = {}
            self.ended = State(state) if state != "unknown" else None

    @precondition(lambda self: self.holder)
    @rule()
    def time_out(self) -> None:
        self.call(lambda s: settle(s, self.key, "unknown", reason="timed out", now=self.now))
        self.holder = {}

    @rule()
    def die(self) -> None:
        """The workers are gone, with all that they knew; the claim outlives them by its lease."""
        self.holder, self.found = {}, {}

    @rule(seconds=st.sampled_from([1, 89, 90, 600]))
    def wait(self, seconds: int) -> None:
        if not self.holder:
            self.now += seconds * SECOND

    @invariant()
    def promises_hold(self) -> None:
        assert len(self.comments) <= 1
        with Session(self.engine) as s:
            held = effect(s, self.key)
        if held is None:
            return
        assert held.attempts >= self.attempts
        self.attempts = held.attempts
        if self.ended is not None:
            assert held.state is self.ended
        assert (held.state is State.SENT) == (held.vendor_ref is not None)
        if held.state is State.SENT:
            assert held.vendor_ref == self.comments[0]
        assert held.html in ("<p>a</p>", "<p>b</p>")


def test_no_history_of_crashes_and_lost_answers_sends_twice_or_leaves_an_end(engine: Engine) -> None:
    run_state_machine_as_test(
        lambda: Life(engine),
        settings=settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)),
    )
