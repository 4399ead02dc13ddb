"""A vendor's error answer, whatever its shape, as one short sentence for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

SENTENCE = 200  # characters
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
# Long unbroken runs are tokens, signatures and signed links more often than words; a sentence can do without.
_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=.%]{28,}")
_FIRST = ("title", "error", "code")
_THEN = ("message", "detail", "description", "error_description", "msg", "errorMessage")


def sentence(content_type: str, body: bytes) -> str:
    """What the vendor said, at most SENTENCE characters, addresses and token-like runs masked; "" for nothing.

    Reads an error string or object, `errors[]`, `details` by field, plain text and HTML.
    """
    text = body[:65_536].decode("utf-8", "replace").strip()
    if looks_like_html(content_type, body):
        title = _TITLE.search(text)
        said = f"an HTML page: {title[1]}" if title and title[1].strip() else "an HTML page"
    elif text[:1] in ("{", "["):
        said = "; ".join(dict.fromkeys(_spoken(_parsed(text), depth=0)))
    else:
        said = text
    return short(said)


def looks_like_html(content_type: str, body: bytes) -> bool:
    return "html" in content_type.lower() or body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def short(text: str) -> str:
    """One masked line of at most SENTENCE characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    masked = _TOKEN.sub("…", _MAIL.sub("…", line))
    return masked if len(masked) <= SENTENCE else masked[: SENTENCE - 1] + "…"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return "an unfinished JSON answer"


def _spoken(value: object, depth: int) -> Iterator[str]:
    """The sentences in an envelope, outermost first."""
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, list) and depth < 6:
        for item in value[:5]:
            yield from _spoken(item, depth + 1)
    elif isinstance(value, Mapping) and depth < 6:
        yield from _object(value, depth)


def _object(value: Mapping[str, object], depth: int) -> Iterator[str]:
    field = value.get("field")
    heads = [said for key in _FIRST for said in _spoken(value.get(key), depth + 1)]
    tails = [said for key in _THEN for said in _spoken(value.get(key), depth + 1)]
    parts = dict.fromkeys(tails if isinstance(field, str) and tails else heads + tails)
    if parts:
        yield (f"{field}: " if isinstance(field, str) else "") + ": ".join(parts)
    yield from _spoken(value.get("errors") if not isinstance(value.get("errors"), Mapping) else None, depth + 1)
    for key in ("details", "errors"):
        by_field = value.get(key)
        if isinstance(by_field, Mapping):
            for name, faults in list(by_field.items())[:5]:
                yield from (f"{name}: {said}" for said in _spoken(faults, depth + 1))
