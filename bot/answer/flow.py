"""A ticket's whole way: triage, retrieve, write, check, decide; then, where wanted, deliver. Everything is kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.check import Verdict, check
from bot.answer.conduct import Conduct
from bot.answer.conflict import Conflict, conflicts
from bot.answer.decide import DAY_IS_FULL, ONLY_NOTES, Decision, Moment, Rules, decide, lowered, refuse_early
from bot.answer.deliver import Courier, deliver, last_from_customer
from bot.answer.gloss import glossed, main_language
from bot.answer.hints import hints
from bot.answer.note import draft_note, handoff_note
from bot.answer.pseudonyms import Mask
from bot.answer.readers import Readers, readers, withheld
from bot.answer.record import describe, with_outcome
from bot.answer.render import Blocked, Rendered, render
from bot.answer.retrieve import Found, Index, Passage, retrieve
from bot.answer.risk import agent_at_work
from bot.answer.triage import Triage
from bot.answer.voice import Voice, Voiced
from bot.answer.write import Draft, ModelUnavailable, OverBudget, Usage, Writer
from bot.spending import midnight
from connectors.base import Helpdesk, Ticket
from storage import outbox, reviews
from storage.database import reading
from storage.embedding import LOCAL
from storage.outbox import Effect, State
from storage.requesters import requester_key
from storage.tables import DraftRow

EFFECT = "answer"  # one effect per customer comment, whatever the decision turns out to be
REFUSALS = 2  # tries that a model's refusal leaves the ticket as it was; the next one hands it over
UNTIL_SOMEBODY_ACTED = 900.0  # seconds between two tries at a model that an operator must put right
NOTHING = Found((), ())
NO_USAGE = Usage()
ERASED = "the answer was erased meanwhile"


@dataclass(frozen=True, slots=True)
class Flow:
    """What a ticket's way needs: handed in once per connector, the same for the worker, the command line and the tests."""

    connector: str
    desk: Helpdesk
    engine: Engine
    index: Index
    writer: Writer
    triage: Callable[[Ticket], Triage]
    rules: Rules
    allowed_links: tuple[str, ...]
    opt_out_tags: tuple[str, ...]
    now: Callable[[], datetime]
    voice: Voice = Voice()  # noqa: RUF009 - frozen
    conduct: Conduct = Conduct()  # noqa: RUF009 - frozen
    mask: Mask | None = None  # what hides a ticket's personal data from an embedder elsewhere
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Way:
    """What one pass through the verbs yielded; `unavailable` when the model or the budget stopped it, `refused` when it will again."""

    triage: Triage
    decision: Decision
    found: Found = NOTHING
    draft: Draft | None = None
    verdict: Verdict | None = None
    rendered: Rendered | None = None
    usage: Usage = NO_USAGE
    unavailable: ModelUnavailable | None = None
    refused: ModelUnavailable | None = None
    clashes: tuple[Conflict, ...] = ()
    voiced: Voiced | None = None
    readers: Readers = Readers()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Then:
    """A past moment: what was known at it is all that counts, and nothing of what the ticket itself became later."""

    as_of: datetime
    withheld: Callable[[Passage], bool]


class Postponed(Exception):
    """The ticket was left as it was; try again in `wait` seconds. The reason is kept as a draft's record."""

    def __init__(self, reason: str, wait: float, record: dict[str, Any]) -> None:
        super().__init__(reason)
        self.wait = wait
        self.record = record


def preview(flow: Flow, ticket: Ticket) -> dict[str, Any]:
    """The decision on a ticket as it stands, kept for `explain`; nothing is written to the helpdesk."""
    draft_id = secrets.token_hex(6)
    _, record = _work(flow, ticket, draft_id)
    with Session(flow.engine) as session, session.begin():
        outbox.plan(session, _row(flow, ticket, record), None)
    return record


def rehearse(flow: Flow, ticket: Ticket, then: Then) -> tuple[Way, dict[str, Any]]:
    """The decision that would have been taken at that moment on a ticket as it stood; nothing is kept, nor written anywhere."""
    return _work(flow, ticket, secrets.token_hex(6), then)


