"""A request, its answer, the error envelopes, and the table of routes: what every emulated API is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

JsonObject = dict[str, Any]
NUMBER = r"(?P<{name}>-?\d+)"
LOCALE = r"(?P<{name}>[a-zA-Z]{{2}}(?:-[a-zA-Z0-9]+)?)"
WORD = r"(?P<{name}>[^/]+?)"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the user the credentials act as and, with OAuth, the scopes of the token (None: all)."""

    user_id: int
    role: str
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """`body`: a dict is sent as JSON, text as text/plain unless a content-type header says otherwise, None as nothing."""

    status: int
    body: JsonObject | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # send half of the body, then close

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)).encode()

    def content_type(self) -> str:
        for name, value in self.headers.items():
            if name.lower() == "content-type":
                return value
        return "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json; charset=utf-8"

    def with_headers(self, headers: Mapping[str, str]) -> Response:
        return replace(self, headers={**self.headers, **headers})


class Problem(Exception):
    """An answer that ends the call early."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response


@dataclass(frozen=True, slots=True)
class Request:
    """`path` without query; header names in lower case; `twist` names a paging fault to be shown."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    caller: Caller | None = None
    twist: str | None = None
    twist_host: str = ""  # where a foreign next-link leads
    pairs: tuple[tuple[str, str], ...] = ()  # the query in its order, repeated names and all

    def json(self) -> JsonObject:
        """The body as a JSON object. Raises Problem 400."""
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            raise Problem(fault(400, "Unparsable", "The request body is not JSON")) from None
        if not isinstance(content, dict):
            raise Problem(fault(400, "Unparsable", "A JSON object is expected"))
        return content

    def integer(self, name: str, default: int) -> int:
        """A query parameter as a whole number. Raises Problem 400."""
        text = self.query.get(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError:
            raise Problem(fault(400, "InvalidValue", f"{name} must be an integer")) from None

    def includes(self, name: str) -> bool:
        return name in self.query.get("include", "").split(",")

    def link(self, changes: Mapping[str, object], drop: tuple[str, ...] = ()) -> str:
        """The absolute URL of this request with some query parameters changed or dropped."""
        query = {key: value for key, value in self.query.items() if key not in drop}
        query.update({key: str(value) for key, value in changes.items()})
        return f"{self.origin}{quote(self.path)}?{urlencode(query)}"


def fault(status: int, error: str, description: str, **extra: Any) -> Response:
    """The common envelope of Zendesk's errors: a string and its description."""
    return Response(status, {"error": error, "description": description, **extra})


def listed_fault(status: int, code: str, title: str) -> Response:
    """The JSON:API-like envelope, used by pagination errors."""
    return Response(status, {"errors": [{"code": code, "title": title}]})


def forbidden_role() -> Response:
    message = "You do not have access to this page. Please contact the account owner of this help desk for further help."
    return Response(403, {"error": {"title": "Forbidden", "message": message}})


def not_found() -> Response:
    return fault(404, "RecordNotFound", "Not found")


def no_endpoint() -> Response:
    return fault(404, "InvalidEndpoint", "Not found")


def invalid(field_name: str, description: str, error: str = "InvalidValue") -> Response:
    """422 with `details` keyed by field."""
    details = {field_name: [{"description": description, "error": error}]}
    return fault(422, "RecordInvalid", "Record validation errors", details=details)


@dataclass(frozen=True, slots=True)
class Route:
    """`template` may hold {x_id} (digits), {locale} and {word}; `bucket` names the endpoint's own rate limit."""

    method: str
    template: str
    call: Callable[..., Response]
    bucket: str | None = None

    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", self.template)
        text = "".join(re.escape(part) if i % 2 == 0 else _group(part) for i, part in enumerate(parts))
        return re.compile(f"^{text}(?:\\.json)?/?$")


def _group(name: str) -> str:
    shape = NUMBER if name.endswith("_id") else LOCALE if name == "locale" else WORD
    return shape.format(name=name)


class Routes:
    """Finds the first route of a request; an unknown path and a known one under another method are told apart."""

    def __init__(self, *routes: Route) -> None:
        self._table = [(route.pattern(), route) for route in routes]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._table:
            if route.method == method and (match := pattern.match(path)):
                return route, {name: text.lower() if name == "locale" else text for name, text in match.groupdict().items()}
        return None
