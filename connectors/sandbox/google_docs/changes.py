"""The feed of changes: one for each caller, and one for each shared drive.

Of several changes of one item only the last is told, with the item as it stands now. An item that the caller can no longer see is
told as removed, without itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sandbox.google_docs.asking import bad_page_token, flag, known_drive, ok, page_size, with_drive_items
from connectors.sandbox.google_docs.items import Row
from connectors.sandbox.google_docs.problems import drive_problem
from connectors.sandbox.google_docs.shapes import drive, file, moment
from connectors.sandbox.google_docs.sign_in import Token
from connectors.sandbox.google_docs.world import World
from connectors.sandbox.wire import JsonObject, Request, Response

BLOCK = 100_000_000  # the numbers of a shared drive's own feed lie this far above the callers'


def token_of(world: World, number: int, drive_id: str | None) -> str:
    """A caller's token is a number; a shared drive's feed counts in a block of its own."""
    return str(number + (BLOCK * (1 + list(world.tree.drives).index(drive_id)) if drive_id else 0))


def list_changes(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    size, shared, drive_id = page_size(request, 100, 1000), with_drive_items(request), request.query.get("driveId")
    if drive_id:
        if not shared:
            raise drive_problem("invalid", "The driveId parameter requires includeItemsFromAllDrives.", at="includeItemsFromAllDrives")
        known_drive(world, token, drive_id)
    number = _number(world, request, drive_id)
    rows = _last_of_each(world, token, request, number, drive_id, shared=shared)
    shown = [] if request.twist == "empty_page" else rows[:size]
    told: JsonObject = {"kind": "drive#changeList", "changes": [_change(world, token, request, row, drive_id) for row in shown]}
    if request.twist in ("empty_page", "duplicate_page"):
        told["nextPageToken"] = token_of(world, number, drive_id)
    elif len(rows) > size:
        told["nextPageToken"] = token_of(world, shown[-1].number + 1, drive_id)
    else:
        told["newStartPageToken"] = token_of(world, world.tree.next_number, drive_id)
    return ok(request, "changes", told)


def _number(world: World, request: Request, drive_id: str | None) -> int:
    """Where in the log the token points. Raises Problem."""
    text = request.query.get("pageToken")
    if text is None:
        raise drive_problem("required", "Required parameter: pageToken", at="pageToken")
    if not text.isdigit():
        raise bad_page_token()
    number = int(text) - int(token_of(world, 0, drive_id))
    if number < world.forgotten:
        raise drive_problem("invalid", at="pageToken", code=world.forgotten_code)
    if not 0 < number <= world.tree.next_number:
        raise bad_page_token()
    return number


def _last_of_each(world: World, token: Token, request: Request, number: int, drive_id: str | None, *, shared: bool) -> list[Row]:
    removals = flag(request, "includeRemoved", default=True)
    mine = flag(request, "restrictToMyDrive")
    last: dict[str, Row] = {}
    for row in world.tree.rows[_index(world, number) :]:
        if token.address not in row.saw:
            continue
        if (drive_id not in row.drives) if drive_id else (row.drives and not shared):
            continue
        last.pop(row.item, None)
        last[row.item] = row
    kept = (row for row in last.values() if removals or not _is_removed(world, token, row, drive_id))
    return [row for row in kept if not mine or _is_mine(world, token, row)]


def _index(world: World, number: int) -> int:
    first = world.tree.rows[0].number if world.tree.rows else number
    return max(0, number - first)


def _is_removed(world: World, token: Token, row: Row, drive_id: str | None) -> bool:
    item = world.tree.items.get(row.item)
    return item is None or world.tree.role(item, token.address) is None or (drive_id is not None and item.drive != drive_id)


def _is_mine(world: World, token: Token, row: Row) -> bool:
    item = world.tree.items.get(row.item)
    return item is not None and any(place.id == world.tree.root_of(token.address) for place in world.tree.above(item))


def _change(world: World, token: Token, request: Request, row: Row, drive_id: str | None) -> JsonObject:
    removed = _is_removed(world, token, row, drive_id)
    told: JsonObject = {"kind": "drive#change", "removed": removed, "time": moment(row.at)}
    if row.about_drive:
        told |= {"changeType": "drive", "type": "drive", "driveId": row.item, "teamDriveId": row.item}
        return told if removed else told | {"drive": drive(world.tree.drives[row.item])}
    told |= {"changeType": "file", "type": "file", "fileId": row.item}
    item = world.tree.items.get(row.item)
    readable = item is not None and world.tree.role(item, token.address) is not None
    if item is not None and readable and (not removed or flag(request, "includeCorpusRemovals")):
        told["file"] = file(item, world.tree, token.address)
        if item.drive:
            told |= {"driveId": item.drive, "teamDriveId": item.drive}
    return told