def answer(flow: Flow, ticket: Ticket) -> dict[str, Any]:
    """The decision on a ticket, carried out; called again for the same customer comment it finishes what was begun.

    Raises Postponed (model or budget), and what `deliver` raises: Transient, RateLimited.
    """
    comment = last_from_customer(ticket)
    if comment is None:
        return preview(flow, ticket)
    key = outbox.effect_key(flow.connector, ticket.id, comment.id, EFFECT)
    with Session(reading(flow.engine)) as session:
        planned = outbox.effect(session, key)
    if planned is None:
        planned, record = _plan(flow, ticket, comment.id, key)
        if planned is None:
            return record
    with Session(reading(flow.engine)) as session:
        draft = outbox.draft(session, planned.draft_id)
    settled = _delivered(flow, planned, comment.id, draft)
    if draft is None:
        raise LookupError(f"draft {settled.draft_id} is missing although its effect {key} exists")
    return with_outcome(draft.record, settled)


def conclude(flow: Flow, ticket_id: str) -> None:
    """Settles the answers that were begun for a ticket and are wanted no more: a person, or a newer message, was faster.

    One whose outcome is unknown is looked for at the helpdesk first. Raises what `deliver` raises.
    """
    with Session(reading(flow.engine)) as session:
        begun = outbox.begun(session, flow.connector, ticket_id)
    for effect, comment in begun:
        if effect.key == outbox.effect_key(flow.connector, ticket_id, comment, EFFECT):
            with Session(reading(flow.engine)) as session:
                draft = outbox.draft(session, effect.draft_id)
            _delivered(flow, effect, comment, draft)


def _delivered(flow: Flow, effect: Effect, comment: str, draft: DraftRow | None) -> Effect:
    settled = deliver(effect, comment, courier(flow, draft, _fields(flow, draft)))
    if settled.state is State.CANCELLED:
        with Session(flow.engine) as session, session.begin():
            reviews.overtake(session, settled.draft_id, settled.reason or "", flow.now())
    return settled


def _fields(flow: Flow, draft: DraftRow | None) -> Mapping[str, str]:
    return flow.conduct.filled(draft.record["triage"]) if draft and flow.conduct.fields else {}


def courier(flow: Flow, draft: DraftRow | None, fields: Mapping[str, str]) -> Courier:
    """Who carries out what `draft` decided. Of a draft that was erased meanwhile nothing goes to a customer."""
    return Courier(
        flow.desk,
        flow.engine,
        flow.opt_out_tags,
        flow.now,
        flow.sleep,
        flow.conduct.status,
        fields,
        lambda ticket: withheld(draft.record, flow.desk, ticket) if draft else ERASED,
    )


def is_settled(flow: Flow, ticket_id: str, comment_id: str) -> bool:
    """Whether this customer comment had its answer already: the bot's own note moves the ticket too."""
    with Session(reading(flow.engine)) as session:
        effect = outbox.effect(session, outbox.effect_key(flow.connector, ticket_id, comment_id, EFFECT))
    return effect is not None and effect.state in (State.SENT, State.REFUSED, State.CANCELLED)


def _plan(flow: Flow, ticket: Ticket, comment: str, key: str) -> tuple[Effect | None, dict[str, Any]]:
    """Draft and effect in one transaction; no effect for a skip, and none while the model is away."""
    draft_id = key[:12]
    way, record = _work(flow, ticket, draft_id)
    stopped = way.unavailable or (way.refused if way.refused and _refusals(flow, ticket, record["reason"]) < REFUSALS else None)
    if stopped:
        record["draft_id"] = secrets.token_hex(6)
        _keep(flow, ticket, record)
        wait = stopped.retry_after or (0.0 if stopped.retryable else UNTIL_SOMEBODY_ACTED)
        raise Postponed(record["reason"], wait, record)
    if way.decision.outcome == "skip":
        record["draft_id"] = secrets.token_hex(6)
        _keep(flow, ticket, record)
        return None, record
    with Session(flow.engine) as session, session.begin():
        if way.decision.outcome == "reply" and _is_full(flow, session):
            way = replace(way, decision=lowered(way.decision, DAY_IS_FULL))
            record = _described(flow, ticket, draft_id, way, record["timings_ms"])
        row = _row(flow, ticket, record)
        planned = outbox.plan(session, row, _effect(flow, ticket, key, way))
        reviews.ask(session, row)
    return planned, record


def _refusals(flow: Flow, ticket: Ticket, reason: str) -> int:
    """How often this customer comment met the same end already."""
    comment = last_from_customer(ticket)
    with Session(reading(flow.engine)) as session:
        return outbox.ended_so(session, flow.connector, ticket.id, comment.id if comment else "", reason)


