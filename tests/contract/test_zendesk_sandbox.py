"""The Zendesk connector against the sandbox: random histories with faults and crashes end as an undisturbed reading does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import ConfigProblem, Cursor, CursorExpired, Document, Gone, Outdated, RateLimited, Reply, Transient
from connectors.http import HttpClient
from connectors.sandbox import Sandbox
from connectors.zendesk import Settings
from connectors.zendesk.connector import Zendesk

KEY = "fedcba9876543210fedcba9876543210"
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 500}),
    ("status", {"status": 429, "retry_after": "1"}),
    ("html", {}),
    ("truncated", {}),
    ("lost_request", {}),
    ("empty_page", {}),
    ("duplicate_page", {}),
    ("foreign_link", {}),
)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(now=clock) as started:
        yield started


def connector(box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch, **knowledge: Any) -> Zendesk:
    monkeypatch.setenv("ZD_SECRET", "sandbox-secret")
    monkeypatch.setenv("ZD_HOOK", "sandbox-webhook-secret")
    settings = Settings.model_validate({
        "name": "help", "type": "zendesk", "base_url": box.url, "knowledge": knowledge, "tickets": {"webhook_secret": "env:ZD_HOOK"},
        "auth": {"client_id": "draftdesk", "client_secret": "env:ZD_SECRET"},
    })  # fmt: skip

    def http(origin: str, authorize: Any = None, renew: Any = None) -> HttpClient:
        return HttpClient(origin, authorize, renew=renew, sleep=clock.advance, now=clock)

    return Zendesk(settings, http, now=clock)


class Ledger:
    """What a caller keeps: documents and a cursor, changed together, page by page."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.cursor: Cursor | None = None

    def turn(self, one: Zendesk, *, crash_after: int | None = None) -> None:
        for taken, page in enumerate(one.pull(self.cursor)):
            if taken == crash_after:
                return
            for change in page.changes:
                if isinstance(change, Document):
                    self.documents[change.id] = change
                elif isinstance(change, Gone):
                    self.documents.pop(change.id, None)
            self.cursor = page.cursor

    def sweep(self, one: Zendesk) -> None:
        present = set(one.list_ids())
        self.documents = {identity: document for identity, document in self.documents.items() if identity in present}


def happen(box: Sandbox, dice: random.Random) -> None:
    """One thing that an author of articles does."""
    ids = sorted(box.guide.articles)
    article = dice.choice(ids)
    texts = box.guide.articles[article].translations
    locale = dice.choice(sorted(texts))
    word = f"Word {dice.random()}"
    match dice.randrange(9):
        case 0:
            box.guide.create(word, f"<p>{word}</p>", draft=dice.random() < 0.2)
        case 1 | 2:
            box.guide.edit(article, body=f"<p>{word}</p>", locale=locale)
        case 3:
            box.guide.edit(article, title=word, body=f"<p>{word}</p>", locale=dice.choice(["en-us", "fr"]))
        case 4:
            box.guide.set_draft(article, dice.random() < 0.5, locale=locale)
        case 5:
            box.guide.restrict(article, dice.choice([None, next(iter(box.guide.segments), 7)]))
        case 6:
            box.guide.relabel(article, [word])
        case 7 if len(ids) > 3:
            box.guide.archive(article)
        case 8 if len(texts) > 1 and locale != box.guide.articles[article].source_locale:
            box.guide.drop_translation(article, locale)


