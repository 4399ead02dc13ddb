"""The account as the conformance suite plays on it: three empty folders, one customer, one agent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape

from connectors.base import Source
from connectors.conformance.stage import Posted, Shown
from connectors.freshdesk import Settings
from connectors.freshdesk.connector import Freshdesk
from connectors.http import HttpFactory
from connectors.sandbox.freshdesk import delivery
from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.freshdesk.auth import API_KEY
from connectors.sandbox.freshdesk.content import Category, Content, Folder, Person
from connectors.sandbox.freshdesk.delivery import WEBHOOK_SECRET
from connectors.sandbox.freshdesk.records import DRAFT, EVERYBODY, ArticleRecord
from connectors.sandbox.freshdesk.world import Quirks
from connectors.sandbox.site import Site

BOT, AGENT, CUSTOMER, CATEGORY = (1_060_000_000_001 + n for n in range(4))
OPEN_SHELF, INNER_SHELF, STAFF_SHELF, ODD_SHELF = (1_060_000_000_011 + n for n in range(4))
LONG_AGO = timedelta(days=9)
UNHEARD_OF = 17  # a visibility that no list names
EMPTY = Content(
    BOT,
    (Person(BOT, "Bot", LONG_AGO, "bot@tidewell.example"), Person(AGENT, "Agent", LONG_AGO, "agent@tidewell.example")),
    (Person(CUSTOMER, "Customer", LONG_AGO, "customer@mail.example"),),
    categories=(Category(CATEGORY, LONG_AGO, {"en": "All"}),),
    folders=(
        Folder(OPEN_SHELF, CATEGORY, LONG_AGO, {"en": "Open"}),
        Folder(INNER_SHELF, CATEGORY, LONG_AGO, {"en": "Within"}, parent=OPEN_SHELF),
        Folder(STAFF_SHELF, CATEGORY, LONG_AGO, {"en": "Staff"}, visibility=3),
        Folder(ODD_SHELF, CATEGORY, LONG_AGO, {"en": "Odd"}, visibility=UNHEARD_OF),
    ),
)


class FreshdeskStage:
    """Who may read an article is a matter of its folder, and moving it is no change of its text. A delivery bears no time."""

    dated = False
    crowd = 230  # a hundred articles are one page
    quirks = Quirks()

    def __init__(self) -> None:
        self._at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.api = FreshdeskApi(self.now, EMPTY, quirks=self.quirks)
        self.site: Site = Site(self.api, now=self.now, sleep=self.advance).start()
        self._markers: dict[str, str] = {}
        self._spoilt: set[str] = set()
        self._deleted: dict[str, ArticleRecord] = {}
        self._home: dict[str, int] = {}
        os.environ.update(STAGE_FRESHDESK_KEY=API_KEY, STAGE_FRESHDESK_WRONG="not-the-key", STAGE_FRESHDESK_HOOK=WEBHOOK_SECRET)

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)

    def close(self) -> None:
        self.site.stop()

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Source:
        return Freshdesk(self.settings(wrong_credential=wrong_credential), http, now=self.now)

    def settings(self, *, wrong_credential: bool = False) -> Settings:
        return Settings.model_validate(
            {
                "name": "trade",
                "type": "freshdesk",
                "base_url": self.site.url,
                "auth": {"api_key": "env:STAGE_FRESHDESK_WRONG" if wrong_credential else "env:STAGE_FRESHDESK_KEY"},
                "tickets": {"webhook_secret": "env:STAGE_FRESHDESK_HOOK"},
            }
        )

    # --- articles ---

    def create(self, marker: str, *, public: bool = True) -> str:
        made = self.api.solutions.create(f"About {marker}", _body(marker), folder_id=OPEN_SHELF if public else STAFF_SHELF)
        id = f"freshdesk:trade:article:{made.id}"
        self._markers[id], self._home[id] = marker, OPEN_SHELF
        return id

    def edit(self, id: str, marker: str) -> None:
        self._markers[id] = marker
        self._spoilt.discard(id)
        self.api.solutions.edit(_number(id), title=f"About {marker}", body=_body(marker))

    def delete(self, id: str) -> None:
        self._deleted[id] = self.api.solutions.articles[_number(id)]
        self.api.solutions.delete(_number(id))

    def restore(self, id: str) -> None:
        """The vendor has no bin for articles; this one is put back as it was, times and all."""
        article = self._deleted.pop(id)
        self.api.solutions.articles[article.id] = article

    def hide(self, id: str) -> None:
        self.api.solutions.set_draft(_number(id), True)

    def show(self, id: str) -> None:
        self.api.solutions.set_draft(_number(id), False)

    def restrict(self, id: str) -> None:
        self.api.solutions.move(_number(id), STAFF_SHELF)

    def unrestrict(self, id: str) -> None:
        self.api.solutions.move(_number(id), self._home[id])

    def obscure(self, id: str) -> None:
        self.api.solutions.move(_number(id), ODD_SHELF)

    def move(self, id: str) -> None:
        """Between a folder and the one within it; an article that is for staff stays so, and changes its home."""
        self._home[id] = INNER_SHELF if self._home[id] == OPEN_SHELF else OPEN_SHELF
        if self.api.solutions.articles[_number(id)].folder_id in (OPEN_SHELF, INNER_SHELF):
            self.api.solutions.move(_number(id), self._home[id])

    def spoil(self, id: str) -> None:
        self._spoilt.add(id)
        self.api.solutions.edit(_number(id), body={"unexpected": "shape"})

    def mend(self, id: str) -> None:
        if id in self._spoilt:
            self._spoilt.discard(id)
            self.api.solutions.edit(_number(id), body=_body(self._markers[id]))

    def truth(self) -> dict[str, Shown]:
        with self.api.lock:
            return {
                id: Shown(self._markers[id], self._is_public(article), id not in self._spoilt)
                for article in self.api.solutions.articles.values()
                if article.texts["en"].status != DRAFT
                for id in (f"freshdesk:trade:article:{article.id}",)
            }

    def _is_public(self, article: ArticleRecord) -> bool:
        return all(folder.visibility == EVERYBODY for folder in self.api.solutions.above(article.folder_id))

    # --- tickets ---

    def open_ticket(self, text: str) -> str:
        return str(self.api.desk.create_ticket(text[:40], text, requester_id=CUSTOMER).id)

    def customer_writes(self, ticket_id: str, text: str) -> None:
        self.api.desk.write(int(ticket_id), text, author_id=CUSTOMER)

    def agent_replies(self, ticket_id: str, text: str) -> None:
        self.api.desk.write(int(ticket_id), text, author_id=AGENT)

    def delete_ticket(self, ticket_id: str) -> None:
        self.api.desk.set_aside(int(ticket_id), deleted=True)

    def answers(self, ticket_id: str) -> list[Posted]:
        said = self.api.desk.tickets[int(ticket_id)].messages
        return [Posted(str(message.html), not message.private) for message in said if message.through_api]

    def tags(self, ticket_id: str) -> set[str]:
        return set(self.api.desk.tickets[int(ticket_id)].tags)

    def tag(self, ticket_id: str, tag: str) -> None:
        self.api.desk.change(int(ticket_id), tags=[*self.api.desk.tickets[int(ticket_id)].tags, tag])

    def lose_next_write(self, *, before: bool = False) -> None:
        """A note or a reply: setting tags may come before it."""
        self.site.faults.add("lost_request" if before else "lost_response", "/api/v2/tickets/*", method="POST")

    def delivery(self, ticket_id: str, *, forged: bool = False, age: float = 0.0) -> tuple[Mapping[str, str], bytes]:
        secret = "somebody-else" if forged else WEBHOOK_SECRET
        return delivery.headers(secret), self.api.delivery_body(int(ticket_id))


def _body(marker: str) -> str:
    return f"<p>Whoever asks for {escape(marker)} finds it here.</p>"


def _number(id: str) -> int:
    return int(id.rpartition(":")[2])
