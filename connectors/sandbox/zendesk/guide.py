"""The Help Center's state: articles with translations, and which kind of change each kind of reader hears of.

A text edit moves the translation's and the article's `updated_at` and the shown locale's `edited_at`;
only a change of metadata (section, segment, labels, position, creation) moves `metadata_at`, which the incremental export reports.
An archived article is in no answer any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from connectors.sandbox.company import Article, Category, Company, Section, Segment

FIRST_MADE_ID = 36_009_000_000_001


@dataclass(slots=True)
class TranslationRecord:
    id: int
    locale: str
    title: str
    body: str
    draft: bool
    created_at: datetime
    updated_at: datetime
    edited_at: datetime


@dataclass(slots=True)
class ArticleRecord:
    id: int
    section_id: int
    author_id: int
    source_locale: str
    position: int
    created_at: datetime
    updated_at: datetime
    metadata_at: datetime
    segment_ids: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    promoted: bool = False
    translations: dict[str, TranslationRecord] = field(default_factory=dict)


class Guide:
    """All methods are safe to call from any thread."""

    def __init__(self, company: Company, now: Callable[[], datetime], lock: threading.RLock) -> None:
        self._now, self._lock, self._ids = now, lock, count(FIRST_MADE_ID)
        self.locales = list(company.locales)
        self.segments: dict[int, Segment] = {segment.id: segment for segment in company.segments}
        self.categories: dict[int, Category] = {category.id: category for category in company.categories}
        self.sections: dict[int, Section] = {section.id: section for section in company.sections}
        self.articles: dict[int, ArticleRecord] = {}
        self.started = now()
        self._author = next(person.id for person in company.people if person.role == "admin")
        for position, article in enumerate(company.articles):
            self.articles[article.id] = self._settle_in(article, position)

    def create(
        self,
        title: str,
        body: str,
        *,
        locale: str | None = None,
        section_id: int | None = None,
        draft: bool = False,
        segment_id: int | None = None,
        labels: Iterable[str] = (),
        article_id: int | None = None,
    ) -> ArticleRecord:
        with self._lock:
            now, locale = self._now(), locale or self.locales[0]
            section_id = next(iter(self.sections)) if section_id is None else section_id
            made = next(self._ids) if article_id is None else article_id
            article = ArticleRecord(made, section_id, self._author, locale, len(self.articles), now, now, now, labels=list(labels))
            article.segment_ids = [] if segment_id is None else [segment_id]
            article.translations[locale] = TranslationRecord(next(self._ids), locale, title, body, draft, now, now, now)
            self.articles[made] = article
            return article

    def create_many(self, number: int, *, title: str = "Article {n}", body: str = "<p>This is article {n}.</p>") -> list[int]:
        """N plain public articles; {n} counts from 1. Returns their ids."""
        texts = ((title.replace("{n}", str(n)), body.replace("{n}", str(n))) for n in range(1, number + 1))
        return [self.create(*text).id for text in texts]

    def edit(self, article_id: int, *, title: str | None = None, body: str | None = None, locale: str | None = None) -> None:
        """Change the text; a new locale adds a translation."""
        with self._lock:
            article, now = self.articles[article_id], self._now()
            locale = locale or article.source_locale
            text = article.translations.get(locale)
            if text is None:
                text = TranslationRecord(next(self._ids), locale, title or "", body or "", False, now, now, now)
                article.translations[locale] = text
            text.title = text.title if title is None else title
            text.body = text.body if body is None else body
            text.updated_at = text.edited_at = article.updated_at = now

    def set_draft(self, article_id: int, draft: bool, *, locale: str | None = None) -> None:
        with self._lock:
            article, now = self.articles[article_id], self._now()
            text = article.translations[locale or article.source_locale]
            text.draft, text.updated_at, article.updated_at = draft, now, now

    def restrict(self, article_id: int, segment_id: int | None) -> None:
        """Show it to one user segment only; None: to everyone."""
        with self._lock:
            article = self.articles[article_id]
            article.segment_ids = [] if segment_id is None else [segment_id]
            article.updated_at = article.metadata_at = self._now()

    def relabel(self, article_id: int, labels: Iterable[str]) -> None:
        with self._lock:
            article = self.articles[article_id]
            article.labels = list(labels)
            article.updated_at = article.metadata_at = self._now()

    def archive(self, article_id: int) -> None:
        """It vanishes: no tombstone, no row in any list."""
        with self._lock:
            del self.articles[article_id]

    def drop_translation(self, article_id: int, locale: str) -> None:
        with self._lock:
            article = self.articles[article_id]
            del article.translations[locale]
            article.updated_at = self._now()

    def _settle_in(self, article: Article, position: int) -> ArticleRecord:
        created = self.started - article.created
        segments = [] if article.segment is None else [article.segment]
        author = article.author or self._author
        made = ArticleRecord(article.id, article.section, author, article.source_locale, position, created, created, created, segments)
        made.labels, made.promoted = list(article.labels), article.promoted
        for locale, text in article.translations.items():
            since = created if text.created is None else self.started - text.created
            at = since if text.updated is None else self.started - text.updated
            made.translations[locale] = TranslationRecord(next(self._ids), locale, text.title, text.body, text.draft, since, at, at)
            made.updated_at = max(made.updated_at, at)
        return made
