"""Drive as the conformance suite plays on it: one folder that is read, one below it, and one elsewhere.

Who may read the documents is one setting for all of them, so what is `public` is the whole stage's.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Literal

from connectors.base import Source
from connectors.conformance.stage import Shown
from connectors.google_docs import Settings
from connectors.http import HttpFactory
from connectors.sandbox.google_docs.content import Content
from connectors.sandbox.google_docs.items import FOLDER, Grant, Item
from connectors.sandbox.google_docs.sign_in import ACCOUNT
from connectors.sandbox.google_docs.site import GoogleSite
from connectors.sandbox.google_docs.world import Quotas

PEOPLE = ("mira@tidewell.example",)
KNOWN, BELOW, ELSEWHERE = "1StageFolderThatIsReadAAAAAAAAAAA", "1StageFolderBelowItAAAAAAAAAAAAAA", "1StageFolderElsewhereAAAAAAAAAAAA"
PLENTY = Quotas(drive_units=10**9, docs_reads=10**9)
PREFIX = "google_docs:docs:doc:"


class GoogleStage:
    """`shortcuts`: every third document lies elsewhere, and a shortcut in the folder that is read leads to it."""

    def __init__(self, *, audience: Literal["public", "internal"] = "public", shortcuts: bool = False) -> None:
        self._audience, self._shortcuts = audience, shortcuts
        self._at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.site = GoogleSite(content=Content(PEOPLE), quotas=PLENTY, now=self.now, sleep=self.advance).start()
        self._tree = self.site.tree
        home = self._tree.root_of(PEOPLE[0])
        for id, name in ((KNOWN, "Knowledge"), (ELSEWHERE, "Elsewhere")):
            self._tree.add(name, FOLDER, home, id=id, grants=(Grant(ACCOUNT, "commenter"),))
        self._tree.add("Below", FOLDER, KNOWN, id=BELOW)
        self._markers: dict[str, str] = {}
        self._moves: dict[str, cycle[str]] = {}
        os.environ["STAGE_GOOGLE_KEY"] = self.site.service_account_key()
        os.environ["STAGE_GOOGLE_WRONG"] = self.site.service_account_key(wrong=True)

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)

    def close(self) -> None:
        self.site.stop()

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Source:
        from connectors.google_docs.connector import GoogleDocs

        key = "env:STAGE_GOOGLE_WRONG" if wrong_credential else "env:STAGE_GOOGLE_KEY"
        settings = {
            "name": "docs",
            "type": "google_docs",
            "auth": {"service_account": key},
            "endpoints": self.site.endpoints(),
            "knowledge": {"folders": [KNOWN], "audience": self._audience},
        }
        return GoogleDocs(Settings.model_validate(settings), http, now=self.now)

    def create(self, marker: str, *, public: bool = True) -> str:
        linked = self._shortcuts and len(self._markers) % 3 == 2
        made = self._tree.document(f"About {marker}", _text(marker), ELSEWHERE if linked else KNOWN)
        if linked:
            self._tree.shortcut(f"To {marker}", made.id, KNOWN)
        id = PREFIX + made.id
        self._markers[id] = marker
        self._moves[id] = cycle(("below", "with its folder", "elsewhere", "back"))
        return id

    def edit(self, id: str, marker: str) -> None:
        self._markers[id] = marker
        self._tree.edit(_file(id), text=_text(marker), name=f"About {marker}")

    def delete(self, id: str) -> None:
        self._tree.trash(_file(id))

    def restore(self, id: str) -> None:
        self._tree.untrash(_file(id))

    def hide(self, id: str) -> None:
        """No longer shared with the account: the folder's people keep it to themselves."""
        self._tree.limit(_file(id))

    def show(self, id: str) -> None:
        self._tree.limit(_file(id), False)

    def move(self, id: str) -> None:
        """Into the folder below, away with that whole folder, elsewhere by itself, and back, the folder too."""
        step = next(self._moves[id])
        if step == "with its folder":
            self._tree.move(BELOW, ELSEWHERE)
            return
        if step == "back":
            self._tree.move(BELOW, KNOWN)
        self._tree.move(_file(id), {"below": BELOW, "elsewhere": ELSEWHERE, "back": KNOWN}[step])

    def spoil(self, id: str) -> None:
        self.site.world.spoilt.add(_file(id))
        self._tree.touch(_file(id))

    def mend(self, id: str) -> None:
        self.site.world.spoilt.discard(_file(id))
        self._tree.touch(_file(id))

    def expire(self) -> None:
        self.site.world.forget_tokens()

    def truth(self) -> dict[str, Shown]:
        with self.site.api.lock:
            return {
                id: Shown(marker, self._audience == "public", _file(id) not in self.site.world.spoilt)
                for id, marker in self._markers.items()
                if self._stands(_file(id))
            }

    def _stands(self, file_id: str) -> bool:
        item = self._tree.items.get(file_id)
        return item is not None and self._visible(item) and any(self._read_from(place) for place in (item, *self._shortcuts_to(file_id)))

    def _visible(self, item: Item) -> bool:
        return not self._tree.in_trash(item) and self._tree.role(item, ACCOUNT) is not None

    def _read_from(self, item: Item) -> bool:
        return self._visible(item) and any(place.id == KNOWN for place in self._tree.above(item))

    def _shortcuts_to(self, file_id: str) -> list[Item]:
        return [item for item in self._tree.items.values() if item.target == file_id]


def _text(marker: str) -> str:
    return f"# About {marker}\n\nWhoever asks for {marker} finds it here."


def _file(id: str) -> str:
    return id.removeprefix(PREFIX)
