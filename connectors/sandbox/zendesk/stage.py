"""The helpdesk as the conformance suite plays on it: an empty Help Center, one customer, one agent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import count
from typing import Any

from connectors.conformance.stage import Posted, Shown
from connectors.http import HttpFactory
from connectors.sandbox.company import Category, Company, Person, Section, Segment
from connectors.sandbox.site import Api
from connectors.sandbox.wire import Problem, Request, Response, listed_fault
from connectors.sandbox.zendesk.auth import CLIENT_ID, CLIENT_SECRET
from connectors.sandbox.zendesk.delivery import WEBHOOK_SECRET, event, sign
from connectors.sandbox.zendesk.guide import ArticleRecord
from connectors.sandbox.zendesk.site import Sandbox
from connectors.zendesk.connector import Zendesk
from connectors.zendesk.settings import Settings

BOT, AGENT, CUSTOMER, STAFF, CATEGORY = (46_000_000_000_001 + n for n in range(5))
SECTIONS = (46_000_000_000_011, 46_000_000_000_012)
UNHEARD_OF = 46_000_000_000_099  # a user segment that no list names
PEOPLE = (
    Person(BOT, "Bot", "admin", timedelta(days=9), "bot@tidewell.example"),
    Person(AGENT, "Agent", "agent", timedelta(days=9), "agent@tidewell.example"),
    Person(CUSTOMER, "Customer", "end-user", timedelta(days=9), "customer@mail.example"),
)
EMPTY = Company(
    BOT,
    PEOPLE,
    segments=(Segment(STAFF, "Staff"),),
    categories=(Category(CATEGORY, "en-us", timedelta(days=9), {"en-us": "All"}),),
    sections=tuple(Section(n, CATEGORY, "en-us", timedelta(days=9), {"en-us": "Some"}) for n in SECTIONS),
)


class ZendeskStage:
    """Every article is in one language; `dated`: Zendesk signs the time of a delivery."""

    dated = True
    crowd = 230  # a hundred articles are one page

    def __init__(self) -> None:
        self._at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.site = Sandbox(company=EMPTY, now=self.now, sleep=self.advance).start()
        self._forgetful = Forgetful(self.site.api)
        self.site.api = self._forgetful
        self._markers: dict[str, str] = {}
        self._spoilt: dict[str, str] = {}
        self._deleted: dict[str, ArticleRecord] = {}
        self._deliveries = count(1)
        os.environ.update(STAGE_ZENDESK_SECRET=CLIENT_SECRET, STAGE_ZENDESK_WRONG="not-the-secret", STAGE_ZENDESK_HOOK=WEBHOOK_SECRET)

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)

    def close(self) -> None:
        self.site.stop()

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Zendesk:
        secret = "env:STAGE_ZENDESK_WRONG" if wrong_credential else "env:STAGE_ZENDESK_SECRET"
        settings = Settings.model_validate(
            {
                "name": "help",
                "type": "zendesk",
                "base_url": self.site.url,
                "auth": {"client_id": CLIENT_ID, "client_secret": secret},
                "tickets": {"webhook_secret": "env:STAGE_ZENDESK_HOOK"},
            }
        )
        return Zendesk(settings, http, now=self.now)

    # --- articles ---

    def create(self, marker: str, *, public: bool = True) -> str:
        made = self.site.guide.create(f"About {marker}", _body(marker), segment_id=None if public else STAFF)
        id = f"zendesk:help:article:{made.id}"
        self._markers[id] = marker
        return id

    def edit(self, id: str, marker: str) -> None:
        self._markers[id] = marker
        self.mend(id)
        self.site.guide.edit(_number(id), title=f"About {marker}", body=_body(marker))

    def delete(self, id: str) -> None:
        self._deleted[id] = self.site.guide.articles[_number(id)]
        self.site.guide.archive(_number(id))

    def restore(self, id: str) -> None:
        """Guide restores an archived article with a new time of change."""
        article = self._deleted.pop(id)
        article.updated_at = article.metadata_at = self._at
        self.site.guide.articles[article.id] = article

    def hide(self, id: str) -> None:
        self.site.guide.set_draft(_number(id), True)

    def show(self, id: str) -> None:
        self.site.guide.set_draft(_number(id), False)

    def restrict(self, id: str) -> None:
        self.site.guide.restrict(_number(id), STAFF)

    def unrestrict(self, id: str) -> None:
        self.site.guide.restrict(_number(id), None)

    def obscure(self, id: str) -> None:
        self.site.guide.restrict(_number(id), UNHEARD_OF)

    def move(self, id: str) -> None:
        article = self.site.guide.articles[_number(id)]
        article.section_id = next(section for section in SECTIONS if section != article.section_id)
        article.updated_at = article.metadata_at = self._at

    def spoil(self, id: str) -> None:
        self._spoilt.setdefault(id, "")
        self._rewrite(id, {"unexpected": "shape"})

    def mend(self, id: str) -> None:
        if self._spoilt.pop(id, None) is not None:
            self._rewrite(id, _body(self._markers[id]))

    def _rewrite(self, id: str, body: Any) -> None:
        self.site.guide.edit(_number(id), body=body)

    def expire(self) -> None:
        self._forgetful.forget()

    def truth(self) -> dict[str, Shown]:
        with self.site.lock:
            return {
                f"zendesk:help:article:{article.id}": Shown(
                    self._markers[f"zendesk:help:article:{article.id}"],
                    not article.segment_ids,
                    f"zendesk:help:article:{article.id}" not in self._spoilt,
                )
                for article in self.site.guide.articles.values()
                if not article.translations[article.source_locale].draft
            }

    # --- tickets ---

    def open_ticket(self, text: str) -> str:
        return str(self.site.desk.create_ticket(text[:40], text, requester_id=CUSTOMER).id)

    def customer_writes(self, ticket_id: str, text: str) -> None:
        self.site.desk.comment(int(ticket_id), text, author_id=CUSTOMER)

    def agent_replies(self, ticket_id: str, text: str) -> None:
        self.site.desk.comment(int(ticket_id), text, author_id=AGENT)

    def delete_ticket(self, ticket_id: str) -> None:
        self.site.desk.delete_ticket(int(ticket_id))

    def answers(self, ticket_id: str) -> list[Posted]:
        ticket = self.site.desk.tickets[int(ticket_id)]
        return [Posted(said.html, said.public) for said in ticket.comments if said.channel == "api"]

    def tags(self, ticket_id: str) -> set[str]:
        return set(self.site.desk.tickets[int(ticket_id)].tags)

    def tag(self, ticket_id: str, tag: str) -> None:
        ticket = self.site.desk.tickets[int(ticket_id)]
        ticket.tags = [*ticket.tags, tag]
        self.site.desk.touch(int(ticket_id))

    def lose_next_write(self, *, before: bool = False) -> None:
        self.site.faults.add("lost_request" if before else "lost_response", "/api/v2/tickets/*", method="PUT")

    def delivery(self, ticket_id: str, *, forged: bool = False, age: float = 0.0) -> tuple[Mapping[str, str], bytes]:
        at = self._at - timedelta(seconds=age)
        body = event(self.site.desk.tickets[int(ticket_id)], "ticket.created", at, f"delivery-{next(self._deliveries)}")
        return sign(body, at, "somebody-else" if forged else WEBHOOK_SECRET), body


class Forgetful:
    """The API, whose cursors end when it is told so: a page is refused until its list was begun anew."""

    def __init__(self, api: Api) -> None:
        self._api, self._begun = api, set[str]()
        self._forgot = False
        self.lock, self.control = api.lock, api.control

    def forget(self) -> None:
        self._forgot = True
        self._begun.clear()

    def answer(self, request: Request) -> Response:
        cursor = "page[after]" in request.query or "cursor" in request.query
        if not cursor:
            self._begun.add(request.path)
        elif self._forgot and request.path not in self._begun:
            raise Problem(listed_fault(400, "InvalidCursor", "The cursor is malformed or no longer valid"))
        return self._api.answer(request)


def _body(marker: str) -> str:
    return f"<p>Whoever asks for {escape(marker)} finds it here.</p>"


def _number(id: str) -> int:
    return int(id.rpartition(":")[2])
