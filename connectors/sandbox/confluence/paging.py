"""Pages by opaque cursor (Cloud) and by offset (Data Center, and Cloud's old endpoints), with the links that lead on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, TypeVar
from urllib.parse import quote

from connectors.sandbox.confluence.problems import BAD_CURSOR, CURSOR_HINT, ILLEGAL, v1, v2_invalid
from connectors.sandbox.confluence.world import World
from connectors.sandbox.wire import JsonObject, Request

T = TypeVar("T")
Key = tuple[Any, ...]  # what a row is ordered by, its id last


@dataclass(frozen=True, slots=True)
class Cut:
    """One page: its rows, and the cursor that leads on (None: the end)."""

    rows: Sequence[Any]
    cursor: str | None


def base_link(world: World, request: Request) -> str:
    """`_links.base`: the address people use; behind the gateway that is another host than the API's (see ConfluenceApi)."""
    if request.twist == "foreign_link":
        return f"http://{request.twist_host}{world.context}"
    return f"{request.origin}{world.context}"


def many(request: Request, name: str) -> list[str]:
    """A parameter that may be repeated or hold several values with commas between them."""
    return [part for key, value in request.pairs if key == name for part in value.split(",") if part]


# --- cursors ---


def by_cursor(
    world: World, request: Request, rows: Sequence[T], key: Callable[[T], Key], *, limit: int, down: tuple[bool, ...] = ()
) -> Cut:
    """`down`: which parts of the key descend. Raises ValueError for a cursor that is none, or forgotten."""

    def order(a: Key, b: Key) -> int:
        for number, (left, right) in enumerate(zip(a, b, strict=True)):
            if left != right:
                return (1 if left > right else -1) * (-1 if number < len(down) and down[number] else 1)
        return 0

    def compare(a: T, b: T) -> int:
        return order(key(a), key(b))

    text = request.query.get("cursor", "")
    after = _read(world, text) if text else None
    try:
        ordered = sorted(rows if after is None else [row for row in rows if order(key(row), after) > 0], key=cmp_to_key(compare))
    except TypeError:
        raise ValueError("a cursor of another question") from None
    if request.twist == "empty_page":
        return Cut((), text or _write(world, None))
    page = ordered[:limit]
    if request.twist == "duplicate_page":
        return Cut(page, text or _write(world, None))
    return Cut(page, _write(world, key(page[-1])) if page and len(ordered) > limit else None)


