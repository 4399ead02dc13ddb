"""Freshdesk's API v2 behind one gate: what it costs, who calls, which route, in which form."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from uuid import uuid4

from connectors.sandbox.freshdesk import delivery
from connectors.sandbox.freshdesk.auth import API_KEY, RESTRICTED_KEY, Access
from connectors.sandbox.freshdesk.content import Content, load_content
from connectors.sandbox.freshdesk.delivery import SECRET_HEADER, WEBHOOK_SECRET
from connectors.sandbox.freshdesk.doors import DOORS
from connectors.sandbox.freshdesk.errors import not_acceptable, not_allowed, not_found
from connectors.sandbox.freshdesk.library import LIBRARY
from connectors.sandbox.freshdesk.limits import Budget, Limits
from connectors.sandbox.freshdesk.paging import Pager
from connectors.sandbox.freshdesk.reading import READING
from connectors.sandbox.freshdesk.solutions import Solutions
from connectors.sandbox.freshdesk.state import Desk
from connectors.sandbox.freshdesk.world import Quirks, World
from connectors.sandbox.freshdesk.writing import WRITING, methods_of
from connectors.sandbox.wire import Problem, Request, Response, Route, Routes

ROUTES = (*READING, *WRITING, *LIBRARY)
JSON_ACCEPTED = ("", "*/*", "application/*", "application/json")


class FreshdeskApi:
    """One account. `desk`: tickets and people; `solutions`: articles; `budget`: credits; `access`: API keys."""

    control: Sequence[Route] = DOORS

    def __init__(
        self, now: Callable[[], datetime], content: Content | None = None, *, limits: Limits | None = None, quirks: Quirks | None = None
    ) -> None:
        self.lock = threading.RLock()
        self.content, self._now, self.quirks = content or load_content(), now, quirks or Quirks()
        self.desk = Desk(self.content, now, self.lock, deletion_moves=self.quirks.deletion_moves)
        self.solutions = Solutions(self.content, now, self.lock)
        self.budget = Budget(limits or Limits(), now)
        restricted = next((person.id for person in self.content.agents if person.ticket_scope != 1), 0)
        self.access = Access(self.desk, {API_KEY: self.content.bot, RESTRICTED_KEY: restricted})
        self.world = World(self.desk, self.solutions, Pager(), self.quirks, now)
        self._routes = Routes(*ROUTES)

    def answer(self, request: Request) -> Response:
        """Every call is counted, also one that is refused."""
        if not request.path.startswith("/api/v2/"):
            return not_found()
        found = self._routes.find(request.method, request.path)
        headers = self._common()
        try:
            headers |= self.budget.spend(_credits(request), found[0].bucket if found else None)
            response = self._routed(request, found)
        except Problem as problem:
            response = problem.response
        return response.with_headers({**headers, "status": _status_line(response.status)})

    def _routed(self, request: Request, found: tuple[Route, dict[str, str]] | None) -> Response:
        request = replace(request, caller=self.access.identify(request))
        if not _accepts_json(request.headers.get("accept", "")):
            return not_acceptable()
        if found is None:
            methods = methods_of(ROUTES, request.path)
            return not_allowed(methods) if methods else not_found()
        return found[0].call(self.world, request, found[1])

    def _common(self) -> dict[str, str]:
        version = "latest=v2; requested=v2"
        return {"x-freshdesk-api-version": version, "x-request-id": str(uuid4()), "cache-control": "no-store"}

    def deliver(
        self,
        ticket_id: int,
        *,
        to: str,
        secret: str = WEBHOOK_SECRET,
        header: str = SECRET_HEADER,
        form: str = "advanced",
        happened: str = "{ticket_action:created}",
    ) -> int:
        """Send one webhook delivery; returns the status answered. `form`: advanced | simple | broken. It costs the account a credit."""
        import requests

        with self.lock:
            body = self.delivery_body(ticket_id, form=form, happened=happened)
            self.budget.spent_elsewhere(1)
        with requests.post(to, data=body, headers=delivery.headers(secret, header), timeout=12) as answered:
            return answered.status_code

    def delivery_body(self, ticket_id: int, *, form: str = "advanced", happened: str = "{ticket_action:created}") -> bytes:
        ticket = self.desk.tickets[ticket_id]
        if form == "simple":
            return delivery.simple(ticket, self.desk.people.get(ticket.requester_id), "https://tidewell.freshdesk.example", happened)
        return delivery.broken(ticket) if form == "broken" else delivery.advanced(ticket)


def _credits(request: Request) -> int:
    """A call costs one; what is included in a list of tickets two more each, in one ticket one more each."""
    parts = sum(1 for part in request.query.get("include", "").split(",") if part)
    listing = request.path.rstrip("/").removesuffix(".json") == "/api/v2/tickets"
    return 1 + parts * (2 if listing else 1)


def _accepts_json(accept: str) -> bool:
    return any(part.split(";")[0].strip().lower() in JSON_ACCEPTED for part in accept.split(","))


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
