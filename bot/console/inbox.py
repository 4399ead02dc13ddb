"""The inbox: what waits for a person, and what became of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from sqlalchemy import or_, select
from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.answer.clean import visible
from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.visit import Visitor
from storage import reviews
from storage.database import reading
from storage.reviews import Line, Place, Stand, Wanted

SIZE = 25  # lines of a page
EXCERPT = 180  # characters
TABS = {
    Stand.WAITING: "Waiting",
    Stand.APPROVED: "Approved",
    Stand.REJECTED: "Rejected",
    Stand.AUTOMATIC: "Sent by itself",
    Stand.OVERTAKEN: "Overtaken",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as people read it."""

    line: Line
    subject: str
    excerpt: str
    confidence: float | None


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    wanted = wanted_of(request.query_params, office)
    after = _place(request.query_params.get("after"))
    with Database(reading(office.engine)) as s:
        found = reviews.lines(s, wanted, SIZE + 1, after)
        counts = reviews.counts(s)
    here = found[:SIZE]
    query = query_of(wanted)
    return render(
        office,
        visitor,
        "inbox.html",
        title="Inbox",
        here="inbox",
        lines=[shown(line) for line in here],
        tabs=[(stand, name, counts.get(stand.value, 0), "/?" + urlencode(query | {"stand": stand.value})) for stand, name in TABS.items()],
        wanted=wanted,
        query=query,
        topics=[topic.name for topic in office.config.policy.topics],
        connectors=sorted(office.flows),
        further="/?" + urlencode(query | {"after": _key(here[-1])}) if len(found) > SIZE else None,
        first="/?" + urlencode(query) if after else None,
        **frame(request.cookies, request.query_params),
    )


def find(office: Office, visitor: Visitor, request: Request) -> Response:
    """A draft by its id, or the newest one of a ticket."""
    asked = request.query_params.get("q", "").strip().lstrip("#")
    with Database(reading(office.engine)) as s:
        drafts = reviews.drafts_
        tickets = [(drafts.c.connector == name) & (drafts.c.ticket_id == asked) for name in sorted(office.flows)]
        query = select(drafts.c.id).where(or_(drafts.c.id == asked, *tickets)).order_by(drafts.c.created_at.desc()).limit(1)
        found = s.connection().scalar(query)
    return RedirectResponse(f"/drafts/{found}" if found else "/?said=nothing", 303)


def wanted_of(query: Mapping[str, str], office: Office) -> Wanted:
    """What a query asks for; what it asks wrongly counts as not asked."""
    stand = query.get("stand", "")
    topics = {topic.name for topic in office.config.policy.topics}
    return Wanted(
        Stand(stand) if stand in TABS else Stand.WAITING,
        connector=_one_of(query.get("connector"), set(office.flows)),
        topic=_one_of(query.get("topic"), topics),
        decision=_one_of(query.get("decision"), {"note", "handoff", "reply"}),
    )


def query_of(wanted: Wanted) -> dict[str, str]:
    told = {"stand": wanted.stand.value, "connector": wanted.connector, "topic": wanted.topic, "decision": wanted.decision}
    return {name: value for name, value in told.items() if value}


def _one_of(asked: str | None, known: set[str]) -> str | None:
    return asked if asked in known else None


def shown(line: Line) -> Shown:
    text = " ".join(visible(line.question or line.reason.partition(": ")[2] or line.reason).split())
    excerpt = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    drafted = line.review.decision != "handoff"
    return Shown(line, visible(line.subject).strip() or "(no subject)", excerpt, line.confidence if drafted else None)


def _key(line: Line) -> str:
    return f"{line.review.at.timestamp():.6f}_{line.review.draft_id}"


def _place(text: str | None) -> Place | None:
    moment, _, draft_id = (text or "").partition("_")
    try:
        return Place(datetime.fromtimestamp(float(moment), UTC), draft_id) if draft_id else None
    except (ValueError, OverflowError, OSError):
        return None
