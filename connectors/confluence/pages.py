"""Pages of one turn: in lists with their marks, and read, with all that other pages contribute to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from connectors.base import ConfigProblem, Document, Transient, Unreadable
from connectors.confluence.audience import Readers
from connectors.confluence.client import BODIES, EMPTY_AT_MOST, Slice, Space, Wiki
from connectors.confluence.parse import Leaf
from connectors.confluence.state import Targets
from connectors.confluence.storage import Reading, Target, markdown
from connectors.http import Excessive, HttpError

FORGOTTEN = (400, 404, 410)  # what a place in a list answers that the server no longer knows
EVIDENCE = 8  # pages that fail one after the other, before any was read: then it is not about pages
FAILURES = (Transient, HttpError, Excessive)


@dataclass(frozen=True, slots=True)
class Head:
    """A page as lists tell it."""

    id: str
    title: str
    mark: str


@dataclass(frozen=True, slots=True)
class Read:
    """A page as it was read; `mark` is empty where it could not be."""

    id: str
    target: str
    mark: str
    change: Document | Unreadable
    includes: Targets = field(default_factory=dict)


class Pages:
    """`prefix`: of documents' ids. `unknown`: macros that are met and not known are counted there."""

    def __init__(self, wiki: Wiki, prefix: str, spaces: Mapping[str, Space], readers: Readers, unknown: Counter[str]) -> None:
        self.prefix = prefix
        self.spaces = spaces
        self.audience = readers.spaces
        self._wiki = wiki
        self._keys = {space.id: key for key, space in spaces.items()}
        self._readers = readers
        self._unknown = unknown
        self._included: dict[str, Leaf | None] = {}  # by target

    @property
    def asked(self) -> int:
        """How much had to be asked of single pages to know who may read them."""
        return self._readers.asked

    def heads(self, space: Space, place: str | None) -> Iterator[tuple[list[Head], str | None]]:
        """A space's pages slice by slice, with where to go on (None: that was the end)."""
        for part in self.slices(space, place):
            leaves = [leaf for leaf in part.leaves if leaf.status == "current"]
            self._readers.learn(leaves, space.key)
            yield [Head(leaf.id, leaf.title, self._mark(leaf, space.key)) for leaf in leaves], part.at

    def slices(self, space: Space, place: str | None = None) -> Iterator[Slice]:
        """A list from a place on. One that the server no longer knows, which some answer with 500, leads back to the beginning, once."""
        resumed, empty = place is not None, 0
        while True:
            try:
                part = self._wiki.slice(space, place)
            except (HttpError, Transient) as fault:
                if not resumed or (isinstance(fault, HttpError) and fault.status not in FORGOTTEN):
                    raise (unexpected(fault) if isinstance(fault, HttpError) else fault) from None
                resumed, place = False, None
                continue
            yield part
            empty = 0 if part.leaves else empty + 1
            if empty > EMPTY_AT_MOST and part.at is not None:
                raise Transient(f"Confluence sends one empty page of space {space.key} after the other; it is read anew at the next turn")
            if part.at is None:
                return
            place, resumed = part.at, False

    def read(self, ids: Sequence[str], doubtful: Set[str] = frozenset()) -> list[Read]:
        """Pages by id; one that is not there, not current or in no space of ours is left out. `doubtful`: failed before, read alone."""
        found: list[Read] = []
        sound = [id for id in ids if id not in doubtful]
        for first in range(0, len(sound), BODIES):
            found += self._read(self._halved(sound[first : first + BODIES], []))
        for id in ids:
            if id in doubtful:
                found += self._read(self._halved([id], [True]))
        return found

    # --- how ---

    def _halved(self, ids: Sequence[str], went: list[bool]) -> list[Leaf | Read]:
        """A batch that fails is read in halves, down to the page that is to blame. `went`: how each attempt with one page or more ended."""
        try:
            leaves = self._wiki.bodies(ids)
        except FAILURES as fault:
            self._alive()
            if len(ids) > 1:
                half = len(ids) // 2
                return [*self._halved(ids[:half], went), *self._halved(ids[half:], went)]
            went.append(False)
            if len(went) >= EVIDENCE and not any(went):
                raise Transient(f"Confluence fails to give one page after the other; later more ({fault})") from None
            return [self._failed(ids[0], fault)]
        went.append(True)
        return list(leaves)

    def _alive(self) -> None:
        """Raises what the site answers where nothing works: then no page is to blame."""
        self._wiki.spaces(tuple(self.spaces))

    def _read(self, rows: Sequence[Leaf | Read]) -> list[Read]:
        leaves = [(row, self._keys.get(row.space or "", row.space or "")) for row in rows if isinstance(row, Leaf)]
        for key in self.spaces:
            self._readers.learn([leaf for leaf, of in leaves if of == key and leaf.id not in self._readers.own], key)
        failed = [row for row in rows if isinstance(row, Read)]
        return [*failed, *(self._one(leaf, key) for leaf, key in leaves if key in self.spaces)]

    def _one(self, page: Leaf, key: str) -> Read:
        if page.body is None:
            return Read(page.id, "", "", Unreadable(self.prefix + page.id, "Confluence gives no text of this page"))
        mark, includes = self._mark(page, key), Targets()

        def fetch(target: Target) -> str | None:
            """What another page contributes must be readable by everybody who may read this one."""
            space = target.space or key
            if space not in self.spaces:
                return None
            name = f"{space}:{target.title}"
            other = self._titled(name, self.spaces[space], target.title)
            includes[name] = f"{other.id}:{self._mark(other, space)}" if other else ""
            return other.body if other and (mark.endswith("i") or includes[name].endswith("p")) else None

        site = page.url.partition("/spaces/")[0].partition("/pages/")[0].partition("/display/")[0]
        try:
            text = markdown(page.body, Reading(site, key, fetch, self._unknown))
        except FAILURES as fault:
            self._alive()
            return self._failed(page.id, fault)
        document = Document(
            id=self.prefix + page.id,
            title=" ".join(page.title.split()),
            markdown=text,
            url=page.url,
            updated_at=page.updated,
            created_at=page.created,
            audience="public" if mark.endswith("p") else "internal",
        )
        return Read(page.id, f"{key}:{page.title}", mark, document, includes)

    def _titled(self, name: str, space: Space, title: str) -> Leaf | None:
        """A page by its title, asked for once in a turn."""
        if name not in self._included:
            found = self._wiki.titled(space, title)
            self._included[name] = found if found is not None and found.status == "current" else None
            if found is not None:
                self._readers.learn([found], space.key)
        return self._included[name]

    def _mark(self, page: Leaf, key: str) -> str:
        return f"{page.version}{self._readers.of(page, key)[0]}"

    def _failed(self, page: str, fault: Exception) -> Read:
        return Read(page, "", "", Unreadable(self.prefix + page, f"Confluence fails to give this page: {fault}"))


def unexpected(refusal: HttpError) -> ConfigProblem:
    return ConfigProblem(f"Confluence refuses a call that it should know ({refusal}); check base_url and flavour")
