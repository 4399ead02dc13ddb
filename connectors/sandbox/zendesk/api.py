"""Zendesk's two APIs, Support and Help Center, behind one gate: who calls, what it costs, which route."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.sandbox.company import Company
from connectors.sandbox.wire import Problem, Request, Response, Route, Routes, no_endpoint
from connectors.sandbox.zendesk.auth import Access, resource
from connectors.sandbox.zendesk.doors import DOORS
from connectors.sandbox.zendesk.exports import EXPORTS
from connectors.sandbox.zendesk.guide import Guide
from connectors.sandbox.zendesk.help_center import HELP_CENTER_ROUTES
from connectors.sandbox.zendesk.limits import Buckets, Limits
from connectors.sandbox.zendesk.state import Desk
from connectors.sandbox.zendesk.support import READING
from connectors.sandbox.zendesk.world import World
from connectors.sandbox.zendesk.writing import WRITING


class ZendeskApi:
    """`export_delay`: seconds for which incremental exports withhold a change."""

    control: Sequence[Route] = DOORS

    def __init__(self, company: Company, now: Callable[[], datetime], *, export_delay: float, limits: Limits) -> None:
        self.lock = threading.RLock()
        desk, guide = Desk(company, now, self.lock), Guide(company, now, self.lock)
        self.world = World(desk, guide, Access(desk, now), Buckets(limits, now), now, self.lock, timedelta(seconds=export_delay))
        self._routes = Routes(*EXPORTS, *READING, *WRITING, *HELP_CENTER_ROUTES)

    def answer(self, request: Request) -> Response:
        access = self.world.access
        if (request.method, request.path.removesuffix(".json")) == ("POST", "/oauth/tokens"):
            return access.token(request)
        found = self._routes.find(request.method, request.path)
        if found is None:
            return no_endpoint()
        route, ids = found
        request = replace(request, caller=access.identify(request))
        headers = self._spend(route, request, ids)
        try:
            return route.call(self.world, request, ids).with_headers(headers)
        except Problem as problem:
            return problem.response.with_headers(headers)

    def _spend(self, route: Route, request: Request, ids: Mapping[str, str]) -> dict[str, str]:
        if not request.path.startswith("/api/"):
            return {}
        in_help_center = resource(request.path) == "hc"
        return self.world.buckets.spend(help_center=in_help_center, bucket=route.bucket, ticket_id=int(ids.get("ticket_id", 0)))
