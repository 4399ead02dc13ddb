"""Records as Cloud's v2 answers show them. Ids are text."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

from connectors.sandbox.confluence.records import Account, Attached, Edition, Item, Remark, Space
from connectors.sandbox.confluence.rendering import adf, rendered
from connectors.sandbox.confluence.world import World
from connectors.sandbox.wire import JsonObject


def webui(world: World, item: Item) -> str:
    title = quote_plus(item.title)
    return f"/spaces/{item.space}/pages/{item.id}/{title}" if world.cloud else f"/display/{item.space}/{title}"


def tiny(item: Item) -> str:
    text = base64.urlsafe_b64encode(item.id.to_bytes(4, "little")).decode().rstrip("A=")
    return f"/x/{text}"


def space(world: World, found: Space, description: str | None) -> JsonObject:
    told = {"plain": {"value": found.about, "representation": "plain"}, "view": {"value": found.about, "representation": "view"}}
    return {
        "id": str(found.id),
        "key": found.key,
        "name": found.name,
        "type": found.kind,
        "status": found.status,
        "authorId": next(iter(world.wiki.accounts)),
        "createdAt": world.moment(found.created),
        "homepageId": str(found.home) if found.home else None,
        "description": {description: told[description]} if description in told else None,
        "_links": {"webui": f"/spaces/{found.key}"},
    }


def version(world: World, edition: Edition) -> JsonObject:
    return {
        "createdAt": world.moment(edition.at),
        "message": edition.message,
        "number": edition.number,
        "minorEdit": edition.minor,
        "authorId": edition.by,
    }


def page(world: World, item: Item, account: Account, form: str | None, edition: Edition | None = None) -> JsonObject:
    """`form`: a body format, or none for an empty body."""
    edition, parent = edition or item.last, world.wiki.items.get(item.parent or 0)
    return {
        "id": str(item.id),
        "status": item.status if edition is item.last else "historical",
        "title": edition.title,
        "spaceId": str(world.wiki.spaces[item.space].id),
        "parentId": str(parent.id) if parent else None,
        "parentType": parent.kind if parent else None,
        "position": item.position,
        "authorId": item.by,
        "ownerId": item.by,
        "lastOwnerId": None,
        "createdAt": world.moment(item.created),
        "version": version(world, edition),
        "body": {form: {"representation": form, "value": body(world, item, account, form, edition)}} if form else {},
        "_links": {"webui": webui(world, item), "editui": f"/pages/resumedraft.action?draftId={item.id}", "tinyui": tiny(item)},
    }


def body(world: World, item: Item, account: Account, form: str, edition: Edition) -> Any:
    """In any representation; `view` and its like show what the account may see of other pages, as it is now. Nonsense for a spoilt page."""
    if item.spoilt:
        return {"unexpected": "shape"}
    if form == "storage":
        return edition.body
    return adf(edition.body) if form == "atlas_doc_format" else rendered(world, item, account, edition.body)


def label(name: str, number: int) -> JsonObject:
    return {"id": str(number), "name": name, "prefix": "global"}


def label_id(name: str) -> int:
    """The same for the same name, whichever page has it."""
    return 1_000_000 + int.from_bytes(name.encode()[:4].ljust(4, b"\0"), "big") % 1_000_000


def attachment(world: World, item: Item, file: Attached) -> JsonObject:
    where = f"/download/attachments/{item.id}/{quote_plus(file.name)}?version=1"
    return {
        "id": f"att{file.id}",
        "status": "current",
        "title": file.name,
        "createdAt": world.moment(item.created),
        "pageId": str(item.id),
        "mediaType": file.media,
        "mediaTypeDescription": "PDF Document",
        "comment": "",
        "fileId": f"00000000-0000-4000-8000-{file.id:012d}",
        "fileSize": file.size,
        "webuiLink": f"/pages/viewpageattachments.action?pageId={item.id}",
        "downloadLink": where,
        "version": version(world, item.last),
        "_links": {"webui": f"/pages/viewpageattachments.action?pageId={item.id}", "download": where},
    }


def comment(world: World, item: Item, remark: Remark) -> JsonObject:
    at = {"createdAt": world.moment(remark.at), "message": "", "number": 1, "minorEdit": False, "authorId": remark.by}
    return {
        "id": str(remark.id),
        "status": "current",
        "title": f"Re: {item.title}",
        "pageId": str(item.id),
        "version": at,
        "body": {"storage": {"representation": "storage", "value": f"<p>{remark.body}</p>"}},
        "_links": {"webui": f"{webui(world, item)}?focusedCommentId={remark.id}"},
    }
