"""Google Docs as a source of knowledge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.base import ConfigProblem, Cursor, CursorExpired, Gone, Page, Part, Transient
from connectors.google_docs.client import Calls, said
from connectors.google_docs.parse import Change, Entry
from connectors.google_docs.settings import Settings
from connectors.google_docs.sign_in import read_key
from connectors.google_docs.state import VERSION, State, Times, Waiting
from connectors.google_docs.texts import Texts
from connectors.google_docs.tree import Tree
from connectors.google_docs.walk import Walk
from connectors.http import Denied, HttpError, HttpFactory


class GoogleDocs:
    """One service account. Implements Source, Listing, Divided and Forewarned."""

    def __init__(self, settings: Settings, http: HttpFactory, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Makes no request. Raises ConfigProblem for an endpoint that would show the credentials to the network."""
        if plain := settings.unprotected():
            raise ConfigProblem(f"{settings.name}: {plain} would get the credentials in the clear; write https, or allow_plain_http: true")
        knowledge = settings.knowledge
        self._settings = settings
        self._calls = Calls(settings, http, now)
        self._roots = tuple(dict.fromkeys((*knowledge.folders, *knowledge.shared_drives)))
        self._texts = Texts(self._calls, f"google_docs:{settings.name}:doc:", knowledge.audience)
        self._seen: Tree | None = None  # as it was last read, for warnings

    def check(self) -> None:
        """Signs in, looks at every folder, and reads a document's id if there is one at hand. Raises ConfigProblem."""
        found = {root: self._root(root) for root in self._roots}
        hidden = [root for root, entry in found.items() if entry is None or entry.trashed]
        if hidden:
            raise ConfigProblem(self._not_shared(hidden))
        for root, entry in found.items():
            if entry is not None and entry.kind not in ("folder", "shortcut"):
                raise ConfigProblem(f"{self._settings.name}: {root} is a file, not a folder; name the folder it is in")
        document = next((id for entry in found.values() if entry and (id := self._calls.first_document(entry))), None)
        if document is not None:
            try:
                self._calls.document(document, "documentId")
            except (HttpError, Denied) as refusal:
                if refusal.status == 401:
                    raise ConfigProblem(f"{self._settings.name}: the Docs API does not accept the token: {said(refusal)}") from None

    def warnings(self) -> tuple[str, ...]:
        """What the last reading met; no request."""
        if self._seen is None:
            return ()
        name, tree = self._settings.name, self._seen
        hidden = [root for root in self._roots if root not in tree]
        found = [self._not_shared(hidden)] if hidden else []
        if not tree.read():
            found.append(
                f"{name}: there is NOT ONE document to learn from. The likely cause: the folder is not shared with {self._address()};"
                " share it with that address as a viewer. Only Google Docs are read, no Word files, PDFs or sheets"
            )
        if missing := tree.missing():
            found.append(f"{name}: shortcuts to what is gone, or not shared with {self._address()}, are not read: {len(missing)}")
        return tuple(found)

    # --- reading ---

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """First load and catch-up. Raises CursorExpired for a cursor that is not ours or whose tokens Drive forgot."""
        if cursor is None:
            state, met = self._begun()
            state.waiting.todo, state.young = self._times(state.tree.read(), met), False
            yield Page((), state.cursor(), False)
        else:
            state = State.of(cursor, self._roots)
            state.waiting.again()
        yield from self._drain(state)
        self._reopen(state)
        try:
            for drive in list(state.feeds):
                yield from self._follow(state, drive)
        except CursorExpired as problem:
            if cursor is None:
                raise Transient(f"{problem}, though it was only just given") from None
            raise
        yield from self._drain(state)
        state.young = False
        self._seen = state.tree
        yield Page((), state.cursor(), True)

    def list_ids(self) -> Iterator[str]:
        """Complete, or an exception: ConfigProblem where a folder cannot be seen."""
        tree = self._walked(self._roots).tree
        if hidden := [root for root in self._roots if root not in tree]:
            raise ConfigProblem(self._not_shared(hidden))
        yield from sorted(self._texts.id(file) for file in tree.read())

    # --- a first load in parts ---

    def parts(self) -> tuple[Part, ...]:
        """A part for each folder and shared drive; counting costs a list for a thousand documents."""
        walk = self._walked(self._roots)
        names = {root: walk.met[root].name for root in self._roots if root in walk.met}
        return tuple(Part(root, names.get(root) or root, len(walk.tree.read(root))) for root in self._roots)

    def begin(self) -> Cursor:
        return self._begun()[0].cursor()

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        """One folder or shared drive. What Google fails to give twice stays unreadable until it changes."""
        if key not in self._roots:
            raise ConfigProblem(f"{self._settings.name}: {key} is no longer among the folders to learn from")
        if cursor is None:
            walk = self._walked((key,))
            waiting = Waiting(self._times(walk.tree.read(key), walk.met))
            yield Page((), _part_cursor(key, waiting), False)
        else:
            waiting = _part_waiting(key, cursor)
        for changes in self._texts.read(waiting):
            yield Page(changes, _part_cursor(key, waiting), False)
        waiting.again()
        for changes in self._texts.read(waiting):
            yield Page(changes, _part_cursor(key, waiting), False)
        waiting.later = {}
        yield Page((), _part_cursor(key, waiting), True)

    # --- how ---

    def _begun(self) -> tuple[State, dict[str, Entry]]:
        """The tokens first: what changes during the walk is told afterwards."""
        account = self._calls.start_token(None)
        feeds = {"": account or ""}
        for drive in self._settings.knowledge.shared_drives:
            token = self._calls.start_token(drive)
            if token is not None:
                feeds[drive] = token
        walk = self._walked(self._roots)
        return State(walk.tree, feeds, young=True), walk.met

    def _walked(self, roots: tuple[str, ...]) -> Walk:
        walk = Walk(self._calls, Tree(roots), self._settings.knowledge)
        walk.from_roots(roots)
        if roots == self._roots:
            self._seen = walk.tree
        return walk

    def _drain(self, state: State) -> Iterator[Page]:
        for changes in self._texts.read(state.waiting):
            yield Page(changes, state.cursor(), False)

    def _reopen(self, state: State) -> None:
        """Looks again at folders that could not be seen the last time, and takes up the feeds of shared drives among them."""
        hidden = [root for root in self._roots if root not in state.tree]
        for drive in self._settings.knowledge.shared_drives:
            if drive not in state.feeds and (token := self._calls.start_token(drive)) is not None:
                state.feeds[drive] = token
                hidden.append(drive)
        if hidden:
            walk = Walk(self._calls, state.tree, self._settings.knowledge)
            before = state.tree.read()
            walk.from_roots(dict.fromkeys(hidden))
            state.waiting.todo |= self._times(state.tree.read() - before, walk.met)

    def _follow(self, state: State, drive: str) -> Iterator[Page]:
        """One feed to its end. Documents that changed are put down to be read; those that left are told at once."""
        try:
            for changes, token, _ in self._calls.changes(state.feeds[drive], drive or None):
                gone = self._apply(state, changes, drive)
                state.feeds[drive] = token
                if changes:
                    yield Page(gone, state.cursor(), False)
        except (CursorExpired, Denied):
            if not drive or self._calls.shared_drive(drive) is not None:
                raise
            del state.feeds[drive]
            gone = self._apply(state, [Change(drive, None, of_drive=True)], "")
            yield Page(gone, state.cursor(), False)

    def _apply(self, state: State, changes: list[Change], drive: str) -> tuple[Gone, ...]:
        tree = state.tree
        walk = Walk(self._calls, tree, self._settings.knowledge)
        before, roots = tree.read(), {root for root in self._roots if root in tree}
        rows = {change.id: change for change in changes}
        watched = tree.outside() | tree.missing() | set(self._roots)
        look: set[str] = set()
        for change in rows.values():
            if change.id in tree.above:
                look |= watched
            if change.of_drive or change.id in self._settings.knowledge.shared_drives:
                look |= {change.id} & set(self._roots)
            elif change.entry is None and drive and change.id in tree:
                look.add(change.id)  # it may only have left this shared drive
            else:
                _put(tree, change, walk)
        walk.again(sorted(look))
        reached = tree.reached()
        self._descend(walk, [change.entry for change in rows.values() if change.entry and change.id in reached])
        walk.ascend()
        after = tree.read()
        lost = any(root not in tree and not _in_trash(rows.get(root)) for root in roots)
        gone = before - after
        if state.young:
            gone |= {id for id, change in rows.items() if id not in after and (change.entry is None or change.entry.kind == "document")}
        state.waiting.forget(gone)
        changed = {id for id, change in rows.items() if id in after and change.entry is not None}
        state.waiting.todo |= self._times((after - before) | changed, walk.met)
        # A whole folder that was taken from us may be a mistake in sharing: the listing, which says so, decides.
        return tuple(Gone(self._texts.id(file), inferred=lost and file in before) for file in sorted(gone))

    def _descend(self, walk: Walk, entries: list[Entry]) -> None:
        """A folder's row may stand for anything that happened in it meanwhile; a shortcut's for another target."""
        walk.through(entry for entry in entries if entry.kind in ("folder", "shortcut") and entry.id in walk.tree)

    def _times(self, files: set[str], met: dict[str, Entry]) -> dict[str, Times]:
        return {file: (met[file].modified, met[file].created) if file in met else (None, None) for file in sorted(files)}

    def _root(self, root: str) -> Entry | None:
        return self._calls.shared_drive(root) if root in self._settings.knowledge.shared_drives else self._calls.file(root)

    def _not_shared(self, roots: list[str]) -> str:
        one = len(roots) == 1
        return (
            f"{self._settings.name}: {', '.join(roots[:5])} cannot be seen; share {'it' if one else 'them'} with {self._address()} as a"
            f" viewer, or correct the id under knowledge (what is in the trash, or not shared with that address, does not exist for it)"
        )

    def _address(self) -> str:
        return self._settings.auth.subject or read_key(self._settings).address


def _put(tree: Tree, change: Change, walk: Walk) -> None:
    """A row as it stands: the folder or the text anew, or the end of it."""
    if change.id in tree.above:
        tree.above[change.id] = (change.entry.parent or "") if change.entry else ""
    if change.entry is None:
        tree.drop(change.id)
    else:
        walk.met[change.id] = change.entry
        tree.put(change.entry)


def _in_trash(change: Change | None) -> bool:
    return change is not None and change.entry is not None and change.entry.trashed


def _part_cursor(key: str, waiting: Waiting) -> Cursor:
    return {"v": VERSION, "part": key, **waiting.told()}


def _part_waiting(key: str, cursor: Cursor) -> Waiting:
    told: Any = cursor
    if cursor.get("v") != VERSION or cursor.get("part") != key:
        raise CursorExpired("the cursor is not of this part, or of another version of this connector; the part is read again")
    try:
        return Waiting.of(told)
    except (KeyError, ValueError, TypeError):
        raise CursorExpired("the cursor is damaged; the part is read again") from None
