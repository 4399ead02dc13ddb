"""What no single key can tell: addresses and what stands beside them, names used twice, keys that need one another.

Each check reads the file's plain value, so that its faults are reported together with those of the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.config.faults import Finding, Loc
from bot.config.shape import value_at

ADDRESS_KEYS = frozenset({"base_url", "public_url", "url"})
SECRET_PARAMETERS = re.compile(r"pass(word|wd)?|pwd|secret|token|api_?key|access_?key", re.IGNORECASE)
LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")


def findings(plain: dict[str, Any]) -> Iterator[Finding]:
    """All that is wrong between keys. A wrong type is left to the model."""
    yield from _credentials(plain, ())
    yield from _addresses(plain, (), False)
    yield from _links(plain)
    yield from _database(plain)
    yield from _twice(plain, ("connectors",), "name")
    yield from _twice(plain, ("policy", "topics"), "name")
    yield from _twice(plain, ("console", "people"), "name")
    yield from _languages_twice(plain)
    yield from _replies_without_bound(plain)
    yield from _models(plain)
    yield from _unknown_prices(plain)
    yield from _open_console(plain)


def address_fault(text: str, allow_plain_http: bool = False) -> str | None:
    """Why this is no address to send anything to; None when it is one."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        host = None
    if not host or re.search(r"[\s\x00-\x1f<>\"\\]", text):
        return "not an address; write https://HOST, such as https://acme.example"
    if parts.scheme == "https" or (parts.scheme == "http" and (allow_plain_http or LOOPBACK.fullmatch(host))):
        return "an address has no part after #; remove it" if parts.fragment else None
    if parts.scheme == "http":
        return "plain http would send credentials unprotected; write https://, or put allow_plain_http: true beside it"
    return "write an address that begins with https://"


def _credentials(value: Any, loc: Loc) -> Iterator[Finding]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _credentials(inner, (*loc, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _credentials(inner, (*loc, index))
    elif isinstance(value, str) and "://" in value and _holds_credentials(value):
        yield Finding(loc, "an address must not hold a password or token; " + _instead(loc))


def _holds_credentials(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return "@" in text
    user, at, _ = parts.netloc.rpartition("@")
    if at and (":" in user or parts.scheme in {"http", "https"}):
        return True
    return any(SECRET_PARAMETERS.search(name) for name, value in parse_qsl(parts.query) if value)


def _instead(loc: Loc) -> str:
    if loc == ("database",):
        return "write env:DATABASE_URL and set that variable to the whole address"
    return "remove it from the address, and give it as a reference (env:NAME) under the key meant for it"


def _addresses(value: Any, loc: Loc, plain_http: bool) -> Iterator[Finding]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _addresses(inner, (*loc, index), False)
        return
    if not isinstance(value, dict):
        return
    plain_http = value.get("allow_plain_http") is True or (plain_http and loc[-1:] == ("endpoints",))
    for key, inner in value.items():
        here = (*loc, key)
        if isinstance(inner, str) and (key in ADDRESS_KEYS or loc[-1:] == ("endpoints",)):
            fault = address_fault(inner, plain_http)
            if fault:
                yield Finding(here, fault)
        yield from _addresses(inner, here, plain_http)


def _links(plain: dict[str, Any]) -> Iterator[Finding]:
    links = value_at(plain, ("policy", "allowed_links"))
    for index, link in enumerate(links if isinstance(links, list) else []):
        fault = address_fault(link) if isinstance(link, str) else None
        if fault:
            yield Finding(("policy", "allowed_links", index), fault.replace(", or put allow_plain_http: true beside it", ""))


def _database(plain: dict[str, Any]) -> Iterator[Finding]:
    address = plain.get("database")
    if not isinstance(address, str) or not address.startswith("postgresql://"):
        return
    try:
        host = urlsplit(address).hostname
        urlsplit(address).port  # noqa: B018 - reading it is the check
    except ValueError:
        host = None
    if not host and "host=" not in address:
        yield Finding(("database",), "the address names no host; write postgresql://USER@HOST/DATABASE")


def _twice(plain: dict[str, Any], place: Loc, key: str) -> Iterator[Finding]:
    items = value_at(plain, place)
    seen: dict[str, int] = {}
    for index, item in enumerate(items if isinstance(items, list) else []):
        name = item.get(key) if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        first = seen.setdefault(name.strip().casefold(), index)
        if first != index:
            yield Finding((*place, index, key), f"the name is already used by {'.'.join(map(str, place))}.{first}; give another")


def _languages_twice(plain: dict[str, Any]) -> Iterator[Finding]:
    codes = plain.get("languages")
    seen: set[str] = set()
    for index, code in enumerate(codes if isinstance(codes, list) else []):
        if isinstance(code, str) and code in seen:
            yield Finding(("languages", index), "the language stands here a second time; remove it")
        elif isinstance(code, str):
            seen.add(code)


def _replies_without_bound(plain: dict[str, Any]) -> Iterator[Finding]:
    topics = value_at(plain, ("policy", "topics"))
    for index, topic in enumerate(topics if isinstance(topics, list) else []):
        if isinstance(topic, dict) and topic.get("deliver") == "reply" and topic.get("max_wrong") is None:
            place: Loc = ("policy", "topics", index, "max_wrong")
            yield Finding(place, "missing; replies need a bound on wrong ones: max_wrong: 0.02, or max_wrong: off to waive it")


def _models(plain: dict[str, Any]) -> Iterator[Finding]:
    needs = {
        ("writer", "openai"): "name the model, for example model: gpt-6-luna",
        ("embedding", "openai"): "name the model, for example model: text-embedding-3-small",
        ("embedding", "fastembed"): "name the model, for example model: BAAI/bge-small-en-v1.5",
    }
    for (part, provider), sentence in needs.items():
        if value_at(plain, (part, "provider")) == provider and value_at(plain, (part, "model")) is None:
            yield Finding((part, "model"), f"missing; {sentence}")
    users = {"writer": "openai", "embedding": "openai", "voice": "model", "training": "openai"}
    for part, provider in users.items():
        keyless = value_at(plain, (part, "api_key")) is None and value_at(plain, (part, "base_url")) is None
        if value_at(plain, (part, "provider")) == provider and keyless:
            yield Finding((part, "api_key"), "missing; OpenAI needs one: api_key: env:OPENAI_API_KEY (or name another server by base_url)")


def _unknown_prices(plain: dict[str, Any]) -> Iterator[Finding]:
    budget = plain.get("budget")
    if not isinstance(budget, dict) or all(value is None for value in budget.values()):
        return
    written = value_at(plain, ("writer", "prices")) is not None
    sentence = "missing; a budget cannot be kept with an unknown price: prices: {input: 0.10, output: 0.50}, in USD per million tokens"
    if value_at(plain, ("writer", "provider")) == "openai" and not written:
        yield Finding(("writer", "prices"), sentence)
    if value_at(plain, ("voice", "provider")) == "model" and not written and value_at(plain, ("voice", "prices")) is None:
        yield Finding(("voice", "prices"), sentence)


def _open_console(plain: dict[str, Any]) -> Iterator[Finding]:
    bind = value_at(plain, ("console", "bind"))
    signed_in = any(value_at(plain, ("console", key)) for key in ("password", "people", "proxy"))
    if not isinstance(bind, str) or ":" not in bind or signed_in:
        return
    if not LOOPBACK.fullmatch(bind.rpartition(":")[0].strip("[]")):
        yield Finding(
            ("console", "password"), "missing; others can reach this address: password: env:DRAFTDESK_PASSWORD, or bind to 127.0.0.1:8080"
        )
