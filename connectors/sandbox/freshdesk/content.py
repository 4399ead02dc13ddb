"""The account's content, read from `company/freshdesk.yaml`; times are offsets before now ("36h", "400d")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from connectors.sandbox.rows import CompanyFault, distinct, open_file, record, records, refer


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    created: timedelta
    email: str | None = None
    signature: str | None = None
    ticket_scope: int = 1
    language: str = "en"
    company: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Company:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Category:
    id: int
    created: timedelta
    names: Mapping[str, str]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    category: int
    created: timedelta
    names: Mapping[str, str]
    parent: int | None = None
    visibility: int | None = 1
    companies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    body: str
    draft: bool = False
    updated: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Article:
    id: int
    folder: int
    created: timedelta
    texts: Mapping[str, Text]
    author: int | None = None
    type: int = 1
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """`by`: a person's id; a contact's words came from outside. `private`: a note among agents."""

    by: int
    body: str
    at: timedelta | None = None
    private: bool = False
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket; its first remark is the description. `status`: 2 open, 3 pending, 4 resolved, 5 closed, 6 and more of the account's own."""

    id: int
    subject: str
    requester: int
    status: int
    created: timedelta
    remarks: tuple[Remark, ...]
    key: str | None = None
    priority: int = 1
    source: int = 2
    tags: tuple[str, ...] = ()
    responder: int | None = None


@dataclass(frozen=True, slots=True)
class CannedFolder:
    id: int
    name: str
    created: timedelta
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Canned:
    id: int
    folder: int
    title: str
    created: timedelta
    text: str
    updated: timedelta | None = None
    visibility: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """`bot`: the agent whose API key is used. `languages`: the primary one first."""

    bot: int
    agents: tuple[Person, ...]
    contacts: tuple[Person, ...] = ()
    companies: tuple[Company, ...] = ()
    languages: tuple[str, ...] = ("en",)
    categories: tuple[Category, ...] = ()
    folders: tuple[Folder, ...] = ()
    articles: tuple[Article, ...] = ()
    past: tuple[Case, ...] = ()
    waiting: tuple[Case, ...] = ()
    canned_folders: tuple[CannedFolder, ...] = ()
    canned: tuple[Canned, ...] = ()
    group_id: int = field(default=1_060_000_000_900)


FILE = "freshdesk.yaml"
ROWS: Mapping[str, type[Any]] = {
    "agents": Person,
    "contacts": Person,
    "companies": Company,
    "categories": Category,
    "folders": Folder,
    "articles": Article,
    "past": Case,
    "waiting": Case,
    "canned_folders": CannedFolder,
    "canned": Canned,
}


def load_content(folder: Traversable | Path | None = None) -> Content:
    """Read `freshdesk.yaml`, by default the one in this package. Raises CompanyFault."""
    raw, nested = open_file(folder, FILE), {"remarks": _remarks, "texts": _texts}
    rows: dict[str, Any] = {key: records(kind, raw.get(key), f"{FILE} {key}", nested) for key, kind in ROWS.items()}
    content = Content(bot=raw["bot"], languages=tuple(raw.get("languages", ("en",))), **rows)
    check_content(content)
    return content


def check_content(content: Content) -> None:
    """Raises CompanyFault for a doubled id, a reference to nothing, or a conversation that runs backwards."""
    people = distinct((*content.agents, *content.contacts), f"{FILE} people")
    categories, folders = distinct(content.categories, f"{FILE} categories"), distinct(content.folders, f"{FILE} folders")
    companies, canned = distinct(content.companies, f"{FILE} companies"), distinct(content.canned_folders, f"{FILE} canned_folders")
    distinct(content.articles, f"{FILE} articles")
    distinct(content.canned, f"{FILE} canned")
    distinct((*content.past, *content.waiting), f"{FILE} tickets")
    refer(content.bot, people, f"{FILE} bot")
    for person in content.contacts:
        refer(person.company, companies, f"{FILE} contact {person.id} company")
    for folder in content.folders:
        refer(folder.category, categories, f"{FILE} folder {folder.id} category")
        refer(folder.parent, folders, f"{FILE} folder {folder.id} parent")
    for article in content.articles:
        refer(article.folder, folders, f"{FILE} article {article.id} folder")
        if content.languages[0] not in article.texts:
            raise CompanyFault(f"article {article.id}: no text in {content.languages[0]}")
    for response in content.canned:
        refer(response.folder, canned, f"{FILE} canned response {response.id} folder")
    for case in (*content.past, *content.waiting):
        _check_case(case, people)


def _check_case(case: Case, people: set[int]) -> None:
    refer(case.requester, people, f"{FILE} ticket {case.id} requester")
    refer(case.responder, people, f"{FILE} ticket {case.id} responder")
    last = case.created
    for number, remark in enumerate(case.remarks):
        refer(remark.by, people, f"{FILE} ticket {case.id} remarks[{number}] by")
        at = case.created if remark.at is None else remark.at
        if at > last or (remark.at is None and number):
            raise CompanyFault(f"ticket {case.id} remarks[{number}]: without a time, or older than what stands before it")
        last = at
    if not case.remarks:
        raise CompanyFault(f"ticket {case.id}: no remarks; the first one is the description")


def _remarks(rows: Any, place: str) -> tuple[Remark, ...]:
    return records(Remark, rows, place)


def _texts(texts: Any, place: str) -> Mapping[str, Text]:
    return {language: record(Text, text, f"{place}.{language}") for language, text in texts.items()}
