"""What the suite plays on: one emulated system, its clock, and what its people do there.

An author writes one class with the methods of `Stage` and those of the other protocols below that the
system knows. As with connectors, what a stage can do is what it implements (`isinstance(stage, Moves)`);
a rule that needs more is skipped and says which method is missing. A sub-class for a lesser flavour of a
system takes a method away by setting it to None.

All ids are document ids as the connector names them (TYPE:CONNECTOR:KIND:VENDOR_ID). A *marker* is a word
that stands nowhere else; `create` and `edit` write it into the document's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from connectors.base import Source
from connectors.http import HttpFactory
from connectors.sandbox.site import Site


@dataclass(frozen=True, slots=True)
class Shown:
    """What a complete reading must end with, for one document: text that it holds, whether any customer may read it.

    `readable` is False for a document that is there and cannot be read just now: the connector must tell `Unreadable`.
    """

    marker: str
    public: bool
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment of ours as it stands at the vendor."""

    html: str
    public: bool


@runtime_checkable
class Stage(Protocol):
    """The least that a stage does. It starts with few documents, best with none; all of them are in `truth`.

    Edits of people cost no time: only `advance` moves the clock, which the emulated system, the HttpClient and the connector share.
    """

    @property
    def site(self) -> Site | None: ...  # None: the connector makes no requests at all
    def now(self) -> datetime: ...
    def advance(self, seconds: float) -> None: ...
    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Source: ...  # a new object each time, as after a restart
    def create(self, marker: str, *, public: bool = True) -> str: ...  # the new document's id
    def edit(self, id: str, marker: str) -> None: ...  # the new text holds this marker and no longer the old one
    def delete(self, id: str) -> None: ...
    def truth(self) -> Mapping[str, Shown]: ...  # every document that is there for the connector, and no other
    def close(self) -> None: ...


@runtime_checkable
class Restores(Protocol):
    def restore(self, id: str) -> None: ...  # a deleted document comes back, with its text


@runtime_checkable
class Hides(Protocol):
    def hide(self, id: str) -> None: ...  # unpublished, a draft, archived: no longer in `truth`
    def show(self, id: str) -> None: ...


@runtime_checkable
class Restricts(Protocol):
    def restrict(self, id: str) -> None: ...  # for staff only; may be repeated
    def unrestrict(self, id: str) -> None: ...


@runtime_checkable
class Obscures(Protocol):
    def obscure(self, id: str) -> None: ...  # the vendor says nothing, or something never heard of, about who may read it


@runtime_checkable
class Moves(Protocol):
    def move(self, id: str) -> None: ...  # to another section, folder or parent; may leave what is read, and come back with the next move


@runtime_checkable
class Spoils(Protocol):
    def spoil(self, id: str) -> None: ...  # it stays listed, and reading it fails or gives nonsense
    def mend(self, id: str) -> None: ...


@runtime_checkable
class Expires(Protocol):
    def expire(self) -> None: ...  # the vendor forgets every cursor, token of change and next-link that it gave so far


@runtime_checkable
class Desk(Protocol):
    """For a helpdesk. Ticket ids are the vendor's own."""

    def open_ticket(self, text: str) -> str: ...
    def customer_writes(self, ticket_id: str, text: str) -> None: ...
    def agent_replies(self, ticket_id: str, text: str) -> None: ...
    def delete_ticket(self, ticket_id: str) -> None: ...
    def answers(self, ticket_id: str) -> list[Posted]: ...  # what was written through the API, oldest first
    def tags(self, ticket_id: str) -> set[str]: ...
    def tag(self, ticket_id: str, tag: str) -> None: ...  # an agent adds one
    def lose_next_write(self, *, before: bool = False) -> None: ...  # its effect stands, its answer is lost; `before`: both are lost


@runtime_checkable
class Delivers(Protocol):
    """For webhooks: a delivery as the vendor sends it, signed now less `age` seconds; `forged`: by somebody who has no secret."""

    @property
    def dated(self) -> bool: ...  # whether the vendor signs the time, so that an old delivery can be told

    def delivery(self, ticket_id: str, *, forged: bool = False, age: float = 0.0) -> tuple[Mapping[str, str], bytes]: ...
