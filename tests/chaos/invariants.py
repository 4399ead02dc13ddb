"""What must hold at every moment, and what must hold when all is calm again. Each yields what is wrong, as a sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from rig import Rig
from sqlalchemy import select
from sqlmodel import Session

from connectors.zendesk.parse import EFFECT as EFFECT_KEY
from storage import outbox
from storage.spending import spent
from storage.tables import EffectRow, table

TAKEN_OVER_WITHIN = 60.0  # seconds
effects = table(EffectRow)


def always(rig: Rig) -> Iterator[str]:
    """No customer comment has two answers of ours; nobody is written to after a person answered; nothing public is written."""
    desk = rig.sandbox.desk
    keys = Counter(str((entry.metadata or {}).get(EFFECT_KEY)) for entry in desk.ledger.comments())
    yield from (f"effect {key} took effect {count} times" for key, count in keys.items() if count > 1)
    ours = {entry.comment_id for entry in desk.ledger.comments()}
    for entry in desk.ledger.comments():
        if entry.public:
            yield f"ticket {entry.ticket_id}: a public comment, where the file says notes"
    for ticket in desk.alive():
        answered = noted = False
        for comment in list(ticket.comments):
            if comment.author_id == ticket.requester_id:
                answered = noted = False
            elif comment.id in ours:
                if answered:
                    yield f"ticket {ticket.id}: written to after a person had answered"
                if noted:
                    yield f"ticket {ticket.id}: two comments of ours for one of the customer's"
                noted = True
            elif comment.public:
                answered = True


def unanswered(rig: Rig) -> list[int]:
    """Tickets that wait for the bot and have nothing from it since the customer wrote last."""
    ours = {entry.comment_id for entry in rig.sandbox.desk.ledger.comments()}
    waiting = []
    for ticket in rig.sandbox.desk.alive():
        comments = list(ticket.comments)
        last = max((at for at, comment in enumerate(comments) if comment.author_id == ticket.requester_id), default=None)
        if last is None or ticket.status in ("solved", "closed") or "no-bot" in ticket.tags or ticket.id not in rig.asked:
            continue
        after = comments[last + 1 :]
        agents = any(comment.public and comment.id not in ours and comment.author_id != ticket.requester_id for comment in comments)
        if not agents and not any(comment.id in ours for comment in after):
            waiting.append(ticket.id)
    return waiting


def unsettled(rig: Rig) -> list[str]:
    """Effects that are still to be tried, or looked for at the vendor: an answer that was lost on its way is one until the next try."""
    engine = rig.engine()
    with Session(engine) as session:
        keys = [effect.key for effect in outbox.unsettled(session)]
    engine.dispose()
    return keys


def at_rest(rig: Rig, cap: float) -> Iterator[str]:
    """When nothing is on its way any more."""
    yield from always(rig)
    if lost := unanswered(rig):
        yield f"{len(lost)} tickets were lost: they wait, and nothing of ours stands on them, {lost[0]} for one"
    written = {str((entry.metadata or {}).get(EFFECT_KEY)): str(entry.comment_id) for entry in rig.sandbox.desk.ledger.comments()}
    engine = rig.engine()
    with Session(engine) as session:
        kept = {row.key: row for row in session.execute(select(effects.c.key, effects.c.state, effects.c.vendor_ref))}
        money = spent(session)
    engine.dispose()
    for key in written:
        if key not in kept or kept[key].state != "sent":
            yield f"effect {key} stands at the vendor, here it is {kept[key].state if key in kept else 'unknown'}"
    for key, row in kept.items():
        if row.state == "sent" and key not in written:
            yield f"effect {key} is said to be sent, the vendor has no such comment"
        if row.state in ("planned", "sending", "unknown"):
            yield f"effect {key} is left {row.state}"
    if money > cap:
        yield f"{money} USD were spent of {cap}"


def takeovers(rig: Rig) -> list[float]:
    """Seconds from a worker's death until another one had taken over what it was at, of those that had made themselves known."""
    deaths = {pid: at for worker in rig.workers for pid, at in worker.deaths.items()}
    seconds = []
    for line in rig.journal():
        if b'"took over"' not in line:
            continue
        told = json.loads(line)
        for process in told["processes"]:
            if (died := deaths.get(int(process.rsplit("-", 2)[1]))) is not None:
                seconds.append((datetime.fromisoformat(told["timestamp"]) - died).total_seconds())
    return seconds


def late(seconds: list[float]) -> Iterator[str]:
    yield from (f"a dead worker's work was taken over after {waited:.0f} s" for waited in seconds if waited > TAKEN_OVER_WITHIN)


def journal(rig: Rig, secrets: list[str]) -> Iterator[str]:
    """No bug was met, and nobody's words or secrets were logged."""
    for line in rig.journal():
        for secret in secrets:
            if secret.encode() in line:
                yield f"the log holds {secret!r}"
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if str(told.get("event", "")).startswith("bug"):
            yield f"a bug: {told.get('kind')} at {told.get('place')}"
