"""A small account, a clock that stands still, and a client that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import requests

from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.freshdesk.auth import API_KEY
from connectors.sandbox.freshdesk.content import Article, Canned, CannedFolder, Case, Category, Content, Folder, Person, Remark, Text
from connectors.sandbox.site import Site

DAY = timedelta(days=1)
BOT, MARA, ROLF, JANA, ANNA, BEN = range(1_060_000_000_001, 1_060_000_000_007)


def content() -> Content:
    names = {"en": "Shelf", "fr": "Étagère"}
    return Content(
        bot=BOT,
        agents=(
            Person(BOT, "Bot", 300 * DAY, "bot@tidewell.example"),
            Person(MARA, "Mara", 300 * DAY, "mara@tidewell.example"),
            Person(ROLF, "Rolf", 300 * DAY, "rolf@tidewell.example", deleted=True),
            Person(JANA, "Jana", 300 * DAY, "jana@tidewell.example", ticket_scope=3),
        ),
        contacts=(Person(ANNA, "Anna", 90 * DAY, "anna+home@mail.example"), Person(BEN, "Ben", 90 * DAY)),
        languages=("en", "fr"),
        categories=(Category(400, 300 * DAY, names),),
        folders=(
            Folder(501, 400, 300 * DAY, names),
            Folder(502, 400, 300 * DAY, {"en": "Empty, with more within"}, parent=501),
            Folder(503, 400, 300 * DAY, {"en": "Deep"}, parent=502),
            Folder(504, 400, 300 * DAY, {"en": "Staff"}, visibility=3),
        ),
        articles=(
            Article(601, 501, 200 * DAY, {"en": Text("Valve", "<p>It closes.</p>"), "fr": Text("Vanne", "<p>Elle se ferme.</p>")}),
            Article(602, 503, 200 * DAY, {"en": Text("Deep", "<p>Down here.</p>", draft=True)}),
        ),
        past=(
            Case(11, "Old", ANNA, 5, 200 * DAY, (Remark(ANNA, "An old question"), Remark(MARA, "An answer", 199 * DAY))),
            Case(12, "Recent", ANNA, 4, 10 * DAY, (Remark(ANNA, "Hello"), Remark(MARA, "A note", 9 * DAY, private=True))),
        ),
        waiting=(Case(13, "Where?", BEN, 2, DAY / 2, (Remark(BEN, "Where is it?", attachments=("a.png",)),), key="where"),),
        canned_folders=(CannedFolder(801, "All", 100 * DAY),),
        canned=(Canned(811, 801, "Hi", 100 * DAY, "Hi {{ticket.requester.firstname}}"),),
    )


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Client:
    """Paths below /api/v2, absolute URLs, or the sandbox's own doors."""

    def __init__(self, url: str, key: str | None, password: str = "X") -> None:
        self.url, self.session = url, requests.Session()
        self.session.trust_env = False
        self.session.auth = None if key is None else (key, password)

    def __call__(self, method: str, target: str, **more: Any) -> requests.Response:
        place = target if target.startswith("http") else self.url + (target if target.startswith("/_") else f"/api/v2{target}")
        return self.session.request(method, place, timeout=10, allow_redirects=False, **more)

    def get(self, target: str, **params: Any) -> requests.Response:
        return self("GET", target, params=params)

    def post(self, target: str, body: Any) -> requests.Response:
        return self("POST", target, json=body)

    def put(self, target: str, body: Any) -> requests.Response:
        return self("PUT", target, json=body)

    def walk(self, target: str, **params: Any) -> list[Any]:
        """Every row, along the Link headers."""
        answer = self.get(target, **params)
        rows = list(answer.json())
        while "next" in answer.links:
            answer = self.get(answer.links["next"]["url"])
            rows.extend(answer.json())
        return rows


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> FreshdeskApi:
    return FreshdeskApi(clock, content())


@pytest.fixture
def site(account: FreshdeskApi, clock: Clock) -> Iterator[Site]:
    with Site(account, now=clock, sleep=clock.advance) as running:
        yield running


@pytest.fixture
def desk(site: Site) -> Iterator[Client]:
    client = Client(site.url, API_KEY)
    with client.session:
        yield client


@pytest.fixture
def reader() -> Iterator[Callable[..., Client]]:
    """Makes clients for any address."""
    opened: list[Client] = []

    def made(url: str, key: str | None, password: str = "X") -> Client:
        opened.append(Client(url, key, password))
        return opened[-1]

    yield made
    for client in opened:
        client.session.close()


@pytest.fixture
def connect(site: Site, reader: Callable[..., Client]) -> Callable[..., Client]:
    return partial(reader, site.url)
