"""The one way to know what stands in the solutions: from the categories through their folders, and those within, to the articles.

There is no list of changes and none of all articles. Who may read an article is a matter of its folder and of those around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.base import ConfigProblem, Transient
from connectors.fields import Row, number
from connectors.freshdesk.client import Calls
from connectors.freshdesk.parse import Shelf, Text, language, same_text, shown_language
from connectors.freshdesk.readers import Readers, of_folder
from connectors.http import HttpError

CATEGORIES = "/solutions/categories"
FOLDERS = "/solutions/folders"
CANNED = "/canned_response_folders"


@dataclass(slots=True)
class Languages:
    """`primary` None: the account does not tell. `others` are those to be read besides; `first`: whether the primary one is wanted."""

    primary: str | None
    others: tuple[str, ...]
    first: bool = True


class Walk:
    """One reading. `strict`: what vanishes on the way is an exception, since a listing must be complete or nothing.

    `locales` None: all. After a walk, `shelves` holds every folder that was met.
    """

    def __init__(self, calls: Calls, locales: tuple[str, ...] | None, *, strict: bool = False) -> None:
        self._calls = calls
        self._locales = locales
        self._strict = strict
        self._languages: Languages | None = None
        self.shelves: dict[str, Shelf] = {}

    def categories(self) -> list[Row]:
        return [row for row in self._rows(CATEGORIES) if number(row.get("id"))]

    def folders(self, category: str) -> Iterator[Shelf]:
        """Every folder of a category, the outer ones first."""
        top = self._rows(f"{CATEGORIES}/{category}/folders", may_vanish=True)
        inner = [row for row in top if number(row.get("parent_folder_id"))]
        for row in top:
            if row not in inner:
                yield from self._within(row, Readers(public=True))
        # Some list them all at once. One that is not met below its parent has nobody who could say that everybody may read it.
        for row in inner:
            yield from self._within(row, Readers())

    def _within(self, row: Row, around: Readers) -> Iterator[Shelf]:
        identity = number(row.get("id"))
        if identity is None or identity in self.shelves:
            return
        shelf = Shelf(identity, of_folder(row).within(around))
        self.shelves[identity] = shelf
        yield shelf
        counted = row.get("sub_folders_count")
        if counted == 0 and not isinstance(counted, bool):
            return
        # Accounts of before folders within folders tell no number, and have no such list.
        for inner in self._rows(f"{FOLDERS}/{identity}/subfolders", may_vanish=True, may_lack=counted is None):
            yield from self._within(inner, shelf.readers)

    def articles(self, shelf: Shelf) -> Iterator[list[Text]]:
        """A folder's articles, page by page, then their translations."""
        originals: dict[str, Row] = {}
        wanted = None
        for rows in self._pages(f"{FOLDERS}/{shelf.id}/articles"):
            originals |= {identity: row for row in rows if (identity := number(row.get("id")))}
            if originals and wanted is None:
                wanted = self.languages()
            if wanted and wanted.first:
                yield [Text(row, shelf) for row in rows if number(row.get("id"))]
        for locale in wanted.others if wanted else ():
            for rows in self._pages(f"{FOLDERS}/{shelf.id}/articles/{locale}"):
                yield [Text(row, shelf, locale) for row in rows if is_translation(row, locale, originals)]

    def languages(self) -> Languages:
        """Asked once, and after a call that proved the credential."""
        if self._languages is None:
            primary, others = self._calls.languages()
            if self._locales is None:
                self._languages = Languages(primary, others)
            else:
                named = tuple(locale for locale in self._locales if not same_language(locale, primary))
                first = primary is None or len(named) < len(self._locales)
                told = [code for locale in named for code in others if same_language(locale, code)]
                self._languages = Languages(primary, tuple(dict.fromkeys(told)) if others else named, first)
        return self._languages

    def canned(self) -> Iterator[list[Row]]:
        """The team's canned responses, folder by folder; an agent's own folder is left out."""
        for folder in self._rows(CANNED):
            identity = number(folder.get("id"))
            if identity and folder.get("personal") is not True:
                for rows in self._pages(f"{CANNED}/{identity}/responses"):
                    yield [self._whole(row) for row in rows if number(row.get("id"))]

    def _whole(self, row: Row) -> Row:
        """With its text, where the list tells only titles."""
        if "content" in row or "content_html" in row:
            return row
        return self._calls.one(f"/canned_responses/{number(row.get('id'))}") or row

    def _pages(self, path: str) -> Iterator[list[Row]]:
        """A list of something that may vanish while it is read; in a strict walk, every row of it.

        Rows move up when one is deleted while pages are turned, and one may slip by: a list of several pages is read twice.
        """
        try:
            number_of_pages = 0
            for batch in self._calls.everything(path):
                number_of_pages += 1
                yield batch.rows
            if self._strict and number_of_pages > 1:
                for batch in self._calls.everything(path):
                    yield batch.rows
        except HttpError as refusal:
            if refusal.status not in (404, 410):
                raise refused(path, refusal) from None
            translated = path.rpartition("/")[2] not in ("articles", "responses")
            if self._strict and not translated:
                raise Transient(f"{path} vanished while it was listed; it is listed anew at the next turn") from None

    def _rows(self, path: str, *, may_vanish: bool = False, may_lack: bool = False) -> Sequence[Row]:
        try:
            return self._calls.rows(path)
        except HttpError as refusal:
            if refusal.status not in (404, 410) or not may_vanish:
                raise refused(path, refusal) from None
            if self._strict and not may_lack:
                raise Transient(f"{path} vanished while it was listed; it is listed anew at the next turn") from None
            return ()


def is_translation(row: Row, locale: str, originals: dict[str, Row]) -> bool:
    """Whether a row of a language's list is in that language: some answer the original where there is no translation."""
    identity = number(row.get("id"))
    if identity is None:
        return False
    shown = shown_language(row)
    if shown is not None and language(shown) != language(locale):
        return False
    return identity not in originals or not same_text(row, originals[identity])


def same_language(one: str, other: str | None) -> bool:
    """fr is any French; fr-CA is no other."""
    if other is None:
        return False
    first, second = one.lower().replace("_", "-"), other.lower().replace("_", "-")
    return first == second or second.split("-")[0] == first


def refused(path: str, refusal: HttpError) -> ConfigProblem:
    if refusal.status in (404, 410):
        return ConfigProblem(f"Freshdesk has no {path} for this key ({refusal}): check base_url, or switch this kind of knowledge off")
    return ConfigProblem(f"Freshdesk refuses {path}: {refusal}")