@pytest.mark.parametrize("seed", range(6))
def test_any_history_with_faults_and_crashes_ends_as_an_undisturbed_reading(
    box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    box.guide.create_many(dice.choice([5, 30, 120]))
    one, ledger = connector(box, clock, monkeypatch, macros=True), Ledger()
    for _ in range(8):
        clock.advance(dice.choice([0, 1, 30, 90, 900]))
        for _ in range(dice.randrange(4)):
            happen(box, dice)
            clock.advance(dice.choice([0, 1, 5]))
        if dice.random() < 0.5:
            kind, details = dice.choice(FAULTS)
            box.faults.add(kind, "*/help_center/*", skip=dice.randrange(5), times=dice.choice([1, 9]), **details)  # type: ignore[arg-type]
        try:
            ledger.turn(one, crash_after=dice.choice([None, None, 0, 1, 2]))
        except (Transient, RateLimited):
            one = connector(box, clock, monkeypatch, macros=True)
        except CursorExpired:
            ledger.cursor = None
        box.faults.clear()
    clock.advance(300)
    ledger.turn(one)
    ledger.sweep(one)
    undisturbed = Ledger()
    undisturbed.turn(connector(box, clock, monkeypatch, macros=True))
    assert ledger.documents == undisturbed.documents
    assert set(one.list_ids()) == set(undisturbed.documents)


def test_a_turn_without_changes_costs_few_requests(box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    box.guide.create_many(500)
    clock.advance(900)
    one, ledger = connector(box, clock, monkeypatch), Ledger()
    ledger.turn(one)
    clock.advance(900)
    before = len(box.requests)
    pages = list(one.pull(ledger.cursor))
    assert [page.changes for page in pages] == [()]
    assert len(box.requests) - before <= 4 + 2 * len(box.guide.locales)


def test_a_drafted_answer_is_posted_once_found_again_and_makes_the_next_one_outdated(
    box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = connector(box, clock, monkeypatch)
    one.check()
    clock.advance(300)
    made = box.desk.create_ticket("Refund", "Where is my refund?")
    ticket = one.ticket(str(made.id))
    assert ticket is not None
    assert [comment.author for comment in ticket.comments] == ["customer"]
    box.faults.add("lost_response", "*/tickets/*", method="PUT")
    with pytest.raises(Transient):
        one.post_reply(ticket.id, Reply("<p>Soon.</p>", False, ("bot",)), KEY, ticket.version)
    found = one.find_reply(ticket.id, KEY)
    assert found is not None
    again = one.ticket(ticket.id)
    assert again is not None
    assert [(comment.author, comment.public, comment.effect_key) for comment in again.comments[1:]] == [("bot", False, KEY)]
    clock.advance(5)
    box.desk.comment(made.id, "Anyone?", author_id=made.requester_id)
    with pytest.raises(Outdated):
        one.post_reply(ticket.id, Reply("<p>Soon.</p>", False), "another", again.version)


def test_every_ticket_is_told_of_while_tickets_keep_coming(box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    one = connector(box, clock, monkeypatch)
    cursor: Cursor | None = None
    told: set[str] = set()
    began, made = clock(), []
    for _ in range(6):
        made += [str(identity) for identity in box.desk.create_many(7)]
        clock.advance(25)
        for page in one.tickets(cursor, began):
            told |= {ref.id for ref in page.tickets}
            cursor = page.cursor
    clock.advance(120)
    told |= {ref.id for page in one.tickets(cursor, began) for ref in page.tickets}
    assert set(made) <= told


def test_a_wrong_secret_costs_one_request(box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    one = connector(box, clock, monkeypatch)
    monkeypatch.setenv("ZD_SECRET", "wrong")
    before = len(box.requests)
    with pytest.raises(ConfigProblem):
        one.check()
    assert len(box.requests) - before == 1


def test_check_says_when_the_credential_may_not_read_the_tickets_it_is_to_answer(
    box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = connector(box, clock, monkeypatch)
    box.faults.add("status", "/api/v2/tickets.json", status=403, body='{"error": "You are missing the following required scopes: read"}')
    with pytest.raises(ConfigProblem, match=r"tickets cannot be read.*tickets:read"):
        one.check()


@pytest.mark.parametrize("body", ["{}", '{"articles": null, "count": 0}', '{"articles": {"1": {}}}'])
def test_an_answer_without_its_list_is_no_empty_help_center(
    box: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    one = connector(box, clock, monkeypatch)
    box.faults.add("status", "*/articles.json", status=200, body=body, times=None)
    for call in (lambda: list(one.list_ids()), lambda: list(one.pull(None))):
        with pytest.raises(Transient, match="without its list of articles"):
            call()
