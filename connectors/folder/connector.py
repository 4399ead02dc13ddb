"""One folder of files: what changed since the cursor, told without reading what did not."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from connectors.base import JSON, Audience, ConfigProblem, Cursor, CursorExpired, Document, Gone, Page, Unreadable
from connectors.folder.parse import HTML, MARKDOWN, TEXT, Illegible, Place, parse

PAGE = 200  # files
LARGEST = 5 * 1024 * 1024  # bytes of one file
# A clock tick of a file system: a file written this short a time ago may change again under the same stamp.
TICK_SECONDS = 2.0
UNSETTLED = ""  # the stamp of what must be looked at again
_READ = MARKDOWN | HTML | TEXT


@dataclass(frozen=True, slots=True)
class _File:
    path: Path  # resolved: no link is followed when it is opened
    stamp: str
    size: int
    modified_ns: int


@dataclass(slots=True)
class _Found:
    """What a walk met, by relative path. `barred` are folders that could not be listed: what is in them is unknown."""

    files: dict[str, _File | None] = field(default_factory=dict)  # None: it is there, but not to be looked at
    barred: list[str] = field(default_factory=list)

    def hides(self, relative: str) -> bool:
        return any(relative.startswith(folder) for folder in self.barred)


class Folder:
    """A Source and a Listing. The cursor holds a stamp (size and times) per file that the pages so far told of."""

    def __init__(self, name: str, path: Path, audience: Audience, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = name
        self.path = path
        self.audience: Audience = audience
        self._now = now

    def check(self) -> None:
        """Raises ConfigProblem unless the folder is there and can be listed."""
        try:
            with os.scandir(self.path.resolve(strict=True)):
                return
        except (OSError, RuntimeError) as problem:
            raise self._missing(problem) from None

    def list_ids(self) -> Iterator[str]:
        """Every file's id. Raises ConfigProblem when any folder in it cannot be listed."""
        found = self._survey()
        if found.barred:
            raise ConfigProblem(f"{self.path / found.barred[0]} cannot be listed; let the bot's user read it, or move it elsewhere")
        yield from (self._id(relative) for relative in found.files)

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """New and changed files, then vanished ones. Raises ConfigProblem when the folder is missing.

        That a file vanished is inferred from a walk, which a volume that is not mounted looks like as well: all but moved files
        are left to the listing and its brake.
        """
        seen = _seen(cursor)
        found = self._survey()
        vanished = sorted(r for r in seen if r not in found.files and r not in found.barred and not found.hides(r))
        arrived = Counter(_moving(file.stamp) for relative, file in found.files.items() if file and relative not in seen)
        moved = [relative for relative, file in found.files.items() if file is None or seen.get(relative) != file.stamp]
        hidden = sorted({*found.barred, *(relative for relative in seen if found.hides(relative))})
        all_changes = [*moved, *hidden, *vanished]
        pages = [all_changes[start : start + PAGE] for start in range(0, len(all_changes), PAGE)] or [[]]
        for number, part in enumerate(pages, start=1):
            changes: list[Document | Gone | Unreadable] = []
            for relative in part:
                change, stamp = self._look(relative, found)
                if stamp is None:
                    known = seen.pop(relative, None)
                    if known is None:
                        continue
                    moved_on = arrived[_moving(known)] > 0
                    arrived[_moving(known)] -= 1
                    change = Gone(change.id, inferred=not moved_on and not relative.endswith("/"))
                else:
                    seen[relative] = stamp
                changes.append(change)
            yield Page(tuple(changes), {"v": 1, "seen": dict[str, JSON](seen)}, caught_up=number == len(pages))

    def _survey(self) -> _Found:
        try:
            return _walk(self.path.resolve(strict=True))
        except (OSError, RuntimeError) as problem:
            raise self._missing(problem) from None

    def _missing(self, problem: OSError | RuntimeError) -> ConfigProblem:
        reason = getattr(problem, "strerror", None) or "its links turn in circles"
        return ConfigProblem(f"connector {self.name}: the folder {self.path} cannot be read ({reason}); correct path, or mount it")

    def _look(self, relative: str, found: _Found) -> tuple[Document | Gone | Unreadable, str | None]:
        """What is to be told of one path, and the stamp to remember (None: forget it)."""
        identity = self._id(relative)
        if relative in found.barred or found.hides(relative):
            return Unreadable(identity, "its folder cannot be listed; let the bot's user read it"), UNSETTLED
        if relative not in found.files:
            return Gone(identity), None
        file = found.files[relative]
        if file is None:
            return Unreadable(identity, "the file cannot be read; let the bot's user read it"), UNSETTLED
        if file.size > LARGEST:
            return Unreadable(identity, f"the file is larger than {LARGEST // 1024 // 1024} MiB; split it"), UNSETTLED
        try:
            content = file.path.read_bytes()
            return parse(content, self._place(relative, identity, file), self.audience), self._settled(file)
        except FileNotFoundError:
            return Gone(identity), None
        except OSError as problem:
            return Unreadable(identity, f"the file cannot be read ({problem.strerror})"), UNSETTLED
        except Illegible as problem:
            return Unreadable(identity, str(problem)), UNSETTLED

    def _place(self, relative: str, identity: str, file: _File) -> Place:
        try:
            modified = datetime.fromtimestamp(file.modified_ns / 1e9, UTC)
        except (ValueError, OverflowError, OSError):
            modified = None
        return Place(identity, relative, file.path.as_uri(), modified)

    def _settled(self, file: _File) -> str:
        age = self._now().timestamp() - file.modified_ns / 1e9
        return UNSETTLED if 0 <= age < TICK_SECONDS else file.stamp

    def _id(self, relative: str) -> str:
        return f"folder:{self.name}:{relative}"


