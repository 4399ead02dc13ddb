"""The account's content, read from `company/freshdesk.yaml`; times are offsets before now ("36h", "400d")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from connectors.sandbox.company import CompanyFault, offset

T = TypeVar("T")


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
    place = files("connectors.sandbox").joinpath("company") if folder is None else folder
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(place.joinpath("freshdesk.yaml").read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe loaders
    rows: dict[str, Any] = {
        key: tuple(_read(kind, row, f"{key}[{n}]") for n, row in enumerate(raw.get(key) or ()))
        for key, kind in ROWS.items()
    }
    content = Content(bot=raw["bot"], languages=tuple(raw.get("languages", ("en",))), **rows)
    check_content(content)
    return content


def check_content(content: Content) -> None:
    """Raises CompanyFault for a doubled id, a reference to nothing, or a conversation that runs backwards."""
    people = _ids((*content.agents, *content.contacts), "people")
    categories, folders = _ids(content.categories, "categories"), _ids(content.folders, "folders")
    companies, canned = _ids(content.companies, "companies"), _ids(content.canned_folders, "canned_folders")
    _ids(content.articles, "articles")
    _ids(content.canned, "canned")
    _ids((*content.past, *content.waiting), "tickets")
    _refer(content.bot, people, "bot")
    for person in content.contacts:
        _refer(person.company, companies, f"contact {person.id} company")
    for folder in content.folders:
        _refer(folder.category, categories, f"folder {folder.id} category")
        _refer(folder.parent, folders, f"folder {folder.id} parent")
    for article in content.articles:
        _refer(article.folder, folders, f"article {article.id} folder")
        if content.languages[0] not in article.texts:
            raise CompanyFault(f"article {article.id}: no text in {content.languages[0]}")
    for response in content.canned:
        _refer(response.folder, canned, f"canned response {response.id} folder")
    for case in (*content.past, *content.waiting):
        _check_case(case, people)


def _check_case(case: Case, people: set[int]) -> None:
    _refer(case.requester, people, f"ticket {case.id} requester")
    _refer(case.responder, people, f"ticket {case.id} responder")
    last = case.created
    for number, remark in enumerate(case.remarks):
        _refer(remark.by, people, f"ticket {case.id} remarks[{number}] by")
        at = case.created if remark.at is None else remark.at
        if at > last or (remark.at is None and number):
            raise CompanyFault(f"ticket {case.id} remarks[{number}]: without a time, or older than what stands before it")
        last = at
    if not case.remarks:
        raise CompanyFault(f"ticket {case.id}: no remarks; the first one is the description")


def _read(kind: type[T], raw: Any, place: str) -> T:
    if not isinstance(raw, Mapping):
        raise CompanyFault(f"freshdesk.yaml {place}: a mapping is expected")
    known: dict[str, Field[Any]] = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(str(key) for key in raw if key not in known):
        raise CompanyFault(f"freshdesk.yaml {place}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
    if missing := [name for name, one in known.items() if name not in raw and one.default is MISSING]:
        raise CompanyFault(f"freshdesk.yaml {place}: {', '.join(missing)} is missing")
    return kind(**{name: _value(known[name], value, f"freshdesk.yaml {place}.{name}") for name, value in raw.items()})


def _value(one: Field[Any], value: Any, place: str) -> Any:
    if "timedelta" in str(one.type) and value is not None:
        return offset(value, place)
    if one.name == "remarks":
        return tuple(_read(Remark, row, f"{place}[{n}]") for n, row in enumerate(value))
    if one.name == "texts":
        return {language: _read(Text, text, f"{place}.{language}") for language, text in value.items()}
    return tuple(value) if str(one.type).startswith("tuple") else value


def _ids(rows: Iterable[Any], name: str) -> set[int]:
    seen: set[int] = set()
    for row in rows:
        if row.id in seen:
            raise CompanyFault(f"freshdesk.yaml {name}: id {row.id} appears twice")
        seen.add(row.id)
    return seen


def _refer(target: int | None, known: set[int], place: str) -> None:
    if target is not None and target not in known:
        raise CompanyFault(f"freshdesk.yaml {place}: there is no {target}")
