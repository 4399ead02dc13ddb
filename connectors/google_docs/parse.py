"""What Drive answers, as our values. Pure; nothing here raises, whatever the shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Row = dict[str, Any]
Kind = Literal["document", "folder", "shortcut", "other"]
MIME = "application/vnd.google-apps."
KINDS: dict[str, Kind] = {f"{MIME}document": "document", f"{MIME}folder": "folder", f"{MIME}shortcut": "shortcut"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of Drive. `parent` is None where the account may not see it; `target` is a shortcut's."""

    id: str
    kind: Kind
    name: str
    parent: str | None
    drive: str | None
    trashed: bool
    modified: int | None = None  # milliseconds since 1970
    created: int | None = None
    target: str | None = None
    target_kind: Kind | None = None  # as it was when the shortcut was made; None: not told


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the feed of changes: the file as it stands now, or None where it is gone or was taken from us."""

    id: str
    entry: Entry | None
    of_drive: bool = False  # about a shared drive as such, whose id this is


def mapping(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Row]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def whole(value: Any, default: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def entry(row: Any) -> Entry | None:
    """None for a row without an id. A file without a kind that we know is `other`."""
    row = mapping(row)
    identity = text(row.get("id"))
    if not identity:
        return None
    parents = row.get("parents")
    parent = next((one for one in parents if isinstance(one, str) and one), None) if isinstance(parents, list) else None
    shortcut = mapping(row.get("shortcutDetails"))
    told = shortcut.get("targetMimeType")
    return Entry(
        id=identity,
        kind=KINDS.get(text(row.get("mimeType")), "other"),
        name=text(row.get("name")),
        parent=parent,
        drive=text(row.get("driveId")) or None,
        trashed=row.get("trashed") is True or row.get("explicitlyTrashed") is True,
        modified=milliseconds(row.get("modifiedTime")),
        created=milliseconds(row.get("createdTime")),
        target=text(shortcut.get("targetId")) or None,
        target_kind=KINDS.get(told, "other") if isinstance(told, str) else None,
    )


def change(row: Row) -> Change | None:
    """None for a row that names nothing."""
    if row.get("changeType") == "drive" or row.get("type") == "drive":
        drive = text(row.get("driveId"))
        return Change(drive, None, of_drive=True) if drive else None
    file = entry(row.get("file"))
    identity = text(row.get("fileId")) or (file.id if file else "")
    if not identity:
        return None
    return Change(identity, None if row.get("removed") is True else file)


def milliseconds(value: Any) -> int | None:
    """RFC 3339 as milliseconds since 1970; None for anything else."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    moment_ = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return round(moment_.timestamp() * 1000)
    except (OverflowError, OSError, ValueError):
        return None


def moment(value: Any) -> datetime | None:
    """Milliseconds since 1970 as a time; None where there is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def error(body: Any) -> Mapping[str, Any]:
    """The `error` object of an API's answer; {} for OAuth's, whose error is a word."""
    return mapping(mapping(body).get("error"))


def reasons(body: Any) -> frozenset[str]:
    """Everything an answer gives as a reason: errors[].reason (Drive), details[].reason and status (Docs), error (OAuth)."""
    told = error(body)
    found = [one.get("reason") for one in (*rows(told.get("errors")), *rows(told.get("details")))]
    found += [told.get("status"), mapping(body).get("error")]
    return frozenset(one for one in found if isinstance(one, str) and one)
