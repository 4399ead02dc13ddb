"""v1: searching, restrictions and who one is (both flavours), content and spaces (Data Center; deprecated on Cloud)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.confluence import cql
from connectors.sandbox.confluence.paging import Key, base_link, number, v1_by_cursor, v1_by_offset
from connectors.sandbox.confluence.problems import ILLEGAL, html, v1, v1_not_found
from connectors.sandbox.confluence.records import ANONYMOUS, Account, Entry, Item
from connectors.sandbox.confluence.shapes import webui
from connectors.sandbox.confluence.shapes_v1 import Expanded, attachment, content, friendly, person, restriction, space
from connectors.sandbox.confluence.world import World
from connectors.sandbox.wire import JsonObject, Problem, Request, Response, Route

Ids = Mapping[str, str]
Found = tuple[Item, Entry]
Answered = tuple[list[Found], tuple[tuple[str, bool], ...]]  # rows, and what they are ordered by
MOST, MOST_RENDERED, MOST_BODIES, MOST_EXPANDED = 1000, 25, 50, 200
LARGEST_START = 100_000
DEPRECATED = {"warning": '299 - "Deprecated API, will be removed on 2027-03-31"', "deprecation": "true"}
SEARCH, RESTRICTION = "search:confluence", "read:content.restriction:confluence"
DETAILS, ME = "read:content-details:confluence", "read:user:confluence|read:content-details:confluence"


# --- searching ---


def content_search(world: World, account: Account, request: Request, ids: Ids) -> Response:
    found = _search(world, account, request, request.query.get("includeArchivedSpaces") == "true")
    expanded = Expanded(request.query.get("expand", ""))
    _unreadable_ancestors(world, account, found[0], expanded)
    shape: Callable[[Found], JsonObject] = lambda row: content(world, request, row[0], account, expanded)  # noqa: E731
    told = _cut(world, request, found, shape, _limit_of(world, expanded))
    _not_too_heavy(world, told)
    return Response(200, told)


def search(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """Results wrap content; bodies do not fit here."""
    if world.cloud and world.quirks.search_broken:
        raise html(400)
    if not request.query.get("limit", "25").lstrip("-").isdigit():
        raise Problem(Response(404, None))
    found = _search(world, account, request, request.query.get("includeArchivedSpaces") == "true")

    def shape(row: Found) -> JsonObject:
        item = row[0]
        home = world.wiki.spaces[item.space]
        return {
            "content": content(world, request, item, account, Expanded("")),
            "title": item.title,
            "excerpt": "",
            "url": webui(world, item),
            "resultGlobalContainer": {"title": home.name, "displayUrl": f"/spaces/{home.key}" if world.cloud else f"/display/{home.key}"},
            "breadcrumbs": [],
            "entityType": "content",
            "iconCssClass": "aui-icon content-type-page",
            "lastModified": world.moment(item.last.at),
            "friendlyLastModified": friendly(item.last),
            "score": 0.0,
        }

    told = _cut(world, request, found, shape, MOST)
    return Response(200, {**told, "totalSize": len(found[0]), "cqlQuery": request.query["cql"], "searchDuration": 23})


def _search(world: World, account: Account, request: Request, archived_spaces: bool) -> Answered:
    """What the index knows by now, as far as the account may see it. Raises Problem 400."""
    text = request.query.get("cql")
    if not text:
        raise v1(400, f"{ILLEGAL}cql query parameter is required", cloud=world.cloud, detailed=True)
    try:
        query = cql.parse(text, world.now(), world.zone(account), account.id if world.cloud else account.key)
    except cql.CqlFault as fault:
        message = f"com.atlassian.confluence.api.service.exceptions.BadRequestException: {fault}"
        raise v1(400, message, cloud=world.cloud, detailed=True) from None
    statuses = _statuses(world, request)
    rows: list[Found] = []
    for item in world.wiki.items.values():
        entry = world.wiki.found_by_index(item, world.quirks.index_delay) if item.kind == "page" else None
        if entry is None or entry.status not in statuses or item.status in ("trashed", "draft") or not query.test(item, entry):
            continue
        open_space = archived_spaces or world.wiki.spaces[item.space].status == "current"
        if open_space and world.wiki.admits(item, account):
            rows.append((item, entry))
    for field, descends in reversed((*query.order, ("id", False))):
        rows.sort(key=lambda row, field=field: cql.value_of(row[0], row[1], field), reverse=descends)  # type: ignore[misc]
    return rows, query.order


def _statuses(world: World, request: Request) -> tuple[str, ...]:
    """Raises Problem 400."""
    context = request.query.get("cqlcontext")
    if context is None:
        return ("current", "archived") if world.quirks.archived_found else ("current",)
    try:
        asked = json.loads(context)
        return tuple(asked.get("contentStatuses", ("current", "archived")))
    except (ValueError, AttributeError, TypeError):
        raise v1(400, "cqlcontext is not valid JSON", cloud=world.cloud, detailed=True) from None


def _cut(world: World, request: Request, found: Answered, shape: Callable[[Found], JsonObject], cap: int) -> JsonObject:
    rows, order = found
    if not world.cloud:
        return v1_by_offset(world, request, rows, shape, cap=cap)

    def key(row: Found) -> Key:
        return (*(cql.value_of(row[0], row[1], field) for field, _ in order), row[0].id)

    limit = min(number(world, request, "limit", 25), cap)
    return v1_by_cursor(world, request, rows, key, shape, limit=limit, down=tuple(descends for _, descends in order))


def _limit_of(world: World, expanded: Expanded) -> int:
    """How many rows there are at most for what is expanded."""
    if world.cloud:
        return MOST_RENDERED if {"export_view", "styled_view"} & set(expanded.bodies()) else MOST
    return MOST_BODIES if "body" in expanded else MOST_EXPANDED if expanded.names else MOST


def _unreadable_ancestors(world: World, account: Account, found: list[Found], expanded: Expanded) -> None:
    """Restrictions of ancestors cannot be had where one of them is a draft of somebody else: all is lost. Raises Problem 404."""
    if "ancestors.restrictions" not in expanded:
        return
    for item, _ in found:
        for place in world.wiki.above(item):
            if place.status == "draft" and place.by != account.id:
                raise v1_not_found(str(place.id), cloud=world.cloud)


def _not_too_heavy(world: World, told: JsonObject) -> None:
    """Raises Problem 504."""
    bodies = (str(form.get("value", "")) for row in told["results"] for form in row.get("body", {}).values())
    if world.quirks.heavy and sum(map(len, bodies)) > world.quirks.heavy:
        raise html(504)


# --- restrictions and people ---


def restrictions(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item = _any(world, account, ids)
    expanded = Expanded(request.query.get("expand", ""))
    start, limit = number(world, request, "start", 0), number(world, request, "limit", 100)
    if not world.cloud and start:
        start = 0  # Data Center's paging of this list begins anew whatever start says
    if ids["operation"] not in ("read", "update"):
        raise v1(400, f"{ILLEGAL}No operation {ids['operation']}", cloud=world.cloud)
    return Response(200, restriction(world, request, item, ids["operation"], expanded, start=start, limit=limit))


def all_restrictions(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """By operation: the read and the update restriction."""
    item, expanded = _any(world, account, ids), Expanded(request.query.get("expand", ""))
    below = Expanded(",".join({*expanded.names, *expanded.within("read").names}))
    told = {name: restriction(world, request, item, name, below) for name in ("read", "update")}
    return Response(200, {**told, "_links": {"self": f"{base_link(world, request)}/rest/api/content/{item.id}/restriction/byOperation"}})


def me(world: World, account: Account, request: Request, ids: Ids) -> Response:
    if account is ANONYMOUS:
        return Response(200, {"type": "anonymous", "displayName": "Anonymous", "_expandable": {}, "_links": {}})
    told = person(world, account)
    if world.cloud:
        told |= {"email": account.email, "timeZone": account.zone if world.quirks.zone_told else None, "isExternalCollaborator": False}
    return Response(200, told)


# --- content and spaces ---


def contents(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """`status`: one, or any."""
    if number(world, request, "start", 0) > LARGEST_START:
        raise v1(400, "Start of this size is no longer supported, please use CQL instead", cloud=world.cloud)
    key, kind, title = request.query.get("spaceKey", ids.get("key")), request.query.get("type", "page"), request.query.get("title")
    status = request.query.get("status", "current")
    rows = [
        item
        for item in world.wiki.items.values()
        if key in (None, item.space)
        and item.kind == kind
        and title in (None, item.title)
        and status in ("any", item.status)
        and world.wiki.admits(item, account)
    ]
    return _listed(world, account, request, sorted(rows, key=lambda item: item.id))


def _listed(world: World, account: Account, request: Request, rows: list[Item]) -> Response:
    expanded = Expanded(request.query.get("expand", ""))
    told = v1_by_offset(world, request, rows, lambda item: content(world, request, item, account, expanded), cap=_limit_of(world, expanded))
    _not_too_heavy(world, told)
    return Response(200, told, DEPRECATED if world.cloud else {})


def one(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """`status`: current unless another, `any`, or `historical` with a version, is asked for."""
    status = request.query.get("status", "current")
    statuses = {"any": ("current", "archived", "trashed", "draft"), "historical": ("current",)}.get(status, tuple(status.split(",")))
    item = world.page(ids["page_id"], account, statuses)
    if item is None:
        raise v1_not_found(ids["page_id"], cloud=world.cloud)
    edition = item.last
    if status == "historical" or "version" in request.query:
        wanted = [e for e in item.editions if str(e.number) == request.query.get("version", "")]
        if not wanted:
            raise v1_not_found(ids["page_id"], cloud=world.cloud)
        edition = wanted[0]
    told = content(world, request, item, account, Expanded(request.query.get("expand", "history,space,version")), edition=edition)
    told["_links"] |= {"base": base_link(world, request), "context": world.context}
    _not_too_heavy(world, {"results": [told]})
    return Response(200, told, DEPRECATED if world.cloud else {})


def child_pages(world: World, account: Account, request: Request, ids: Ids) -> Response:
    above = _any(world, account, ids)
    below = [item for item in world.wiki.items.values() if item.parent == above.id and item.kind == "page" and item.status == "current"]
    return _listed(world, account, request, [item for item in below if world.wiki.admits(item, account)])


def child_files(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item = _any(world, account, ids)
    return Response(200, v1_by_offset(world, request, item.files, lambda file: attachment(world, request, item, file), cap=MOST_EXPANDED))


def child_comments(world: World, account: Account, request: Request, ids: Ids) -> Response:
    item = _any(world, account, ids)

    def shape(remark: Any) -> JsonObject:
        text = {"storage": {"value": f"<p>{remark.body}</p>", "representation": "storage"}}
        told = {"id": str(remark.id), "type": "comment", "status": "current", "title": f"Re: {item.title}", "body": text}
        return {**told, "_expandable": {}, "_links": {"webui": webui(world, item)}}

    return Response(200, v1_by_offset(world, request, item.remarks, shape, cap=MOST_EXPANDED))


def spaces(world: World, account: Account, request: Request, ids: Ids) -> Response:
    """`spaceKey` may be repeated; what the account may not see is left out without a word."""
    keys = [value for name, value in request.pairs if name == "spaceKey"]
    asked = {"type": request.query.get("type"), "status": request.query.get("status")}
    rows = [
        found
        for found in world.wiki.spaces.values()
        if found.readers.admit(account)
        and (not keys or found.key in keys)
        and asked["type"] in (None, found.kind)
        and asked["status"] in (None, found.status)
    ]
    told = v1_by_offset(world, request, rows, lambda found: space(world, request, found), cap=MOST)
    return Response(200, told, DEPRECATED if world.cloud else {})


def one_space(world: World, account: Account, request: Request, ids: Ids) -> Response:
    found = world.wiki.spaces.get(ids["key"])
    if found is None or not found.readers.admit(account):
        message = f"com.atlassian.confluence.api.service.exceptions.NotFoundException: No space with key : {ids['key']}"
        raise v1(404, message, cloud=world.cloud, detailed=True)
    return Response(200, space(world, request, found), DEPRECATED if world.cloud else {})


def space_contents(world: World, account: Account, request: Request, ids: Ids) -> Response:
    one_space(world, account, request, ids)
    return contents(world, account, request, ids)


def _any(world: World, account: Account, ids: Ids) -> Item:
    """A page or a folder. Raises Problem 404."""
    item = world.page(ids["page_id"], account)
    if item is None:
        raise v1_not_found(ids["page_id"], cloud=world.cloud)
    return item


ALWAYS = (
    ("content/search", content_search, SEARCH),
    ("search", search, SEARCH),
    ("content/{page_id}/restriction/byOperation/{operation}", restrictions, RESTRICTION),
    ("content/{page_id}/restriction/byOperation", all_restrictions, RESTRICTION),
    ("user/current", me, ME),
)
OLD = (
    ("content", contents, DETAILS),
    ("content/{page_id}", one, DETAILS),
    ("content/{page_id}/child/page", child_pages, DETAILS),
    ("content/{page_id}/child/attachment", child_files, DETAILS),
    ("content/{page_id}/child/comment", child_comments, DETAILS),
    ("space", spaces, DETAILS),
    ("space/{key}", one_space, DETAILS),
    ("space/{key}/content/page", space_contents, DETAILS),
)


def v1_routes(context: str) -> tuple[tuple[Route, ...], tuple[Route, ...]]:
    """Those that always answer, and those that Cloud has deprecated."""
    always, old = (
        tuple(Route("GET", f"{context}/rest/api/{path}", call, scopes) for path, call, scopes in table) for table in (ALWAYS, OLD)
    )
    return always, old
