"""What Drive's routes have in common: flags and numbers in the query, partial answers, and who may see which item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.sandbox.google_docs.items import Item
from connectors.sandbox.google_docs.masks import BadMask, apply, check, parse
from connectors.sandbox.google_docs.problems import drive_problem, no_file
from connectors.sandbox.google_docs.shapes import PLAIN, SHAPES
from connectors.sandbox.google_docs.sign_in import Token
from connectors.sandbox.google_docs.world import World
from connectors.sandbox.wire import JsonObject, Request, Response

JSON_TYPE = {"content-type": "application/json; charset=UTF-8"}


def flag(request: Request, *names: str, default: bool = False) -> bool:
    """True where any of these says so; the vendor's older names count too. Raises Problem 400."""
    said = [request.query[name].lower() for name in names if name in request.query]
    for text in said:
        if text not in ("true", "false"):
            raise drive_problem("invalid", f"Invalid value for boolean: {text}", at=names[0])
    return "true" in said if said else default


def all_drives(request: Request) -> bool:
    return flag(request, "supportsAllDrives", "supportsTeamDrives")


def with_drive_items(request: Request) -> bool:
    """Whether items of shared drives are asked for. Raises Problem 403 where the caller does not say that it knows them."""
    asked = flag(request, "includeItemsFromAllDrives", "includeTeamDriveItems")
    if asked and not all_drives(request):
        raise drive_problem("supportsTeamDrivesRequired", at="supportsAllDrives")
    return asked


def page_size(request: Request, default: int, most: int) -> int:
    """What is more than `most` is taken as `most`. Raises Problem 400."""
    text = request.query.get("pageSize", str(default))
    if not text.isdigit() or int(text) < 1:
        raise drive_problem("invalid", f"Invalid value '{text}'. Values must be within the range: [1, {most}]", at="pageSize")
    return min(int(text), most)


def bad_page_token() -> Exception:
    return drive_problem("invalid", at="pageToken")


def ok(request: Request, kind: str, content: JsonObject) -> Response:
    """The part of the answer that was asked for. Raises Problem 400 for a bad mask."""
    asked = request.query.get("fields")
    if asked is None:
        return Response(200, apply(PLAIN.get(kind), content), JSON_TYPE)
    return Response(200, apply(_mask(asked, kind), content), JSON_TYPE)


def _mask(asked: str, kind: str) -> Any:
    try:
        mask = parse(asked)
        check(mask, SHAPES[kind])
    except BadMask as bad:
        raise drive_problem("invalidParameter", f"Invalid field selection {bad}", at="fields") from None
    return mask


def need_fields(request: Request) -> None:
    """Some methods answer nothing without a mask. Raises Problem 400."""
    if not request.query.get("fields"):
        raise drive_problem("required", "The 'fields' parameter is required for this method.", at="fields")


def find(world: World, token: Token, request: Request, file_id: str, *, flags: bool = True) -> Item:
    """The item, if the caller may see it; one of a shared drive only if the request supports those. Raises Problem 404 or a refusal."""
    item = world.tree.items.get(world.tree.root_of(token.address) if file_id == "root" else file_id)
    if item is None or world.tree.role(item, token.address) is None:
        raise no_file(file_id)
    if flags and item.drive and not all_drives(request):
        raise no_file(file_id)
    if reason := world.refused(item.id):
        raise drive_problem(reason)
    return item


def known_drive(world: World, token: Token, drive_id: str) -> Item:
    """The root of a shared drive of which the caller is a member. Raises Problem 404."""
    root = world.tree.items.get(drive_id)
    if drive_id not in world.tree.drives or root is None or world.tree.role(root, token.address) is None:
        raise drive_problem("notFound", f"Shared drive not found: {drive_id}", at="driveId")
    return root


def first_page(found: Sequence[str], size: int, twist: str | None) -> tuple[Sequence[str], Sequence[str]]:
    """What this page tells and what is left; a paging fault tells nothing, or leaves what it told."""
    if twist == "empty_page":
        return (), found
    return found[:size], found if twist == "duplicate_page" else found[size:]
