"""A small company, a clock that stands still, and a client for the sandbox that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from connectors.sandbox import Sandbox
from connectors.sandbox.company import Article, Case, Category, Company, Macro, Person, Rating, Remark, Section, Segment, Text

BOT, MARA, LEO, ANNA, GONE = (46_406_145_565_000 + n for n in range(5))
CATEGORY, SECTION, SEGMENT = 36_002_000_000_001, 36_003_000_000_001, 36_000_000_000_001
REFUNDS, RESTRICTED, DRAFT = 36_001_000_000_001, 36_001_000_000_002, 36_001_000_000_003
PAST, WAITING, CLOSED = 5_158_000_000_001, 5_158_000_000_002, 5_158_000_000_003


def days(number: int) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def company() -> Company:
    return Company(
        bot=BOT,
        people=(
            Person(BOT, "Tidewell Bot", "admin", days(300), "bot@tidewell.example"),
            Person(MARA, "Mara Okafor", "admin", days(900), "mara@tidewell.example"),
            Person(LEO, "Leo Brandt", "agent", days(900), "leo@tidewell.example"),
            Person(ANNA, "Anna Customer", "end-user", days(40), "anna@customer.example", "fr"),
            Person(GONE, "Former Customer", "end-user", days(400), "former@customer.example", active=False),
        ),
        locales=("en-us", "fr"),
        segments=(Segment(SEGMENT, "Wholesale"),),
        categories=(Category(CATEGORY, "en-us", days(900), {"en-us": "Orders", "fr": "Commandes"}),),
        sections=(Section(SECTION, CATEGORY, "en-us", days(900), {"en-us": "Refunds", "fr": "Remboursements"}),),
        articles=(
            Article(
                REFUNDS,
                SECTION,
                "en-us",
                days(400),
                {
                    "en-us": Text("Refunds", "<p>Refunds are available within 30 days.</p>", updated=days(30)),
                    "fr": Text("Remboursements", "<p>Sous 30 jours.</p>", updated=days(20)),
                },
                labels=("refunds",),
            ),
            Article(RESTRICTED, SECTION, "en-us", days(300), {"en-us": Text("Wholesale", "<p>Secret prices.</p>")}, segment=SEGMENT),
            Article(DRAFT, SECTION, "en-us", days(200), {"en-us": Text("Next year", "<p>Not out yet.</p>", draft=True)}),
        ),
        past=(
            Case(
                PAST,
                "Refund",
                ANNA,
                "solved",
                days(10),
                (
                    Remark(ANNA, "May I return it?"),
                    Remark(LEO, "Yes, within 30 days.", days(9)),
                    Remark(-1, "Merged.", days(9), public=False),
                ),
                tags=("refund",),
                assignee=LEO,
                satisfaction=Rating("good", days(8), "Thanks"),
            ),
            Case(CLOSED, "Old", GONE, "closed", days(200), (Remark(GONE, "Old question"), Remark(LEO, "Voice", days(199), voice=True))),
        ),
        waiting=(Case(WAITING, "Where is it?", ANNA, "new", timedelta(hours=2), (Remark(ANNA, "Where is my order?"),), key="where"),),
        macros=(Macro(36_004_000_000_001, "Hello", days(500), "Hello {{ticket.requester.first_name}}", public=True, set_tags=("hi",)),),
    )


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def sandbox(company: Company, clock: Clock, slept: list[float]) -> Iterator[Sandbox]:
    with Sandbox(company=company, now=clock, sleep=slept.append) as running:
        yield running


class Api:
    """One kept-alive session; paths, not URLs; redirects are shown, not followed."""

    def __init__(self, url: str, auth: tuple[str, str] | None, key: str | None = None) -> None:
        self.url, self.session = url, requests.Session()
        self.session.trust_env = False
        self.session.auth = auth
        if key:
            self.session.headers["Authorization"] = f"Bearer {key}"

    def __call__(self, method: str, target: str, **more: Any) -> requests.Response:
        url = target if target.startswith("http") else self.url + target
        return self.session.request(method, url, timeout=10, allow_redirects=False, **more)

    def get(self, target: str, **params: Any) -> requests.Response:
        return self("GET", target, params=params)

    def put(self, target: str, body: Any, **more: Any) -> requests.Response:
        return self("PUT", target, json=body, **more)

    def post(self, target: str, body: Any, **more: Any) -> requests.Response:
        return self("POST", target, json=body, **more)


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    client = Api(sandbox.url, ("bot@tidewell.example/token", "sandbox-token"))
    with client.session:
        yield client


@pytest.fixture
def stranger(sandbox: Sandbox) -> Iterator[Api]:
    client = Api(sandbox.url, None)
    with client.session:
        yield client


@pytest.fixture
def openai(sandbox: Sandbox) -> Iterator[Api]:
    client = Api(sandbox.url + "/openai/v1", None, "sandbox-key")
    with client.session:
        yield client


@pytest.fixture
def ids() -> SimpleNamespace:
    return SimpleNamespace(
        bot=BOT,
        mara=MARA,
        leo=LEO,
        anna=ANNA,
        gone=GONE,
        section=SECTION,
        category=CATEGORY,
        segment=SEGMENT,
        refunds=REFUNDS,
        restricted=RESTRICTED,
        draft=DRAFT,
        past=PAST,
        waiting=WAITING,
        closed=CLOSED,
    )
