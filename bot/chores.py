"""The worker's chores as plain functions over a deployment: each is safe to repeat, none raises at the vendor's faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel import Session
from structlog.contextvars import bound_contextvars

from bot.answer.approved import send_approved
from bot.answer.deliver import last_from_customer, obstacle_to
from bot.answer.flow import EFFECT, Flow, Postponed, answer, conclude, is_settled
from bot.answer.outcomes import learn
from bot.deployment import Connection, Deployment
from bot.lessons import teach
from bot.metrics import Metrics
from bot.retention import retain
from bot.sync import Outcome
from bot.tracing import span
from bot.warming import Once, warm
from bot.worker import Moved, Share
from connectors.base import Comment, ConfigProblem, Cursor, CursorExpired, Helpdesk, RateLimited, Ticket, Transient
from connectors.timing import seconds
from storage import forgetting, ledger, outbox, outcomes, reviews
from storage import parts as loads
from storage.assignments import assign
from storage.database import reading
from storage.requesters import requester_key

log = structlog.get_logger()

TICKETS = "tickets"  # the cursor's stream
SOON, LATER = 1.0, 900.0  # seconds: the vendor stumbled; an operator must act first
IDLE_STATES = frozenset({"solved", "closed", "deleted"})  # nobody waits for an answer
MENTION = "@draftdesk"


@dataclass(frozen=True, slots=True)
class DeskChores:
    """Implements `bot.worker.Chores`."""

    deployment: Deployment
    flows: Mapping[str, Flow]  # by connector: those whose tickets are answered
    metrics: Metrics
    warm: Callable[[], None] = lambda: None  # before an answer
    informed: threading.Event = field(default_factory=threading.Event)  # set for good once enough is known to answer

    def sync(self, connector: str) -> list[Share]:
        """Knowledge in; the outcome is stored, logged and measured. Returns the parts of a first load that are to be read first."""
        waiting = self._unread(connector)
        if waiting:
            return waiting
        outcome = self.deployment.sync(connector, apart=True)
        waiting = self._unread(connector)
        if waiting and not outcome.error:
            log.info("loading in parts", connector=connector, parts=len(waiting))
            return waiting
        self.metrics.synced(outcome)
        self.measure_gaps(connector)
        self._tell("synced", outcome)
        return waiting

    def load(self, connector: str, load: str, part: str) -> float:
        """Read one part of a first load; 0.0 when there is nothing left of it to read, else seconds until the next try."""
        if not any((share.load, share.part) == (load, part) for share in self._unread(connector)):
            return 0.0
        outcome = self.deployment.sync(connector, part=part)
        self.metrics.loaded(outcome)
        self._tell("part loaded", outcome, part=part)
        unread = {share.part for share in self._unread(connector)}
        return outcome.retry_after or SOON if part in unread else 0.0

    def loaded(self, connector: str, load: str) -> bool:
        """Whether every part of this load is read, so that a sync can conclude it."""
        with Session(reading(self.deployment.engine)) as session:
            parts = loads.parts_of(session, connector)
            return loads.is_loading(session, connector) and all(part.finished and part.load == load for part in parts)

    def give_up(self, connector: str, load: str, part: str) -> None:
        """This job ends without having read its part; the next sync makes another one."""
        log.warning("part put off", connector=connector, part=part)
        with Session(self.deployment.engine) as session, session.begin():
            if any(one.load == load for one in loads.parts_of(session, connector)):
                loads.give_up(session, connector, part, self.deployment.now())

    def measure_gaps(self, connector: str) -> None:
        """How many documents the last first load missed, as the ledger has it."""
        with Session(reading(self.deployment.engine)) as session:
            self.metrics.missing(connector, sum(part.missing for part in loads.parts_of(session, connector)))

    def _unread(self, connector: str) -> list[Share]:
        with Session(reading(self.deployment.engine)) as session:
            if not loads.is_loading(session, connector):
                return []
            return [Share(part.load, part.key, part.tries) for part in loads.parts_of(session, connector) if not part.finished]

    def _tell(self, event: str, outcome: Outcome, **more: str) -> None:
        counts = {name: getattr(outcome, name) for name in ("added", "updated", "removed", "seconds", "error")}
        (log.error if outcome.error else log.info)(event, connector=outcome.name, **more, **counts | {"seconds": round(outcome.seconds, 2)})
        for note in outcome.notes:
            log.warning("note", connector=outcome.name, says=note)

    def moved(self, connector: str) -> Moved:
        """The next page of tickets that moved. A vendor's fault is logged; the next poll goes on from the same cursor."""
        desk = self.flows[connector].desk
        with Session(reading(self.deployment.engine)) as session:
            cursor = ledger.read_cursor(session, connector, TICKETS)
        try:
            page = next(iter(desk.tickets(cursor, self._since(connector))))
        except StopIteration:
            return Moved((), None, True)
        except CursorExpired:
            log.warning("tickets are read anew from the backlog: the vendor no longer knows the cursor", connector=connector)
            with Session(self.deployment.engine) as session, session.begin():
                ledger.forget_cursor(session, connector, TICKETS)
            return Moved((), None, False)
        except (ConfigProblem, RateLimited, Transient) as trouble:
            log.error("tickets not read", connector=connector, reason=str(trouble))
            return Moved((), None, True)
        self._overtake(connector, [ref.id for ref in page.tickets if ref.status in IDLE_STATES], "nobody waits for an answer any more")
        idle = [ref.id for ref in page.tickets if ref.status in IDLE_STATES]
        worth = self._worth_a_look(connector, idle)
        waiting = tuple(dict.fromkeys(ref.id for ref in page.tickets if ref.status not in IDLE_STATES or ref.id in worth))
        return Moved(waiting, page.cursor, page.caught_up)

    def turn(self, connector: str, cursor: Cursor) -> None:
        """Store where to go on."""
        with Session(self.deployment.engine) as session, session.begin():
            ledger.record_page(
                session, connector, TICKETS, versions=(), gone=(), unreadable=(), unchanged=(), cursor=cursor, now=self.deployment.now()
            )

    def attend(self, connector: str, ticket: str, work: str) -> float:
        """One look at a ticket that moved, and one try at answering what waits there; 0.0 when done, else seconds until the next try.

        Of several who look at the same customer comment one answers it: the `work` that came first, and that work at every try.
        """
        began = self.deployment.now()
        try:
            read = self.flows[connector].desk.ticket(ticket)
        except (ConfigProblem, RateLimited, Transient) as trouble:
            return self._put_off(connector, ticket, trouble)
        comment = self._waiting(connector, read) if read else None
        if read is None or comment is None:
            return self._conclude(connector, ticket)
        key = outbox.effect_key(connector, ticket, comment, EFFECT)
        with Session(self.deployment.engine) as session, session.begin():
            if not assign(session, key, work, ticket=(connector, ticket), now=self.deployment.now()):
                return 0.0
        with bound_contextvars(connector=connector, ticket=ticket, draft=key[:12]), span("answer", connector=connector, ticket=ticket):
            return self._answer(connector, read, began) or self._conclude(connector, ticket)

    def _conclude(self, connector: str, ticket: str) -> float:
        """One try at settling what was begun for the ticket and is wanted no more; 0.0 when done, else seconds until the next try."""
        try:
            conclude(self.flows[connector], ticket)
        except (ConfigProblem, RateLimited, Transient) as trouble:
            return self._put_off(connector, ticket, trouble)
        return 0.0

    def _waiting(self, connector: str, read: Ticket) -> str | None:
        """The customer comment of this ticket that waits for the bot; what people made of our drafts is learnt on the way."""
        flow = self.flows[connector]
        self._learn(connector, read)
        settings = self.deployment.connection(connector).tickets
        comment = last_from_customer(read)
        if comment is None or settings is None:
            return None
        if obstacle := obstacle_to(read, comment.id, flow.opt_out_tags):
            self._overtake(connector, [read.id], obstacle)
            return None
        if is_settled(flow, read.id, comment.id) or not wants_answer(read, comment, settings.answer):
            return None
        return comment.id

    def _answer(self, connector: str, read: Ticket, began: datetime) -> float:
        ticket = read.id
        if not self._knows_enough():
            log.info("waiting for the first sync", connector=connector, ticket=ticket)
            return SOON
        self.warm()
        try:
            try:
                record = answer(self.flows[connector], read)
            finally:
                self._forget_again(connector, read, began)
        except Postponed as postponed:
            log.error("ticket left as it was", connector=connector, ticket=ticket, reason=str(postponed))
            self.metrics.postponed(connector, postponed.record)
            return max(postponed.wait, SOON)
        except (ConfigProblem, RateLimited, Transient) as trouble:
            return self._put_off(connector, ticket, trouble)
        self.metrics.answered(connector, record)
        log.info(
            "answered",
            connector=connector,
            ticket=ticket,
            draft=record["draft_id"],
            decision=record["decision"],
            posted=bool(record["posted"]),
        )
        return 0.0

    def send(self, connector: str, key: str) -> float:
        """One try at delivering a reply that a person approved; 0.0 when settled, else seconds until the next try."""
        try:
            settled = send_approved(self.flows[connector], key)
        except (ConfigProblem, RateLimited, Transient) as trouble:
            return self._put_off(connector, key, trouble)
        if settled:
            log.info("approved reply", connector=connector, ticket=settled.ticket_id, draft=settled.draft_id, state=settled.state.value)
        return 0.0

    def _worth_a_look(self, connector: str, idle: Sequence[str]) -> set[str]:
        """Of tickets for which nobody waits, those that may teach: what became of a draft, or what a topic is."""
        if any(topic.tags for topic in self.deployment.config.policy.topics):
            return set(idle)
        with Session(reading(self.deployment.engine)) as session:
            return outcomes.open_drafts(session, connector, idle)

    def _learn(self, connector: str, ticket: Ticket) -> None:
        """What people made of it: of our drafts, and of its topic."""
        engine, now = self.deployment.engine, self.deployment.now()
        for row in learn(engine, connector, ticket, now):
            self.metrics.used(connector, row.topic, row.kind)
            log.info("draft used", connector=connector, ticket=ticket.id, draft=row.draft_id, outcome=row.kind)
        mask = self.flows[connector].mask
        teach(engine, self.deployment.index.embedder, connector, ticket, topics=self.deployment.config.policy.topics, now=now, mask=mask)

    def _overtake(self, connector: str, tickets: Sequence[str], reason: str) -> None:
        """Their drafts need no looking at any more."""
        if not tickets:
            return
        with Session(self.deployment.engine) as session, session.begin():
            reviews.overtake_tickets(session, connector, tickets, reason, self.deployment.now())

    def retain(self) -> None:
        """Let go of what is past its time; what cannot be reached now goes tomorrow."""
        try:
            log.info("let go", **retain(self.deployment))
        except (ConfigProblem, Transient) as trouble:
            log.error("not let go", reason=str(trouble))

    def _forget_again(self, connector: str, read: Ticket, began: datetime) -> None:
        """A requester who was erased while the ticket was being answered: what was just written goes too."""
        key = requester_key(read.requester_email)
        if key is None:
            return
        with Session(reading(self.deployment.engine)) as session:
            erased = forgetting.forgotten_since(session, key, began)
        if erased:
            with Session(self.deployment.engine) as session, session.begin():
                forgetting.erase_ticket(session, (connector, read.id), self.deployment.now())

    def _knows_enough(self) -> bool:
        """Whether every connector has been synced or tried, and one of them came through: before, silence is no answer."""
        if not self.informed.is_set():
            with Session(reading(self.deployment.engine)) as session:
                tried = ledger.last_syncs(session)
            if set(self.deployment.connections) <= set(tried) and any(row.caught_up for row in tried.values()):
                self.informed.set()
        return self.informed.is_set()

    def _put_off(self, connector: str, ticket: str, trouble: Exception) -> float:
        log.error("ticket put off", connector=connector, ticket=ticket, reason=str(trouble))
        if isinstance(trouble, ConfigProblem):
            return LATER
        return max(trouble.retry_after, SOON) if isinstance(trouble, RateLimited) else SOON

    def _since(self, connector: str) -> datetime:
        settings = self.deployment.connection(connector).tickets
        return self.deployment.now() - timedelta(seconds=seconds(settings.backlog if settings else "24h"))


def wants_answer(ticket: Ticket, comment: Comment, when: str) -> bool:
    """Whether the operator's `answer:` takes this ticket up.

    ``new``: nobody has publicly answered it yet. ``every_update``: whenever the customer wrote last.
    ``mention``: an agent's internal note after the customer's comment names the bot.
    """
    if when == "every_update":
        return True
    if when == "new":
        return not any(other.public and other.author in ("agent", "bot") for other in ticket.comments)
    after = ticket.comments[ticket.comments.index(comment) :]
    return any(not other.public and other.author == "agent" and MENTION in other.text.lower() for other in after)


def open_chores(deployment: Deployment, metrics: Metrics) -> DeskChores:
    """Chores over every helpdesk whose tickets the file says to answer."""
    answering = [name for name, connection in deployment.connections.items() if is_answered(connection)]
    config = deployment.config
    load = Once(partial(warm, config.languages, model=config.writer.provider == "openai"))
    chores = DeskChores(deployment, {name: deployment.flow(name) for name in answering}, metrics, load)
    for name in deployment.connections:
        chores.measure_gaps(name)
    return chores


def is_answered(connection: Connection) -> bool:
    return connection.tickets is not None and isinstance(connection.source, Helpdesk)
