"""A small Drive, a clock that stands still, and a client that signs in as the vendor describes it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from connectors.sandbox.google_docs.content import Content
from connectors.sandbox.google_docs.site import GoogleSite

SCOPE = "https://www.googleapis.com/auth/"
ACCOUNT_DRIVE = f"{SCOPE}drive.readonly"

CONTENT = """
people: [mira@tidewell.example, tom@tidewell.example]
items:
  - folder: Knowledge
    id: knowledge
    share: {account: commenter}
    items:
      - doc: Returns
        id: returns
        updated: 5d
        text: |
          # Returns
          Send it back {--soon--}{++never: PIER++} within 30 days.
      - doc: Handout
        id: handout
        updated: 4d
        tabs:
          - {title: One, text: "First tab 😀 **bo{|}ld**"}
          - title: Two
            id: t.two
            text: |
              | Wide | << | x |
              | ^^ | b | c // d |
            tabs:
              - title: Deep
                id: t.deep
                tabs: [{title: Deeper, id: t.deeper, text: "Press 8 bar[^n].\\n\\n[^n]: Cold water."}]
      - folder: Below
        id: below
        items:
          - {doc: Inner, id: inner, text: "Inner text", updated: 3d}
          - {shortcut: Up, id: up, to: knowledge}
      - {folder: Closed, id: closed, limited: true, items: [{doc: Hidden, id: hidden, text: Hidden}]}
      - {doc: Old, id: old, text: Old, trashed: true}
      - {file: Paper.docx, id: paper, mime: application/vnd.openxmlformats-officedocument.wordprocessingml.document, content: words}
  - {doc: Private, id: private, text: Private}
drives:
  - id: 0Adrive
    name: Field
    members: {account: reader, mira@tidewell.example: organizer}
    items: [{doc: Manual, id: manual, text: "Manual {image: a picture | https://x.example/p.png}", weight: 14000000}]
  - {id: 0Aboard, name: Board, members: {mira@tidewell.example: organizer}, items: [{doc: Plans, id: plans, text: Plans}]}
"""


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
def content() -> Content:
    told = yaml.safe_load(CONTENT)
    return Content(tuple(told["people"]), tuple(told["items"]), tuple(told["drives"]))


@pytest.fixture
def site(content: Content, clock: Clock) -> Iterator[GoogleSite]:
    with GoogleSite(content=content, now=clock, sleep=clock.advance, delegated=[ACCOUNT_DRIVE]) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as plain:
        plain.trust_env = False
        yield plain


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture
def assertion(site: GoogleSite, clock: Clock) -> Callable[..., str]:
    """A signed assertion; `changed` are claims that are other than they should be."""

    def make(key_file: str | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
        told = json.loads(key_file or site.service_account_key())
        key = serialization.load_pem_private_key(told["private_key"].encode(), None)
        now = int(clock().timestamp())
        claims = {"iss": told["client_email"], "scope": ACCOUNT_DRIVE, "aud": told["token_uri"], "iat": now, "exp": now + 3600, **changed}
        head = {"alg": "RS256", "typ": "JWT", "kid": told["private_key_id"], **(header or {})}
        signed = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
        return f"{signed}.{_part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"  # type: ignore[union-attr, call-arg, arg-type]

    return make


@pytest.fixture
def exchange(site: GoogleSite, session: requests.Session) -> Callable[..., requests.Response]:
    def post(text: str, grant: str = "urn:ietf:params:oauth:grant-type:jwt-bearer") -> requests.Response:
        return session.post(f"{site.url}/token", data={"grant_type": grant, "assertion": text}, timeout=10)

    return post


class Api:
    """GET with a token; `ok` gives the JSON of a 200, `reason` the first reason of an error and its status."""

    def __init__(self, url: str, session: requests.Session, token: str | None) -> None:
        self.url, self.session, self.token = url, session, token

    def __call__(self, path: str, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.session.get(self.url + path, params=params, headers=headers, timeout=10, allow_redirects=False)

    def ok(self, path: str, **params: Any) -> Any:
        answer = self(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reason(self, path: str, **params: Any) -> tuple[int, str]:
        answer = self(path, **params)
        return answer.status_code, answer.json()["error"]["errors"][0]["reason"]

    def names(self, **params: Any) -> set[str]:
        return {file["name"] for file in self.ok("/drive/v3/files", **params)["files"]}


@pytest.fixture
def signed_in(
    site: GoogleSite, session: requests.Session, assertion: Callable[..., str], exchange: Callable[..., requests.Response]
) -> Callable[..., Api]:
    return lambda **claims: Api(site.url, session, exchange(assertion(**claims)).json()["access_token"])


@pytest.fixture
def api(signed_in: Callable[..., Api]) -> Api:
    return signed_in()


@pytest.fixture
def stranger(site: GoogleSite, session: requests.Session) -> Api:
    return Api(site.url, session, None)


@pytest.fixture
def shared() -> dict[str, str]:
    return {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}


@pytest.fixture
def feed(api: Api, shared: dict[str, str]) -> SimpleNamespace:
    """`start()` a token; `read(token)` all changes since, by file id, and the next token."""

    def start(**more: str) -> str:
        return str(api.ok("/drive/v3/changes/startPageToken", supportsAllDrives="true", **more)["startPageToken"])

    def read(token: str, **more: str) -> tuple[dict[str, Any], str]:
        answer = api.ok("/drive/v3/changes", pageToken=token, fields="*", **shared, **more)
        return {row.get("fileId") or row["driveId"]: row for row in answer["changes"]}, answer.get("newStartPageToken", "")

    return SimpleNamespace(start=start, read=read)
