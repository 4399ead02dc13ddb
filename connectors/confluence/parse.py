"""Confluence's answers as our values: once, at the edge; nothing here raises but Transient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.base import Transient


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page as either API tells it; None: that answer does not tell."""

    id: str
    version: int
    status: str
    title: str
    space: str | None  # v2: its id; v1: its key
    parent: str | None  # v2 only
    body: str | None
    url: str
    created: datetime | None
    updated: datetime | None
    restricted: bool | None  # by itself
    ancestors: tuple[str, ...] | None  # all above it
    labels: frozenset[str] | None  # v1 only


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(body: Any, place: str) -> list[dict[str, Any]]:
    """The results of a list. Raises Transient where there is no list: that is not an empty one."""
    found = mapping(body).get("results")
    if not isinstance(found, list):
        raise Transient(f"{place} answers without a list of results")
    return [row for row in found if isinstance(row, dict)]


def onward(body: Any) -> str | None:
    found = mapping(mapping(body).get("_links")).get("next")
    return found if isinstance(found, str) and found else None


def identity(value: Any) -> str | None:
    """A vendor's id as text; both spellings, text and number."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() else None


def moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if found is None else found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def leaf(row: Mapping[str, Any], base: str) -> Leaf | None:
    """A page; None for what has no id."""
    page = identity(row.get("id"))
    if page is None:
        return None
    version, history = mapping(row.get("version")), mapping(row.get("history"))
    number = version.get("number")
    value = mapping(mapping(row.get("body")).get("storage")).get("value")
    links = mapping(row.get("_links"))
    above = row.get("ancestors")
    ids = [identity(mapping(one).get("id")) for one in above] if isinstance(above, list) else None
    space = identity(row.get("spaceId")) or mapping(row.get("space")).get("key")
    webui = links.get("webui")
    home = links.get("base") if isinstance(links.get("base"), str) else base
    return Leaf(
        page,
        number if isinstance(number, int) and not isinstance(number, bool) else 0,
        str(row.get("status") or "current").lower(),
        str(row.get("title") or ""),
        space if isinstance(space, str) else None,
        identity(row.get("parentId")),
        value if isinstance(value, str) else None,
        f"{home}{webui}" if isinstance(webui, str) and webui.startswith("/") else f"{home}/pages/viewpage.action?pageId={page}",
        moment(row.get("createdAt")) or moment(history.get("createdDate")),
        moment(version.get("createdAt")) or moment(version.get("when")),
        restriction(mapping(row.get("restrictions")).get("read")),
        None if ids is None else tuple(one or "?" for one in ids),
        labels(mapping(row.get("metadata")).get("labels")),
    )


def restriction(read: Any) -> bool | None:
    """Whether a read restriction names anybody; none named means none of its own. None: not told for users and groups both."""
    kinds = mapping(mapping(read).get("restrictions"))
    named: list[int] = []
    for kind in ("user", "group"):
        found = mapping(kinds.get(kind)).get("results")
        size = mapping(kinds.get(kind)).get("size")
        if not isinstance(found, list):
            return True if any(named) else None
        named.append(max(len(found), size if isinstance(size, int) else 0))
    return any(named)


def labels(told: Any) -> frozenset[str] | None:
    """Names of labels, in small letters, as Confluence keeps them. None: not told."""
    found = mapping(told).get("results")
    names = [mapping(one).get("name") for one in found] if isinstance(found, list) else None
    return None if names is None else frozenset(name.lower() for name in names if isinstance(name, str))


def base_of(body: Any, otherwise: str) -> str:
    """The address that people use, which `_links.base` names; only for links shown, never for requests."""
    found = mapping(mapping(body).get("_links")).get("base")
    return found.rstrip("/") if isinstance(found, str) and found.startswith(("https://", "http://")) else otherwise
