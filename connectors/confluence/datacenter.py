"""Data Center: v1, with offsets.

A capped limit makes the server's own `next` skip pages (CONFSERVER-95272): the next start is the last one plus what was received.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.base import Transient
from connectors.confluence import parse
from connectors.confluence.client import BODIES, EMPTY_AT_MOST, OWN, SEARCHED, V1, WITH_BODY, WITHOUT_BODY, Calls, Params, Slice, Space
from connectors.confluence.parse import Leaf
from connectors.http import HttpError

SLICE = 200  # pages of a list without bodies: the cap for what is expanded


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
        asked = [("spaceKey", space.key), ("type", "page"), ("status", "current"), ("start", str(start)), ("limit", str(SLICE))]
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

    def protection(self, ids: Sequence[str]) -> tuple[Leaf, ...]:
        """Of what is above the pages: of themselves the lists told it already."""
        groups = (ids[first : first + SEARCHED] for first in range(0, len(ids), SEARCHED))
        return tuple(leaf for group in groups for leaf in self._found(f"id in ({','.join(group)})", f"ancestors,{OWN}", SEARCHED))

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


def offset(link: str | None) -> int | None:
    """Where a `next` link starts."""
    found = parse_qs(urlsplit(link or "").query).get("start", [""])[0]
    return int(found) if found.isdigit() else None
