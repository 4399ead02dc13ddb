"""The knowledge base: categories, folders within folders, articles in several languages; what editors do to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from connectors.sandbox.freshdesk.content import Content
from connectors.sandbox.freshdesk.records import DRAFT, EVERYBODY, PUBLISHED, ArticleRecord, CategoryRecord, FolderRecord, TextRecord

FIRST_MADE_ID = 1_060_000_900_001


class Solutions:
    """All methods are safe to call from any thread. Only an article's own text moves its `updated_at`: folders and moves do not."""

    def __init__(self, content: Content, now: Callable[[], datetime], lock: threading.RLock) -> None:
        self._now, self._lock, self._ids = now, lock, count(FIRST_MADE_ID)
        self.primary, self.languages = content.languages[0], content.languages
        self.author = content.bot
        self.categories: dict[int, CategoryRecord] = {}
        self.folders: dict[int, FolderRecord] = {}
        self.articles: dict[int, ArticleRecord] = {}
        self._settle_in(content)

    # -- reading

    def subfolders(self, folder_id: int) -> list[FolderRecord]:
        return [folder for folder in self.folders.values() if folder.parent_id == folder_id]

    def in_folder(self, folder_id: int) -> list[ArticleRecord]:
        return [article for article in self.articles.values() if article.folder_id == folder_id]

    def above(self, folder_id: int) -> Iterator[FolderRecord]:
        """The folder and those around it, from the outermost."""
        folder = self.folders[folder_id]
        if folder.parent_id is not None:
            yield from self.above(folder.parent_id)
        yield folder

    # -- what editors do

    def add_category(self, name: str) -> CategoryRecord:
        with self._lock:
            category = CategoryRecord(next(self._ids), {self.primary: name}, self._now(), self._now())
            self.categories[category.id] = category
            return category

    def add_folder(
        self,
        name: str,
        category_id: int,
        *,
        parent_id: int | None = None,
        visibility: int | None = EVERYBODY,
        company_ids: Sequence[int] = (),
    ) -> FolderRecord:
        with self._lock:
            names = dict.fromkeys(self.languages, name)
            folder = FolderRecord(
                next(self._ids), category_id, parent_id, names, visibility, self._now(), self._now(), list(company_ids)
            )
            self.folders[folder.id] = folder
            return folder

    def create(self, title: str, body: Any, *, folder_id: int | None = None, draft: bool = False) -> ArticleRecord:
        """By default in the first folder."""
        with self._lock:
            text = TextRecord(title, body, DRAFT if draft else PUBLISHED, self._now(), self._now())
            article = ArticleRecord(next(self._ids), folder_id or next(iter(self.folders)), self.author, {self.primary: text})
            self.articles[article.id] = article
            return article

    def create_many(
        self, number: int, *, folder_id: int | None = None, title: str = "Article {n}", body: str = "<p>Text {n}.</p>"
    ) -> list[int]:
        with self._lock:
            texts = ((title.replace("{n}", str(n)), body.replace("{n}", str(n))) for n in range(1, number + 1))
            return [self.create(name, text, folder_id=folder_id).id for name, text in texts]

    def edit(self, article_id: int, *, title: str | None = None, body: Any = None, language: str | None = None) -> None:
        with self._lock:
            text = self.articles[article_id].texts[language or self.primary]
            text.title, text.html = title or text.title, text.html if body is None else body
            text.updated_at = self._now()

    def translate(self, article_id: int, language: str, title: str, body: str, *, draft: bool = False) -> None:
        with self._lock:
            text = TextRecord(title, body, DRAFT if draft else PUBLISHED, self._now(), self._now())
            self.articles[article_id].texts[language] = text

    def set_draft(self, article_id: int, draft: bool, *, language: str | None = None) -> None:
        with self._lock:
            text = self.articles[article_id].texts[language or self.primary]
            text.status, text.updated_at = DRAFT if draft else PUBLISHED, self._now()

    def delete(self, article_id: int) -> None:
        with self._lock:
            del self.articles[article_id]

    def move(self, article_id: int, folder_id: int) -> None:
        with self._lock:
            self.articles[article_id].folder_id = self.folders[folder_id].id

    def show_to(self, folder_id: int, visibility: int | None, company_ids: Sequence[int] = ()) -> None:
        """Who may read a folder's articles; 1 everybody, 2 signed-in, 3 agents, 4 companies."""
        with self._lock:
            folder = self.folders[folder_id]
            folder.visibility, folder.company_ids, folder.updated_at = visibility, list(company_ids), self._now()

    def delete_folder(self, folder_id: int) -> None:
        """With everything in it."""
        with self._lock:
            for folder in self.subfolders(folder_id):
                self.delete_folder(folder.id)
            for article in self.in_folder(folder_id):
                del self.articles[article.id]
            del self.folders[folder_id]

    # -- inside

    def _settle_in(self, content: Content) -> None:
        now = self._now()
        for category in content.categories:
            made = now - category.created
            self.categories[category.id] = CategoryRecord(category.id, dict(category.names), made, made, category.description)
        for folder in content.folders:
            made = now - folder.created
            self.folders[folder.id] = FolderRecord(
                folder.id, folder.category, folder.parent, dict(folder.names), folder.visibility, made, made, list(folder.companies)
            )
        for article in content.articles:
            made = now - article.created
            texts = {
                language: TextRecord(
                    text.title, text.body, DRAFT if text.draft else PUBLISHED, made, now - (text.updated or article.created)
                )
                for language, text in article.texts.items()
            }
            self.articles[article.id] = ArticleRecord(
                article.id, article.folder, article.author or content.bot, texts, article.type, list(article.tags)
            )
