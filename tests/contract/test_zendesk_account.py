"""The Zendesk connector against a small account on loopback, made of routes after the vendor's documentation."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import (
    ConfigProblem,
    CursorExpired,
    Document,
    Gone,
    Helpdesk,
    Listing,
    Outdated,
    Page,
    RateLimited,
    Refused,
    Reply,
    Source,
    Transient,
    Unreadable,
    Webhook,
)
from connectors.http import HttpClient
from connectors.zendesk import Settings
from connectors.zendesk.connector import Zendesk

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ME, AGENT, CUSTOMER = 46406145565073, 46406145565074, 46406145565075
KEY = "0123456789abcdef0123456789abcdef"


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Reaction:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Account:
    """State of one account, its clock, and the ways in which it can misbehave."""

    now: datetime = START
    articles: dict[int, dict[str, Any]] = field(default_factory=dict)
    translations: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)
    macros: list[dict[str, Any]] = field(default_factory=list)
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    audits: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], Any, dict[str, str]]] = field(default_factory=list)
    reactions: dict[str, list[Reaction | Callable[[], Reaction]]] = field(default_factory=dict)
    token: str = "token-1"
    tokens_given: int = 0
    expires_in: int | None = None
    locales: list[str] | None = None
    offset_only: bool = False
    sorts: bool = True
    side_loads: bool = True
    guide: bool = True
    foreign_links: bool = False
    me: dict[str, Any] = field(default_factory=lambda: {"id": ME, "name": "Bot", "role": "admin", "email": "bot@acme.example"})
    url: str = ""

    def advance(self, **parts: int) -> None:
        self.now += timedelta(**parts)

    def article(self, identity: int, title: str, body: str | None = "<p>Text.</p>", **more: Any) -> None:
        stamp = iso(self.now)
        self.articles[identity] = {
            "id": identity, "title": title, "name": title, "body": body, "draft": False, "locale": "en-us", "source_locale": "en-us",
            "html_url": f"https://acme.example/hc/en-us/articles/{identity}-x", "created_at": stamp, "updated_at": stamp,
            "edited_at": stamp, "user_segment_id": None, "user_segment_ids": [], "outdated": False, "outdated_locales": [], "section_id": 1,
            "_metadata_at": self.now, **more,
        }  # fmt: skip

    def edit(self, identity: int, body: str) -> None:
        self.articles[identity].update(body=body, edited_at=iso(self.now), updated_at=iso(self.now))

    def change_metadata(self, identity: int, **more: Any) -> None:
        self.articles[identity].update(more, updated_at=iso(self.now), _metadata_at=self.now)

    def translate(self, identity: int, locale: str, title: str, body: str, **more: Any) -> None:
        stamp = iso(self.now)
        self.translations.setdefault(identity, {})[locale] = {
            "id": identity * 10, "locale": locale, "title": title, "body": body, "draft": False, "hidden": False,
            "created_at": stamp, "updated_at": stamp, **more,
        }  # fmt: skip

    def open_ticket(self, identity: int, text: str | None = "Where is my refund?", **more: Any) -> None:
        stamp = iso(self.now)
        self.users.setdefault(CUSTOMER, {"id": CUSTOMER, "role": "end-user", "email": "c@example.com", "name": "Cleo", "locale": "fr"})
        self.users.setdefault(AGENT, {"id": AGENT, "role": "agent", "email": "a@acme.example", "name": "Ada"})
        self.tickets[identity] = {
            "id": identity, "subject": "Refund", "description": text, "status": "open", "tags": ["vip"], "requester_id": CUSTOMER,
            "created_at": stamp, "updated_at": stamp, "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": None}}, **more,
        }  # fmt: skip
        self.comments[identity] = []
        self.audits[identity] = []
        self.say(identity, CUSTOMER, text)

    def say(self, ticket: int, author: int, text: str | None, *, public: bool = True, channel: str = "email", custom: Any = None) -> int:
        identity = 900000000000 + sum(map(len, self.comments.values()))
        self.comments[ticket].append({
            "id": identity, "type": "Comment", "author_id": author, "body": text, "plain_body": text, "html_body": text, "public": public,
            "attachments": [], "created_at": iso(self.now), "via": {"channel": channel},
            "metadata": {"system": {}, "custom": custom or {}},
        })  # fmt: skip
        self.tickets[ticket]["updated_at"] = iso(self.now)
        return identity

    # --- answering ---

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: dict[str, str]) -> Reaction:
        self.requests.append((method, path, query, body, headers))
        route = re.sub(r"\.json$", "", path)
        waiting = self.reactions.get(f"{method} {route}")
        if waiting:
            reaction = waiting.pop(0)
            return reaction if isinstance(reaction, Reaction) else reaction()
        if route == "/oauth/tokens":
            return self.give_token(body)
        if headers.get("authorization") not in self.accepted():
            return Reaction(401, {"error": "Couldn't authenticate you"})
        for pattern, reply in self.routes():
            verb, _, shape = pattern.partition(" ")
            match = re.fullmatch(shape, route)
            if verb == method and match:
                return reply(query, body, *match.groups())
        return Reaction(404, {"error": "InvalidEndpoint", "description": "Not found"})

    def routes(self) -> list[tuple[str, Callable[..., Reaction]]]:
        return [
            ("GET /api/v2/users/me", lambda q, b: Reaction(200, {"user": self.me})),
            ("GET /api/v2/users/show_many", self.show_users),
            ("GET /api/v2/help_center/locales", self.show_locales),
            ("GET /api/v2/help_center/articles", lambda q, b: self.list_articles(q)),
            ("GET /api/v2/help_center/incremental/articles", self.export_articles),
            ("GET /api/v2/help_center/([a-z-]+)/articles", lambda q, b, locale: self.list_language(q, locale)),
            (r"GET /api/v2/help_center/articles/(\d+)/translations", self.show_translations),
            ("GET /api/v2/macros", lambda q, b: self.listed(self.in_order(self.macros, q), "macros", q)),
            ("GET /api/v2/incremental/tickets/cursor", self.export_tickets),
            ("GET /api/v2/tickets", lambda q, b: self.listed(self.newest_tickets(), "tickets", q)),
            (r"GET /api/v2/tickets/(\d+)", self.show_ticket),
            (r"GET /api/v2/tickets/(\d+)/comments", lambda q, b, t: self.of_ticket(self.comments, "comments", q, t)),
            (r"GET /api/v2/tickets/(\d+)/audits", lambda q, b, t: self.of_ticket(self.audits, "audits", q, t)),
            (r"PUT /api/v2/tickets/(\d+)", self.update),
            (r"PUT /api/v2/tickets/(\d+)/tags", self.tag),
        ]

    def accepted(self) -> set[str]:
        basic = base64.b64encode(b"bot@acme.example/token:api-token").decode()
        return {f"Bearer {self.token}", f"Basic {basic}"}

    def give_token(self, body: Any) -> Reaction:
        if body.get("client_secret") != "client-secret":
            return Reaction(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        self.tokens_given += 1
        self.token = f"token-{self.tokens_given + 1}"
        more = {} if self.expires_in is None else {"expires_in": self.expires_in}
        return Reaction(200, {"access_token": self.token, "token_type": "bearer", "scope": body.get("scope"), **more})

    def listed(self, found: list[dict[str, Any]], key: str, query: dict[str, str], **more: Any) -> Reaction:
        shown = [{name: value for name, value in row.items() if not name.startswith("_")} for row in found]
        if "page[size]" in query and not self.offset_only:
            size, start = int(query["page[size]"]), int(query.get("page[after]", "c0")[1:])
            after = f"c{start + size}"
            link = f"{self.host()}/api/v2/{key}.json?page%5Bafter%5D={after}&page%5Bsize%5D={size}"
            meta = {"has_more": start + size < len(shown), "after_cursor": after, "before_cursor": "c0"}
            # Support keeps a link on its last page too.
            return Reaction(200, {key: shown[start : start + size], "meta": meta, "links": {"next": link, "prev": None}, **more})
        page, size = int(query.get("page", "1")), int(query.get("per_page", "30"))
        rest = page * size < len(shown)
        next_page = f"{self.host()}/api/v2/{key}.json?page={page + 1}&per_page={size}" if rest else None
        return Reaction(200, {key: shown[(page - 1) * size : page * size], "count": len(shown), "next_page": next_page, **more})

    def host(self) -> str:
        return "https://evil.example" if self.foreign_links else self.url

    def in_order(self, found: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        key = query.get("sort_by")
        if not key or not self.sorts:
            return found
        return sorted(found, key=lambda row: str(row.get(key)), reverse=query.get("sort_order") == "desc")

    def list_articles(self, query: dict[str, str]) -> Reaction:
        if not self.guide:
            return Reaction(404, {"error": "InvalidEndpoint", "description": "Not found"})
        found = self.in_order(list(self.articles.values()), query)
        return self.listed([self.with_translations(row, query) for row in found], "articles", query)

    def with_translations(self, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        if not self.side_loads or query.get("include") != "translations":
            return row
        return {**row, "translations": self.all_translations(row)}

    def all_translations(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        own = {key: row[key] for key in ("id", "locale", "title", "body", "draft", "created_at", "updated_at")}
        return [own, *self.translations.get(row["id"], {}).values()]

    def list_language(self, query: dict[str, str], locale: str) -> Reaction:
        found = []
        for row in self.articles.values():
            version = row if locale == row["source_locale"] else self.translations.get(row["id"], {}).get(locale)
            if version:
                parts = {key: version[key] for key in ("title", "body", "draft", "updated_at")}
                found.append({**row, **parts, "locale": locale, "edited_at": version.get("edited_at", version["updated_at"])})
        return self.listed(self.in_order(found, query), "articles", query)

    def show_locales(self, query: dict[str, str], body: Any) -> Reaction:
        if self.locales is None:
            return Reaction(404, "")
        return Reaction(200, {"locales": self.locales, "default_locale": self.locales[0]})

    def show_translations(self, query: dict[str, str], body: Any, identity: str) -> Reaction:
        row = self.articles.get(int(identity))
        return self.listed(self.all_translations(row), "translations", query) if row else Reaction(404, {"error": "RecordNotFound"})

    def export_articles(self, query: dict[str, str], body: Any) -> Reaction:
        start = int(query["start_time"])
        if start > (self.now - timedelta(seconds=60)).timestamp():
            return Reaction(400, {"error": "StartTimeTooRecent", "description": "Too recent start_time"})
        found = [row for row in self.articles.values() if row["_metadata_at"].timestamp() >= start]
        shown = self.listed(found, "articles", {"per_page": "1000"}).body["articles"]
        return Reaction(200, {"articles": shown, "count": len(shown), "next_page": None, "end_time": int(self.now.timestamp())})

    def newest_tickets(self) -> list[dict[str, Any]]:
        alive = [row for row in self.tickets.values() if row["status"] != "deleted"]
        return sorted(alive, key=lambda row: str(row["updated_at"]), reverse=True)

    def export_tickets(self, query: dict[str, str], body: Any) -> Reaction:
        if "start_time" in query and int(query["start_time"]) > (self.now - timedelta(seconds=60)).timestamp():
            return Reaction(400, {"error": "StartTimeTooRecent", "description": "Too recent start_time"})
        if "cursor" in query and not query["cursor"].startswith("at:"):
            return Reaction(422, {"error": "InvalidCursor"})
        start = float(query["cursor"][3:]) if "cursor" in query else float(query["start_time"])
        until = (self.now - timedelta(seconds=60)).timestamp()
        stamped = sorted((datetime.fromisoformat(row["updated_at"]).timestamp(), row["id"]) for row in self.tickets.values())
        found = [(stamp, identity) for stamp, identity in stamped if start < stamp <= until]
        shown, rest = found[:2], found[2:]
        after = f"at:{shown[-1][0] if shown else start}"
        return Reaction(200, {
            "tickets": [self.tickets[identity] for _, identity in shown], "after_cursor": after,
            "after_url": f"{self.host()}/api/v2/incremental/tickets/cursor.json?cursor={after}",
            "before_cursor": None, "before_url": None, "end_of_stream": not rest,
        })  # fmt: skip

    def show_ticket(self, query: dict[str, str], body: Any, identity: str) -> Reaction:
        row = self.tickets.get(int(identity))
        if row is None or row["status"] == "deleted":
            return Reaction(404, {"error": "RecordNotFound", "description": "Not found"})
        return Reaction(200, {"ticket": row, "users": [self.users[row["requester_id"]]] if self.side_loads else []})

    def show_users(self, query: dict[str, str], body: Any) -> Reaction:
        ids = [int(identity) for identity in query["ids"].split(",")]
        if -1 in ids:
            return Reaction(400, {"error": "InvalidValue"})
        return Reaction(200, {"users": [self.users[identity] for identity in ids if identity in self.users]})

    def of_ticket(self, source: dict[int, list[dict[str, Any]]], key: str, query: dict[str, str], identity: str) -> Reaction:
        if int(identity) not in source:
            return Reaction(404, {"error": "RecordNotFound", "description": "Not found"})
        return self.listed(source[int(identity)], key, query)

    def update(self, query: dict[str, str], body: Any, identity: str) -> Reaction:
        row, change = self.tickets.get(int(identity)), body["ticket"]
        if row is None:
            return Reaction(404, {"error": "RecordNotFound", "description": "Not found"})
        if row["status"] == "closed":
            fault = {"description": "Status: closed prevents ticket update"}
            return Reaction(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": {"status": [fault]}})
        if "safe_update" in change and change["updated_stamp"] != row["updated_at"]:
            return Reaction(409, {"error": "UpdateConflict", "description": "Safe Update prevented the update"})
        self.advance(seconds=1)
        comment = self.say(
            row["id"], ME, change["comment"]["html_body"], public=change["comment"]["public"], channel="api", custom=change.get("metadata")
        )
        audit = {"id": comment + 1, "metadata": {"custom": change.get("metadata") or {}}, "events": [{"id": comment, "type": "Comment"}]}
        self.audits[row["id"]].append(audit)
        return Reaction(200, {"ticket": row, "audit": audit})

    def tag(self, query: dict[str, str], body: Any, identity: str) -> Reaction:
        row = self.tickets[int(identity)]
        if row["status"] == "closed":
            fault = {"description": "Status: closed prevents ticket update"}
            return Reaction(422, {"error": "RecordInvalid", "details": {"base": [fault]}})
        row["tags"] = sorted({*row["tags"], *body["tags"]})
        return Reaction(200, {"tags": row["tags"]})

    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path, *_ in self.requests]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    account: Account


class Wire(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        account = self.server.account
        headers = {key.lower(): value for key, value in self.headers.items()}
        reaction = account.answer(self.command, parts.path, query, json.loads(raw) if raw else None, headers)
        text = reaction.body if isinstance(reaction.body, str) else json.dumps(reaction.body)
        kind = "text/html" if text.startswith("<") else "text/plain" if isinstance(reaction.body, str) else "application/json"
        self.send_response_only(reaction.status)
        sent = {"Date": format_datetime(account.now, usegmt=True), "Content-Type": kind, "Content-Length": str(len(text.encode()))}
        for name, value in {**sent, **reaction.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_PUT = do_POST = answer

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def account() -> Iterator[Account]:
    server = Server(("127.0.0.1", 0), Wire)
    server.account = Account(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.account
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZD_SECRET", "client-secret")
    monkeypatch.setenv("ZD_TOKEN", "api-token")


def connector(
    account: Account, *, auth: dict[str, str] | None = None, now: Callable[[], datetime] | None = None, **knowledge: Any
) -> Zendesk:
    settings = Settings.model_validate({
        "name": "help", "type": "zendesk", "base_url": account.url, "knowledge": knowledge, "tickets": {},
        "auth": auth or {"client_id": "draftdesk", "client_secret": "env:ZD_SECRET"},
    })  # fmt: skip

    def http(origin: str, authorize: Any = None, renew: Any = None) -> HttpClient:
        return HttpClient(origin, authorize, renew=renew, sleep=lambda _: None, now=lambda: account.now)

    return Zendesk(settings, http, now=now or (lambda: account.now))


def read(pages: Iterator[Page] | list[Page], known: dict[str, Document] | None = None) -> tuple[dict[str, Document], Any]:
    """The documents that a ledger would hold after these pages, and the last cursor."""
    documents = dict(known or {})
    cursor: Any = None
    caught_up = False
    for page in pages:
        assert not caught_up, "nothing comes after caught_up"
        for change in page.changes:
            if isinstance(change, Document):
                documents[change.id] = change
            elif isinstance(change, Gone):
                documents.pop(change.id, None)
        cursor, caught_up = page.cursor, page.caught_up
    assert caught_up
    return documents, cursor


def many_articles(account: Account, count: int, *, spaced: bool = True) -> None:
    for identity in range(1, count + 1):
        if spaced:
            account.advance(minutes=1)
        account.article(identity, f"Article {identity}")
    account.advance(hours=1)


# --- signing in -----------------------------------------------------------------------------------------------------


def test_the_connector_is_all_that_it_claims(account: Account) -> None:
    one = connector(account)
    assert isinstance(one, Source)
    assert isinstance(one, Listing)
    assert isinstance(one, Helpdesk)
    assert isinstance(one, Webhook)


def test_one_access_token_serves_all_calls_and_goes_nowhere_but_the_origin(account: Account) -> None:
    one = connector(account)
    one.check()
    one.check()
    assert account.tokens_given == 1
    assert account.requests[0][3] == {
        "grant_type": "client_credentials", "client_id": "draftdesk", "client_secret": "client-secret", "scope": "read write",
    }  # fmt: skip
    assert "authorization" not in account.requests[0][4]


def test_a_wrong_client_secret_costs_one_request_and_one_sentence(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZD_SECRET", "not-it-at-all")
    with pytest.raises(ConfigProblem, match=r"auth\.client_secret") as problem:
        connector(account).check()
    assert len(account.requests) == 1
    assert "not-it-at-all" not in str(problem.value)


def test_a_wrong_api_token_costs_one_request(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZD_TOKEN", "wrong")
    for call in (lambda one: one.check(), lambda one: list(one.pull(None)), lambda one: list(one.list_ids())):
        account.requests.clear()
        with pytest.raises(ConfigProblem):
            call(connector(account, auth={"email": "bot@acme.example", "api_token": "env:ZD_TOKEN"}))
        assert len(account.requests) == 1


def test_an_expired_access_token_is_renewed_once_and_the_call_repeated(account: Account) -> None:
    one = connector(account)
    one.check()
    account.token = "revoked"
    one.check()
    assert account.tokens_given == 2


def test_a_token_about_to_end_is_renewed_before_it_is_refused(account: Account) -> None:
    account.expires_in = 600
    one = connector(account)
    one.check()
    account.advance(seconds=550)
    one.check()
    assert account.tokens_given == 2
    assert account.paths().count("GET /api/v2/users/me.json") == 2


def test_threads_that_meet_a_revoked_token_together_fetch_one_new_one(account: Account) -> None:
    one = connector(account)
    one.check()
    account.token = "revoked"
    together = threading.Barrier(6)

    def call() -> None:
        together.wait()
        one.check()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.tokens_given == 2


def test_an_api_token_signs_in_and_its_end_is_announced(account: Account) -> None:
    one = connector(account, auth={"email": "bot@acme.example", "api_token": "env:ZD_TOKEN"})
    one.check()
    assert "2027-04-30" in one.warnings()[0]
    assert connector(account).warnings() == ()


def test_an_anonymous_answer_to_check_is_a_fault_and_not_a_success(account: Account) -> None:
    account.me = {"id": None, "name": "Anonymous user", "role": "end-user"}
    with pytest.raises(ConfigProblem, match="anonymous"):
        connector(account).check()


def test_an_end_users_credential_is_refused_by_check(account: Account) -> None:
    account.me["role"] = "end-user"
    with pytest.raises(ConfigProblem, match="end-user"):
        connector(account).check()


@pytest.mark.parametrize("reaction", [Reaction(404, ""), Reaction(403, {"error": {"title": "Forbidden", "message": "No access."}})])
def test_a_missing_help_center_is_named_when_articles_are_wanted(account: Account, reaction: Reaction) -> None:
    account.reactions["GET /api/v2/help_center/articles"] = [reaction, reaction]
    with pytest.raises(ConfigProblem, match=r"knowledge\.articles: false"):
        connector(account).check()
    connector(account, articles=False).check()


def test_pull_names_a_help_center_that_is_switched_off(account: Account) -> None:
    account.guide = False
    with pytest.raises(ConfigProblem, match="Guide"):
        list(connector(account).pull(None))


# --- knowledge ------------------------------------------------------------------------------------------------------


def test_the_first_load_brings_every_article_and_its_translations(account: Account) -> None:
    many_articles(account, 230)
    account.translate(7, "fr", "Remboursement", "<p>Sous 30 jours.</p>")
    documents, _ = read(connector(account).pull(None))
    assert len(documents) == 231
    french = documents["zendesk:help:article:7:fr"]
    assert (french.title, french.language, french.audience) == ("Remboursement", "fr", "public")
    assert "Sous 30 jours." in french.markdown
    assert french.url == "https://acme.example/hc/fr/articles/7-x"
    assert documents["zendesk:help:article:7"].language == "en"


def test_offset_pagination_is_followed_where_the_server_knows_no_other(account: Account) -> None:
    account.offset_only = True
    many_articles(account, 95)
    documents, _ = read(connector(account).pull(None))
    assert len(documents) == 95
    assert len(set(connector(account).list_ids())) == 95


def test_links_to_another_host_are_never_followed(account: Account) -> None:
    account.foreign_links = True
    account.offset_only = True
    many_articles(account, 95)
    one = connector(account)
    documents, _ = read(one.pull(None))
    assert len(documents) == 95


def test_a_last_page_that_still_links_onward_ends_the_list(account: Account) -> None:
    many_articles(account, 3)
    account.macros = [{"id": 1, "title": "Hi", "active": True, "actions": [{"field": "comment_value", "value": "Hello"}]}]
    read(connector(account, macros=True).pull(None))
    assert account.paths().count("GET /api/v2/help_center/articles.json") == 3  # the load and two orders of what follows
    assert account.paths().count("GET /api/v2/macros.json") == 2


def test_an_empty_page_is_not_the_end_of_a_list(account: Account) -> None:
    many_articles(account, 1)
    hole = Reaction(200, {"articles": [], "meta": {"has_more": True, "after_cursor": "c0"}, "links": {}})
    account.reactions["GET /api/v2/help_center/articles"] = [hole]
    documents, _ = read(connector(account).pull(None))
    assert list(documents) == ["zendesk:help:article:1"]


def test_a_list_that_turns_in_circles_is_an_error_and_not_an_endless_loop(account: Account) -> None:
    page = Reaction(200, {"articles": [], "meta": {"has_more": True, "after_cursor": "same"}, "links": {}})
    account.reactions["GET /api/v2/help_center/articles"] = [page] * 5
    with pytest.raises(Transient, match="same page"):
        list(connector(account).pull(None))


def test_a_load_resumes_from_every_cursor_it_ever_gave(account: Account) -> None:
    many_articles(account, 230)
    account.translate(7, "fr", "Remboursement", "<p>Sous 30 jours.</p>")
    pages = list(connector(account, macros=True).pull(None))
    whole, _ = read(pages)
    for stop in range(1, len(pages)):
        held: dict[str, Document] = {}
        for page in pages[:stop]:
            held.update({change.id: change for change in page.changes if isinstance(change, Document)})
        cursor = json.loads(json.dumps(dict(pages[stop - 1].cursor)))
        resumed, _ = read(connector(account, macros=True).pull(cursor), held)
        assert resumed == whole


def test_a_page_cursor_that_the_vendor_forgot_starts_the_load_again(account: Account) -> None:
    many_articles(account, 230)
    first = next(iter(connector(account).pull(None)))
    account.reactions["GET /api/v2/help_center/articles"] = [Reaction(400, {"errors": [{"code": "InvalidCursor", "title": "x"}]})]
    with pytest.raises(CursorExpired):
        list(connector(account).pull(first.cursor))


@pytest.mark.parametrize("cursor", [{"v": 99}, {"v": 1, "walk": "elsewhere"}])
def test_a_cursor_of_another_version_is_expired_and_not_misread(account: Account, cursor: dict[str, Any]) -> None:
    with pytest.raises(CursorExpired):
        list(connector(account).pull(cursor))


@pytest.mark.parametrize("count", [30, 400])
@pytest.mark.parametrize("spaced", [True, False])
def test_a_turn_without_changes_costs_a_constant_number_of_requests_and_shows_nothing(account: Account, count: int, spaced: bool) -> None:
    account.locales = ["en-us", "fr"]
    many_articles(account, count, spaced=spaced)
    account.translate(1, "fr", "Un", "<p>Un.</p>")
    account.advance(hours=1)
    one = connector(account)
    _, cursor = read(one.pull(None))
    account.advance(minutes=15)
    account.requests.clear()
    pages = list(one.pull(cursor))
    assert [page.changes for page in pages] == [()]
    assert len(account.requests) == 8  # locales, export, two orders of the list, two orders of each language
    assert pages[-1].cursor == {**pages[-1].cursor, "marks": cursor["marks"]}


def test_articles_made_in_bulk_just_now_are_not_read_again_with_the_next_edits(account: Account) -> None:
    for identity in range(1, 401):
        account.article(identity, f"Article {identity}")
    one = connector(account)
    _, cursor = read(one.pull(None))
    account.advance(seconds=5)
    for identity in (17, 230, 231):
        account.edit(identity, "<p>New words.</p>")
    account.requests.clear()
    changes = [change for page in one.pull(cursor) for change in page.changes]
    assert {change.id for change in changes} == {f"zendesk:help:article:{identity}" for identity in (17, 230, 231)}
    assert len(account.requests) <= 10  # three of them for the translations of what changed


def test_an_edit_of_the_text_is_seen_although_the_export_keeps_silent(account: Account) -> None:
    many_articles(account, 60)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.edit(3, "<p>New words.</p>")
    account.advance(hours=1)
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:3"].markdown.strip() == "New words."


def test_an_edit_within_the_second_of_the_last_one_is_seen(account: Account) -> None:
    many_articles(account, 5)
    account.edit(1, "<p>First.</p>")
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.edit(2, "<p>Second.</p>")
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:2"].markdown.strip() == "Second."


def test_edits_are_found_by_a_full_walk_where_the_server_ignores_the_order(account: Account) -> None:
    account.sorts = False
    many_articles(account, 130)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.edit(115, "<p>New words.</p>")
    account.advance(hours=1)
    documents, cursor = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:115"].markdown.strip() == "New words."
    assert next(one.pull(cursor)).changes == ()


def test_edits_are_found_where_an_ignored_order_looks_kept(account: Account) -> None:
    many_articles(account, 130)
    account.sorts = False
    account.articles = dict(reversed(account.articles.items()))
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.edit(60, "<p>New words.</p>")
    account.advance(hours=1)
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:60"].markdown.strip() == "New words."


def test_edits_are_found_where_the_newest_row_does_not_stand_on_top(account: Account) -> None:
    many_articles(account, 60, spaced=False)
    account.sorts = False
    account.edit(58, "<p>Old words.</p>")
    account.advance(hours=1)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.edit(59, "<p>New words.</p>")
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:59"].markdown.strip() == "New words."


def test_a_cursor_stays_as_it_was_given(account: Account) -> None:
    many_articles(account, 230)
    given = [(page.cursor, json.dumps(page.cursor)) for page in connector(account, macros=True).pull(None)]
    assert [json.dumps(cursor) for cursor, _ in given] == [text for _, text in given]


def test_edits_are_found_after_the_newest_article_was_archived(account: Account) -> None:
    many_articles(account, 60)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    del account.articles[60]
    account.edit(4, "<p>New words.</p>")
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:4"].markdown.strip() == "New words."


def test_an_edit_of_a_translation_alone_is_seen(account: Account) -> None:
    many_articles(account, 60)
    account.translate(5, "fr", "Cinq", "<p>Ancien.</p>")
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.translate(5, "fr", "Cinq", "<p>Nouveau.</p>")
    account.advance(hours=1)
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:5:fr"].markdown.strip() == "Nouveau."


def test_a_language_that_appears_later_is_seen(account: Account) -> None:
    account.locales = ["en-us", "de"]
    many_articles(account, 60)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.translate(5, "de", "Fünf", "<p>Neu.</p>")
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:5:de"].language == "de"


@pytest.mark.parametrize("locales", [None, ["en-us", "fr"]])
def test_translations_are_found_where_no_side_load_is_delivered(account: Account, locales: list[str] | None) -> None:
    account.side_loads = False
    account.locales = locales
    many_articles(account, 40)
    account.translate(5, "fr", "Cinq", "<p>Ancien.</p>")
    account.advance(hours=2)
    one = connector(account)
    documents, _ = read(one.pull(None))
    assert documents["zendesk:help:article:5:fr"].title == "Cinq"
    assert set(one.list_ids()) == set(documents)
    # One request an article only where nobody tells the languages; their own lists are cheaper.
    assert any("translations" in path for path in account.paths()) == (locales is None)


def test_nobody_is_asked_for_translations_in_a_help_center_of_one_language(account: Account) -> None:
    account.side_loads = False
    account.locales = ["en-us"]
    many_articles(account, 40)
    read(connector(account).pull(None))
    assert not any("translations" in path for path in account.paths())


@pytest.mark.parametrize("change", [{"draft": True}, {"user_segment_id": 9}, {"user_segment_ids": [9]}])
def test_an_article_that_is_drafted_or_restricted_is_public_no_longer_in_any_language(account: Account, change: dict[str, Any]) -> None:
    many_articles(account, 40)
    account.translate(5, "fr", "Cinq", "<p>Cinq.</p>")
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.change_metadata(5, **change)
    for version in account.translations[5].values() if "draft" in change else ():
        version["draft"] = True
    account.advance(hours=1)
    documents, _ = read(one.pull(cursor), documents)
    found = [documents.get("zendesk:help:article:5"), documents.get("zendesk:help:article:5:fr")]
    assert [document.audience for document in found if document] == ([] if "draft" in change else ["internal", "internal"])


def test_a_restriction_that_moves_no_stamp_is_seen_in_the_export(account: Account) -> None:
    many_articles(account, 40)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    account.articles[5].update(user_segment_id=9, _metadata_at=account.now)
    account.advance(hours=1)
    documents, _ = read(one.pull(cursor), documents)
    assert documents["zendesk:help:article:5"].audience == "internal"


def test_a_translation_that_was_taken_away_is_gone(account: Account) -> None:
    many_articles(account, 3)
    account.translate(2, "fr", "Deux", "<p>Deux.</p>")
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.advance(hours=1)
    del account.translations[2]["fr"]
    account.change_metadata(2)
    account.advance(hours=1)
    documents, _ = read(one.pull(cursor), documents)
    assert "zendesk:help:article:2:fr" not in documents


def test_a_change_during_the_load_is_in_its_result(account: Account) -> None:
    many_articles(account, 230)
    pages = connector(account).pull(None)
    seen = [next(pages)]
    account.advance(minutes=10)
    account.edit(3, "<p>While loading.</p>")
    account.change_metadata(4, user_segment_id=1)
    account.advance(minutes=10)
    documents, _ = read([*seen, *pages])
    assert documents["zendesk:help:article:3"].markdown.strip() == "While loading."
    assert documents["zendesk:help:article:4"].audience == "internal"


def test_the_articles_export_never_starts_in_the_newest_minute(account: Account) -> None:
    many_articles(account, 2)
    one = connector(account)
    _, cursor = read(one.pull(None))
    for _ in range(3):
        account.advance(seconds=5)
        _, cursor = read(one.pull(cursor))
    starts = [int(query["start_time"]) for _, path, query, *_ in account.requests if "incremental" in path]
    assert max(starts) <= account.now.timestamp() - 60


def test_a_server_clock_behind_ours_does_not_stop_the_articles_export(account: Account) -> None:
    many_articles(account, 2)
    one = connector(account)
    documents, cursor = read(one.pull(None))
    account.now = datetime.fromisoformat(cursor["since"])
    ours = START + timedelta(days=1)
    documents, _ = read(connector(account, now=lambda: ours).pull(cursor), documents)
    assert len(documents) == 2


def test_the_articles_export_ends_without_any_end_of_stream(account: Account) -> None:
    many_articles(account, 2)
    one = connector(account)
    _, cursor = read(one.pull(None))
    here = f"{account.url}/api/v2/help_center/incremental/articles.json?start_time=5"
    stuck = {"articles": [], "count": 0, "next_page": here, "end_time": 5}
    account.reactions["GET /api/v2/help_center/incremental/articles"] = [Reaction(200, stuck)] * 9
    account.requests.clear()
    read(one.pull(cursor))
    assert account.paths().count("GET /api/v2/help_center/incremental/articles.json") == 1


def test_a_broken_article_is_unreadable_and_the_rest_is_read(account: Account) -> None:
    account.article(1, "Fine")
    account.article(2, "Broken", body=["not", "text"])  # type: ignore[arg-type]
    account.article(3, "Empty", body=None)
    account.advance(hours=1)
    changes = [change for page in connector(account).pull(None) for change in page.changes]
    assert [change.id for change in changes if isinstance(change, Unreadable)] == ["zendesk:help:article:2"]
    assert {change.id for change in changes if isinstance(change, Document)} == {"zendesk:help:article:1", "zendesk:help:article:3"}


def test_the_listing_holds_every_live_version_and_no_draft(account: Account) -> None:
    many_articles(account, 120)
    account.translate(1, "fr", "Un", "<p>Un.</p>")
    account.translate(2, "fr", "Deux", "<p>Deux.</p>", draft=True)
    account.change_metadata(3, draft=True)
    account.macros = [{"id": 8, "title": "Hi", "active": True, "actions": [{"field": "comment_value", "value": ["channel:all", "Hello"]}]}]
    one = connector(account, macros=True)
    listed = set(one.list_ids())
    documents, _ = read(one.pull(None))
    assert listed == set(documents)
    assert len(listed) == 121
    assert "zendesk:help:macro:8" in listed


def test_a_listing_shorter_than_its_own_count_concludes_nothing(account: Account) -> None:
    row = {"id": 1, "title": "x", "source_locale": "en-us", "locale": "en-us", "translations": []}
    account.reactions["GET /api/v2/help_center/articles"] = [Reaction(200, {"articles": [row], "count": 2, "next_page": None})]
    with pytest.raises(Transient, match="promised 2"):
        list(connector(account).list_ids())


def test_macros_are_internal_and_an_inactive_one_is_gone(account: Account) -> None:
    many_articles(account, 1)
    text = [{"field": "comment_value_html", "value": "<p>Dear <b>customer</b></p>"}]
    account.macros = [{"id": 8, "title": "Hi", "active": True, "actions": text, "updated_at": iso(account.now)}]
    account.advance(hours=1)
    one = connector(account, macros=True)
    documents, cursor = read(one.pull(None))
    assert documents["zendesk:help:macro:8"].audience == "internal"
    assert documents["zendesk:help:macro:8"].markdown.strip() == "Dear customer"
    account.advance(hours=1)
    account.macros[0].update(active=False, updated_at=iso(account.now))
    documents, _ = read(one.pull(cursor), documents)
    assert "zendesk:help:macro:8" not in documents


def test_only_the_wanted_languages_are_read(account: Account) -> None:
    many_articles(account, 2)
    account.translate(1, "fr-ca", "Un", "<p>Un.</p>")
    account.translate(1, "de", "Eins", "<p>Eins.</p>")
    one = connector(account, locales=["en-US", "fr"])
    documents, _ = read(one.pull(None))
    assert set(documents) == {"zendesk:help:article:1", "zendesk:help:article:2", "zendesk:help:article:1:fr-ca"}
    assert set(one.list_ids()) == set(documents)


# --- tickets --------------------------------------------------------------------------------------------------------


def test_the_export_is_read_to_its_end_and_resumed_by_its_cursor(account: Account) -> None:
    for identity in range(1, 6):
        account.advance(minutes=1)
        account.open_ticket(identity)
    account.advance(hours=1)
    one = connector(account)
    pages = list(one.tickets(None, START))
    assert [ref.id for page in pages for ref in page.tickets] == ["1", "2", "3", "4", "5"]
    assert [page.caught_up for page in pages] == [False, False, True]
    account.advance(hours=1)
    account.say(2, CUSTOMER, "Hello?")
    account.advance(hours=1)
    again = list(one.tickets(pages[-1].cursor, START))
    assert [ref.id for page in again for ref in page.tickets] == ["2"]
    exports = [query for _, path, query, *_ in account.requests if "incremental" in path]
    assert ["start_time" in query for query in exports] == [True, False, False, False]


def test_a_ticket_too_young_for_the_export_is_hinted_at_once_and_exported_later(account: Account) -> None:
    one = connector(account)
    *_, last = one.tickets(None, START)
    account.open_ticket(7)
    *_, last = one.tickets(last.cursor, START)
    assert [ref.id for ref in last.tickets] == ["7"]
    account.advance(seconds=10)
    *_, last = one.tickets(last.cursor, START)
    assert last.tickets == ()
    account.advance(seconds=70)
    *_, last = one.tickets(last.cursor, START)
    assert [ref.id for ref in last.tickets] == ["7"]


def test_the_export_does_without_the_list_of_newest_tickets(account: Account) -> None:
    account.open_ticket(7)
    account.advance(hours=1)
    account.reactions["GET /api/v2/tickets"] = [Reaction(404, "")]
    assert [ref.id for page in connector(account).tickets(None, START - timedelta(hours=1)) for ref in page.tickets] == ["7"]


def test_a_backlog_reaches_no_further_than_asked(account: Account) -> None:
    account.open_ticket(7)
    account.advance(minutes=4)
    assert [page.tickets for page in connector(account).tickets(None, account.now - timedelta(minutes=3))] == [()]


def test_deleted_and_scrubbed_tickets_are_reported_as_deleted(account: Account) -> None:
    account.open_ticket(1, status="deleted")
    account.advance(seconds=1)
    account.open_ticket(2, subject="SCRUBBED", description="X", tags=[])
    account.advance(hours=1)
    refs = [ref for page in connector(account).tickets(None, START - timedelta(days=1)) for ref in page.tickets]
    assert [(ref.id, ref.status) for ref in refs] == [("1", "deleted"), ("2", "deleted")]


def test_an_export_that_repeats_its_cursor_is_an_error_and_not_an_endless_loop(account: Account) -> None:
    stuck = Reaction(200, {"tickets": [{"id": 1}], "after_cursor": "at:1", "end_of_stream": False})
    account.reactions["GET /api/v2/incremental/tickets/cursor"] = [stuck] * 9
    with pytest.raises(Transient, match="same page"):
        list(connector(account).tickets(None, START))
    assert len([path for path in account.paths() if "cursor" in path]) == 2


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_unknown_export_cursor_is_expired(account: Account, status: int) -> None:
    account.reactions["GET /api/v2/incremental/tickets/cursor"] = [Reaction(status, {"error": "x"})]
    with pytest.raises(CursorExpired):
        list(connector(account).tickets({"v": 1, "cursor": "at:1"}, START))


def test_the_ticket_export_never_starts_in_the_newest_minute(account: Account) -> None:
    list(connector(account).tickets(None, account.now))
    (start,) = (int(query["start_time"]) for _, path, query, *_ in account.requests if "incremental" in path)
    assert start <= account.now.timestamp() - 60


def test_a_start_too_recent_for_the_server_is_moved_back(account: Account) -> None:
    one = connector(account)
    account.open_ticket(1)
    account.advance(minutes=20)
    recent = Reaction(400, {"error": "StartTimeTooRecent", "description": "Too recent start_time"})
    account.reactions["GET /api/v2/incremental/tickets/cursor"] = [recent]
    assert [ref.id for page in one.tickets(None, account.now) for ref in page.tickets] == ["1"]


def test_an_agents_credential_is_told_that_the_export_is_for_administrators(account: Account) -> None:
    account.reactions["GET /api/v2/incremental/tickets/cursor"] = [Reaction(403, {"error": "Forbidden", "description": "x"})] * 2
    with pytest.raises(ConfigProblem, match="administrator"):
        list(connector(account).tickets(None, START))


def test_a_plain_text_429_says_how_long_to_wait(account: Account) -> None:
    busy = Reaction(429, "Number of allowed API requests per minute exceeded", {"Retry-After": "90"})
    account.reactions["GET /api/v2/incremental/tickets/cursor"] = [busy] * 9
    with pytest.raises(RateLimited) as told:
        list(connector(account).tickets(None, START))
    assert told.value.retry_after == 90


def test_a_ticket_is_read_with_all_its_comments_and_who_wrote_them(account: Account) -> None:
    account.open_ticket(46406145565073)
    for turn in range(120):
        account.advance(seconds=1)
        account.say(46406145565073, AGENT if turn % 2 else CUSTOMER, f"Turn {turn}", public=turn % 3 != 0 or turn % 2 == 0)
    account.say(46406145565073, -1, "Merged.", public=False)
    account.say(46406145565073, ME, "Our note", public=False, channel="api", custom={"draftdesk_effect": KEY})
    one = connector(account)
    ticket = one.ticket("46406145565073")
    assert ticket is not None
    assert len(ticket.comments) == 123
    assert [comment.author for comment in ticket.comments[:3]] == ["customer", "customer", "agent"]
    assert [comment.author for comment in ticket.comments[-2:]] == ["system", "bot"]
    assert ticket.comments[-1].effect_key == KEY
    assert ticket.version == account.tickets[46406145565073]["updated_at"]
    assert (ticket.requester_email, ticket.requester_name, ticket.language) == ("c@example.com", "Cleo", "fr")
    assert ticket.url == f"{account.url}/agent/tickets/46406145565073"
    asked = [query["ids"] for _, path, query, *_ in account.requests if "show_many" in path]
    assert all("-1" not in ids.split(",") for ids in asked)


def test_a_person_who_types_in_our_own_account_is_an_agent(account: Account) -> None:
    account.open_ticket(1)
    account.say(1, ME, "I have refunded you.", channel="web")
    ticket = connector(account).ticket("1")
    assert ticket is not None
    assert ticket.comments[-1].author == "agent"


def test_users_are_looked_up_where_no_side_load_names_them(account: Account) -> None:
    account.side_loads = False
    account.open_ticket(1)
    account.say(1, AGENT, "Hello")
    ticket = connector(account).ticket("1")
    assert ticket is not None
    assert [comment.author for comment in ticket.comments] == ["customer", "agent"]
    assert ticket.requester_email == "c@example.com"


def test_voice_comments_and_empty_bodies_are_read(account: Account) -> None:
    account.open_ticket(1, text=None)
    voice = {"id": 5, "type": "TpeVoiceComment", "author_id": CUSTOMER, "public": True, "body": "Call of 3 minutes", "data": {},
             "html_body": "<p>x</p>", "created_at": iso(account.now)}  # fmt: skip
    account.comments[1].append(voice)
    ticket = connector(account).ticket("1")
    assert ticket is not None
    assert [comment.text for comment in ticket.comments] == ["", "Call of 3 minutes"]


def test_a_ticket_that_goes_while_it_is_read_is_none(account: Account) -> None:
    account.open_ticket(1)
    del account.comments[1]
    assert connector(account).ticket("1") is None
    account.reactions["GET /api/v2/tickets/1"] = [Reaction(200, {"ticket": {**account.tickets[1], "status": "deleted"}})]
    account.comments[1] = []
    assert connector(account).ticket("1") is None
    assert connector(account).ticket("2") is None


def test_an_html_page_instead_of_json_is_transient(account: Account) -> None:
    account.reactions["GET /api/v2/tickets/1"] = [Reaction(200, "<html>Sign in</html>")]
    with pytest.raises(Transient, match="HTML"):
        connector(account).ticket("1")


def test_an_id_that_is_no_number_reaches_no_path(account: Account) -> None:
    with pytest.raises(ConfigProblem):
        connector(account).ticket("1/../../users")
    assert account.requests == []


# --- writing back ---------------------------------------------------------------------------------------------------


def version(account: Account, ticket: int) -> str:
    return str(account.tickets[ticket]["updated_at"])


@pytest.mark.parametrize("public", [False, True])
def test_a_reply_always_says_whether_it_is_public_and_carries_our_key(account: Account, public: bool) -> None:
    account.open_ticket(1)
    stamp = version(account, 1)
    one = connector(account)
    made = one.post_reply("1", Reply("<p>Hello</p>", public, ("bot-draft",)), KEY, stamp)
    sent = next(body for method, path, _, body, _ in account.requests if (method, path) == ("PUT", "/api/v2/tickets/1.json"))
    assert sent == {"ticket": {
        "comment": {"html_body": "<p>Hello</p>", "public": public}, "metadata": {"draftdesk_effect": KEY},
        "safe_update": True, "updated_stamp": stamp,
    }}  # fmt: skip
    assert made.id == str(account.comments[1][-1]["id"])
    assert account.tickets[1]["tags"] == ["bot-draft", "vip"]
    assert one.find_reply("1", KEY) == made


def test_a_ticket_that_changed_meanwhile_is_not_written_to(account: Account) -> None:
    account.open_ticket(1)
    stamp = version(account, 1)
    account.advance(seconds=5)
    account.say(1, AGENT, "I take this.")
    with pytest.raises(Outdated):
        connector(account).post_reply("1", Reply("<p>Hello</p>", False), KEY, stamp)
    assert len(account.comments[1]) == 2


def test_a_closed_ticket_refuses_with_a_sentence_and_is_asked_once(account: Account) -> None:
    account.open_ticket(1, status="closed")
    one = connector(account)
    with pytest.raises(Refused, match="only a follow-up"):
        one.post_reply("1", Reply("<p>Hello</p>", False), KEY, version(account, 1))
    with pytest.raises(Refused, match="only a follow-up"):
        one.add_tags("1", ("late",))
    assert account.paths().count("PUT /api/v2/tickets/1.json") == 1
    with pytest.raises(Refused, match="gone"):
        one.post_reply("2", Reply("<p>Hello</p>", False), KEY, "x")


@pytest.mark.parametrize("reaction", [Reaction(503, "<html>Oops</html>", {"Retry-After": "1"}), Reaction(200, "<html>Oops</html>")])
def test_an_unclear_answer_to_a_write_is_unknown_and_never_repeated(account: Account, reaction: Reaction) -> None:
    account.open_ticket(1)
    stamp = version(account, 1)

    def applied_yet_unclear() -> Reaction:
        account.update({}, account.requests[-1][3], "1")
        return reaction

    account.reactions["PUT /api/v2/tickets/1"] = [applied_yet_unclear]
    one = connector(account)
    with pytest.raises(Transient):
        one.post_reply("1", Reply("<p>Hello</p>", False), KEY, stamp)
    found = one.find_reply("1", KEY)
    assert found is not None
    assert found.id == str(account.comments[1][-1]["id"])
    assert account.paths().count("PUT /api/v2/tickets/1.json") == 1


def test_a_rate_limited_write_had_no_effect_and_says_how_long_to_wait(account: Account) -> None:
    account.open_ticket(1)
    account.reactions["PUT /api/v2/tickets/1"] = [Reaction(429, "Too many", {"Retry-After": "7"})]
    with pytest.raises(RateLimited) as told:
        connector(account).post_reply("1", Reply("<p>Hello</p>", False), KEY, version(account, 1))
    assert told.value.retry_after == 7
    assert len(account.comments[1]) == 1


def test_a_reply_stands_although_its_tags_fail(account: Account) -> None:
    account.open_ticket(1)
    account.reactions["PUT /api/v2/tickets/1/tags"] = [Reaction(500, "")]
    made = connector(account).post_reply("1", Reply("<p>Hello</p>", False, ("bot",)), KEY, version(account, 1))
    assert made.id == str(account.comments[1][-1]["id"])


def test_a_reply_is_found_by_its_audit_where_comments_show_no_metadata(account: Account) -> None:
    account.open_ticket(1)
    one = connector(account)
    made = one.post_reply("1", Reply("<p>Hello</p>", False), KEY, version(account, 1))
    for comment in account.comments[1]:
        del comment["metadata"]
    account.audits[1][:0] = [{"id": number, "metadata": {"custom": {}}, "events": []} for number in range(150)]
    assert one.find_reply("1", KEY) == made


def test_a_note_is_found_by_its_foot_in_our_own_comments_only(account: Account) -> None:
    account.open_ticket(1)
    account.say(1, AGENT, f"They wrote: draft {KEY[:12]}", public=False)
    one = connector(account)
    assert one.find_reply("1", KEY) is None
    ours = account.say(1, ME, f"An answer. draft {KEY[:12]}", public=False)
    found = one.find_reply("1", KEY)
    assert found is not None
    assert found.id == str(ours)


def test_a_reply_that_was_never_made_is_not_found(account: Account) -> None:
    account.open_ticket(1)
    assert connector(account).find_reply("1", KEY) is None
    assert connector(account).find_reply("2", KEY) is None


def test_tags_are_added_and_an_agents_stay(account: Account) -> None:
    account.open_ticket(1)
    one = connector(account)
    one.add_tags("1", ("bot-answered",))
    one.add_tags("1", ("bot-answered",))
    assert account.tickets[1]["tags"] == ["bot-answered", "vip"]
    account.requests.clear()
    one.add_tags("1", ())
    assert account.requests == []


def test_every_list_is_asked_for_by_cursor_pagination(account: Account) -> None:
    many_articles(account, 3)
    account.open_ticket(1)
    one = connector(account, macros=True)
    read(one.pull(None))
    list(one.list_ids())
    one.ticket("1")
    one.find_reply("1", KEY)
    kinds = ("/articles.json", "macros.json", "comments.json", "audits.json")
    lists = [query for _, path, query, *_ in account.requests if path.endswith(kinds) and "start_time" not in query]
    assert lists
    assert all("page[size]" in query for query in lists)
