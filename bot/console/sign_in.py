"""The way in and out."""

from __future__ import annotations

from sqlmodel import Session as Database
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import csrf, sessions
from bot.console.door import SHARED
from bot.console.office import Office
from bot.console.pages import THEMES, frame, render
from bot.console.throttle import GUESSES, REFUSED, WITHIN, is_throttled, place
from bot.console.visit import SIGNED_OUT, Endpoint, Form, Visitor, address_of, is_local, note, read_form, recognise, set_session
from storage import audit
from storage.database import reading
from storage.tables import AuditRow

SIGNED_IN = "signed in"
YEAR = 31_536_000  # seconds


def show(office: Office) -> Endpoint:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_ask, office, request, None, 200)

    return answer


def take(office: Office) -> Endpoint:
    async def answer(request: Request) -> Response:
        form = await read_form(request)
        if form is None or csrf.from_elsewhere(request.headers, office.door.origin):
            return await run_in_threadpool(_ask, office, request, "Please sign in here.", 403)
        return await run_in_threadpool(_let_in, office, request, form)

    return answer


def _let_in(office: Office, request: Request, form: Form) -> Response:
    address, now = address_of(office, request), office.now()
    with Database(reading(office.engine)) as s:
        throttled = is_throttled(s, address, now)
    if throttled:
        minutes = int(WITHIN.total_seconds() // 60)
        response = _ask(office, request, f"Too many wrong passwords ({GUESSES}). Try again in {minutes} minutes.", 429)
        response.headers["Retry-After"] = str(int(WITHIN.total_seconds()))
        return response
    found = office.door.sign_in(form.get("name", "").strip() or SHARED, form.get("password", ""))
    if found is None:
        with Database(office.engine) as s, s.begin():
            audit.note(s, AuditRow(at=now, person="", role="", action=REFUSED, subject=place(address)))
        return _ask(office, request, "That is not right. Try again.", 401)
    person, proof = found
    session = sessions.begin(person, proof, now)
    with Database(office.engine) as s, s.begin():
        note(s, office, Visitor(person, session, "", address), SIGNED_IN, place(address))
    then = form.get("next", "/")
    response = RedirectResponse(then if is_local(then) else "/", 303)
    set_session(response, office, session)
    return response


def _ask(office: Office, request: Request, says: str | None, status: int) -> Response:
    if status == 200 and recognise(office, request) is not None:
        return RedirectResponse("/", 303)
    then = request.query_params.get("next", "/")
    return render(
        office,
        None,
        "sign_in.html",
        status=status,
        title="Sign in",
        says=says,
        then=then if is_local(then) else "/",
        asks_for_a_name=office.door.asks_for_a_name,
        has_passwords=bool(office.door.locks),
        **frame(request.cookies, {}),
    )


def leave(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    """The session is over, also for whoever copied its cookie."""
    with Database(office.engine) as s, s.begin():
        note(s, office, visitor, SIGNED_OUT, visitor.session.id)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(office.door.cookie, secure=office.door.secure, httponly=True, samesite="lax")
    return response


def choose_theme(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    wanted, back = form.get("theme", "auto"), form.get("back", "/")
    response = RedirectResponse(back if is_local(back) else "/", 303)
    chosen = wanted if wanted in THEMES else "auto"
    response.set_cookie("theme", chosen, max_age=YEAR, secure=office.door.secure, samesite="lax", httponly=True)
    return response
