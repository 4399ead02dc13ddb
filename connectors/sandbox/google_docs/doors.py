"""The emulated Drive's own doors below /_sandbox/: what its people do, and what the vendor refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.google_docs.items import Item
from connectors.sandbox.google_docs.world import Refusal
from connectors.sandbox.site import called
from connectors.sandbox.wire import Problem, Request, Response, Route

if TYPE_CHECKING:
    from connectors.sandbox.google_docs.api import GoogleApi

ACTS = (
    "folder",
    "document",
    "shortcut",
    "edit",
    "touch",
    "move",
    "trash",
    "untrash",
    "delete",
    "share",
    "unshare",
    "limit",
    "forbid_download",
    "remark",
)


def state(api: GoogleApi, request: Request, ids: Mapping[str, str]) -> Response:
    """Every item, and how many rows the log of changes has."""
    items = [_shown(api, item) for item in api.tree.items.values()]
    return Response(200, {"items": items, "drives": list(api.tree.drives), "changes": len(api.tree.rows)})


def _shown(api: GoogleApi, item: Item) -> dict[str, Any]:
    told = {"id": item.id, "name": item.name, "mimeType": item.mime, "parent": item.parent, "driveId": item.drive, "version": item.version}
    return {**told, "trashed": api.tree.in_trash(item), "readers": sorted(api.tree.seen_by(item))}


def files(api: GoogleApi, request: Request, ids: Mapping[str, str]) -> Response:
    """{"action": one of ACTS, ...} with that method's own names, such as {"action": "move", "id": "...", "parent": "..."}."""
    asked = request.json()
    action = asked.pop("action", "document")
    if action not in ACTS:
        raise Problem(Response(400, {"error": "BadAction", "description": f"unknown action {action}; known are {', '.join(ACTS)}"}))
    act: Callable[..., Any] = getattr(api.tree, action)
    made = called(act, **asked)
    return Response(200, {"id": made.id if isinstance(made, Item) else asked.get("id")})


def refuse(api: GoogleApi, request: Request, ids: Mapping[str, str]) -> Response:
    """{"reason": "userRateLimitExceeded", "file_id"?: "...", "times"?: 3}; {} takes all refusals back."""
    asked = request.json()
    if not asked:
        api.world.refusals.clear()
        return Response(200, {"refusals": 0})
    api.world.refusals.append(called(Refusal, asked.get("reason", "rateLimitExceeded"), asked.get("file_id"), asked.get("times")))
    return Response(200, {"refusals": len(api.world.refusals)})


def tokens(api: GoogleApi, request: Request, ids: Mapping[str, str]) -> Response:
    """{"forget": "access" | "pages", "code"?: 400 | 404 | 410}."""
    asked = request.json()
    if asked.get("forget") == "access":
        api.sign_in.expire_tokens()
    else:
        api.world.forget_tokens(asked.get("code", 400))
    return Response(200, {})


DOORS = (
    Route("GET", "/_sandbox/state", state),
    Route("POST", "/_sandbox/files", files),
    Route("POST", "/_sandbox/refusals", refuse),
    Route("POST", "/_sandbox/tokens", tokens),
)
