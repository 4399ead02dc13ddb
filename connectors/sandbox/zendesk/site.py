"""The sandbox's helpdesk, with an OpenAI-compatible model at the same origin: what one line starts for a test or a demo."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from connectors.sandbox.company import Company, load_company
from connectors.sandbox.model import Model
from connectors.sandbox.site import Site, utc_now
from connectors.sandbox.wire import Request, Response
from connectors.sandbox.zendesk.api import ZendeskApi
from connectors.sandbox.zendesk.delivery import WEBHOOK_SECRET, event, sign
from connectors.sandbox.zendesk.limits import Limits

MODEL_PATH = "/openai/v1/"


class Sandbox(Site):
    """Zendesk at `url`, the model at `url`/openai/v1."""

    def __init__(
        self,
        *,
        port: int = 0,
        company: Company | None = None,
        now: Callable[[], datetime] = utc_now,
        export_delay: float = 60.0,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`export_delay`: seconds for which incremental exports withhold a change, as the vendor does; 0 for demos and fast tests."""
        zendesk = ZendeskApi(company or load_company(), now, export_delay=export_delay, limits=limits or Limits())
        super().__init__(zendesk, port=port, now=now, sleep=sleep)
        self.world, self.lock, self._now = zendesk.world, zendesk.lock, now
        self.desk, self.guide, self.access = self.world.desk, self.world.guide, self.world.access
        self.model = Model(now, sleep)

    def deliver(
        self,
        ticket_id: int,
        *,
        to: str,
        secret: str = WEBHOOK_SECRET,
        kind: str = "ticket.created",
        delivery_id: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """Send one signed webhook delivery; returns the status answered. `delivery_id`: repeat an earlier one; `at`: sign as of then."""
        import requests

        with self.lock:
            ticket, moment = self.desk.tickets[ticket_id], at or self._now()
            comment = ticket.comments[-1] if kind == "ticket.comment_added" else None
            body = event(ticket, kind, moment, delivery_id or str(uuid4()), comment)
        with requests.post(to, data=body, headers=sign(body, moment, secret), timeout=12) as answer:
            return answer.status_code

    def _answer_plain(self, request: Request) -> Response:
        if request.path.startswith(MODEL_PATH):
            return self.model.answer(request)  # without the lock: it may take its time
        return super()._answer_plain(request)
