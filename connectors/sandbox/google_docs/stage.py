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
from connectors.google_docs import Settings, connect
from connectors.http import HttpFactory
from connectors.sandbox.google_docs.content import Content
from connectors.sandbox.google_docs.items import FOLDER, Grant
from connectors.sandbox.google_docs.sign_in import ACCOUNT
from connectors.sandbox.google_docs.site import GoogleSite
from connectors.sandbox.google_docs.world import Quotas

PEOPLE = ("mira@tidewell.example",)
KNOWN, BELOW, ELSEWHERE = "1StageFolderThatIsReadAAAAAAAAAAA", "1StageFolderBelowItAAAAAAAAAAAAAA", "1StageFolderElsewhereAAAAAAAAAAAA"
PLENTY = Quotas(drive_units=10**9, docs_reads=10**9)
PREFIX = "google_docs:docs:document:"


class GoogleStage:
    def __init__(self, *, audience: Literal["public", "internal"] = "public") -> None:
        self._audience = audience
        self._at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.site = GoogleSite(content=Content(PEOPLE), quotas=PLENTY, now=self.now, sleep=self.advance).start()
        self._tree = self.site.tree
        home = self._tree.root_of(PEOPLE[0])
        for id, name in ((KNOWN, "Knowledge"), (ELSEWHERE, "Elsewhere")):
            self._tree.add(name, FOLDER, home, id=id, grants=(Grant(ACCOUNT, "commenter"),))
        self._tree.add("Below", FOLDER, KNOWN, id=BELOW)
        self._markers: dict[str, str] = {}
        self._places: dict[str, cycle[str]] = {}
        os.environ["STAGE_GOOGLE_KEY"] = self.site.service_account_key()
        os.environ["STAGE_GOOGLE_WRONG"] = self.site.service_account_key(wrong=True)

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)

    def close(self) -> None:
        self.site.stop()

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Source:
        key = "env:STAGE_GOOGLE_WRONG" if wrong_credential else "env:STAGE_GOOGLE_KEY"
        settings = {
            "name": "docs",
            "type": "google_docs",
            "auth": {"service_account": key},
            "endpoints": self.site.endpoints(),
            "knowledge": {"folders": [KNOWN], "audience": self._audience},
        }
        return connect(Settings.model_validate(settings), http)

    def create(self, marker: str, *, public: bool = True) -> str:
        made = self._tree.document(f"About {marker}", _text(marker), KNOWN)
        id = PREFIX + made.id
        self._markers[id] = marker
        self._places[id] = cycle((BELOW, ELSEWHERE, KNOWN))
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
        """Below, elsewhere, and back again."""
        self._tree.move(_file(id), next(self._places[id]))

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
        if item is None or self._tree.in_trash(item) or self._tree.role(item, ACCOUNT) is None:
            return False
        return any(place.id == KNOWN for place in self._tree.above(item))


def _text(marker: str) -> str:
    return f"# About {marker}\n\nWhoever asks for {marker} finds it here."


def _file(id: str) -> str:
    return id.removeprefix(PREFIX)
