"""The two ways in which Zendesk cuts a list into pages, with the differences between its two products."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from connectors.sandbox.wire import JsonObject, Problem, Request, Response, fault, listed_fault

LARGEST_PAGE = 100
DEEPEST_PAGE = 100
T = TypeVar("T")
Key = Callable[[T], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Style:
    """How one product answers: Support keeps a `links.next` on the last page, Help Center leaves it out."""

    product: Literal["support", "help_center"]
    offset_size: int


SUPPORT = Style("support", 100)
HELP_CENTER = Style("help_center", 30)


def paginate(
    request: Request, name: str, rows: Sequence[T], key: Key[T], shape: Callable[[T], JsonObject], *, style: Style, descending: bool = False
) -> tuple[JsonObject, list[T]]:
    """`rows` in the order of `key`, cut as the query asks. Returns the body and the rows on it. Raises Problem 400."""
    ordered = sorted(rows, key=key, reverse=descending)
    if any(parameter.startswith("page[") for parameter in request.query):
        return _by_cursor(request, name, ordered, key, shape, style=style, descending=descending)
    return _by_offset(request, name, ordered, shape, style)


def _by_cursor(
    request: Request, name: str, rows: list[T], key: Key[T], shape: Callable[[T], JsonObject], *, style: Style, descending: bool
) -> tuple[JsonObject, list[T]]:
    size = request.integer("page[size]", LARGEST_PAGE)
    if not 1 <= size <= LARGEST_PAGE:
        raise Problem(listed_fault(400, "InvalidPaginationParameter", f"page[size] must lie between 1 and {LARGEST_PAGE}"))
    keys = [_plain(key(row)) for row in rows]
    after, before = request.query.get("page[after]"), request.query.get("page[before]")
    begin, end = 0, len(rows)
    if before is not None:
        end = sum(_precedes(k, _position(before), descending) for k in keys)
        begin = max(0, end - size)
    elif after is not None and (mark := _position(after)):
        begin = sum(not _precedes(mark, k, descending) for k in keys)
    page = rows[begin : min(end, begin + size)]
    has_more = begin + len(page) < len(rows)
    first = _cursor(keys[begin]) if page else before or after
    last = _cursor(keys[begin + len(page) - 1]) if page else after or before
    if request.twist in ("empty_page", "duplicate_page") and rows:
        has_more, last = True, _again(_cursor(keys[begin - 1]) if begin else _cursor([]))
        page = [] if request.twist == "empty_page" else page
    body: JsonObject = {name: [shape(row) for row in page]}
    body["meta"] = {"has_more": has_more, "after_cursor": last, "before_cursor": first}
    body["links"] = _links(request, style, first, last, has_more=has_more, has_less=begin > 0)
    return body, page


def _links(request: Request, style: Style, first: str | None, last: str | None, *, has_more: bool, has_less: bool) -> JsonObject:
    drop = ("page[after]", "page[before]")
    following = request.link({"page[after]": last}, drop) if last else None
    preceding = request.link({"page[before]": first}, drop) if first else None
    if style.product == "support":
        return {"prev": preceding, "next": following}  # non-null on the last page too: only meta.has_more tells the end
    links: JsonObject = {"first": request.link({}, drop), "last": request.link({"page[before]": _cursor([])}, drop)}
    if has_more:
        links["next"] = following
    if has_less:
        links["prev"] = preceding
    return links


def _by_offset(request: Request, name: str, rows: list[T], shape: Callable[[T], JsonObject], style: Style) -> tuple[JsonObject, list[T]]:
    number = max(1, request.integer("page", 1))
    size = min(max(1, request.integer("per_page", style.offset_size)), LARGEST_PAGE)
    if number > DEEPEST_PAGE:
        raise Problem(listed_fault(400, "InvalidPaginationDepth", "Offset pagination ends at page 100; use cursor pagination"))
    begin = (number - 1) * size
    if request.twist == "duplicate_page":
        begin = max(0, begin - 1)  # a row was inserted in front while the client was paging
    page = rows[begin : begin + size]
    body: JsonObject = {name: [shape(row) for row in page], "count": len(rows)}
    body["next_page"] = request.link({"page": number + 1, "per_page": size}) if number * size < len(rows) else None
    body["previous_page"] = request.link({"page": number - 1, "per_page": size}) if number > 1 else None
    if style.product == "help_center":
        body |= {"page": number, "per_page": size, "page_count": -(-len(rows) // size)}
        body |= {"sort_by": request.query.get("sort_by", "position"), "sort_order": request.query.get("sort_order", "asc")}
    return body, page


def _plain(key: tuple[Any, ...]) -> list[Any]:
    return [part.timestamp() if hasattr(part, "timestamp") else part for part in key]


def _precedes(left: list[Any], right: list[Any], descending: bool) -> bool:
    if not right:
        return True  # the position behind the last row
    return left > right if descending else left < right


def _cursor(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _again(cursor: str) -> str:
    """The same position under another name, so that a client sees a new URL."""
    text = base64.urlsafe_b64decode(cursor).decode()
    return base64.urlsafe_b64encode((text + " ").encode()).decode()


def _position(cursor: str) -> list[Any]:
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        key = None
    if not isinstance(key, list):
        raise Problem(listed_fault(400, "InvalidCursor", "The cursor is malformed"))
    return key


def split_ids(request: Request) -> list[int]:
    """`ids=1,2`, at most 100. Raises Problem 400."""
    ids = [int(part) for part in request.query.get("ids", "").split(",") if part.strip().lstrip("-").isdigit()]
    if len(ids) > LARGEST_PAGE:
        message = f"Parameter  cannot specify more than {LARGEST_PAGE} values"
        raise Problem(fault(400, "TooManyValues", message, max_count=LARGEST_PAGE))
    return ids


def ok(body: JsonObject) -> Response:
    return Response(200, body)
