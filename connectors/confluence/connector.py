"""Confluence, Cloud and Data Center, as a source of knowledge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from connectors.base import ConfigProblem, Cursor, Page, Part
from connectors.confluence.audience import Readers
from connectors.confluence.client import Space, wiki
from connectors.confluence.pages import Pages, unexpected
from connectors.confluence.settings import Settings
from connectors.confluence.state import VERSION, State, Walk
from connectors.confluence.turn import Turn, where
from connectors.http import Denied, HttpError, HttpFactory

WALK_EVERY = timedelta(minutes=45)  # moves, restrictions and deletions make no version; with a turn each quarter of an hour: an hour
READ_EVERY = timedelta(hours=23)
FEW, FEW_SPACES = 200, 4  # pages and spaces of which so few requests tell the state that it is asked at every turn
FEW_ASKED = 8  # unless more than so many pages have to be asked for one by one
T = TypeVar("T")


class Confluence:
    """One site. Implements Source, Listing, Divided and Forewarned."""

    def __init__(self, settings: Settings, http: HttpFactory, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._name = settings.name
        self._now = now
        self._wiki = wiki(settings, http)
        self._keys = tuple(dict.fromkeys(settings.knowledge.spaces))
        self._audience = settings.knowledge.audience
        self._kept_in = frozenset(label.strip().lower() for label in settings.knowledge.internal_labels)
        self._prefix = f"confluence:{settings.name}:page:"
        self._unknown: Counter[str] = Counter()
        self._met: int | None = None  # pages of the last walk
        self._counted: dict[str, int] | None = None  # pages by space, as `begin` met them

    def check(self) -> None:
        """Signs in, looks for every space, and tries search, reading and restrictions. Raises ConfigProblem."""
        self._spaces()
        question = where(self._keys[:1])
        found = self._allowed("search:confluence", "to search", lambda: next(iter(self._wiki.search(question)), None))
        if found is None:
            return
        self._allowed("read:page:confluence", "to read a page", lambda: self._wiki.bodies((found.id,)))
        told = self._allowed("read:content.restriction:confluence", "to tell who may read a page", lambda: self._wiki.restricted(found.id))
        if told is None:
            raise ConfigProblem(
                f"{self._name}: Confluence does not tell who may read a page, so no page could be shown to customers; "
                "the token needs read:content.restriction:confluence"
            )

    def warnings(self) -> tuple[str, ...]:
        """What the last reading met; no request."""
        found = []
        if self._met == 0:
            found.append(f"{self._name}: there is NOT ONE page to learn from in {', '.join(self._keys)}; see what the account may view")
        if self._unknown:
            kinds = ", ".join(f"{macro} ({count})" for macro, count in self._unknown.most_common(5))
            found.append(f"{self._name}: macros that are not known, of which only the text within was read: {kinds}")
        return tuple(found)

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """All pages at first and once a day; in between what changed. Raises CursorExpired for a cursor that is not ours."""
        state = State(self._now()) if cursor is None else State.of(cursor)
        left_open, compared = state.walk is not None, False
        if state.walk is not None:
            yield from self._walk(state, state.walk)
        if left_open or self._due(state):  # behind a walk that was broken off anything may have happened
            began = self._now()
            state.walk = Walk(began, state.read is None or began - state.read >= READ_EVERY, list(self._keys))
            compared = not state.walk.anew
            yield from self._walk(state, state.walk)
        if not compared:
            spaces = {key: Space(key, id, key) for key, (id, _) in state.spaces.items()}
            yield from Turn(state, self._wiki, self._pages(spaces)).edited(self._now)
        yield Page((), state.cursor(), True)

    def list_ids(self) -> Iterator[str]:
        """Complete, or an exception."""
        spaces = self._spaces()
        pages = self._pages(spaces)
        for space in spaces.values():
            for part in pages.slices(space):
                yield from (self._prefix + leaf.id for leaf in part.leaves if leaf.status == "current")

    # --- a first load in parts ---

    def parts(self) -> tuple[Part, ...]:
        """The spaces; they are counted by their lists where `begin` has not just done it."""
        spaces = self._spaces()
        counted, self._counted = self._counted or self._count(spaces), None
        return tuple(Part(key, space.title, counted[key]) for key, space in spaces.items())

    def begin(self) -> Cursor:
        """Remembers the state of every page, without its text: whatever is another when the parts are read is read again."""
        state = State(self._now(), young=True)
        state.walked = state.read = state.since
        spaces, counted = self._remembered(state), {}
        pages = self._pages(spaces)
        for key, space in spaces.items():
            marks = {head.id: head.mark for heads, _ in pages.heads(space, None) for head in heads}
            counted[key] = len(marks)
            state.known |= marks
        self._counted = counted
        return state.cursor()

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        """One space."""
        if key not in self._keys:
            raise ConfigProblem(f"{self._name}: space {key} is no longer among those to learn from")
        place = cast("str | None", cursor.get("next")) if cursor is not None and cursor.get("v") == VERSION else None
        spaces = self._spaces()
        pages = self._pages(spaces)
        for heads, onward in pages.heads(spaces[key], place):
            read = pages.read([head.id for head in heads])
            yield Page(tuple(one.change for one in read), {"v": VERSION, "next": onward}, onward is None)

    # --- how ---

    def _due(self, state: State) -> bool:
        """Whether all pages are to be compared now: few at every turn, many when three quarters of an hour have passed."""
        few = len(state.known) <= FEW and len(self._keys) <= FEW_SPACES and not state.dear
        told = {key: audience for key, (_, audience) in state.spaces.items()}
        if few or state.young or state.walked is None or state.read is None or told != self._told():
            return True
        return self._now() - state.walked >= WALK_EVERY or self._now() - state.read >= READ_EVERY

    def _walk(self, state: State, walk: Walk) -> Iterator[Page]:
        pages = self._pages(self._remembered(state))
        if walk.anew:
            self._unknown.clear()
        yield from Turn(state, self._wiki, pages).walk(walk)
        state.dear = pages.asked > FEW_ASKED
        self._met = len(state.known)

    def _pages(self, spaces: dict[str, Space]) -> Pages:
        return Pages(self._wiki, self._prefix, spaces, Readers(self._wiki, self._audience, self._kept_in), self._unknown)

    def _remembered(self, state: State) -> dict[str, Space]:
        spaces, audience = self._spaces(), self._told()
        state.spaces = {key: [space.id, audience[key]] for key, space in spaces.items()}
        return spaces

    def _told(self) -> dict[str, str]:
        """What the settings say of who may read, as a text that is another when they are."""
        said = " but ".join(("public", *sorted(self._kept_in)))
        return {key: said if self._audience.get(key) == "public" else "internal" for key in self._keys}

    def _count(self, spaces: dict[str, Space]) -> dict[str, int]:
        pages = self._pages(spaces)
        return {key: sum(leaf.status == "current" for part in pages.slices(space) for leaf in part.leaves) for key, space in spaces.items()}

    def _spaces(self) -> dict[str, Space]:
        """Every configured space, by key. Raises ConfigProblem for one that is not shown: a list leaves it out without a word."""
        try:
            seen = self._wiki.spaces(self._keys)
        except HttpError as refusal:
            raise unexpected(refusal) from None
        if missing := [key for key in self._keys if key not in seen]:
            raise ConfigProblem(
                f"{self._name}: Confluence shows this account no space {', '.join(missing)}; let it view the space, or correct"
                " knowledge.spaces (keys, not names)"
            )
        return {key: seen[key] for key in self._keys}

    def _allowed(self, scope: str, what: str, call: Callable[[], T]) -> T:
        """The credential is accepted already: what is refused now is one permission."""
        try:
            return call()
        except (HttpError, Denied) as refusal:
            raise ConfigProblem(f"{self._name}: Confluence refuses {what} ({refusal}); the token needs {scope}") from None