def _is_full(flow: Flow, session: Session) -> bool:
    """Whether the day has no reply left; asked again in the transaction that plans one, so that many at once cannot overstep it."""
    cap = flow.rules.max_replies_per_day
    return cap is not None and outbox.replies_since(session, midnight(flow.now()), alone=True) >= cap


def _effect(flow: Flow, ticket: Ticket, key: str, way: Way) -> Effect:
    draft_id, now = key[:12], flow.now()
    return Effect(
        key=key,
        draft_id=draft_id,
        connector=flow.connector,
        ticket_id=ticket.id,
        kind=way.decision.outcome,  # type: ignore[arg-type]
        state=State.PLANNED,
        html=_html(flow, draft_id, way),
        public=way.decision.outcome == "reply",
        tags=flow.conduct.marks(way.decision.outcome, way.triage),
        seen_version=ticket.version,
        attempts=0,
        vendor_ref=None,
        reason=None,
        created_at=now,
        updated_at=now,
    )


def _html(flow: Flow, draft_id: str, way: Way) -> str:
    triage, decision, found = way.triage, way.decision, way.found
    remarks = (*((triage.risk,) if triage.risk else ()), *(f"the message {sign}" for sign in triage.suspicious))
    if way.rendered is None or way.verdict is None or way.draft is None or decision.outcome == "handoff":
        return handoff_note(
            draft_id,
            decision.reason,
            hints=found.internal,
            remarks=remarks,
            clashes=way.clashes,
            advice=flow.conduct.advice(decision.reason, triage.language),
            nearest=found.public,
            verdict=way.verdict,
            citations=way.draft.citations if way.draft else (),
        )
    if decision.outcome == "reply":
        return flow.conduct.signed(way.rendered, triage.language).html
    why = decision.reason if _mode_is_reply(way) else ""
    return draft_note(
        draft_id,
        way.rendered.html,
        way.verdict,
        way.draft.citations,
        hints=found.internal,
        remarks=remarks,
        why=why,
        complete=way.draft.complete,
        language=triage.language if triage.language != flow.conduct.main else None,
    )


def _mode_is_reply(way: Way) -> bool:
    """Whether the topic may reply, and something kept it from doing so: only then is that worth an agent's time."""
    return way.decision.reason != ONLY_NOTES


def _work(flow: Flow, ticket: Ticket, draft_id: str, then: Then | None = None) -> tuple[Way, dict[str, Any]]:
    timings: dict[str, float] = {}
    with _timed(timings, "total"):
        way = _walk(flow, ticket, timings, then)
    return way, _described(flow, ticket, draft_id, way, {name: round(value * 1000, 1) for name, value in timings.items()})


def _described(flow: Flow, ticket: Ticket, draft_id: str, way: Way, timings: Mapping[str, float]) -> dict[str, Any]:
    replies = way.decision.outcome == "reply" and way.rendered is not None
    record = describe(
        draft_id,
        flow.connector,
        ticket,
        way.triage,
        way.decision,
        found=way.found,
        draft=way.draft,
        verdict=way.verdict,
        rendered=flow.conduct.signed(way.rendered, way.triage.language) if replies and way.rendered else way.rendered,
        usage=way.usage + way.triage.usage if way.triage.usage else way.usage,
        timings={"retrieve": 0.0, "write": 0.0, "check": 0.0} | dict(timings),
    )
    if way.readers.step:
        record["policy"].append(way.readers.step)
    if way.voiced:
        record |= {"voice": way.voiced.voice, "voice_fallback": way.voiced.why}
    return record


def _walk(flow: Flow, ticket: Ticket, timings: dict[str, float], then: Then | None) -> Way:
    with _timed(timings, "triage"):
        triage = flow.triage(ticket)
    early = refuse_early(triage, flow.rules, 0 if then else _replies(flow, ticket))
    if early and (early.outcome == "skip" or not triage.questions):
        return Way(triage, early)
    whose = Readers() if then else readers(flow.desk, flow.engine, flow.connector, ticket)
    with _timed(timings, "retrieve"):
        found = _found(flow, ticket, triage, then, whose.segments)
    way = Way(triage, early, found) if early else _written(flow, ticket, triage, found, timings=timings, then=then)
    return replace(way, readers=whose)