def _write(world: World, key: Key | None) -> str:
    """`contentOrderValue` is what the next page begins behind. A word that makes a plus sign appear may be added."""
    told: JsonObject = {"id": str(key[-1]) if key else "", "contentOrder": "id", "contentOrderValue": list(key or ()), "era": world.era}
    text = json.dumps(told, separators=(",", ":"))
    if world.quirks.plus_in_cursors:
        text = json.dumps({**told, "~": ">>>>>"}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def _read(world: World, text: str) -> Key | None:
    try:
        told = json.loads(base64.b64decode(text, validate=True))
        value, era = told["contentOrderValue"], told["era"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ValueError("no cursor") from None
    if era != world.era or not isinstance(value, list):
        raise ValueError("a forgotten cursor")
    return tuple(value) or None


# --- v2 ---


def v2_limit(request: Request, default: int = 25, most: int = 250) -> int:
    text = request.query.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise v2_invalid(f"Provided value {{{text}}} for 'limit' is not valid. It must be between 1 and {most}.")
    return int(text)


def v2_list(
    world: World,
    request: Request,
    rows: Sequence[T],
    key: Callable[[T], Key],
    shape: Callable[[T], JsonObject],
    *,
    down: bool = False,
    keep: Callable[[T], bool] | None = None,
    default: int = 25,
) -> tuple[JsonObject, dict[str, str]]:
    """The envelope and its Link header. `keep`: who may see a row; left out before or after the page is cut. Raises Problem 400."""
    late = keep is not None and world.quirks.filters_late
    seen = rows if keep is None or late else [row for row in rows if keep(row)]
    try:
        cut = by_cursor(world, request, seen, key, limit=v2_limit(request, default), down=(down,))
    except ValueError:
        raise v2_invalid(BAD_CURSOR, CURSOR_HINT) from None
    results = [shape(row) for row in cut.rows if keep is None or keep(row)]
    base = base_link(world, request)
    links = {"base": base}
    relations = [f'<{base}>; rel="base"']
    if cut.cursor is not None:
        path = _address(world, request, request.path, _onward(request, cut.cursor))
        links = {"next": path, "base": base}
        relations.insert(0, f'<{path}>; rel="next"')
    return {"results": results, "_links": links}, {"link": ", ".join(relations)}


def _onward(request: Request, cursor: str) -> str:
    """The cursor first, its equals signs as they are; then the other parameters."""
    rest = sorted((name, value) for name, value in request.pairs if name != "cursor")
    return "&".join([f"cursor={quote(cursor, safe='=')}", *(f"{name}={quote(value, safe=',')}" for name, value in rest)])


def _address(world: World, request: Request, path: str, query: str) -> str:
    if request.twist == "foreign_link":
        return f"http://{request.twist_host}{path}?{query}"
    return f"{request.origin if world.quirks.absolute_next else ''}{path}?{query}"


# --- v1 ---


def number(world: World, request: Request, name: str, default: int) -> int:
    """Raises Problem 400."""
    text = request.query.get(name, str(default))
    try:
        found = int(text)
    except ValueError:
        raise v1(400, f"{ILLEGAL}{name} must be a number", cloud=world.cloud) from None
    if found < 0:
        raise v1(400, f"{ILLEGAL}{name} cannot be less than zero", cloud=world.cloud)
    return found


def v1_envelope(world: World, request: Request, results: list[JsonObject], *, start: int, limit: int) -> JsonObject:
    base = base_link(world, request)
    links = {"base": base, "context": world.context, "self": f"{base}{v1_path(world, request)}"}
    return {"results": results, "start": start, "limit": limit, "size": len(results), "_links": links}


def v1_path(world: World, request: Request) -> str:
    """The path below the context, as v1's links have it."""
    return request.path.removeprefix(world.context)


def v1_by_offset(
    world: World, request: Request, rows: Sequence[T], shape: Callable[[T], JsonObject], *, cap: int, default: int = 25
) -> JsonObject:
    """`limit` above `cap` is lessened; on Data Center the next link is still reckoned from the limit asked for. Raises Problem 400."""
    asked, start = number(world, request, "limit", default), number(world, request, "start", 0)
    limit, path = min(asked, cap), v1_path(world, request)
    if request.twist == "empty_page":
        results: list[JsonObject] = []
        onward = start
    else:
        results = [shape(row) for row in rows[start : start + limit]]
        onward = start if request.twist == "duplicate_page" else start + (limit if world.cloud else asked)
    told = v1_envelope(world, request, results, start=start, limit=limit)
    if start + len(results) < len(rows):
        query = "&".join(f"{k}={quote(v, safe='=,')}" for k, v in request.pairs if k not in ("start", "limit"))
        # A limit of nothing leads to itself for ever, as it does at the vendor.
        told["_links"]["next"] = f"{path}?{query}{'&' if query else ''}limit={asked}&start={onward}"
        if request.twist == "foreign_link":
            told["_links"]["next"] = f"http://{request.twist_host}{world.context}{told['_links']['next']}"
    return told


def v1_by_cursor(
    world: World,
    request: Request,
    rows: Sequence[T],
    key: Callable[[T], Key],
    shape: Callable[[T], JsonObject],
    *,
    limit: int,
    down: tuple[bool, ...],
) -> JsonObject:
    """Searching on Cloud: `start` is ignored. Raises Problem 400, or 500 for a cursor that the search does not know."""
    path = v1_path(world, request)
    if limit == 0:
        cut = Cut((), request.query.get("cursor") or _write(world, None))
    else:
        try:
            cut = by_cursor(world, request, rows, key, limit=limit, down=down)
        except ValueError:
            raise v1(500, "Exception calling the XP-Search Aggregator API: the cursor is not valid", cloud=True) from None
    told = v1_envelope(world, request, [shape(row) for row in cut.rows], start=0, limit=limit)
    if cut.cursor is not None:
        kept = "&".join(f"{k}={quote(v, safe='=,')}" for k, v in request.pairs if k not in ("cursor", "start", "limit"))
        onward = f"{path}?{kept}&limit={limit}&cursor={quote(cut.cursor, safe='=')}"
        host = f"http://{request.twist_host}{world.context}" if request.twist == "foreign_link" else ""
        told["_links"]["next"] = f"{host}{onward}"
    return told
