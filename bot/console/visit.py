"""One request: who makes it, and whether they may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, quote

from sqlmodel import Session as Database
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import csrf, sessions
from bot.console.door import ANNOUNCED
from bot.console.office import Office
from bot.console.roles import Person, Right
from bot.console.sessions import Session
from storage import audit
from storage.database import reading
from storage.tables import AuditRow

SIGNED_OUT = "signed out"
LARGEST_FORM = 1 << 18  # bytes
MOST_FIELDS = 50

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visitor:
    person: Person
    session: Session
    csrf: str
    address: str
    is_new: bool = False  # its cookie is still to be set

    def may(self, right: str) -> bool:
        return self.person.may(Right(right))


Form = Mapping[str, str]
Page = Callable[[Office, Visitor, Request], Response]
Deed = Callable[[Office, Visitor, Request, Form], Response]


def page(office: Office, make: Page, right: Right = Right.READ) -> Endpoint:
    """A page for those who are signed in and may see it; the others are shown the way in."""

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_show, request)

    def _show(request: Request) -> Response:
        visitor = recognise(office, request)
        if visitor is None:
            return _to_sign_in(request)
        if not visitor.person.may(right):
            return refusal(office, visitor)
        return with_cookie(make(office, visitor, request), office, visitor)

    return show


def deed(office: Office, carry_out: Deed, right: Right) -> Endpoint:
    """Something that a form asks for: from our own page, by somebody who may."""

    async def take(request: Request) -> Response:
        form = await read_form(request)
        if form is None:
            return Response("the form is too large", 413)
        return await run_in_threadpool(_take, request, form)

    def _take(request: Request, form: Form) -> Response:
        visitor = recognise(office, request)
        if visitor is None:
            return _to_sign_in(request)
        own = csrf.is_own(form.get(csrf.FIELD, ""), visitor.session.id, office.door.key)
        if not own or csrf.from_elsewhere(request.headers, office.door.origin):
            return refusal(office, visitor, "This form is out of date. Go back, reload the page, and try again.")
        if not visitor.person.may(right):
            return refusal(office, visitor)
        return with_cookie(carry_out(office, visitor, request, form), office, visitor)

    return take


def recognise(office: Office, request: Request) -> Visitor | None:
    """Whom the cookie or a trusted proxy names; None for everybody else."""
    door, now, address = office.door, office.now(), address_of(office, request)
    session = sessions.unseal(request.cookies.get(door.cookie, ""), door.key, now)
    if session is not None and _is_over(office, session):
        session = None
    person = door.announced(request.headers.get(door.proxy.header) if door.proxy else None, peer_of(request))
    if person is not None:
        kept = session is not None and session.proof == ANNOUNCED and session.person == person
        known = session if kept and session else sessions.begin(person, ANNOUNCED, now)
        return Visitor(person, known, csrf.token(known.id, door.key), address, is_new=not kept)
    if session is None or session.proof == ANNOUNCED or not door.still_knows(session.person, session.proof):
        return None
    return Visitor(session.person, session, csrf.token(session.id, door.key), address)


def _is_over(office: Office, session: Session) -> bool:
    """Signed out: on whichever process that was."""
    with Database(reading(office.engine)) as s:
        return audit.count(s, SIGNED_OUT, session.id, session.since - timedelta(seconds=1)) > 0


def peer_of(request: Request) -> str:
    """Who holds the other end of the connection."""
    return request.client.host if request.client else ""


def address_of(office: Office, request: Request) -> str:
    """The visitor's address: the peer's, or what a trusted proxy says of it."""
    peer = peer_of(request)
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return told if told and office.door.trusts(peer) else peer


def with_cookie(response: Response, office: Office, visitor: Visitor) -> Response:
    if visitor.is_new:
        set_session(response, office, visitor.session)
    return response


def set_session(response: Response, office: Office, session: Session) -> None:
    door = office.door
    value = sessions.seal(session, door.key)
    lasts = int(sessions.LIFETIME.total_seconds())
    response.set_cookie(door.cookie, value, max_age=lasts, httponly=True, secure=door.secure, samesite="lax")


def note(s: Database, office: Office, visitor: Visitor, action: str, subject: str, *, detail: str | None = None) -> None:
    """Who did it, in the transaction that does it."""
    person = visitor.person
    audit.note(s, AuditRow(at=office.now(), person=person.name, role=person.role, action=action, subject=subject, detail=detail))


async def read_form(request: Request) -> Form | None:
    """Fields as text, the last one of a name; None when it is too large."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_FORM:
            return None
        chunks.append(chunk)
    try:
        return dict(parse_qsl(b"".join(chunks).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return None


def refusal(office: Office, visitor: Visitor, says: str = "Your role does not allow this.") -> Response:
    from bot.console.pages import render

    return render(office, visitor, "refused.html", status=403, title="Not allowed", says=says)


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("x-fragment"):
        return Response(status_code=401)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    then = f"?next={quote(wanted)}" if request.method == "GET" and wanted != "/" else ""
    return RedirectResponse(f"/sign-in{then}", status_code=303)


def is_local(path: str) -> bool:
    """Whether a redirect to it stays here."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