def _written(flow: Flow, ticket: Ticket, triage: Triage, found: Found, *, timings: dict[str, float], then: Then | None) -> Way:
    try:
        with _timed(timings, "write"):
            draft = flow.writer.write(ticket, triage, found)
    except ModelUnavailable as outage:
        kind = "budget" if isinstance(outage, OverBudget) else "model_unavailable"
        decision = Decision("handoff", f"{kind}: {outage.reason}", 0.0, (f"write: {kind}",))
        refused = outage if outage.final and not isinstance(outage, OverBudget) else None
        return Way(triage, decision, found, usage=outage.usage, unavailable=None if outage.final else outage, refused=refused)
    return _judge(flow, triage, found, draft, timings, ticket_id=ticket.id, moment=None if then else _moment(flow, ticket))


def _moment(flow: Flow, ticket: Ticket) -> Moment:
    now = flow.now()
    replies = 0
    if flow.rules.max_replies_per_day is not None:
        with Session(reading(flow.engine)) as session:
            replies = outbox.replies_since(session, midnight(now))
    return Moment(now, agent_at_work(ticket, now, flow.rules.agent_active), replies)


def _replies(flow: Flow, ticket: Ticket) -> int:
    with Session(reading(flow.engine)) as session:
        return outbox.replies_to(session, flow.connector, ticket.id)


def _found(flow: Flow, ticket: Ticket, triage: Triage, then: Then | None, segments: frozenset[str]) -> Found:
    names = flow.mask.of(ticket) if flow.mask else None
    questions = [names.hide(question) for question in triage.questions] if names else triage.questions
    as_of = then.as_of if then else None
    found = retrieve(questions, flow.index, as_of=as_of, segments=segments)
    # The local embedder knows no translations; one elsewhere may, and then a gloss would only blur the question.
    if flow.index.embedder.name == LOCAL and main_language((passage.language for passage in found.public), triage.language):
        put = [glossed(question, triage.language, flow.conduct.main) or question for question in questions]
        found = found if put == list(questions) else retrieve(put, flow.index, as_of=as_of, segments=segments)
    if then:
        found = Found(*(tuple(one for one in kind if not then.withheld(one)) for kind in (found.public, found.internal)))
    return replace(found, internal=hints(found))


def _judge(
    flow: Flow, triage: Triage, found: Found, draft: Draft | None, timings: dict[str, float], *, ticket_id: str, moment: Moment | None
) -> Way:
    voiced = None
    with _timed(timings, "check"):
        verdict = check(draft, flow.allowed_links) if draft else None
    if draft and verdict and verdict.supported:
        with _timed(timings, "voice"):
            voiced = flow.voice.speak(draft, verdict, triage.language, ticket_id, flow.allowed_links)
        draft, verdict = voiced.draft, voiced.verdict
    with _timed(timings, "decide"):
        clashes = conflicts(verdict, draft.citations, found.public) if draft and verdict and verdict.supported else ()
        decision = decide(triage, found, draft, verdict, flow.rules, clashes=clashes, moment=moment)
        rendered = None
        if draft and verdict and verdict.supported:
            try:
                rendered = render(draft, verdict, triage.language, flow.allowed_links, voiced.courtesies if voiced else frozenset())
            except Blocked as refusal:
                decision = replace(decision, outcome="handoff", reason=f"unsupported: {refusal}")
    return Way(triage, decision, found, draft, verdict, rendered, draft.usage if draft else Usage(), clashes=clashes, voiced=voiced)


def recall(session: Session, draft_id: str) -> dict[str, Any] | None:
    """The kept record of a draft, with what became of it since; None when there is no such draft."""
    row = outbox.draft(session, draft_id)
    return with_outcome(row.record, outbox.effect_of(session, draft_id)) if row else None


def _keep(flow: Flow, ticket: Ticket, record: dict[str, Any]) -> None:
    with Session(flow.engine) as session, session.begin():
        outbox.plan(session, _row(flow, ticket, record), None)


def _row(flow: Flow, ticket: Ticket, record: dict[str, Any]) -> DraftRow:
    comment = last_from_customer(ticket)
    return DraftRow(
        id=record["draft_id"],
        connector=flow.connector,
        ticket_id=ticket.id,
        customer_comment_id=comment.id if comment else "",
        subject=ticket.subject,
        decision=record["decision"],
        reason=record["reason"],
        record=record,
        created_at=flow.now(),
        requester=requester_key(ticket.requester_email),
    )


@contextmanager
def _timed(timings: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        timings[name] = time.perf_counter() - start
