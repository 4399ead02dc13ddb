"""What is remembered from turn to turn: of every page its version and audience, of pages with includes what they include.

A mark is a version with the letter of its audience ("12p", "7i"); an empty one is of a page that could not be read. It changes whenever
a page has to be read again, whether or not the change made a version: about 20 bytes a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.base import JSON, Cursor, CursorExpired
from connectors.confluence.parse import moment

VERSION = 2
Marks = dict[str, str]  # by page id
Targets = dict[str, str]  # by "SPACE:title": "PAGE:mark", empty where there is no such page


@dataclass(slots=True)
class Walk:
    """A comparison of all pages that is under way. `anew`: all of them are read again. What it met goes from `State.known` to `met`."""

    began: datetime
    anew: bool
    todo: list[str]
    next: str | None = None
    met: Marks = field(default_factory=dict)
    targets: Targets = field(default_factory=dict)  # as they were met, of those that some page includes


@dataclass(slots=True)
class State:
    """`since`: from when on edits are asked for; `walked` and `read`: when the last comparison and the last reading of all began.

    `spaces`: by key, the id and what the settings said of who may read it. `young`: fresh from a first load in parts, which may have read
    what has changed back since. `dear`: lists do not tell here who may read a page, so that comparing takes a request for each.
    """

    since: datetime
    walked: datetime | None = None
    read: datetime | None = None
    young: bool = False
    dear: bool = False
    spaces: dict[str, list[str]] = field(default_factory=dict)
    known: Marks = field(default_factory=dict)
    includes: dict[str, Targets] = field(default_factory=dict)
    walk: Walk | None = None

    def cursor(self) -> Cursor:
        """As of now; what happens to the state afterwards does not reach it."""
        walk: JSON = None
        if self.walk is not None:
            on = self.walk
            walk = {"began": on.began.isoformat(), "anew": on.anew, "todo": list(on.todo), "next": on.next, "met": dict(on.met)}
            walk["targets"] = dict(on.targets)
        return {
            "v": VERSION,
            "since": self.since.isoformat(),
            "walked": self.walked.isoformat() if self.walked else None,
            "read": self.read.isoformat() if self.read else None,
            "young": self.young,
            "dear": self.dear,
            "spaces": {key: list(told) for key, told in self.spaces.items()},
            "known": dict(self.known),
            "includes": {page: dict(told) for page, told in self.includes.items()},
            "walk": walk,
        }

    @staticmethod
    def of(cursor: Cursor) -> State:
        """Raises CursorExpired for what is not ours."""
        told: Any = cursor
        try:
            if told["v"] != VERSION:
                raise ValueError
            state = State(_moment(told["since"]), moment(told["walked"]), moment(told["read"]), bool(told["young"]), bool(told["dear"]))
            state.spaces = {key: [str(id), str(audience)] for key, (id, audience) in told["spaces"].items()}
            state.known, state.includes = _texts(told["known"]), {page: _texts(those) for page, those in told["includes"].items()}
            if (on := told["walk"]) is not None:
                place = on["next"] if isinstance(on["next"], str) else None
                todo = [str(key) for key in on["todo"]]
                state.walk = Walk(_moment(on["began"]), bool(on["anew"]), todo, place, _texts(on["met"]), _texts(on["targets"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CursorExpired("the cursor is of another version of this connector; reading starts again") from None
        return state


def _moment(value: Any) -> datetime:
    found = moment(value)
    if found is None:
        raise ValueError
    return found


def _texts(told: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in told.items()}
