"""Confluence at one origin: Cloud below /wiki and behind the gateway's /ex/confluence/CLOUD_ID/wiki, or Data Center below its context."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.sandbox.confluence.access import CLOUD_ID, Access
from connectors.sandbox.confluence.content import Content, fill, load_content
from connectors.sandbox.confluence.doors import DOORS
from connectors.sandbox.confluence.limits import Bucket, Limits
from connectors.sandbox.confluence.problems import html, v2_not_found
from connectors.sandbox.confluence.v1 import v1_routes
from connectors.sandbox.confluence.v2 import V2
from connectors.sandbox.confluence.wiki import Wiki
from connectors.sandbox.confluence.world import Flavour, Quirks, World
from connectors.sandbox.wire import Problem, Request, Response, Route, Routes

GATEWAY = f"/ex/confluence/{CLOUD_ID}"
SITE = "https://tidewell.atlassian.example"  # the site's own address, as links name it behind the gateway


class ConfluenceApi:
    """`wiki`: what its people work on; `access`: credentials; `world.quirks`: oddities. `context`: Data Center's path ("" for none)."""

    control: Sequence[Route] = DOORS

    def __init__(
        self,
        now: Callable[[], datetime],
        flavour: Flavour = "cloud",
        content: Content | None = None,
        *,
        context: str = "/confluence",
        limits: Limits | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        self.lock, told = threading.RLock(), content or load_content()
        self.wiki = Wiki(now, self.lock, told.accounts)
        fill(self.wiki, told, flavour)
        self.world = World(self.wiki, flavour, "/wiki" if flavour == "cloud" else context, told.server_zone, quirks or Quirks(), now)
        self.access = Access(self.world, told.bot)
        self.bucket = Bucket(limits or Limits(), now, cloud=flavour == "cloud")
        always, old = v1_routes(self.world.context)
        self._routes = Routes(*always, *old, *(V2 if flavour == "cloud" else ()))
        self._deprecated = {route.template for route in old} if flavour == "cloud" else set()

    @property
    def base_path(self) -> str:
        """What follows the origin in a connector's base_url."""
        return self.world.context

    @property
    def gateway_path(self) -> str:
        """The same for a scoped token or OAuth, on Cloud."""
        return f"{GATEWAY}/wiki"

    def forget_cursors(self) -> None:
        """Every cursor given so far is refused from now on."""
        self.world.era += 1

    def answer(self, request: Request) -> Response:
        if self.world.cloud and request.path == "/_edge/tenant_info":
            return Response(200, {"cloudId": CLOUD_ID})
        gateway = self.world.cloud and request.path.startswith("/ex/confluence/")
        if gateway:
            if not request.path.startswith(f"{GATEWAY}/wiki/"):
                return Response(404, {"code": 404, "message": "No message available"})
            request = replace(request, path=request.path.removeprefix(GATEWAY), origin=SITE)
        headers: dict[str, str] = {}
        try:
            headers = self.bucket.spend()
            response = self._routed(request, gateway)
        except Problem as problem:
            response = problem.response
        return response.with_headers(headers)

    def _routed(self, request: Request, gateway: bool) -> Response:
        newer = request.path.startswith(f"{self.world.context}/api/v2/")
        account = self.access.identify(request, gateway=gateway, newer=newer)
        found = self._routes.find(request.method, request.path)
        if found is None or (found[0].template in self._deprecated and not self.world.quirks.v1_content):
            raise v2_not_found() if newer else html(404)
        route, ids = found
        self.access.needs(route.bucket or "", gateway=gateway)
        return route.call(self.world, account, request, ids)
