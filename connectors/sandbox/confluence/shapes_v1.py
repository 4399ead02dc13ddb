"""Records as v1 shows them, on Cloud and on Data Center: little by itself, more where `expand` asks."""

from __future__ import annotations

from connectors.sandbox.confluence.paging import base_link
from connectors.sandbox.confluence.records import Account, Attached, Edition, Item, Readers, Space
from connectors.sandbox.confluence.shapes import body, label_id, tiny, webui
from connectors.sandbox.confluence.world import World
from connectors.sandbox.wire import JsonObject, Request

FORMS = ("storage", "view", "export_view", "styled_view", "anonymous_export_view", "atlas_doc_format", "editor", "wiki")
PARTS = ("container", "metadata", "restrictions", "history", "body", "version", "ancestors", "space", "children", "operations")


class Expanded:
    """What is asked for; `a.b.c` asks for `a` and `a.b` too."""

    def __init__(self, text: str) -> None:
        self.names = {part.strip() for part in text.split(",") if part.strip()}

    def __contains__(self, name: object) -> bool:
        return any(asked == name or asked.startswith(f"{name}.") for asked in self.names)

    def within(self, name: str) -> Expanded:
        return Expanded(",".join(asked[len(name) + 1 :] for asked in self.names if asked.startswith(f"{name}.")))

    def bodies(self) -> list[str]:
        return [form for form in FORMS if f"body.{form}" in self]


def content(
    world: World, request: Request, item: Item, account: Account, expanded: Expanded, *, edition: Edition | None = None
) -> JsonObject:
    edition, base = edition or item.last, base_link(world, request)
    here = f"/rest/api/content/{item.id}"
    told: JsonObject = {
        "id": str(item.id),
        "type": item.kind,
        "status": item.status if edition is item.last else "historical",
        "title": edition.title,
        "extensions": {"position": item.position},
        "_expandable": {part: here if part in ("version", "body") else "" for part in PARTS if part not in expanded},
        "_links": {"self": f"{base}{here}", "webui": webui(world, item), "tinyui": tiny(item)},
    }
    if "space" in expanded:
        told["space"] = space(world, request, world.wiki.spaces[item.space])
    if "version" in expanded:
        told["version"] = version(world, edition)
    if "history" in expanded:
        told["history"] = history(world, item, expanded.within("history"))
    if "ancestors" in expanded:
        below = expanded.within("ancestors")
        told["ancestors"] = [content(world, request, place, account, below) for place in world.wiki.above(item)]
    if forms := expanded.bodies():
        values = {form: {"value": body(world, item, account, form, edition), "representation": form, "_expandable": {}} for form in forms}
        told["body"] = {**values, "_expandable": dict.fromkeys((form for form in FORMS if form not in values), "")}
    if "metadata" in expanded:
        told["metadata"] = metadata(item) if "metadata.labels" in expanded else {"_expandable": {"labels": ""}}
    if "restrictions" in expanded:
        read = restriction(world, request, item, "read", expanded.within("restrictions.read"))
        told["restrictions"] = {"read": read, "_expandable": {"update": ""}, "_links": {"self": f"{base}{here}/restriction/byOperation"}}
    return told


def space(world: World, request: Request, found: Space) -> JsonObject:
    where = f"{base_link(world, request)}/rest/api/space/{found.key}"
    parts = dict.fromkeys(("settings", "metadata", "operations", "permissions", "icon", "description", "theme", "homepage"), "")
    links = {"webui": f"/spaces/{found.key}" if world.cloud else f"/display/{found.key}", "self": where}
    told = {"id": found.id, "key": found.key, "name": found.name, "type": found.kind, "status": found.status}
    return {**told, "_expandable": parts, "_links": links}


def person(world: World, account: Account) -> JsonObject:
    """On Cloud the address is hidden; Data Center knows people by key and name."""
    if not world.cloud:
        told = {"type": "known", "username": account.username, "userKey": account.key, "displayName": account.name}
        return {**told, "_expandable": {"status": ""}, "_links": {}}
    told = {"type": "known", "accountId": account.id, "accountType": "atlassian", "email": "", "publicName": account.name}
    return {**told, "displayName": account.name, "_expandable": {"operations": "", "personalSpace": ""}, "_links": {}}


def version(world: World, edition: Edition) -> JsonObject:
    account = world.wiki.accounts.get(edition.by)
    told: JsonObject = {
        "when": world.moment(edition.at),
        "friendlyWhen": friendly(edition),
        "message": edition.message,
        "number": edition.number,
        "minorEdit": edition.minor,
        "_expandable": {"content": "", "collaborators": ""},
        "_links": {},
    }
    return {"by": person(world, account), **told} if account else told


def friendly(edition: Edition) -> str:
    return f"{edition.at:%b %d, %Y}"


def history(world: World, item: Item, expanded: Expanded) -> JsonObject:
    author = world.wiki.accounts.get(item.by)
    told: JsonObject = {"latest": True, "createdDate": world.moment(item.created), "_expandable": {"contributors": ""}, "_links": {}}
    if author:
        told["createdBy"] = person(world, author)
    if "lastUpdated" in expanded:
        told["lastUpdated"] = version(world, item.last)
    else:
        told["_expandable"]["lastUpdated"] = ""
    return told


def metadata(item: Item) -> JsonObject:
    rows = [{"prefix": "global", "name": name, "id": str(label_id(name)), "label": name} for name in item.labels]
    labels = {"results": rows, "start": 0, "limit": 200, "size": len(rows), "_links": {}}
    return {"labels": labels, "_expandable": {"currentuser": "", "properties": "", "frontend": ""}}


def restriction(
    world: World, request: Request, item: Item, operation: str, expanded: Expanded, *, start: int = 0, limit: int = 200
) -> JsonObject:
    """The page's own only. Nobody named: it inherits."""
    own = (item.readers if operation == "read" else None) or Readers()
    users = [world.wiki.accounts[id] for id in own.users if id in world.wiki.accounts]
    where = f"{base_link(world, request)}/rest/api/content/{item.id}/restriction/byOperation/{operation}"
    told: JsonObject = {"operation": operation, "_expandable": {"content": f"/rest/api/content/{item.id}"}, "_links": {"self": where}}
    if item.mute or not world.quirks.restrictions_known or "restrictions" not in expanded:
        return {**told, "_expandable": {**told["_expandable"], "restrictions": ""}}
    groups = [_group(world, name) for name in own.groups]
    rows = {"user": [person(world, account) for account in users], "group": groups}
    shown = {
        kind: {"results": found[start : start + limit], "start": start, "limit": limit, "size": len(found[start : start + limit])}
        for kind, found in rows.items()
        if f"restrictions.{kind}" in expanded
    }
    told["restrictions"] = {**shown, "_expandable": dict.fromkeys(rows.keys() - shown.keys(), "")}
    return told


def _group(world: World, name: str) -> JsonObject:
    told: JsonObject = {"type": "group", "name": name, "_links": {}}
    return {**told, "id": f"00000000-0000-4000-9000-{label_id(name):012d}"} if world.cloud else told


def attachment(world: World, request: Request, item: Item, file: Attached) -> JsonObject:
    links = {"webui": webui(world, item), "download": f"/download/attachments/{item.id}/{file.name}", "self": base_link(world, request)}
    extensions = {"mediaType": file.media, "fileSize": file.size, "comment": ""}
    told = {"id": f"att{file.id}", "type": "attachment", "status": "current", "title": file.name, "extensions": extensions}
    return {**told, "_expandable": {}, "_links": links}
