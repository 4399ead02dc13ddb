"""Confluence, Cloud and Data Center, as a source of knowledge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from connectors.base import JSON, ConfigProblem, Cursor, CursorExpired, Document, Page, Part, Transient, Unreadable
from connectors.confluence.audience import Readers
from connectors.confluence.client import BODIES, EMPTY_AT_MOST, Slice, Space, quoted, wiki
from connectors.confluence.parse import Leaf, moment
from connectors.confluence.settings import Settings
from connectors.confluence.storage import Reading, Target, markdown
from connectors.http import HttpError, HttpFactory

VERSION = 1
BACK = timedelta(hours=26)  # a CQL date is in the account's own time zone, which is up to 14 hours off; and the index lags
WIDEST = BACK + timedelta(hours=14)  # how old a version can be that such a question still finds
WALK_EVERY = timedelta(hours=23)  # moves, restrictions and labels make no version and are found by reading everything again
FORGOTTEN = (400, 404, 410)  # what a place in a list answers that the server no longer knows

State = dict[str, Any]
Change = Document | Unreadable
Read = list[tuple[Leaf, Change]]


class Confluence:
    """One site. Implements Source, Listing, Divided and Forewarned."""

    def __init__(self, settings: Settings, http: HttpFactory, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._now = now
        self._wiki = wiki(settings, http)
        self._keys = tuple(dict.fromkeys(settings.knowledge.spaces))
        self._unknown: Counter[str] = Counter()
        self._met: int | None = None  # pages of the last walk

    def check(self) -> None:
        """Signs in, looks for every space, and tries search and restrictions. Raises ConfigProblem."""
        spaces, name = self._spaces(), self._settings.name
        try:
            found = next(iter(self._wiki.search(self._where(self._keys[:1]))), None)
        except HttpError as refusal:
            raise ConfigProblem(f"{name}: Confluence refuses to search ({refusal}); the token needs search:confluence") from None
        if found is not None and spaces and self._wiki.restricted(found.id) is None:
            raise ConfigProblem(
                f"{name}: Confluence does not tell who may read a page, so no page could be shown to customers; "
                "the token needs read:content.restriction:confluence"
            )

    def warnings(self) -> tuple[str, ...]:
        """What the last reading met; no request."""
        name, found = self._settings.name, []
        if self._met == 0:
            found.append(f"{name}: there is NOT ONE page to learn from in {', '.join(self._keys)}; see what the account may view")
        if self._unknown:
            kinds = ", ".join(f"{macro} ({count})" for macro, count in self._unknown.most_common(5))
            found.append(f"{name}: macros that are not known, of which only the text within was read: {kinds}")
        return tuple(found)

    # --- reading ---

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """A walk through all spaces at first and once a day, in between what was edited. Raises CursorExpired for a cursor not ours."""
        state = {"since": self._now().isoformat(), "walked": None, "recent": {}, "walk": None} if cursor is None else _opened(cursor)
        walked = moment(state["walked"])
        if state["walk"] is None and (walked is None or self._now() - walked >= WALK_EVERY):
            state = {**state, "walk": {"began": self._now().isoformat(), "todo": list(self._keys), "next": None}}
        yield from self._walk(state) if state["walk"] is not None else self._edited(state)

    def list_ids(self) -> Iterator[str]:
        """Complete, or an exception."""
        for space in self._spaces().values():
            for part in self._slices(space, None):
                yield from (self._id(leaf.id) for leaf in part.leaves if leaf.status == "current")

    def parts(self) -> tuple[Part, ...]:
        return tuple(Part(key, space.title) for key, space in self._spaces().items())

    def begin(self) -> Cursor:
        now = self._now().isoformat()
        return _cursor({"since": now, "walked": now, "recent": {}, "walk": None})

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        """One space."""
        if key not in self._keys:
            raise ConfigProblem(f"{self._settings.name}: space {key} is no longer among those to learn from")
        place = cast("str | None", cursor.get("next")) if cursor is not None and cursor.get("v") == VERSION else None
        for read, onward in self._space(key, place):
            yield Page(tuple(change for _, change in read), {"v": VERSION, "next": onward}, onward is None)

    def _walk(self, state: State) -> Iterator[Page]:
        walk, recent = dict(state["walk"]), dict(state["recent"])
        began = moment(walk["began"]) or self._now()
        todo = [key for key in walk["todo"] if key in self._keys]
        self._unknown.clear()
        met = 0
        while todo:
            for read, onward in self._space(todo[0], walk["next"]):
                met += len(read)
                young = {leaf.id: leaf.version for leaf, _ in read if leaf.updated is None or leaf.updated >= began - WIDEST}
                recent = recent | young
                walk = {**walk, "todo": todo if onward else todo[1:], "next": onward}
                state = {**state, "recent": recent, "walk": walk}
                yield Page(tuple(change for _, change in read), _cursor(state), False)
            todo, walk = todo[1:], {**walk, "next": None}
        self._met = met
        # What was edited behind us, while a walk was broken off or just slow.
        yield from self._edited({"since": began.isoformat(), "walked": began.isoformat(), "recent": recent, "walk": None})

    def _edited(self, state: State) -> Iterator[Page]:
        """What has a version that we did not read, by one question over the last day and a bit."""
        began = self._now()
        since = (moment(state["since"]) or began) - BACK
        asked = f'{self._where(self._keys)} and lastmodified >= "{since:%Y-%m-%d %H:%M}" order by lastmodified asc'
        try:
            heads = {leaf.id: leaf for leaf in self._wiki.search(asked)}
        except HttpError as refusal:
            raise self._unexpected(refusal) from None
        known = state["recent"]
        fresh = [id for id, leaf in heads.items() if leaf.status == "current" and known.get(id) != leaf.version]
        recent = {id: known[id] for id in heads if id in known}
        spaces, readers = (self._spaces() if fresh else {}), self._readers()
        for start in range(0, len(fresh), BODIES):
            read = self._read_all(fresh[start : start + BODIES], spaces, readers)
            recent = recent | {leaf.id: leaf.version for leaf, _ in read}
            yield Page(tuple(change for _, change in read), _cursor({**state, "recent": recent}), False)
        yield Page((), _cursor({**state, "since": began.isoformat(), "recent": recent}), True)

    # --- pages ---

    def _space(self, key: str, place: str | None) -> Iterator[tuple[Read, str | None]]:
        """A space's pages, slice by slice, with where to go on. A place that is forgotten leads back to the space's beginning."""
        spaces, readers = self._spaces(), self._readers()
        for part in self._slices(spaces[key], place):
            ids = [leaf.id for leaf in part.leaves if leaf.status == "current"]
            read: Read = []
            for start in range(0, len(ids), BODIES):
                read += self._read_all(ids[start : start + BODIES], spaces, readers)
            yield read, part.at

    def _slices(self, space: Space, place: str | None) -> Iterator[Slice]:
        """A list from a place on. One that the server no longer knows, which some answer with 500, leads back to the beginning, once."""
        resumed, empty = place is not None, 0
        while True:
            try:
                part = self._wiki.slice(space, place)
            except (HttpError, Transient) as fault:
                if not resumed or (isinstance(fault, HttpError) and fault.status not in FORGOTTEN):
                    raise (self._unexpected(fault) if isinstance(fault, HttpError) else fault) from None
                resumed, place = False, None
                continue
            yield part
            empty = 0 if part.leaves else empty + 1
            if empty > EMPTY_AT_MOST and part.at is not None:
                raise Transient(f"Confluence sends one empty page of space {space.key} after the other; it is read anew at the next turn")
            if part.at is None:
                return
            place, resumed = part.at, False

    def _read_all(self, ids: Sequence[str], spaces: Mapping[str, Space], readers: Readers) -> Read:
        """Pages by id. One that vanished since it was listed is left to the next listing."""
        keys = {space.id: key for key, space in spaces.items()}
        leaves = [(leaf, keys.get(leaf.space or "", leaf.space or "")) for leaf in self._wiki.bodies(ids)]
        for key in self._keys:
            readers.learn([leaf for leaf, of in leaves if of == key], key)
        return [(leaf, self._read(leaf, key, spaces, readers)) for leaf, key in leaves if key in self._keys]

    def _read(self, page: Leaf, key: str, spaces: Mapping[str, Space], readers: Readers) -> Change:
        if page.body is None:
            return Unreadable(self._id(page.id), "Confluence gives no text of this page")
        audience = readers.of(page, key)

        def fetch(target: Target) -> str | None:
            """What another page contributes must be readable by everybody who may read this one."""
            space = spaces.get(target.space or key)
            other = self._wiki.titled(space, target.title) if space is not None else None
            if other is None or space is None or other.status != "current":
                return None
            readers.learn([other], space.key)
            return other.body if audience == "internal" or readers.of(other, space.key) == "public" else None

        site = page.url.partition("/spaces/")[0].partition("/pages/")[0].partition("/display/")[0]
        return Document(
            id=self._id(page.id),
            title=" ".join(page.title.split()),
            markdown=markdown(page.body, Reading(site, key, fetch, self._unknown)),
            url=page.url,
            updated_at=page.updated,
            created_at=page.created,
            audience=audience,
        )

    # --- how ---

    def _id(self, page: str) -> str:
        return f"confluence:{self._settings.name}:page:{page}"

    def _spaces(self) -> dict[str, Space]:
        """Every configured space, by key. Raises ConfigProblem for one that is not shown: a list leaves it out without a word."""
        try:
            seen = self._wiki.spaces(self._keys)
        except HttpError as refusal:
            raise self._unexpected(refusal) from None
        if missing := [key for key in self._keys if key not in seen]:
            raise ConfigProblem(
                f"{self._settings.name}: Confluence shows this account no space {', '.join(missing)}; let it view the space, or correct"
                " knowledge.spaces (keys, not names)"
            )
        return {key: seen[key] for key in self._keys}

    def _readers(self) -> Readers:
        return Readers(self._wiki, self._settings.knowledge.audience)

    def _where(self, keys: Sequence[str]) -> str:
        return f"space in ({','.join(map(quoted, keys))}) and type = page"

    def _unexpected(self, refusal: HttpError) -> ConfigProblem:
        name = self._settings.name
        return ConfigProblem(f"{name}: Confluence refuses a call that it should know ({refusal}); check base_url and flavour")


def _cursor(state: State) -> Cursor:
    return {"v": VERSION, **{name: cast(JSON, state[name]) for name in ("since", "walked", "recent", "walk")}}


def _opened(cursor: Cursor) -> State:
    """Raises CursorExpired for what is not ours."""
    state = {name: cursor.get(name) for name in ("since", "walked", "recent", "walk")}
    walk = state["walk"]
    sound = cursor.get("v") == VERSION and isinstance(state["recent"], dict) and moment(state["since"]) is not None
    if not sound or not (walk is None or (isinstance(walk, dict) and {"began", "todo", "next"} <= set(walk))):
        raise CursorExpired("the cursor is of another version of this connector; reading starts again")
    return state
