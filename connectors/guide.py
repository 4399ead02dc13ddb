"""What a connector tells a newcomer who sets it up: what to click at the vendor, what to answer, what there is to choose from.

A connector's package may hold a module `guide` with `GUIDE` and `choices(block, http)`; `draftdesk init` walks through it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from connectors.http import HttpFactory


@dataclass(frozen=True, slots=True)
class Question:
    """`key` is where the answer goes in the connector's block, such as ``auth.client_id``.

    A secret goes to the env file, a file is named by its path; both stand in the block as references.
    """

    key: str
    asks: str
    example: str = ""
    default: str | None = None  # what a bare Enter means; None: it must be answered
    kind: Literal["text", "secret", "file"] = "text"


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways to sign in: `steps` are what to click at the vendor, in order, scopes to tick included."""

    name: str
    title: str
    steps: tuple[str, ...]
    questions: tuple[Question, ...]
    settings: tuple[tuple[str, str], ...] = ()  # keys that this way fixes, such as ("flavour", "cloud")


@dataclass(frozen=True, slots=True)
class Pick:
    """A list in the block that is chosen from what the vendor has, once the credential works.

    `audience`: where it is kept who may read each chosen one; None: not asked.
    """

    key: str
    asks: str
    required: bool = False
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Guide:
    title: str
    name: str  # proposed for the connector
    ways: tuple[Way, ...]
    picks: tuple[Pick, ...] = ()
    webhook: tuple[str, ...] | None = None  # steps for prompt answers; None: this system has no tickets


Choices = Callable[[Mapping[str, Any], "HttpFactory"], Mapping[str, tuple[Choice, ...]]]