def _moving(stamp: str) -> str:
    """What of a stamp stays the same when a file is moved: its size and when it was written."""
    return stamp.rpartition(":")[0]


def _seen(cursor: Cursor | None) -> dict[str, str]:
    """The stamps a cursor holds. Raises CursorExpired for one of another version."""
    if cursor is None:
        return {}
    seen = cursor.get("seen")
    if cursor.get("v") != 1 or not isinstance(seen, Mapping):
        raise CursorExpired("the folder's cursor is of another version")
    return {path: str(stamp) for path, stamp in seen.items()}


def _walk(root: Path) -> _Found:
    """All readable kinds of files below `root`; hidden ones and links to folders are passed over. Raises OSError for `root` itself."""
    found = _Found()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            names = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in os.scandir(folder) if not e.name.startswith("."))
        except OSError as problem:
            if folder == root:
                raise
            if not isinstance(problem, (FileNotFoundError, NotADirectoryError)):
                found.barred.append(f"{_relative(folder, root)}/")
            continue
        waiting.extend(folder / name for name, is_folder in reversed(names) if is_folder)
        for name, is_folder in names:
            if not is_folder and Path(name).suffix.lower() in _READ:
                _meet(folder / name, root, found)
    return found


def _meet(path: Path, root: Path, found: _Found) -> None:
    """Notes a file; a link counts as the file it leads to, and not at all when that stands outside `root`."""
    relative = _relative(path, root)
    try:
        real = path.resolve(strict=True)
        facts = real.stat()
    except (FileNotFoundError, NotADirectoryError, RuntimeError):
        return
    except OSError:
        found.files[relative] = None
        return
    if real.is_relative_to(root) and stat.S_ISREG(facts.st_mode):
        # The times alone miss a file put back with its old date; ctime moves then, too.
        stamp = f"{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}"
        found.files[relative] = _File(real, stamp, facts.st_size, facts.st_mtime_ns)


def _relative(path: Path, root: Path) -> str:
    """The path below `root` with posix separators; bytes that are no UTF-8 are spelled out, so that any store takes them."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")
