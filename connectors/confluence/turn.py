"""One turn of catching up: what was edited, or all pages held against what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.base import Document, Gone, Page, Transient, Unreadable
from connectors.confluence.client import BODIES, Wiki, quoted
from connectors.confluence.pages import Head, Pages, Read, unexpected
from connectors.confluence.state import State, Walk
from connectors.http import HttpError

BACK = timedelta(hours=26)  # a CQL date is in the account's own time zone, which is up to 14 hours off; and the index lags
QUIET = 20  # slices without a change between two cursors: a large one is not written for each
MISSED, MISSED_SHARE, MISSED_LEAST = 25, 20, 3  # pages that may be gone at once, or one in so many; where more are, a listing decides
Change = Document | Unreadable | Gone


class Turn:
    """Works on `state`, which moves with every page it yields."""

    def __init__(self, state: State, wiki: Wiki, pages: Pages) -> None:
        self._state = state
        self._wiki = wiki
        self._pages = pages

    def walk(self, walk: Walk) -> Iterator[Page]:
        """Every page of every space, from where the walk stands: those whose mark is another are read; those not met are looked for."""
        state = self._state
        if walk.todo and walk.todo[0] not in self._pages.spaces:
            walk.next = None
        walk.todo = [key for key in walk.todo if key in self._pages.spaces]
        wanted = {target for targets in state.includes.values() for target in targets}
        while walk.todo:
            key = walk.todo[0]
            for number, (heads, onward) in enumerate(self._pages.heads(self._pages.spaces[key], walk.next), start=1):
                changes = self._compared(walk, key, heads, wanted)
                walk.next = onward
                if onward is None:
                    walk.todo = walk.todo[1:]
                if changes or number % QUIET == 0:
                    yield Page(tuple(changes), state.cursor(), False)
        if state.known:
            yield Page(tuple(self._missed(walk)), state.cursor(), False)
        yield from self._read([id for id in self._depending(walk, wanted) if id in walk.met], walk.met)
        state.known, state.walk = walk.met, None
        state.since = state.walked = walk.began
        state.read, state.young = (walk.began if walk.anew else state.read), False

    def edited(self, now: Callable[[], datetime]) -> Iterator[Page]:
        """What has a version that was not read, by one question over the last day and a bit."""
        state, began = self._state, now()
        asked = f'{where(tuple(self._pages.spaces))} and lastmodified >= "{state.since - BACK:%Y-%m-%d %H:%M}" order by lastmodified asc'
        try:
            heads = {leaf.id: leaf for leaf in self._wiki.search(asked)}
        except HttpError as refusal:
            raise unexpected(refusal) from None
        fresh = [id for id, leaf in heads.items() if leaf.status == "current" and state.known.get(id, "")[:-1] != str(leaf.version)]
        for first in range(0, len(fresh), BODIES):
            batch = fresh[first : first + BODIES]
            read = self._pages.read(batch, {id for id in batch if state.known.get(id) == ""})
            stale = [page for page, targets in state.includes.items() if any(_moved(targets, one) for one in read)]
            changes: list[Change] = self._taken(read, state.known)
            changes += self._gone([id for id in batch if id in state.known and id not in {one.id for one in read}], state.known)
            yield Page(tuple(changes), state.cursor(), False)
            yield from self._read([id for id in stale if id in state.known], state.known)
        state.since = began

    # --- how ---

    def _compared(self, walk: Walk, key: str, heads: Sequence[Head], wanted: set[str]) -> list[Change]:
        state = self._state
        before = {head.id: walk.met.get(head.id, state.known.get(head.id)) for head in heads}
        doubted = state.young and self._pages.audience.get(key) == "public"  # it may have been read while customers could see it
        differ = [head.id for head in heads if walk.anew or before[head.id] != head.mark or (doubted and head.mark.endswith("i"))]
        read = self._pages.read(differ, {id for id in differ if before[id] == ""})
        vanished = set(differ) - {one.id for one in read}
        for head in heads:
            if head.id not in vanished:
                state.known.pop(head.id, None)
                walk.met[head.id] = head.mark
            if f"{key}:{head.title}" in wanted:
                walk.targets[f"{key}:{head.title}"] = f"{head.id}:{head.mark}"
        return self._taken(read, walk.met)

    def _missed(self, walk: Walk) -> list[Change]:
        """Pages that no list showed, each looked for by its id: what is not current in a space of ours is gone."""
        state = self._state
        missed = list(state.known)
        read = self._pages.read(missed, {id for id in missed if state.known[id] == ""})
        changes: list[Change] = self._taken(read, walk.met)
        lost = [id for id in missed if id not in {one.id for one in read}]
        state.known = {**walk.met, **{id: state.known[id] for id in lost}}
        changes += self._gone(lost, state.known)
        state.known = {}
        return changes

    def _gone(self, ids: Sequence[str], known: dict[str, str]) -> list[Gone]:
        many = len(ids) > min(MISSED, max(MISSED_LEAST, len(known) // MISSED_SHARE))
        for id in ids:
            known.pop(id, None)
            self._state.includes.pop(id, None)
        return [Gone(self._pages.prefix + id, inferred=many) for id in ids]

    def _depending(self, walk: Walk, wanted: set[str]) -> list[str]:
        """Pages that include what is not as it was; after a first load in parts, all that include anything."""
        told = self._state.includes
        stale = [page for page, targets in told.items() if any(walk.targets.get(t, "") != targets[t] for t in targets.keys() & wanted)]
        if self._state.young and not walk.anew:
            stale += [id for id in self._including() if id not in told]
        return stale

    def _including(self) -> list[str]:
        """Where searching by macro is not known, they are learnt when all is read again."""
        try:
            return [leaf.id for leaf in self._wiki.search(f'{where(tuple(self._pages.spaces))} and macro in ("include","excerpt-include")')]
        except (HttpError, Transient):
            return []

    def _read(self, ids: Sequence[str], marks: dict[str, str]) -> Iterator[Page]:
        for first in range(0, len(ids), BODIES):
            changes = self._taken(self._pages.read(ids[first : first + BODIES]), marks)
            yield Page(tuple(changes), self._state.cursor(), False)

    def _taken(self, read: Sequence[Read], marks: dict[str, str]) -> list[Change]:
        for one in read:
            marks[one.id] = one.mark
            if one.includes:
                self._state.includes[one.id] = one.includes
            else:
                self._state.includes.pop(one.id, None)
        return [one.change for one in read]


def where(keys: Sequence[str]) -> str:
    """The pages of these spaces, in CQL."""
    return f"space in ({','.join(map(quoted, keys))}) and type = page"


def _moved(targets: Mapping[str, str], read: Read) -> bool:
    """Whether a page that was just read is not what these includes of it say, by its title or by its id."""
    now = f"{read.id}:{read.mark}"
    by_title = targets.get(read.target, now)
    by_id = [mark for mark in targets.values() if mark.startswith(f"{read.id}:")]
    return read.mark != "" and any(mark != now for mark in (by_title, *by_id))
