"""Cloud's v2 endpoints: spaces, and pages with what hangs on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.confluence import shapes
from connectors.sandbox.confluence.paging import Key, many, v2_limit, v2_list
from connectors.sandbox.confluence.problems import v2_invalid, v2_not_found
from connectors.sandbox.confluence.records import Account, Item, Space
from connectors.sandbox.confluence.world import World
from connectors.sandbox.wire import JsonObject, Request, Response, Route

Ids = Mapping[str, str]
LISTED = ("current", "archived", "deleted", "trashed")
LIST_BODIES = ("storage", "atlas_doc_format")
BODIES = (*LIST_BODIES, "view", "export_view", "anonymous_export_view", "styled_view", "editor")
SORTS: dict[str, Callable[[Item], Any]] = {
    "id": lambda item: item.id,
    "created-date": lambda item: item.created.isoformat(),
    "modified-date": lambda item: item.last.at.isoformat(),
    "title": lambda item: item.title.lower(),
}
MOST_IDS, MOST_SPACES, MOST_INCLUDED = 250, 100, 50
READ_PAGE, READ_SPACE = "read:page:confluence", "read:space:confluence"
READ_LABEL, READ_FILE = "read:label:confluence", "read:attachment:confluence"
READ_METADATA = "read:content.metadata:confluence"


def spaces(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """What the account may not see is left out without a word."""
    keys, numbers = many(request, "keys"), many(request, "ids")
    if len(keys) > MOST_IDS or len(numbers) > MOST_IDS:
        raise v2_invalid(f"At most {MOST_IDS} keys or ids may be given.")
    wanted = {"type": ("global", "personal", "collaboration", "knowledge_base"), "status": ("current", "archived")}
    asked = {name: _choice(request, name, known) for name, known in wanted.items()}
    rows = [
        space
        for space in world.wiki.spaces.values()
        if space.readers.admit(account)
        and (not keys or space.key in keys)
        and (not numbers or str(space.id) in numbers)
        and asked["type"] in (None, space.kind)
        and asked["status"] in (None, space.status)
    ]
    form = request.query.get("description-format")
    told, headers = v2_list(world, request, rows, lambda space: (space.id,), lambda space: shapes.space(world, space, form))
    return Response(200, told, headers)


def space(world: World, account: Account, request: Request, ids: Ids) -> Response:
    return Response(200, shapes.space(world, _space(world, account, ids), request.query.get("description-format")))


def space_permissions(world: World, account: Account, request: Request, ids: Ids) -> Response:
    readers = _space(world, account, ids).readers
    principals = [("user", id) for id in readers.users] + [("group", name) for name in readers.groups]
    rows = [
        {"id": str(n), "principal": {"type": kind, "id": id}, "operation": {"key": "read", "targetType": "space"}}
        for n, (kind, id) in enumerate(principals, start=1)
    ]
    told, headers = v2_list(world, request, rows, lambda row: (int(str(row["id"])),), dict)
    return Response(200, told, headers)


def space_pages(world: World, account: Account, request: Request, ids: Ids) -> Response:
    found = _space(world, account, ids)
    depth = _choice(request, "depth", ("all", "root"))
    rows = [item for item in world.wiki.items.values() if item.space == found.key and (depth != "root" or item.parent is None)]
    return _pages(world, account, request, rows)


def pages(world: World, account: Account, request: Request, ids: Ids) -> Response:
    wanted, homes = many(request, "id"), many(request, "space-id")
    if len(wanted) > MOST_IDS or len(homes) > MOST_SPACES:
        raise v2_invalid(f"At most {MOST_IDS} ids and {MOST_SPACES} spaces may be given.")
    rows = [
        item
        for item in world.wiki.items.values()
        if (not wanted or str(item.id) in wanted) and (not homes or str(world.wiki.spaces[item.space].id) in homes)
    ]
    return _pages(world, account, request, rows)


def _pages(world: World, account: Account, request: Request, rows: list[Item]) -> Response:
    statuses = many(request, "status") or ["current", "archived"]
    if unknown := [status for status in statuses if status not in LISTED]:
        raise v2_invalid(f"Provided value {{{unknown[0]}}} for 'status' is not valid. Allowed are {', '.join(LISTED)}.")
    form = _choice(request, "body-format", LIST_BODIES)
    sort, title = _choice(request, "sort", (*SORTS, *(f"-{name}" for name in SORTS))) or "id", request.query.get("title")
    value = SORTS[sort.removeprefix("-")]
    found = [item for item in rows if item.kind == "page" and item.status in statuses and title in (None, item.title)]

    def key(item: Item) -> Key:
        return (value(item), item.id)

    told, headers = v2_list(
        world,
        request,
        found,
        key,
        lambda item: shapes.page(world, item, account, form),
        down=sort.startswith("-"),
        keep=lambda item: world.wiki.admits(item, account),
    )
    return Response(200, told, headers)


def page(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """Not there and not to be seen are one answer."""
    statuses = tuple(many(request, "status")) or ("current", "archived")
    if request.query.get("get-draft") == "true":
        statuses = (*statuses, "draft")
    item = _page(world, account, ids, statuses)
    form = _choice(request, "body-format", BODIES)
    edition = item.last
    if "version" in request.query:
        wanted = [e for e in item.editions if str(e.number) == request.query["version"]]
        if not wanted:
            raise v2_not_found()
        edition = wanted[0]
    told = shapes.page(world, item, account, form, edition)
    return Response(200, {**told, **_included(world, request, item)})


def _included(world: World, request: Request, item: Item) -> JsonObject:
    rows: dict[str, list[JsonObject]] = {
        "labels": [shapes.label(name, shapes.label_id(name)) for name in item.labels],
        "versions": [shapes.version(world, edition) for edition in reversed(item.editions)],
        "operations": list(_OPERATIONS),
        "properties": [],
    }
    told: JsonObject = {}
    for name, found in rows.items():
        if request.query.get(f"include-{name}") == "true":
            more = len(found) > MOST_INCLUDED
            links = {"self": f"/wiki/api/v2/pages/{item.id}/{name}"}
            told[name] = {"results": found[:MOST_INCLUDED], "meta": {"hasMore": more, "cursor": ""}, "_links": links}
    return told


_OPERATIONS: tuple[JsonObject, ...] = ({"operation": "read", "targetType": "page"}, {"operation": "export", "targetType": "page"})


def operations(world: World, account: Account, request: Request, ids: Ids) -> Response:
    _page(world, account, ids)
    return Response(200, {"operations": list(_OPERATIONS)})


def labels(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item = _page(world, account, ids)
    told, headers = v2_list(
        world, request, item.labels, lambda name: (shapes.label_id(name),), lambda name: shapes.label(name, shapes.label_id(name))
    )
    return Response(200, told, headers)


def labelled(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """Pages of a label."""
    rows = [item for item in world.wiki.items.values() if any(str(shapes.label_id(name)) == ids["label_id"] for name in item.labels)]
    return _pages(world, account, request, rows)


def versions(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item, form = _page(world, account, ids), _choice(request, "body-format", LIST_BODIES)

    def shape(edition: Any) -> JsonObject:
        told = {"id": str(item.id), "title": edition.title}
        if form:
            told["body"] = {form: {"representation": form, "value": shapes.body(world, item, account, form, edition)}}
        return {**shapes.version(world, edition), "page": told}

    told, headers = v2_list(world, request, item.editions, lambda edition: (edition.number,), shape, down=True)
    return Response(200, told, headers)


def children(world: World, account: Account, request: Request, ids: Ids) -> Response:
    above = _page(world, account, ids)
    rows = [i for i in world.wiki.items.values() if i.parent == above.id and i.kind == "page" and i.status in ("current", "archived")]

    def shape(item: Item) -> JsonObject:
        home = str(world.wiki.spaces[item.space].id)
        return {"id": str(item.id), "status": item.status, "title": item.title, "spaceId": home, "childPosition": item.position}

    told, headers = v2_list(
        world, request, rows, lambda item: (item.position, item.id), shape, keep=lambda item: world.wiki.admits(item, account)
    )
    return Response(200, told, headers)


def ancestors(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """The nearest `limit` of them, the topmost first; who wants more asks again with the topmost. No cursor."""
    above = world.wiki.above(_page(world, account, ids))
    limit = v2_limit(request)
    return Response(200, {"results": [{"id": str(item.id), "type": item.kind} for item in above[-limit:]], "_links": {}})


def attachments(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item = _page(world, account, ids)
    files = item.files if "current" in (many(request, "status") or ["current"]) else []
    told, headers = v2_list(
        world, request, files, lambda file: (file.id,), lambda file: shapes.attachment(world, item, file), default=50
    )
    return Response(200, told, headers)


def attachment(world: World, account: Account, request: Request, ids: Ids) -> Response:
    for item in world.wiki.items.values():
        for file in item.files:
            if ids["attachment"] in (f"att{file.id}", str(file.id)) and item.status != "trashed" and world.wiki.admits(item, account):
                return Response(200, shapes.attachment(world, item, file))
    raise v2_not_found()


def comments(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item = _page(world, account, ids)
    told, headers = v2_list(
        world, request, item.remarks, lambda remark: (remark.id,), lambda remark: shapes.comment(world, item, remark)
    )
    return Response(200, told, headers)


def nothing(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """A list that is empty here."""
    _page(world, account, ids)
    told, headers = v2_list(world, request, [], lambda row: (row,), dict)
    return Response(200, told, headers)


def _space(world: World, account: Account, ids: Ids) -> Space:
    for found in world.wiki.spaces.values():
        if str(found.id) == ids["space_id"] and found.readers.admit(account):
            return found
    raise v2_not_found()


def _page(world: World, account: Account, ids: Ids, statuses: tuple[str, ...] = ("current", "archived")) -> Item:
    item = world.page(ids["page_id"], account, statuses)
    if item is None or item.kind != "page":
        raise v2_not_found()
    return item


def _choice(request: Request, name: str, known: tuple[str, ...]) -> str | None:
    """Raises Problem 400."""
    value = request.query.get(name)
    if value is not None and value not in known:
        raise v2_invalid(f"Provided value {{{value}}} for '{name}' is not valid. Allowed are {', '.join(known)}.")
    return value


V2 = tuple(
    Route("GET", f"/wiki/api/v2/{path}", call, scopes)
    for path, call, scopes in (
        ("spaces", spaces, READ_SPACE),
        ("spaces/{space_id}", space, READ_SPACE),
        ("spaces/{space_id}/pages", space_pages, READ_PAGE),
        ("spaces/{space_id}/permissions", space_permissions, READ_SPACE),
        ("pages", pages, READ_PAGE),
        ("pages/{page_id}", page, READ_PAGE),
        ("pages/{page_id}/labels", labels, READ_LABEL),
        ("pages/{page_id}/versions", versions, READ_PAGE),
        ("pages/{page_id}/children", children, READ_PAGE),
        ("pages/{page_id}/ancestors", ancestors, f"{READ_METADATA}|{READ_PAGE}"),
        ("pages/{page_id}/operations", operations, READ_PAGE),
        ("pages/{page_id}/attachments", attachments, READ_FILE),
        ("pages/{page_id}/footer-comments", comments, "read:comment:confluence"),
        ("pages/{page_id}/inline-comments", nothing, "read:comment:confluence"),
        ("pages/{page_id}/properties", nothing, READ_PAGE),
        ("attachments/{attachment}", attachment, READ_FILE),
        ("labels/{label_id}/pages", labelled, READ_PAGE),
    )
)
