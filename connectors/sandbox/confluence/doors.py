"""The wiki's own doors below /_sandbox/: what its people do, and which oddities it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.sandbox.confluence.records import Item
from connectors.sandbox.site import called
from connectors.sandbox.wire import Problem, Request, Response, Route

if TYPE_CHECKING:
    from connectors.sandbox.confluence.api import ConfluenceApi

Ids = Mapping[str, str]
ACTS = (
    *("create", "edit", "trash", "restore", "purge", "archive", "unarchive", "unpublish", "publish", "move"),
    *("restrict", "unrestrict", "mute", "open_space", "label", "unlabel", "attach", "remark", "spoil"),
)


def state(api: ConfluenceApi, request: Request, ids: Ids) -> Response:
    """Every space and page."""
    pages = [_shown(api, item) for item in api.wiki.items.values()]
    spaces = [{"id": s.id, "key": s.key, "name": s.name, "status": s.status} for s in api.wiki.spaces.values()]
    return Response(200, {"spaces": spaces, "pages": pages, "flavour": api.world.flavour})


def _shown(api: ConfluenceApi, item: Item) -> dict[str, Any]:
    told = {"id": item.id, "kind": item.kind, "space": item.space, "parent": item.parent, "title": item.title, "status": item.status}
    seen = api.wiki.admits(item, api.wiki.accounts[api.access.bot])
    return {**told, "version": item.last.number, "restricted": api.wiki.restricted(item), "seen_by_bot": seen}


def pages(api: ConfluenceApi, request: Request, ids: Ids) -> Response:
    """{"action": one of ACTS, ...} with that method's own names, such as {"action": "move", "id": 98311, "parent": 98305}."""
    asked = request.json()
    action = asked.pop("action", "create")
    if action not in ACTS:
        raise Problem(Response(400, {"error": "BadAction", "description": f"unknown action {action}; known are {', '.join(ACTS)}"}))
    act: Callable[..., Any] = getattr(api.wiki, action)
    made = called(act, **asked)
    return Response(200, {"id": made.id if isinstance(made, Item) else asked.get("id")})


def quirks(api: ConfluenceApi, request: Request, ids: Ids) -> Response:
    """{"archived_found": false, "index_delay": 120, ...}: fields of Quirks; a delay is in seconds. Answers with all of them."""
    for name, value in request.json().items():
        if not hasattr(api.world.quirks, name):
            raise Problem(Response(400, {"error": "BadQuirk", "description": f"unknown {name}"}))
        setattr(api.world.quirks, name, timedelta(seconds=value) if name == "index_delay" else value)
    told = asdict(api.world.quirks)
    return Response(200, {**told, "index_delay": told["index_delay"].total_seconds()})


def cursors(api: ConfluenceApi, request: Request, ids: Ids) -> Response:
    """Every cursor given so far is forgotten."""
    api.forget_cursors()
    return Response(200, {"era": api.world.era})


DOORS = (
    Route("GET", "/_sandbox/state", state),
    Route("POST", "/_sandbox/pages", pages),
    Route("POST", "/_sandbox/quirks", quirks),
    Route("POST", "/_sandbox/cursors", cursors),
)
