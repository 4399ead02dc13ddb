"""What is asked of a Confluence site of either flavour, and how: addresses, envelopes, the join of `base` and `next`."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from connectors.base import Transient
from connectors.confluence import parse
from connectors.confluence.parse import Leaf
from connectors.confluence.settings import Settings
from connectors.http import Denied, HttpClient, HttpError, HttpFactory
from connectors.settings import text_of

V1, V2 = "/rest/api", "/api/v2"
OWN = "restrictions.read.restrictions.user,restrictions.read.restrictions.group,metadata.labels"
WITHOUT_BODY = f"version,space,history,ancestors,{OWN}"
WITH_BODY = f"body.storage,{WITHOUT_BODY}"
BODIES = 50  # at once; Data Center's cap for expanded bodies
SEARCHED = 200  # of a search without bodies; Data Center's cap for what is expanded otherwise
EMPTY_AT_MOST = 3  # answers in a row that hold nothing and say that there is more
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Space:
    key: str
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Slice:
    leaves: tuple[Leaf, ...]
    at: str | None  # where the next one starts; None: this was the last


class Wiki(Protocol):
    """What is asked of either flavour. Raises as HttpClient does."""

    def spaces(self, keys: Sequence[str] | None) -> dict[str, Space]: ...  # None: all that the account can see, personal ones left out
    def slice(self, space: Space, at: str | None) -> Slice: ...  # current pages by id, without bodies
    def bodies(self, ids: Sequence[str]) -> tuple[Leaf, ...]: ...  # current ones among these, with bodies
    def protection(self, ids: Sequence[str]) -> tuple[Leaf, ...]: ...  # own restriction and ancestors, as far as told at once
    def search(self, cql: str) -> Iterator[Leaf]: ...
    def titled(self, space: Space, title: str) -> Leaf | None: ...
    def restricted(self, page: str) -> bool | None: ...  # by itself; None: not to be read
    def ancestors(self, leaf: Leaf) -> tuple[str, ...] | None: ...  # None: not to be read


def wiki(settings: Settings, http: HttpFactory) -> Wiki:
    """The client for this site's flavour, signed in with its credential."""
    from connectors.confluence.cloud import Cloud
    from connectors.confluence.datacenter import DataCenter

    calls = Calls(settings, http)
    return Cloud(calls) if settings.flavour == "cloud" else DataCenter(calls)


class Calls:
    """Addresses, envelopes and the join of `base` and `next`."""

    def __init__(self, settings: Settings, http: HttpFactory) -> None:
        parts = urlsplit(settings.base_url)
        self._root = parts.path.rstrip("/")
        self.base = settings.base_url.rstrip("/")
        self._http: HttpClient = http(f"{parts.scheme}://{parts.netloc}", lambda: credential(settings))

    def ask(self, path: str, params: Params = ()) -> Any:
        """One GET below the site's path."""
        return self._http.get(f"{self._root}{path}{'?' + urlencode(params) if params else ''}").json()

    def follow(self, target: str) -> Any:
        """Where a `next` leads, its query as the vendor wrote it. Relative ones are joined to our own path, be they written with it
        (v2), without it (v1), or with the path of the host that people use. Any other host is refused by the HttpClient.
        """
        if target.startswith("/") and not target.startswith("//"):
            path, mark, query = target.partition("?")
            for api in (V2, V1):
                place = path.find(f"{api}/")
                if place >= 0:
                    return self._http.get(f"{self._root}{path[place:]}{mark}{query}").json()
            raise Transient("Confluence's link to the next page leads to no API of its own; it is asked for again at the next turn")
        return self._http.get(target).json()

    def leaves(self, body: Any, place: str, *, folders: bool = False) -> tuple[Leaf, ...]:
        """The pages of a list, with whatever else is in it where `folders` is set."""
        base = parse.base_of(body, self.base)
        rows = (row for row in parse.rows(body, place) if folders or row.get("type", "page") == "page")
        return tuple(found for row in rows if (found := parse.leaf(row, base)))

    def lookup(self, page: str) -> bool | None:
        """Whether a page is restricted by itself. None: it is not to be read (404 and 403 mean the same)."""
        path = f"{V1}/content/{page}/restriction/byOperation/read"
        try:
            body = self.ask(path, (("expand", "restrictions.user,restrictions.group"), ("limit", "200")))
        except (HttpError, Denied) as refusal:
            only_hidden(refusal)
            return None
        return parse.restriction(body)


def only_hidden(refusal: HttpError | Denied) -> None:
    """404 and 403 mean the same of one page: it is not for us. A 401 is about the credential, and raised."""
    if refusal.status == 401:
        raise refusal


def credential(settings: Settings) -> dict[str, str]:
    auth = settings.auth
    if auth.token is not None:
        return {"Authorization": f"Bearer {auth.token.reveal()}"}
    secret = auth.api_token.reveal() if auth.api_token else ""
    pair = f"{text_of(auth.email or '')}:{secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


def quoted(text: str) -> str:
    """A CQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
