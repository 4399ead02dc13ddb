"""Cloud: v2, and v1 where v2 has nothing: search and restrictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.base import Transient
from connectors.confluence import parse
from connectors.confluence.client import OWN, SEARCHED, V1, V2, Calls, Params, Slice, Space, only_hidden
from connectors.confluence.parse import Leaf
from connectors.http import Denied, HttpError

SLICE = 250  # pages of a list without bodies
ANCESTORS = 250
ALONE = 4  # pages: fewer are asked for one by one where they cannot be asked for together


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
            params = (("status", "current"), ("sort", "id"), ("limit", str(SLICE)))
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

    def protection(self, ids: Sequence[str]) -> tuple[Leaf, ...]:
        """One search for many. Where the index lags behind, a page is missing and is asked for by itself."""
        return tuple(leaf for first in range(0, len(ids), SLICE) for leaf in self._protection(ids[first : first + SLICE]))

    def _protection(self, ids: Sequence[str]) -> tuple[Leaf, ...]:
        try:
            return tuple(self._found(f"id in ({','.join(ids)})", f"ancestors,{OWN}", SLICE, folders=True))
        except HttpError:  # one unreadable ancestor can fail the whole batch: CONFCLOUD-77618
            half = len(ids) // 2
            return (*self._protection(ids[:half]), *self._protection(ids[half:])) if half >= ALONE else ()

    def search(self, cql: str) -> Iterator[Leaf]:
        return self._found(cql, "version,space", SEARCHED)

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

    def _found(self, cql: str, expand: str, limit: int, *, folders: bool = False) -> Iterator[Leaf]:
        params = [("cql", cql), ("limit", str(limit)), ("expand", expand)]
        for body in self._pages(f"{V1}/content/search", params):
            yield from self._calls.leaves(body, "search", folders=folders)

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
