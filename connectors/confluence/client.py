"""The calls to one Confluence site.

Cloud is read by v2, and by v1 where v2 has nothing: search and restrictions. Data Center knows v1 only, where a capped limit makes the
server's own `next` skip pages (CONFSERVER-95272): there the next start is the last one plus what was received.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.base import Transient
from connectors.confluence import parse
from connectors.confluence.parse import Leaf
from connectors.confluence.settings import Settings
from connectors.http import Denied, HttpClient, HttpError, HttpFactory
from connectors.settings import text_of

V1, V2 = "/rest/api", "/api/v2"
OWN = "restrictions.read.restrictions.user,restrictions.read.restrictions.group"
WITHOUT_BODY = f"version,space,history,ancestors,{OWN}"
WITH_BODY = f"body.storage,{WITHOUT_BODY}"
SLICE_CLOUD, SLICE_DC = 250, 200  # pages of a list without bodies; Data Center caps expanded ones at 200
BODIES = 50  # at once; Data Center's cap for expanded bodies
SEARCHED = 200  # of a search without bodies
ANCESTORS = 250
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
    def protection(self, leaves: Sequence[Leaf]) -> dict[str, Leaf]: ...  # own restriction and ancestors, as far as told at once
    def search(self, cql: str) -> Iterator[Leaf]: ...
    def titled(self, space: Space, title: str) -> Leaf | None: ...
    def restricted(self, page: str) -> bool | None: ...  # by itself; None: not to be read
    def ancestors(self, leaf: Leaf) -> tuple[str, ...] | None: ...  # None: not to be read


def wiki(settings: Settings, http: HttpFactory) -> Wiki:
    """The client for this site's flavour, signed in with its credential."""
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

    def leaves(self, body: Any, place: str) -> tuple[Leaf, ...]:
        base = parse.base_of(body, self.base)
        return tuple(found for row in parse.rows(body, place) if (found := parse.leaf(row, base)))

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


def offset(link: str | None) -> int | None:
    """Where a `next` link of Data Center's starts."""
    found = parse_qs(urlsplit(link or "").query).get("start", [""])[0]
    return int(found) if found.isdigit() else None


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


