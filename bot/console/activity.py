"""Who did what, newest first."""

from __future__ import annotations

from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import Response

from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.throttle import REFUSED
from bot.console.visit import SIGNED_OUT, Visitor
from storage import audit
from storage.database import reading

SIZE = 50
ABOUT_A_DRAFT = frozenset({"approved", "rejected", "reopened", "labelled"})


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    before, person = request.query_params.get("before", ""), request.query_params.get("person") or None
    place = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    with Database(reading(office.engine)) as s:
        found = audit.newest(s, SIZE + 1, before=place, person=person)
    return render(
        office,
        visitor,
        "activity.html",
        title="Activity",
        here="activity",
        rows=found[:SIZE],
        person=person,
        further=found[SIZE - 1].id if len(found) > SIZE else None,
        about_a_draft=ABOUT_A_DRAFT,
        private=frozenset({SIGNED_OUT}),
        refused=REFUSED,
        **frame(request.cookies, request.query_params),
    )
