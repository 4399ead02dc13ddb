"""What the emulated wiki holds: people, spaces, pages with their editions, and what the search index knows of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["page", "folder"]
Status = Literal["current", "archived", "trashed", "draft"]


@dataclass(frozen=True, slots=True)
class Account:
    """`id`: Cloud's account id; `key` and `username`: what Data Center knows the same person by. `zone`: an IANA name."""

    id: str
    key: str
    username: str
    name: str
    email: str
    groups: tuple[str, ...] = ()
    zone: str = "Europe/Amsterdam"


ANONYMOUS = Account("", "", "", "Anonymous", "", ("anonymous",), "UTC")


@dataclass(frozen=True, slots=True)
class Readers:
    """Only these people and groups."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def admit(self, account: Account) -> bool:
        return account.id in self.users or bool(set(self.groups) & set(account.groups))


@dataclass(slots=True)
class Space:
    id: int
    key: str
    name: str
    readers: Readers
    created: datetime
    kind: Literal["global", "personal"] = "global"
    status: Literal["current", "archived"] = "current"
    home: int | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """A page's text as of one version."""

    number: int
    title: str
    body: str
    at: datetime
    by: str
    message: str = ""
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as the search index saw it last; `modified` is the index's own field, not quite the version's time."""

    at: datetime
    space: str
    title: str
    body: str
    status: Status
    created: datetime
    modified: datetime
    creator: str
    labels: tuple[str, ...]
    above: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attached:
    id: int
    name: str
    media: str
    size: int


@dataclass(frozen=True, slots=True)
class Remark:
    id: int
    by: str
    body: str
    at: datetime


@dataclass(slots=True)
class Item:
    """A page or a folder. `readers`: its own restriction; None inherits."""

    id: int
    kind: Kind
    space: str
    parent: int | None
    status: Status
    created: datetime
    by: str
    editions: list[Edition]
    labels: list[str] = field(default_factory=list)
    readers: Readers | None = None
    files: list[Attached] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    position: int = 0
    spoilt: bool = False  # the server makes nonsense of its body
    mute: bool = False  # nobody is told who may read it
    indexed: list[Entry] = field(default_factory=list)

    @property
    def last(self) -> Edition:
        return self.editions[-1]

    @property
    def title(self) -> str:
        return self.last.title
