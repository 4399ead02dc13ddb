"""Drive v3's files, permissions, comments, shared drives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.google_docs import exporting
from connectors.sandbox.google_docs.asking import (
    all_drives,
    bad_page_token,
    find,
    first_page,
    known_drive,
    need_fields,
    ok,
    page_size,
    with_drive_items,
)
from connectors.sandbox.google_docs.items import APPS, CAN_LIST_PERMISSIONS, FOLDER, SHEET, Item
from connectors.sandbox.google_docs.problems import drive_problem
from connectors.sandbox.google_docs.query import BadQuery, predicate
from connectors.sandbox.google_docs.shapes import EXPORTS, drive, file, moment, permission, user
from connectors.sandbox.google_docs.sign_in import Token
from connectors.sandbox.google_docs.world import World
from connectors.sandbox.wire import JsonObject, Request, Response

MOST_EXPORTED = 10 * 2**20  # bytes
QUESTION = ("q", "corpora", "driveId", "orderBy", "includeItemsFromAllDrives", "supportsAllDrives", "spaces")
ORDERS: dict[str, Callable[[Item], Any]] = {
    "createdTime": lambda item: item.created,
    "folder": lambda item: item.mime != FOLDER,
    "modifiedTime": lambda item: item.modified,
    "modifiedByMeTime": lambda item: item.modified,
    "recency": lambda item: item.modified,
    "sharedWithMeTime": lambda item: item.created,
    "viewedByMeTime": lambda item: item.created,
    "name": lambda item: item.name.lower(),
    "name_natural": lambda item: item.name.lower(),
    "quotaBytesUsed": lambda item: len(item.content),
    "starred": lambda item: True,
}


def list_files(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    """A page may be short where items of it have gone since the list was begun."""
    size, within = page_size(request, 100, 1000), _corpus(world, token, request)
    question = repr([request.query.get(name) for name in QUESTION])
    if page_token := request.query.get("pageToken"):
        found = world.rest(page_token, question)
        if found is None:
            raise bad_page_token()
    else:
        found = tuple(item.id for item in _ordered(request, _matching(world, token, request, within)))
    shown, left = first_page(found, size, request.twist)
    there = [world.tree.items[id] for id in shown if id in world.tree.items]
    told: JsonObject = {
        "kind": "drive#fileList",
        "incompleteSearch": world.incomplete and request.query.get("corpora") == "allDrives",
        "files": [file(item, world.tree, token.address) for item in there if world.tree.role(item, token.address)],
    }
    if left:
        told["nextPageToken"] = world.keep(question, tuple(left))
    return ok(request, "files", told)


def _corpus(world: World, token: Token, request: Request) -> Callable[[Item], bool]:
    """Which items the search runs over. Raises Problem."""
    shared, corpora, drive_id = with_drive_items(request), request.query.get("corpora", "user"), request.query.get("driveId")
    if corpora not in ("user", "domain", "drive", "allDrives"):
        raise drive_problem("invalid", at="corpora")
    if (corpora == "drive") != bool(drive_id):
        raise drive_problem("invalid", "The driveId parameter must be specified if and only if corpora is set to drive.", at="driveId")
    if corpora in ("drive", "allDrives") and not shared:
        name = "includeItemsFromAllDrives"
        raise drive_problem("invalid", f"The {name} parameter must be set to true for corpora {corpora}.", at=name)
    if request.query.get("spaces", "drive") not in ("drive", ""):
        return lambda item: False
    if drive_id:
        known_drive(world, token, drive_id)
        return lambda item: item.drive == drive_id
    if corpora == "domain":
        return lambda item: any(grant.type == "domain" for grant, _ in world.tree.grants(item))
    return lambda item: shared or item.drive is None


def _matching(world: World, token: Token, request: Request, within: Callable[[Item], bool]) -> list[Item]:
    try:
        q = request.query.get("q", "")
        asked = predicate(q, world.tree, token.address) if q.strip() else (lambda item: True)
    except BadQuery:
        raise drive_problem("invalid", at="q") from None
    roots = {world.tree.root_of(address) for address in world.tree.people} | set(world.tree.drives)
    seen = (item for item in world.tree.items.values() if item.id not in roots and within(item))
    return [item for item in seen if asked(item) and world.tree.role(item, token.address)]


def _ordered(request: Request, items: list[Item]) -> list[Item]:
    """The newest first where nothing is asked. Raises Problem 400."""
    for part in reversed(request.query.get("orderBy", "modifiedTime desc").split(",")):
        name, _, direction = part.strip().partition(" ")
        if name not in ORDERS or direction not in ("", "desc"):
            raise drive_problem("invalid", at="orderBy")
        items.sort(key=ORDERS[name], reverse=direction == "desc")
    return items


def get_file(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    item = find(world, token, request, ids["file"])
    if request.query.get("alt") != "media":
        return ok(request, "file", file(item, world.tree, token.address))
    if item.mime.startswith(APPS):
        raise drive_problem("fileNotDownloadable", at="alt")
    if item.no_download and world.tree.role(item, token.address) not in CAN_LIST_PERMISSIONS:
        raise drive_problem("cannotDownloadFile", "This file cannot be downloaded by the user.", code=403)
    return Response(200, item.content, {"content-type": item.mime})


def export(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    """The first tab of a document. Raises Problem: not to be exported, too large, no such format."""
    item, mime = find(world, token, request, ids["file"], flags=False), request.query.get("mimeType", "")
    if item.mime not in EXPORTS:
        raise drive_problem("fileNotExportable")
    if not mime:
        raise drive_problem("required", "Required parameter: mimeType", at="mimeType")
    if mime not in EXPORTS[item.mime]:
        raise drive_problem("badRequest", "The requested conversion is not supported.", at="convertTo")
    if item.id in world.spoilt or (item.no_download and world.tree.role(item, token.address) not in CAN_LIST_PERMISSIONS):
        raise drive_problem("cannotExportFile")
    body = _exported(item, mime)
    if len(body.encode()) + item.plain_weight + (0 if mime == "text/plain" else item.weight) > MOST_EXPORTED:
        raise drive_problem("exportSizeLimitExceeded")
    return Response(200, body, {"content-type": mime})


def _exported(item: Item, mime: str) -> str:
    if item.mime == SHEET or not item.sheets:
        return item.content
    text = item.sheets[0].text
    if mime == "text/markdown":
        return exporting.markdown(text)
    return exporting.html(text) if mime == "text/html" else exporting.plain(text)


def permissions(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    """For those only who may change them."""
    item = find(world, token, request, ids["file"])
    if world.tree.role(item, token.address) not in CAN_LIST_PERMISSIONS:
        raise drive_problem("insufficientFilePermissions")
    told = [permission(grant, item, place) for grant, place in world.tree.grants(item)]
    if not item.drive:
        owner = user(item.owner, token.address)
        told.insert(
            0, {"kind": "drive#permission", "id": owner["permissionId"], "type": "user", "role": "owner", "emailAddress": item.owner}
        )
    return ok(request, "permissions", {"kind": "drive#permissionList", "permissions": told})


def comments(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    need_fields(request)
    item = find(world, token, request, ids["file"], flags=False)
    told = [
        {
            "kind": "drive#comment",
            "id": f"AAAA{number:07d}",
            "createdTime": moment(said.at),
            "modifiedTime": moment(said.at),
            "author": user(said.by, token.address),
            "content": said.text,
            "htmlContent": said.text,
            "deleted": False,
            "resolved": False,
            "replies": [],
        }
        for number, said in enumerate(item.remarks, 1)
    ]
    return ok(request, "comments", {"kind": "drive#commentList", "comments": told})


def list_drives(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    """Those of which the caller is a member, ten to a page where nothing is asked."""
    if request.query.get("useDomainAdminAccess", "false") == "true":
        raise drive_problem("insufficientPermissions", status="PERMISSION_DENIED")
    size, page_token = page_size(request, 10, 100), request.query.get("pageToken")
    mine = tuple(id for id in world.tree.drives if world.tree.role(world.tree.items[id], token.address))
    found = world.rest(page_token, "drives") if page_token else mine
    if found is None:
        raise bad_page_token()
    shown, left = first_page(found, size, request.twist)
    told: JsonObject = {"kind": "drive#driveList", "drives": [drive(world.tree.drives[id]) for id in shown if id in world.tree.drives]}
    if left:
        told["nextPageToken"] = world.keep("drives", tuple(left))
    return ok(request, "drives", told)


def get_drive(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    known_drive(world, token, ids["drive"])
    return ok(request, "drive", drive(world.tree.drives[ids["drive"]]))


def about(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    need_fields(request)
    told = {"kind": "drive#about", "user": user(token.address, token.address), "storageQuota": {"usage": "0"}, "canCreateDrives": False}
    return ok(request, "about", told)


def start_page_token(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    from connectors.sandbox.google_docs.changes import token_of

    drive_id = request.query.get("driveId")
    if drive_id:
        if not all_drives(request):
            raise drive_problem("supportsTeamDrivesRequired", at="supportsAllDrives")
        known_drive(world, token, drive_id)
    told = {"kind": "drive#startPageToken", "startPageToken": token_of(world, world.tree.next_number, drive_id)}
    return ok(request, "startPageToken", told)
