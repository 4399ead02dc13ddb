"""The wiki as the conformance suite plays on it: two spaces that are read, one that is not, and a few people."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import cycle

from connectors.base import Source
from connectors.confluence import Settings
from connectors.confluence.connector import Confluence
from connectors.conformance.stage import Shown
from connectors.http import HttpFactory
from connectors.sandbox.confluence.access import API_TOKEN, EMAIL, PERSONAL_TOKEN
from connectors.sandbox.confluence.api import ConfluenceApi
from connectors.sandbox.confluence.content import Content
from connectors.sandbox.confluence.records import Account, Item
from connectors.sandbox.confluence.world import Flavour, Quirks
from connectors.sandbox.site import Site

BOT, EDITOR = "712020:stage-bot", "712020:stage-editor"
EVERYBODY = {"groups": ["all"]}
HOME, SHELF, STAFF = 201, 202, 203
PREFIX = "confluence:wiki:page:"
READ = ("KB", "ENG")


class ConfluenceStage:
    """Documents are pages of KB, or of ENG where not public; the pages above them, which every site has, are in `truth` too.

    The bot's time zone is half an hour off the full hour, and west of UTC.
    """

    crowd = 270  # more than one page of two hundred and fifty

    def __init__(self, flavour: Flavour = "cloud", *, quirks: Quirks | None = None, zone: str = "America/St_Johns") -> None:
        self._at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        people = (
            Account(EDITOR, "key-editor", "editor", "Editor", "editor@tidewell.example", ("all",)),
            Account(BOT, "key-bot", "bot", "Bot", EMAIL, ("all",), zone),
        )
        spaces = tuple({"id": n, "key": key, "name": key, "readers": EVERYBODY} for n, key in enumerate((*READ, "ELSEWHERE"), start=101))
        shelves = (
            {"id": HOME, "space": "KB", "title": "Home", "body": _body("homepage")},
            {"id": SHELF, "space": "KB", "title": "Shelf", "parent": HOME, "body": _body("shelfpage")},
            {"id": STAFF, "space": "ENG", "title": "Staff", "body": _body("staffpage")},
        )
        content = Content(people, BOT, spaces, shelves, zone)
        self.api = ConfluenceApi(self.now, flavour, content, quirks=quirks)
        self.flavour = flavour
        self.site: Site = Site(self.api, now=self.now, sleep=self.advance).start()
        self._markers = {f"{PREFIX}{HOME}": "homepage", f"{PREFIX}{SHELF}": "shelfpage", f"{PREFIX}{STAFF}": "staffpage"}
        self._moves: dict[str, cycle[str]] = {}
        os.environ["STAGE_CONFLUENCE_WRONG"] = "not-the-token"
        os.environ["STAGE_CONFLUENCE_TOKEN"] = API_TOKEN if flavour == "cloud" else PERSONAL_TOKEN

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)

    def close(self) -> None:
        self.site.stop()

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Source:
        return Confluence(self.settings(wrong_credential=wrong_credential), http, now=self.now)

    def settings(self, *, wrong_credential: bool = False) -> Settings:
        secret = "env:STAGE_CONFLUENCE_WRONG" if wrong_credential else "env:STAGE_CONFLUENCE_TOKEN"
        return Settings.model_validate(
            {
                "name": "wiki",
                "type": "confluence",
                "base_url": f"{self.site.url}{self.api.base_path}",
                "flavour": self.flavour,
                "auth": {"email": EMAIL, "api_token": secret} if self.flavour == "cloud" else {"token": secret},
                "knowledge": {"spaces": list(READ), "audience": {"KB": "public"}},
            }
        )

    def create(self, marker: str, *, public: bool = True) -> str:
        space, parent = ("KB", SHELF) if public else ("ENG", STAFF)
        with self.api.lock:
            made = self.api.wiki.create(f"About {marker}", _body(marker), space=space, parent=parent)
        id = f"{PREFIX}{made.id}"
        self._markers[id] = marker
        self._moves[id] = cycle(("home", "elsewhere", "back"))
        return id

    def edit(self, id: str, marker: str) -> None:
        self._markers[id] = marker
        with self.api.lock:
            self.api.wiki.spoil(_page(id), False)
            self.api.wiki.edit(_page(id), title=f"About {marker}", body=_body(marker))

    def delete(self, id: str) -> None:
        with self.api.lock:
            self.api.wiki.trash(_page(id))

    def restore(self, id: str) -> None:
        with self.api.lock:
            self.api.wiki.restore(_page(id))

    def hide(self, id: str) -> None:
        with self.api.lock:
            self.api.wiki.archive(_page(id))

    def show(self, id: str) -> None:
        with self.api.lock:
            self.api.wiki.unarchive(_page(id))

    def restrict(self, id: str) -> None:
        with self.api.lock:
            self.api.wiki.restrict(_page(id), users=(BOT, EDITOR))

    def unrestrict(self, id: str) -> None:
        with self.api.lock:
            self.api.wiki.unrestrict(_page(id))

    def obscure(self, id: str) -> None:
        """The answer to who may read it says nothing."""
        with self.api.lock:
            self.api.wiki.mute(_page(id))

    def move(self, id: str) -> None:
        """Under another page, into a space that is not read, and back; none of it is a new version."""
        step = next(self._moves[id])
        with self.api.lock:
            if step == "elsewhere":
                self.api.wiki.move(_page(id), space="ELSEWHERE")
            else:
                self.api.wiki.move(_page(id), parent=HOME if step == "home" else SHELF)

    def spoil(self, id: str) -> None:
        """An edit that the server cannot show."""
        with self.api.lock:
            self.api.wiki.spoil(_page(id))
            self.api.wiki.edit(_page(id))

    def mend(self, id: str) -> None:
        with self.api.lock:
            if self.api.wiki.items[_page(id)].spoilt:
                self.api.wiki.spoil(_page(id), False)
                self.api.wiki.edit(_page(id))

    def expire(self) -> None:
        with self.api.lock:
            self.api.forget_cursors()

    def truth(self) -> dict[str, Shown]:
        with self.api.lock:
            return {
                id: Shown(marker, item.space == "KB" and not self.api.wiki.restricted(item), not item.spoilt)
                for id, marker in self._markers.items()
                for item in (self.api.wiki.items[_page(id)],)
                if self._stands(item)
            }

    def _stands(self, item: Item) -> bool:
        return item.status == "current" and item.space in READ and self.api.wiki.admits(item, self.api.wiki.accounts[BOT])


class DataCenterStage(ConfluenceStage):
    """The same, as Data Center."""

    def __init__(self) -> None:
        super().__init__("datacenter")


def _body(marker: str) -> str:
    return f"<p>Whoever asks for <strong>{marker}</strong> finds it here.</p>"


def _page(id: str) -> int:
    return int(id.rpartition(":")[2])
