"""Who comes in, and what a page lets through: the real application over HTTP, no browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.testclient import TestClient

from bot.config import Config
from bot.console.app import DEEDS, PAGES, create_console
from bot.console.door import open_door
from bot.console.office import Office
from bot.console.roles import Person, Right
from bot.console.sessions import KEY_FILE, LIFETIME, begin, read_key, seal, unseal
from bot.console.studies import Study
from bot.console.throttle import GUESSES, WITHIN
from connectors.base import ConfigProblem
from storage import audit
from storage.database import open_database
from storage.embedding import local_embedder

pytestmark = pytest.mark.xdist_group("console-http")
Open = Callable[..., TestClient]


class Now:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database("sqlite", folder=tmp_path)
    yield opened
    opened.dispose()


@pytest.fixture
def office(engine: Engine, tmp_path: Path, now: Now, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Office]:
    for name in ("OPERATOR", "ADA", "BEN", "VERA"):
        monkeypatch.setenv(name, f"{name.lower()}-password")

    def furnish(**console: object) -> Office:
        given = {"connectors": [{"name": "books", "type": "folder", "path": str(tmp_path)}], "data_dir": str(tmp_path), "console": console}
        config = Config.model_validate(given)
        door = open_door(config)
        assert door is not None
        return Office(
            config=config,
            engine=engine,
            embedder=local_embedder(),
            door=door,
            now=now,
            flows={},
            problems={},
            send=lambda connector, key: None,
            sync=lambda connector, confirmed: None,
            syncing=lambda connector: False,
            next_sync=lambda connector: None,
            warnings=lambda connector: (),
            gaps=Study("gaps", list, now),
            clashes=Study("contradictions", lambda: ([], []), now),
        )

    return furnish


SHARED = {"password": "env:OPERATOR"}
TEAM = {
    "people": [
        {"name": "ada", "role": "operator", "password": "env:ADA"},
        {"name": "ben", "role": "agent", "password": "env:BEN"},
        {"name": "vera", "role": "viewer", "password": "env:VERA"},
    ]
}
PROXY = {"proxy": {"trusted": ["10.1.0.0/16"], "operators": ["ada@acme.example"], "agents": ["*@acme.example"]}}
ADA = {"X-Forwarded-Email": "ada@acme.example"}


def open_client(office: Office, *, peer: str = "127.0.0.1", base: str = "http://desk.acme.example") -> TestClient:
    return TestClient(create_console(office), base_url=base, follow_redirects=False, client=(peer, 50_000))


def sign_in(client: TestClient, password: str, name: str | None = None) -> int:
    return client.post("/sign-in", data={"password": password} | ({"name": name} if name else {})).status_code


def token_of(client: TestClient, path: str = "/") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]


def fill(path: str) -> str:
    return path.format(draft="d", connector="books", sample="s")


@pytest.mark.parametrize("path", [fill(path) for path, _, _ in PAGES])
def test_a_page_is_shown_to_nobody_who_is_not_signed_in(office: Callable[..., Office], path: str) -> None:
    answer = open_client(office(**SHARED)).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", [fill(path) for path, _, _ in DEEDS])
def test_a_deed_takes_a_session_and_the_sessions_own_token(office: Callable[..., Office], path: str) -> None:
    client = open_client(office(**SHARED))
    assert client.post(path, data={"csrf": "x"}).headers["location"] == "/sign-in"
    sign_in(client, "operator-password")
    assert client.post(path).status_code == 403
    assert client.post(path, data={"csrf": "0" * 64}).status_code == 403
    elsewhere = {"Origin": "https://evil.example"}
    assert client.post(path, data={"csrf": token_of(client)}, headers=elsewhere).status_code == 403
    assert client.post(path, data={"csrf": token_of(client)}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(("name", "rights"), [("ada", set(Right)), ("ben", {Right.READ, Right.ANSWER}), ("vera", {Right.READ})])
def test_a_role_may_do_what_it_may_and_nothing_else(office: Callable[..., Office], name: str, rights: set[Right]) -> None:
    client = open_client(office(**TEAM))
    assert sign_in(client, f"{name}-password", name) == 303
    for path, _, right in PAGES:
        assert (client.get(fill(path)).status_code == 403) == (right not in rights), path
    token = token_of(client)
    for path, _, right in DEEDS:
        if path != "/sign-out":
            assert (client.post(fill(path), data={"csrf": token}).status_code == 403) == (right not in rights), path


def test_a_wrong_password_and_an_unknown_name_are_told_alike(office: Callable[..., Office]) -> None:
    client = open_client(office(**TEAM))
    wrong = client.post("/sign-in", data={"name": "ada", "password": "ben-password"})
    unknown = client.post("/sign-in", data={"name": "nobody", "password": "ada-password"})
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text == unknown.text
    assert "set-cookie" not in wrong.headers


def test_guessing_ends_after_ten_tries_and_begins_again_later(office: Callable[..., Office], now: Now) -> None:
    built = office(**SHARED)
    client = open_client(built)
    assert [sign_in(client, f"guess {number}") for number in range(GUESSES)] == [401] * GUESSES
    assert sign_in(client, "operator-password") == 429, "the right password does not help any more"
    assert sign_in(open_client(built, peer="127.0.0.2"), "operator-password") == 303, "others are not locked out"
    now.at += WITHIN + timedelta(seconds=1)
    assert sign_in(client, "operator-password") == 303


def test_addresses_of_one_network_guess_together(office: Callable[..., Office]) -> None:
    built = office(**SHARED)
    for number in range(GUESSES):
        sign_in(open_client(built, peer=f"2001:db8::{number:x}"), "guess")
    assert sign_in(open_client(built, peer="2001:db8::ffff"), "guess") == 429
    assert sign_in(open_client(built, peer="2001:db8:0:1::1"), "guess") == 401


def test_a_session_ends_by_itself_by_leaving_and_with_its_password(
    office: Callable[..., Office], now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = office(**SHARED)
    client = open_client(built)
    sign_in(client, "operator-password")
    copied = open_client(built)
    copied.cookies = client.cookies
    assert copied.get("/").status_code == 200
    assert client.post("/sign-out", data={"csrf": token_of(client)}).status_code == 303
    assert copied.get("/").status_code == 303, "whoever copied the cookie is out too"
    sign_in(client, "operator-password")
    now.at += LIFETIME - timedelta(minutes=1)
    assert client.get("/").status_code == 200
    monkeypatch.setenv("OPERATOR", "another-password")
    changed = open_client(office(**SHARED))
    changed.cookies = client.cookies
    assert changed.get("/").status_code == 303, "the password that opened it counts no more"
    now.at += timedelta(minutes=2)
    assert client.get("/").status_code == 303


def test_a_cookie_that_was_changed_anywhere_is_no_session(now: Now) -> None:
    key = b"k" * 48
    cookie = seal(begin(Person("ada", "viewer"), "proof", now()), key)
    assert unseal(cookie, key, now()) is not None
    for at in range(len(cookie)):
        changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
        assert unseal(changed, key, now()) is None, at
    assert unseal(cookie, b"j" * 48, now()) is None
    assert unseal("", key, now()) is None
    assert unseal("é.é", key, now()) is None


@pytest.mark.parametrize(("url", "secure"), [(None, False), ("https://desk.acme.example", True)])
def test_cookies_are_kept_from_scripts_and_from_plain_http(office: Callable[..., Office], url: str | None, secure: bool) -> None:
    client = open_client(office(**SHARED, public_url=url))
    told = client.post("/sign-in", data={"password": "operator-password"}).headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told
    assert "path=/" in told
    assert ("secure" in told) is secure
    assert told.startswith("__host-draftdesk=") is secure


def test_every_answer_forbids_scripts_and_styles_of_others_and_frames(office: Callable[..., Office]) -> None:
    client = open_client(office(**SHARED))
    sign_in(client, "operator-password")
    for path in ("/", "/sign-in", "/nowhere", "/static/console.css", *(fill(path) for path, _, _ in PAGES)):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_no_page_holds_a_script_or_a_style_of_its_own(office: Callable[..., Office]) -> None:
    client = open_client(office(**SHARED))
    sign_in(client, "operator-password")
    for path in ("/sign-in", *(fill(path) for path, _, _ in PAGES)):
        text = client.get(path, follow_redirects=True).text
        assert re.findall(r"<script(?![^>]*\bsrc=)", text) == [], path
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=", text) == [], path


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\tx", "evil"])
def test_signing_in_never_leads_to_another_site(office: Callable[..., Office], then: str) -> None:
    client = open_client(office(**SHARED))
    answer = client.post("/sign-in", data={"password": "operator-password", "next": then})
    assert answer.headers["location"] == "/"
    assert 'value="/"' in open_client(office(**SHARED)).get("/sign-in", params={"next": then}).text


def test_signing_in_leads_back_to_the_page_that_was_asked_for(office: Callable[..., Office]) -> None:
    client = open_client(office(**SHARED))
    asked = client.get("/costs?a=1")
    assert asked.headers["location"] == "/sign-in?next=/costs%3Fa%3D1"
    assert client.post("/sign-in", data={"password": "operator-password", "next": "/costs?a=1"}).headers["location"] == "/costs?a=1"


def test_a_trusted_proxy_names_the_person_and_the_first_list_that_fits_the_role(office: Callable[..., Office]) -> None:
    client = open_client(office(**PROXY), peer="10.1.2.3")
    assert client.get("/activity", headers=ADA).status_code == 200
    assert client.get("/activity", headers={"X-Forwarded-Email": "ben@acme.example"}).status_code == 403
    assert client.get("/", headers={"X-Forwarded-Email": "ben@acme.example"}).status_code == 200
    for name in ("eve@evil.example", "eve@evil@acme.example", "", "ada@acme.example.evil.example"):
        assert client.get("/", headers={"X-Forwarded-Email": name}).status_code == 303, name


def test_what_anybody_else_says_of_itself_counts_for_nothing(office: Callable[..., Office]) -> None:
    for peer in ("10.2.0.1", "127.0.0.1", "::1", "testclient", "::ffff:10.2.0.1"):
        client = open_client(office(**PROXY), peer=peer)
        assert client.get("/", headers=ADA | {"X-Forwarded-For": "10.1.0.1"}).status_code == 303, peer
    client = open_client(office(**PROXY), peer="10.1.0.1")
    client.get("/", headers=ADA)
    assert client.get("/").status_code == 303, "the proxy's session is worth nothing without the proxy's word"


def test_a_person_of_a_proxy_has_a_token_of_their_own(office: Callable[..., Office]) -> None:
    client = open_client(office(**PROXY), peer="10.1.0.1")
    client.headers.update(ADA)
    token = token_of(client)
    assert client.post("/knowledge/sync/books", data={"csrf": token}).status_code == 303
    client.headers.update({"X-Forwarded-Email": "ben@acme.example"})
    assert client.post("/knowledge/study", data={"csrf": token}).status_code == 403, "somebody else's token"


def test_what_people_do_is_written_down_with_their_names_and_no_secret(office: Callable[..., Office], engine: Engine) -> None:
    client = open_client(office(**TEAM))
    sign_in(client, "wrong-secret", "ada")
    sign_in(client, "ada-password", "ada")
    client.post("/knowledge/sync/books", data={"csrf": token_of(client), "confirm": "yes"})
    with Session(engine) as session:
        rows = audit.newest(session, 9)
    assert [(row.person, row.action, row.subject) for row in rows] == [
        ("ada", "confirmed removals", "books"),
        ("ada", "signed in", "127.0.0.1"),
        ("", "sign-in refused", "127.0.0.1"),
    ]
    assert "secret" not in repr(rows)
    assert "password" not in repr(rows)


def test_only_an_operators_word_confirms_removals(office: Callable[..., Office]) -> None:
    asked: list[tuple[str, bool]] = []
    built = replace(office(**TEAM), sync=lambda name, confirmed: asked.append((name, confirmed)))
    for name in ("vera", "ben", "ada"):
        client = open_client(built)
        sign_in(client, f"{name}-password", name)
        client.post("/knowledge/sync/books", data={"csrf": token_of(client), "confirm": "yes"})
        client.post("/knowledge/sync/elsewhere", data={"csrf": token_of(client)})
    assert asked == [("books", True)]


def test_a_form_of_any_size_or_shape_is_no_server_error(office: Callable[..., Office]) -> None:
    client = open_client(office(**SHARED))
    sign_in(client, "operator-password")
    token = token_of(client)
    assert client.post("/theme", content=b"x" * (1 << 19)).status_code == 413
    for body in (b"\xff\xfe=%ff&csrf=" + token.encode(), b"&" * 500, b"a=1&" * 400, b""):
        assert client.post("/theme", content=body).status_code < 500
    odd = ("/?after=x_y", "/?after=1e999_d", "/?after=nan_d", "/activity?before=" + "9" * 30, "/find?q=%00", "/drafts/%00", "/?stand=%ff")
    for path in odd:
        assert client.get(path).status_code < 500, path


def test_the_theme_is_remembered_and_nothing_else_is_taken_for_one(office: Callable[..., Office]) -> None:
    client = open_client(office(**SHARED))
    sign_in(client, "operator-password")
    client.post("/theme", data={"csrf": token_of(client), "theme": "dark"})
    assert '<html lang="en" data-theme="dark">' in client.get("/").text
    client.post("/theme", data={"csrf": token_of(client), "theme": "x"})
    assert 'data-theme="auto"' in client.get("/").text


def test_the_key_is_made_once_for_its_owners_eyes_and_a_broken_one_is_told(tmp_path: Path) -> None:
    key = read_key(tmp_path)
    assert read_key(tmp_path) == key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(ConfigProblem, match="remove the file"):
        read_key(tmp_path)


def test_without_any_way_to_sign_in_there_is_no_console() -> None:
    given = {"connectors": [{"name": "books", "type": "folder", "path": "."}]}
    assert open_door(Config.model_validate(given)) is None
    with pytest.raises(ConfigProblem, match="UNSET_PASSWORD is not set"):
        open_door(Config.model_validate(given | {"console": {"password": "env:UNSET_PASSWORD"}}))


def test_no_password_or_key_stands_in_a_repr(office: Callable[..., Office]) -> None:
    built = office(**TEAM)
    told = repr(built)
    assert "ada-password" not in told
    assert repr(built.door.key) not in told
