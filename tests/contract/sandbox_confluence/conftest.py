"""A small wiki in both flavours, a clock that stands still, and a client that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from connectors.sandbox.confluence.access import API_TOKEN, EMAIL, PERSONAL_TOKEN
from connectors.sandbox.confluence.api import ConfluenceApi
from connectors.sandbox.confluence.content import Content
from connectors.sandbox.confluence.records import Account
from connectors.sandbox.site import Site

BOT, MIRA = "712020:bot", "712020:mira"
CONTENT = Content(
    (
        Account(MIRA, "k-mira", "mira", "Mira", "mira@tidewell.example", ("staff",)),
        Account(BOT, "k-bot", "bot", "Bot", EMAIL, ("bots",), "America/St_Johns"),
    ),
    BOT,
    (
        {"id": 11, "key": "KB", "name": "Know-how", "readers": {"groups": ["bots", "staff", "anonymous"]}},
        {"id": 12, "key": "~tom", "name": "Tom", "kind": "personal", "readers": {"groups": ["bots"]}},
        {"id": 13, "key": "SECRET", "name": "Secret", "readers": {"groups": ["staff"]}},
    ),
    (
        {"id": 101, "space": "KB", "title": "Home", "body": "<p>Home</p>", "updated": "9d"},
        {"id": 102, "space": "KB", "title": "Valve", "parent": 101, "body": "<p>It closes.</p>", "updated": "8d", "labels": ["a", "b"]},
        {"id": 103, "space": "KB", "title": "Closed", "parent": 101, "body": "<p>Mira's</p>", "readers": {"users": [MIRA]}},
        {"id": 104, "space": "KB", "title": "Below closed", "parent": 103, "body": "<p>Hidden too</p>"},
        {"id": 105, "space": "KB", "title": "Some", "parent": 101, "body": "<p>Few</p>", "readers": {"users": [BOT], "groups": ["staff"]}},
        {"id": 106, "space": "KB", "title": "Below some", "parent": 105, "body": "<p>Few too</p>"},
        {"id": 107, "space": "KB", "title": "Archived", "body": "<p>Old</p>", "status": "archived"},
        {"id": 108, "space": "KB", "title": "Binned", "body": "<p>Bin</p>", "status": "trashed"},
        {"id": 109, "space": "KB", "title": "Draft", "body": "<p>Soon</p>", "status": "draft", "by": MIRA},
        {"id": 110, "space": "KB", "title": "Below draft", "parent": 109, "body": "<p>Here</p>"},
        {"id": 111, "space": "~tom", "title": "Valve", "body": "<p>Mine</p>"},
        {"id": 112, "space": "SECRET", "title": "Secret", "body": "<p>Secret</p>"},
        {"id": 113, "space": "KB", "title": "Folder", "kind": "folder", "parent": 101},
        {"id": 114, "space": "KB", "title": "In folder", "parent": 113, "body": "<p>In</p>", "earlier": ["<p>Was</p>"], "files": ["a.pdf"]},
    ),
    "Asia/Kolkata",
)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, 30, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Client:
    """Paths below the wiki's base, paths below the origin that begin with `/wiki`, `/ex`, `/_`, or absolute URLs."""

    def __init__(self, site: Site, api: ConfluenceApi, session: requests.Session) -> None:
        self.site, self.api, self.session = site, api, session

    def get(self, target: str, **params: Any) -> requests.Response:
        whole = target.startswith(("/wiki/", "/ex/", "/_"))
        place = target if target.startswith("http") else self.site.url + ("" if whole else self.api.base_path) + target
        return self.session.get(place, params=params, timeout=10, allow_redirects=False)

    def ok(self, target: str, **params: Any) -> Any:
        answer = self.get(target, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, target: str, body: Any) -> requests.Response:
        return self.session.post(self.site.url + target, json=body, timeout=10)

    def walk(self, target: str, **params: Any) -> list[Any]:
        """Every row, along `_links.next` as it is."""
        answer = self.ok(target, **params)
        rows, turns = list(answer["results"]), 0
        while (onward := answer["_links"].get("next")) and turns < 50:
            answer, turns = self.ok(onward), turns + 1
            rows.extend(answer["results"])
        return rows


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def content() -> Content:
    return CONTENT


@pytest.fixture
def open_wiki(clock: Clock, content: Content) -> Iterator[Callable[..., Client]]:
    """Starts a wiki; `flavour`, and whatever else ConfluenceApi takes."""
    running: list[tuple[Site, requests.Session]] = []

    def opened(flavour: Any = "cloud", *, credentials: Any = ..., **more: Any) -> Client:
        api = ConfluenceApi(clock, flavour, content, **more)
        site, session = Site(api, now=clock, sleep=clock.advance).start(), requests.Session()
        session.trust_env = False
        if credentials is ...:
            credentials = (EMAIL, API_TOKEN) if flavour == "cloud" else f"Bearer {PERSONAL_TOKEN}"
        if isinstance(credentials, str):
            session.headers["Authorization"] = credentials
        else:
            session.auth = credentials
        running.append((site, session))
        return Client(site, api, session)

    yield opened
    for site, session in running:
        session.close()
        site.stop()


@pytest.fixture
def cloud(open_wiki: Callable[..., Client]) -> Client:
    return open_wiki()


@pytest.fixture
def datacenter(open_wiki: Callable[..., Client]) -> Client:
    return open_wiki("datacenter")