class Cloud:
    """v2, with v1's search and restrictions."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def spaces(self, keys: Sequence[str] | None) -> dict[str, Space]:
        found: dict[str, Space] = {}
        wanted = [("type", "global"), ("status", "current")] if keys is None else [("keys", ",".join(keys))]
        for body in self._pages(f"{V2}/spaces", [*wanted, ("limit", "250")]):
            for row in parse.rows(body, "spaces"):
                key, number = row.get("key"), parse.identity(row.get("id"))
                if isinstance(key, str) and number:
                    found[key] = Space(key, number, str(row.get("name") or key))
        return found

    def slice(self, space: Space, at: str | None) -> Slice:
        if at is None:
            params = (("status", "current"), ("sort", "id"), ("limit", str(SLICE_CLOUD)))
            body = self._calls.ask(f"{V2}/spaces/{space.id}/pages", params)
        else:
            body = self._calls.follow(at)
        onward = parse.onward(body)
        if onward is not None and onward == at:
            raise Transient(f"Confluence sends the same page of space {space.key} again and again; it is read anew at the next turn")
        return Slice(self._calls.leaves(body, "pages"), onward)

    def bodies(self, ids: Sequence[str]) -> tuple[Leaf, ...]:
        params = [("id", ",".join(ids)), ("status", "current"), ("body-format", "storage"), ("limit", "250")]
        return tuple(leaf for body in self._pages(f"{V2}/pages", params) for leaf in self._calls.leaves(body, "pages"))

    def protection(self, leaves: Sequence[Leaf]) -> dict[str, Leaf]:
        """One search for many. Where the index lags behind, a page is missing and is asked for by itself."""
        told: dict[str, Leaf] = {}
        for first in range(0, len(leaves), SEARCHED):
            ids = ",".join(leaf.id for leaf in leaves[first : first + SEARCHED])
            try:
                told.update((leaf.id, leaf) for leaf in self._found(f"id in ({ids})", f"ancestors,{OWN}"))
            except HttpError:
                continue  # one unreadable ancestor can fail the whole batch: CONFCLOUD-77618
        return told

    def search(self, cql: str) -> Iterator[Leaf]:
        return self._found(cql, "version,space")

    def titled(self, space: Space, title: str) -> Leaf | None:
        params = [("space-id", space.id), ("title", title), ("status", "current"), ("body-format", "storage"), ("limit", "25")]
        found = self._calls.leaves(self._calls.ask(f"{V2}/pages", params), "pages")
        return next((leaf for leaf in found if leaf.title == title), None)

    def restricted(self, page: str) -> bool | None:
        return self._calls.lookup(page)

    def ancestors(self, leaf: Leaf) -> tuple[str, ...] | None:
        if leaf.parent is None:
            return ()
        found: list[str] = []
        top = leaf.id
        try:
            while True:
                body = self._calls.ask(f"{V2}/pages/{top}/ancestors", [("limit", str(ANCESTORS))])
                new = [one for row in parse.rows(body, "ancestors") if (one := parse.identity(row.get("id"))) and one not in found]
                found += new
                if len(new) < ANCESTORS:
                    return tuple(found) or (leaf.parent,)
                top = new[0]
        except (HttpError, Denied) as refusal:
            only_hidden(refusal)
            return None

    def _found(self, cql: str, expand: str) -> Iterator[Leaf]:
        params = [("cql", cql), ("limit", str(SEARCHED)), ("expand", expand)]
        for body in self._pages(f"{V1}/content/search", params):
            yield from self._calls.leaves(body, "search")

    def _pages(self, path: str, params: Params) -> Iterator[Any]:
        body = self._calls.ask(path, params)
        seen: set[str] = set()
        while True:
            yield body
            target = parse.onward(body)
            if target is None:
                return
            if target in seen:
                raise Transient(f"Confluence sends the same page of {path} again and again; it is read anew at the next turn")
            seen.add(target)
            body = self._calls.follow(target)


class DataCenter:
    """v1, with offsets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def spaces(self, keys: Sequence[str] | None) -> dict[str, Space]:
        wanted = [("type", "global"), ("status", "current")] if keys is None else [("spaceKey", key) for key in keys]
        params = [*wanted, ("limit", str(max(25, len(keys or ()))))]
        found: dict[str, Space] = {}
        for body in self._pages(f"{V1}/space", params):
            for row in parse.rows(body, "space"):
                key = row.get("key")
                if isinstance(key, str) and (keys is None or key in keys):
                    found[key] = Space(key, key, str(row.get("name") or key))
        return found

    def slice(self, space: Space, at: str | None) -> Slice:
        start = int(at) if at and at.isdigit() else 0
        asked = [("spaceKey", space.key), ("type", "page"), ("status", "current"), ("start", str(start)), ("limit", str(SLICE_DC))]
        body = self._calls.ask(f"{V1}/content", [*asked, ("expand", WITHOUT_BODY)])
        received, link = len(parse.rows(body, "content")), parse.onward(body)
        onward = None if link is None else start + received if received else max(start, offset(link) or 0)
        return Slice(self._calls.leaves(body, "content"), None if onward is None else str(onward))

    def bodies(self, ids: Sequence[str]) -> tuple[Leaf, ...]:
        found = {leaf.id: leaf for leaf in self._found(f"id in ({','.join(ids)})", WITH_BODY, BODIES)}
        for page in ids:
            if page not in found and (one := self._one(page)):
                found[page] = one
        return tuple(leaf for leaf in found.values() if leaf.status == "current")

    def _one(self, page: str) -> Leaf | None:
        """A page that the search index does not show (yet)."""
        try:
            return parse.leaf(parse.mapping(self._calls.ask(f"{V1}/content/{page}", [("expand", WITH_BODY)])), self._calls.base)
        except HttpError as refusal:
            if refusal.status not in (404, 410):
                raise
            return None

    def protection(self, leaves: Sequence[Leaf]) -> dict[str, Leaf]:
        return {leaf.id: leaf for leaf in leaves}  # the lists told it already

    def search(self, cql: str) -> Iterator[Leaf]:
        return self._found(cql, "version,space", SEARCHED)

    def titled(self, space: Space, title: str) -> Leaf | None:
        asked = [("spaceKey", space.key), ("type", "page"), ("status", "current"), ("title", title), ("expand", WITH_BODY)]
        found = self._calls.leaves(self._calls.ask(f"{V1}/content", asked), "content")
        return next((leaf for leaf in found if leaf.title == title), None)

    def restricted(self, page: str) -> bool | None:
        return self._calls.lookup(page)

    def ancestors(self, leaf: Leaf) -> tuple[str, ...] | None:
        return leaf.ancestors

    def _found(self, cql: str, expand: str, limit: int) -> Iterator[Leaf]:
        for body in self._pages(f"{V1}/content/search", [("cql", cql), ("limit", str(limit)), ("expand", expand)]):
            yield from self._calls.leaves(body, "search")

    def _pages(self, path: str, params: Params) -> Iterator[Any]:
        start, empty = 0, 0
        while True:
            body = self._calls.ask(path, [*params, ("start", str(start))])
            yield body
            received, link = len(parse.rows(body, path)), parse.onward(body)
            if link is None:
                return
            empty = 0 if received else empty + 1
            if empty > EMPTY_AT_MOST:
                raise Transient(f"Confluence sends one empty page of {path} after the other; it is read anew at the next turn")
            start = start + received if received else max(start, offset(link) or 0)
