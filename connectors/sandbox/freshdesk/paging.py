"""Bare arrays; the next page stands in the Link header alone. Page numbers, so rows shift while one is paging."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from connectors.sandbox.freshdesk.errors import LAST_PAGE, invalid, too_deep, unexpected
from connectors.sandbox.wire import Problem, Request, Response

DEFAULT_SIZE, LARGEST_SIZE = 30, 100
PAGING = ("page", "per_page")
T = TypeVar("T")


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Arrays and objects alike."""
    told = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return Response(status, json.dumps(body, ensure_ascii=False), told)


def accept(request: Request, known: Collection[str]) -> None:
    """Raises Problem 400 for a query parameter that the endpoint does not know."""
    for name in request.query:
        if name not in known:
            raise Problem(unexpected(name))


def natural(request: Request, name: str, default: int, largest: int | None = None) -> int:
    """A query parameter as a positive whole number. Raises Problem 400."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Problem(invalid(name, "It should be a Positive Integer", "datatype_mismatch" if not text.isdigit() else "invalid_value"))
    if largest is not None and int(text) > largest:
        raise Problem(invalid(name, f"It should be a Positive Integer less than or equal to {largest}"))
    return int(text)


class Pager:
    """Cuts lists into pages. A page that was shown twice, or empty, moves the ones after it until the list is begun anew."""

    def __init__(self) -> None:
        self._moved: dict[tuple[str, str], int] = {}

    def page(self, request: Request, rows: Sequence[T], *, capped: bool = False) -> tuple[Sequence[T], dict[str, str]]:
        """The rows of this page and the answer's headers. `capped`: no page beyond the 300th. Raises Problem 400."""
        size, number = natural(request, "per_page", DEFAULT_SIZE, LARGEST_SIZE), natural(request, "page", 1)
        if capped and number > LAST_PAGE:
            raise Problem(too_deep())
        list_key = (request.path, repr(sorted((k, v) for k, v in request.query.items() if k != "page")))
        if number == 1:
            self._moved.pop(list_key, None)
        first = (number - 1 - self._moved.get(list_key, 0)) * size
        shown, more = rows[first : first + size], first + size < len(rows)
        if request.twist in ("empty_page", "duplicate_page"):
            self._moved[list_key] = self._moved.get(list_key, 0) + 1
            shown, more = ([] if request.twist == "empty_page" else shown), True
        return shown, self._link(request, number + 1) if more or request.twist == "foreign_link" else {}

    def _link(self, request: Request, number: int) -> dict[str, str]:
        target = request.link({"page": number})
        if request.twist == "foreign_link":
            target = f"http://{request.twist_host}{target.removeprefix(request.origin)}"
        return {"link": f'<{target}>; rel="next"'}
