"""The Help Center (and macros) as a stream of changes.

The first load walks the whole list. What follows it reads, each in O(1) requests when nothing changed:

* the export of articles whose *metadata* changed (visibility, drafts); it does not report edits of the text;
* the list newest first, by `edited_at` and by `updated_at`: edits of the text;
* the same per language, since a translation's edit need not touch its article.

Archived articles vanish from all of them; only the complete listing shows that (`ids`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from connectors.base import JSON, ConfigProblem, Cursor, CursorExpired, Gone, Page, Transient
from connectors.fields import Row, moment, number
from connectors.http import HttpError
from connectors.zendesk.client import PAGE, Batch, Calls, Params
from connectors.zendesk.newest import Mark, Newest, descending
from connectors.zendesk.parse import (
    LONG_AGO,
    Change,
    Place,
    article_change,
    article_changes,
    article_versions,
    digest,
    is_live,
    is_live_macro,
    latest,
    macro_change,
    macro_id,
    macro_text,
    shown_locale,
    side_loaded,
    source_locale,
)
from connectors.zendesk.readers import is_public
from connectors.zendesk.settings import Knowledge

VERSION = 2  # 1: without the segments of restricted articles
OVERLAP = timedelta(seconds=120)  # re-read: the newest minute is withheld or may still be settling, and clocks differ
ARTICLES = "/help_center/articles.json"
EXPORT = "/help_center/incremental/articles.json"
MACROS = "/macros.json"
WITH_TRANSLATIONS = {"include": "translations"}
FIRST_FIRST = {"sort_by": "created_at", "sort_order": "asc"}  # what is added during a walk comes at its end
KEYS = ("edited_at", "updated_at")
REMEMBERED = 4000  # digests of young rows in a cursor: after a bulk import
PATIENCE = 3  # articles in a row without an answer about translations, after which nobody is asked again in this turn


class Library:
    """One turn of reading an account's knowledge: what it has shown already, and which languages there are."""

    def __init__(self, calls: Calls, place: Place, knowledge: Knowledge, now: Callable[[], datetime]) -> None:
        self._calls = calls
        self._place = place
        self._knowledge = knowledge
        self._now = now
        self._shown: set[str] = set()  # digests of rows, of this turn and of the young ones of the last
        self._met: list[tuple[datetime, str]] = []  # rows of this turn
        self._locales: set[str] = set()
        self._told: list[tuple[str, ...] | None] = []  # the enabled languages, once asked
        self._silent = 0  # articles in a row whose translations nobody would tell

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """First load and catch-up alike. Raises CursorExpired for a cursor that is not ours or whose page the vendor forgot."""
        state = dict(cursor or {"v": VERSION, "walk": "articles", "next": None})
        if state.get("v") != VERSION or state.get("walk") not in ("articles", "macros", "follow"):
            raise CursorExpired("the cursor is of another version of this connector; reading starts again")
        self._locales = {str(locale) for locale in cast(list[str], state.get("locales") or [])}
        self._shown.update(cast(list[str], state.get("young") or []))
        if state["walk"] == "articles":
            for page in self._load_articles(state):
                state = dict(page.cursor)
                yield page
        if state["walk"] == "macros":
            for page in self._load_macros(state):
                state = dict(page.cursor)
                yield page
        yield from self._follow(state)

    # --- the first load ---

    def _load_articles(self, state: dict[str, JSON]) -> Iterator[Page]:
        if not self._knowledge.articles:
            yield Page((), {**state, "walk": "macros", "next": None, "began": self._began(None).isoformat()}, False)
            return
        for batch in self._walk(ARTICLES, {**PAGE, **FIRST_FIRST, **WITH_TRANSLATIONS}, cast(Params | None, state.get("next"))):
            state = {"began": self._began(batch.sent_at).isoformat(), **state}  # a copy: yielded cursors stay as they were
            for key in KEYS:
                newest = latest(state.get(key), *(row.get(key) for row in batch.rows))
                state[key] = newest.isoformat() if newest else None
            made = [time for time in (moment(state.get("made")), *(moment(row.get("created_at")) for row in batch.rows)) if time]
            # Whoever ignores this order ignores every other one too, and might seem to keep it by chance.
            state["unordered"] = bool(state.get("unordered")) or not descending(made[::-1])
            state["made"] = made[-1].isoformat() if made else None
            changes = [change for row in batch.rows for change in self._article(batch.body, row, ask=self._enabled() is None)]
            untold = self._several() and any(side_loaded(batch.body, row) is None for row in batch.rows)
            state["untold"] = bool(state.get("untold")) or (untold and self._enabled() is not None)
            onward: dict[str, JSON] = {"walk": "articles" if batch.following else "macros", "next": cast(JSON, batch.following)}
            young = self._young(moment(state["began"]) or self._began(None), state)
            state = {**state, **onward, "locales": cast(JSON, sorted(self._locales)), "young": young}
            yield Page(tuple(changes), state, False)

    def _load_macros(self, state: dict[str, JSON]) -> Iterator[Page]:
        if self._knowledge.macros:
            for batch in self._walk(MACROS, dict(PAGE), cast(Params | None, state.get("next")), key="macros"):
                changes = tuple(macro_change(self._place, row) for row in batch.rows if number(row.get("id")))
                state = {**state, "next": cast(JSON, batch.following)}
                if batch.following:
                    yield Page(changes, state, False)
                else:
                    yield Page(changes, self._loaded(state), False)
        else:
            yield Page((), self._loaded(state), False)

    def _loaded(self, state: Mapping[str, JSON]) -> Cursor:
        """From the load's last page on, everything is followed from when the load began: its own changes included."""
        began = moment(state.get("began")) or self._began(None)
        start = began + OVERLAP  # a list re-reads its overlap itself
        marks: dict[str, JSON] = {}
        if self._knowledge.articles:
            for key in KEYS:
                seen = moment(state.get(key))
                marks[f"*:{key}"] = Mark(min(start, seen) if seen else None).as_json()
                # A language that no side-load told of has no mark yet: its list is read from end to end.
                if not state.get("untold"):
                    marks.update({f"{locale}:{key}": Mark(start, seen=False).as_json() for locale in sorted(self._locales)})
        if self._knowledge.macros:
            marks["macros:updated_at"] = Mark(start, seen=False).as_json()
        kept: dict[str, JSON] = {"locales": cast(JSON, sorted(self._locales)), "unordered": bool(state.get("unordered"))}
        kept["young"] = state.get("young") or []
        return {"v": VERSION, "walk": "follow", "since": began.isoformat(), "marks": marks, **kept}

    def _walk(self, path: str, params: Params, resume: Params | None, key: str = "articles") -> Iterator[Batch]:
        """A list from its beginning or from a page of it; a page that the vendor forgot makes CursorExpired."""
        begun = False
        try:
            for batch in self._calls.batches(path, key, params, resume=resume):
                begun = True
                yield batch
        except HttpError as refusal:
            if resume and not begun and refusal.status in (400, 404, 422):
                raise CursorExpired(f"Zendesk no longer knows this page of {path}; reading starts again") from None
            raise explain(path, refusal) from None

    # --- what follows ---

    def _follow(self, state: dict[str, JSON]) -> Iterator[Page]:
        since = moment(state.get("since")) or self._began(None)
        unordered = bool(state.get("unordered"))
        newest = Newest(self._calls, cast(dict[str, Any], state.get("marks") or {}), since, OVERLAP, believed=not unordered)
        began = self._began(None)
        if self._knowledge.articles:
            for batch in self._exported(since, newest):
                began = min(began, self._began(batch.sent_at))
                yield from self._page(state, (change for row in batch.rows for change in self._article(batch.body, row, follow=True)))
            for key in KEYS:
                for batch in self._guarded(newest.read(f"*:{key}", ARTICLES, "articles", key, WITH_TRANSLATIONS)):
                    began = min(began, self._began(batch.sent_at))
                    yield from self._page(state, (change for row in batch.rows for change in self._article(batch.body, row, follow=True)))
            yield from self._follow_languages(state, newest)
        if self._knowledge.macros:
            for batch in newest.read("macros:updated_at", MACROS, "macros", "updated_at", {}):
                yield from self._page(state, (macro_change(self._place, row) for row in batch.rows if number(row.get("id"))))
        fixed = {"since": began.isoformat(), "marks": newest.marks, "locales": sorted(self._locales), "unordered": unordered}
        yield Page((), cast(Cursor, {"v": VERSION, "walk": "follow", **fixed, "young": self._young(began, {})}), True)

    def _exported(self, since: datetime, newest: Newest) -> Iterator[Batch]:
        """Articles whose metadata changed. No end_of_stream here: it ends with next_page null, an empty page or the same page."""
        start = min(since, self._now() - OVERLAP)
        # A server whose clock is behind ours refuses: its own last change is never in its future.
        last = newest.at("*:updated_at")
        for begin in [start, *([last - OVERLAP] if last and last < start else [])]:
            asked: Params | None = {"start_time": str(int(begin.timestamp())), **WITH_TRANSLATIONS}
            try:
                while asked is not None:
                    batch = next(self._calls.batches(EXPORT, "articles", asked))
                    yield batch
                    asked = batch.following if batch.rows and batch.following != asked else None
                return
            except HttpError as refusal:
                if refusal.status == 404:  # not on this account; the lists below show whether there is a Help Center at all
                    return
                if refusal.status != 400:
                    raise explain(EXPORT, refusal) from None
        raise Transient(f"Zendesk finds the time {start.isoformat()} too recent for {EXPORT}; see that this machine's clock is right")

    def _follow_languages(self, state: Cursor, newest: Newest) -> Iterator[Page]:
        languages = sorted(locale for locale in self._locales | set(self._enabled() or ()) if self._place.wants(locale))
        if len(languages) < 2:
            return
        for locale in languages:
            path = f"/help_center/{locale}/articles.json"
            for key in KEYS:
                try:
                    for batch in newest.read(f"{locale}:{key}", path, "articles", key, WITH_TRANSLATIONS):
                        yield from self._page(state, (change for row in batch.rows for change in self._one_language(batch.body, row)))
                except HttpError as refusal:
                    if refusal.status not in (400, 404):
                        raise explain(path, refusal) from None
                    break  # the language is switched off

    def _guarded(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        try:
            yield from batches
        except HttpError as refusal:
            raise explain(ARTICLES, refusal) from None

    def _page(self, state: Cursor, changes: Iterator[Change]) -> Iterator[Page]:
        """Changes under the cursor that the turn began with: it moves with the last page only."""
        found = tuple(changes)
        if found:
            yield Page(found, state, False)

    # --- one article ---

    def _article(self, body: Row, row: Row, *, follow: bool = False, ask: bool = True) -> list[Change]:
        """Every language version, once a turn. While following, those that are no longer there are Gone."""
        identity = number(row.get("id"))
        if identity is None or not self._first_time(row):
            return []
        translations = side_loaded(body, row)
        if translations is None and ask and self._several():
            translations = self._asked(identity)
        versions = article_versions(row, translations or [])
        self._locales.update(locale for locale in versions if locale and self._place.wants(locale))
        found = article_changes(self._place, row, translations or [])
        # Without a word about translations, a restricted or drafted article takes them along: fail closed.
        if follow and (translations is not None or not is_live(row) or not is_public(row)):
            lost = sorted(self._locales - set(versions) - {source_locale(row)})
            found += [Gone(self._place.article(row, locale)) for locale in lost]
        return found

    def _one_language(self, body: Row, row: Row) -> list[Change]:
        """A row of a language's own list; one that does not tell its source could be anything."""
        shown = shown_locale(row)
        if not number(row.get("id")) or not row.get("source_locale") or not self._place.wants(shown) or not self._first_time(row):
            return []
        self._locales.add(shown)
        return [article_change(self._place, row, shown, article_versions(row, side_loaded(body, row) or [])[shown])]

    def _first_time(self, row: Row) -> bool:
        """Whether a row is new to this turn; it may come again without its side-load, from a list that delivers none."""
        bare = digest({key: value for key, value in row.items() if key != "translations"})
        whole = digest(row)
        new = whole not in self._shown
        self._shown.update((whole, bare))
        when = latest(*(row.get(key) for key in (*KEYS, "created_at"))) or LONG_AGO
        self._met += [(when, state) for state in dict.fromkeys((whole, bare))]
        return new

    def _young(self, since: datetime, state: Cursor) -> list[JSON]:
        """Rows that the next turn's overlap brings again, by their digests: they are not parsed twice."""
        before = cast(list[JSON], state.get("young") or [])
        now = dict.fromkeys(known for when, known in self._met if when >= since)
        return list(dict.fromkeys((*before, *now)))[-REMEMBERED:]

    def _asked(self, identity: str) -> list[Row] | None:
        if self._enabled() is None and self._silent >= PATIENCE:
            return None
        found = self._calls.translations(identity)
        self._silent = 0 if found is not None else self._silent + 1
        return found

    def _enabled(self) -> tuple[str, ...] | None:
        """The Help Center's languages, asked once a turn and after its first answer, so that a wrong password costs one call."""
        if not self._told:
            self._told.append(self._calls.locales())
        return self._told[0]

    def _several(self) -> bool:
        """Whether an article may have more than one language version; unknown counts as yes."""
        enabled = self._enabled()
        return enabled is None or len(enabled) > 1

    def _began(self, server: datetime | None) -> datetime:
        """The time from which the next turn reads: the earlier of the two clocks, less the overlap."""
        own = self._now()
        return min(own, server or own) - OVERLAP

    # --- the complete listing ---

    def ids(self) -> Iterator[str]:
        """Every live id. Raises when it cannot be complete."""
        if self._knowledge.articles:
            yield from self._article_ids()
        if self._knowledge.macros:
            for batch in self._counted(MACROS, dict(PAGE), "macros"):
                live = (row for row in batch.rows if is_live_macro(row) and macro_text(row, self._place.origin))
                yield from (macro_id(self._place, row) for row in live)

    def _article_ids(self) -> Iterator[str]:
        untold = False
        for batch in self._counted(ARTICLES, {**PAGE, **FIRST_FIRST, **WITH_TRANSLATIONS}, "articles"):
            for row in batch.rows:
                translations = side_loaded(batch.body, row)
                if translations is None and self._several():
                    untold = True
                    translations = self._asked(number(row.get("id")) or "") if self._enabled() is None else None
                yield from self._live(row, article_versions(row, translations or []))
        for locale in self._enabled() or () if untold else ():
            if self._place.wants(locale):
                for batch in self._counted(f"/help_center/{locale}/articles.json", {**PAGE, **FIRST_FIRST}, "articles"):
                    for row in batch.rows:
                        if row.get("source_locale"):
                            yield from self._live(row, article_versions(row, []))

    def _live(self, row: Row, versions: Mapping[str, Row]) -> Iterator[str]:
        for locale, version in versions.items():
            if is_live(version) and self._place.wants(locale):
                yield self._place.article(row, locale)

    def _counted(self, path: str, params: Params, key: str) -> Iterator[Batch]:
        """A whole list; Transient when fewer rows came than its own count promised."""
        seen: set[str | None] = set()
        count: object = None
        for batch in self._walk(path, params, None, key):
            if any(number(row.get("id")) is None for row in batch.rows):
                raise Transient(f"{path} holds a row without an id; nothing is concluded from this listing")
            seen.update(number(row.get("id")) for row in batch.rows)
            count = batch.body.get("count", count)
            yield batch
        if isinstance(count, int) and len(seen) < count:
            raise Transient(f"{path} promised {count} and sent {len(seen)}; nothing is concluded from this listing")


def explain(path: str, refusal: HttpError) -> ConfigProblem:
    """A 4xx on knowledge, as a sentence for the operator."""
    if refusal.status == 404 and path.startswith("/help_center"):
        return ConfigProblem("there is no Help Center here (404): switch on Guide for this brand, or set knowledge.articles: false")
    return ConfigProblem(f"Zendesk refuses {path}: {refusal}")


