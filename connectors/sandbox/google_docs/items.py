"""What lies in a Drive: files, folders, shortcuts, shared drives, and who may do what with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from connectors.sandbox.google_docs.notation import Text

APPS = "application/vnd.google-apps."
FOLDER, DOCUMENT, SHORTCUT, SHEET = APPS + "folder", APPS + "document", APPS + "shortcut", APPS + "spreadsheet"
ROLES = ("reader", "commenter", "writer", "fileOrganizer", "organizer", "owner")
CAN_LIST_PERMISSIONS = ROLES[2:]


@dataclass(frozen=True, slots=True)
class Grant:
    """`who`: an address, a domain, or "anyone"."""

    who: str
    role: str = "reader"

    @property
    def type(self) -> str:
        return "anyone" if self.who == "anyone" else "user" if "@" in self.who else "domain"

    @property
    def id(self) -> str:
        return "anyoneWithLink" if self.who == "anyone" else f"{crc32(self.who.encode()):020d}"

    def holds_for(self, address: str) -> bool:
        return self.who in (address, "anyone") or (self.type == "domain" and address.endswith(f"@{self.who}"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One tab of a document, with the tabs below it."""

    id: str
    title: str
    text: Text
    below: tuple[Sheet, ...] = ()
    emoji: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    by: str
    text: str
    at: datetime


@dataclass(slots=True)
class Item:
    """`parent` is None for a root; `drive` is the id of the shared drive; `content` is text of a file that is no document of Google's.

    `weight`: bytes that an export counts beside its text, those of pictures; `plain_weight`: also in plain text.
    """

    id: str
    name: str
    mime: str
    parent: str | None
    owner: str
    created: datetime
    modified: datetime
    editor: str
    drive: str | None = None
    version: int = 1
    revision: int = 1
    trashed: datetime | None = None
    grants: list[Grant] = field(default_factory=list)
    limited: bool = False  # inherits no permissions
    target: str | None = None
    sheets: tuple[Sheet, ...] = ()
    content: str = ""
    remarks: list[Remark] = field(default_factory=list)
    weight: int = 0
    plain_weight: int = 0
    no_download: bool = False

    @property
    def is_document(self) -> bool:
        return self.mime == DOCUMENT


@dataclass(slots=True)
class SharedDrive:
    """Its members are the grants on the root item of the same id."""

    id: str
    name: str
    created: datetime
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log of changes: who could see the item before or after, and in which shared drives it was or is."""

    number: int
    at: datetime
    item: str
    saw: frozenset[str]
    drives: frozenset[str]
    about_drive: bool = False
