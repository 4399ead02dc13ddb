"""Where reading stands, as it is kept in a cursor: the tree, the feeds of changes, and which documents are still to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.base import JSON, Cursor, CursorExpired
from connectors.google_docs.tree import Tree

VERSION = 1
Times = tuple[int | None, int | None]  # modified, created: milliseconds since 1970
REMEMBERED = 500  # documents that Google failed to give


@dataclass(slots=True)
class Waiting:
    """Documents to be read, and those that Google failed to give: they are tried again at the next turn."""

    todo: dict[str, Times] = field(default_factory=dict)
    later: dict[str, Times] = field(default_factory=dict)

    def again(self) -> None:
        self.todo = {**self.todo, **self.later}
        self.later = {}

    def forget(self, ids: set[str]) -> None:
        self.todo = {id: times for id, times in self.todo.items() if id not in ids}
        self.later = {id: times for id, times in self.later.items() if id not in ids}

    def put_off(self, id: str, times: Times) -> None:
        if len(self.later) < REMEMBERED:
            self.later[id] = times

    def told(self) -> dict[str, JSON]:
        return {"todo": [[id, *times] for id, times in self.todo.items()], "later": [[id, *times] for id, times in self.later.items()]}

    @classmethod
    def of(cls, told: Any) -> Waiting:
        return cls(*({str(id): (_number(modified), _number(created)) for id, modified, created in told[key]} for key in ("todo", "later")))


@dataclass(slots=True)
class State:
    """`feeds`: the token per feed, "" being the account's own, the others those of shared drives.

    `young`: documents may have been told by parts that were read after this tree: whoever is gone then is told, known or not.
    """

    tree: Tree
    feeds: dict[str, str]
    waiting: Waiting = field(default_factory=Waiting)
    young: bool = False

    def cursor(self) -> Cursor:
        """A copy: yielded cursors stay as they were."""
        return {
            "v": VERSION,
            "roots": [*sorted(self.tree.roots)],
            "feeds": dict(self.feeds),
            "tree": self.tree.told(),
            "young": self.young,
            **self.waiting.told(),
        }

    @classmethod
    def of(cls, cursor: Cursor, roots: tuple[str, ...]) -> State:
        """Raises CursorExpired for what is not ours, or of other roots than are configured now."""
        if cursor.get("v") != VERSION:
            raise CursorExpired("the cursor is of another version of this connector; reading starts again")
        told: Any = cursor
        try:
            if told["roots"] != sorted(roots):
                raise CursorExpired("other folders are to be read than before; reading starts again")
            feeds = {str(drive): str(token) for drive, token in told["feeds"].items()}
            if "" not in feeds:
                raise KeyError("feeds")
            return cls(Tree.of(roots, told["tree"]), feeds, Waiting.of(told), told["young"] is True)
        except (KeyError, ValueError, TypeError, AttributeError):
            raise CursorExpired("the cursor is damaged; reading starts again") from None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
