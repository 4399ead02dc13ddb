"""Reading documents, a batch at a time: one request each, and none stops the others."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.base import Audience, Document, Gone, RateLimited, Transient, Unreadable
from connectors.google_docs.client import Calls, said
from connectors.google_docs.document import markdown, title
from connectors.google_docs.parse import moment
from connectors.google_docs.state import Times, Waiting
from connectors.http import Denied, Excessive, HttpError

BATCH, BATCHES, LARGEST = 20, 100, 200  # documents of a page; a large cursor is written at most some BATCHES times in a load
PATIENCE = 3  # failures in a row after which it is not the document
Change = Document | Gone | Unreadable


class Texts:
    """The documents of one connector."""

    def __init__(self, calls: Calls, prefix: str, audience: Audience) -> None:
        self._calls = calls
        self._prefix = prefix
        self._audience: Audience = audience

    def id(self, file: str) -> str:
        return f"{self._prefix}{file}"

    def read(self, waiting: Waiting) -> Iterator[tuple[Change, ...]]:
        """Empties `waiting.todo`; after each yield it holds what is still to be read.

        Raises RateLimited and Transient, having told what was read until then.
        """
        size = min(LARGEST, max(BATCH, len(waiting.todo) // BATCHES))
        failures = 0
        while waiting.todo:
            found: dict[str, Change] = {}
            failed: dict[str, Times] = {}
            stop: RateLimited | Transient | None = None
            for file, times in list(waiting.todo.items())[:size]:
                try:
                    found[file] = self._one(file, times)
                    failures = 0
                except RateLimited as limit:
                    stop = limit
                    break
                except Transient as fault:
                    failures += 1
                    failed[file] = times
                    found[file] = Unreadable(self.id(file), f"Google fails to give it ({fault}); it is tried again at the next turn")
                    if failures >= PATIENCE:
                        stop = fault
                        for late in list(failed)[-PATIENCE:]:
                            del found[late], failed[late]
                        break
            for file in found:
                del waiting.todo[file]
            for file, times in failed.items():
                waiting.put_off(file, times)
            if found:
                yield tuple(found.values())
            if stop is not None:
                raise stop

    def _one(self, file: str, times: Times) -> Change:
        try:
            body = self._calls.document(file)
        except Excessive:
            return Unreadable(self.id(file), "it is too large to be read; split it into several documents")
        except HttpError as refusal:
            return self._refused(file, refusal)
        except Denied as refusal:
            if refusal.status != 403:
                raise
            return self._refused(file, refusal)
        text = markdown(body)
        if text is None:
            return Unreadable(self.id(file), "Google's answer holds no content")
        return Document(
            id=self.id(file),
            title=title(body) or "Untitled document",
            markdown=text,
            url=f"https://docs.google.com/document/d/{file}/edit",
            updated_at=moment(times[0]),
            created_at=moment(times[1]),
            audience=self._audience,
        )

    def _refused(self, file: str, refusal: HttpError | Denied) -> Change:
        """Docs refuses what is not shared and what is not well alike; Drive tells which."""
        if refusal.status in (403, 404, 410):
            entry = self._calls.file(file)
            if entry is None or entry.trashed:
                return Gone(self.id(file))
        return Unreadable(self.id(file), f"Google does not give it as a document: {said(refusal)}")
