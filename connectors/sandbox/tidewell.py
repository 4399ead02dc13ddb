"""The whole invented company: its helpdesk, its trade desk, its wiki and its documents, each at an origin of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Self

from connectors.sandbox.confluence.api import ConfluenceApi
from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.google_docs.site import GoogleSite
from connectors.sandbox.site import Site, utc_now
from connectors.sandbox.zendesk.site import Sandbox


class Tidewell:
    """`port` is the helpdesk's, the others take the next ones; 0: any free ones. `export_delay` as in `Sandbox`."""

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] = utc_now, export_delay: float = 60.0) -> None:
        ports = [port + step if port else 0 for step in range(4)]
        self.help = Sandbox(port=ports[0], now=now, export_delay=export_delay)
        self.trade = FreshdeskApi(now)
        self.fresh = Site(self.trade, port=ports[1], now=now)
        self.wiki = Site(ConfluenceApi(now), port=ports[2], now=now)
        self.docs = GoogleSite(port=ports[3], now=now)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        for site in (self.help, self.fresh, self.wiki, self.docs):
            self._running.enter_context(site)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()
