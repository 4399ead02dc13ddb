"""The emulated Google at one origin: what one line starts for a test or a demo."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime

from connectors.sandbox.google_docs.api import GoogleApi
from connectors.sandbox.google_docs.content import Content
from connectors.sandbox.google_docs.world import Quotas
from connectors.sandbox.site import Site, utc_now


class GoogleSite(Site):
    """Drive at `url`/drive/v3, Docs at `url`/docs/v1, tokens at `url`/token; `tree` is what people work on."""

    def __init__(
        self,
        *,
        port: int = 0,
        content: Content | None = None,
        delegated: Collection[str] = (),
        quotas: Quotas | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.google = GoogleApi(now, content, delegated=delegated, quotas=quotas)
        self.tree, self.world, self.sign_in = self.google.tree, self.google.world, self.google.sign_in
        super().__init__(self.google, port=port, now=now, sleep=sleep)

    def service_account_key(self, *, wrong: bool = False) -> str:
        """The JSON key file's text. The site must have been started."""
        return self.google.service_account_key(self.url, wrong=wrong)

    def endpoints(self) -> dict[str, str]:
        """The block `endpoints` of a connector's settings."""
        return {"token": f"{self.url}/token", "drive": f"{self.url}/drive/v3", "docs": f"{self.url}/docs/v1"}
