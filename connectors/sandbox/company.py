"""The invented company whose accounts the sandbox shows: read from YAML, times as offsets before now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from connectors.sandbox.rows import CompanyFault, distinct, open_file, record, records, refer

SMALLEST_ID = 2**32  # every id is larger, as the vendor's are: 32-bit columns must fail here
SYSTEM_AUTHOR = -1  # the author id that Zendesk gives to its own comments; no user has it

Role = Literal["end-user", "agent", "admin"]

@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    role: Role
    created: timedelta
    email: str | None = None
    locale: str = "en-us"
    active: bool = True
    suspended: bool = False
    signature: str | None = None
    verified: bool = True
    organization: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """One comment of a ticket; `at` is None only for the first, which is as old as its ticket."""

    by: int
    body: str
    at: timedelta | None = None
    public: bool = True
    html: str | None = None
    attachments: tuple[str, ...] = ()
    voice: bool = False
    rel: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    score: Literal["good", "bad", "offered", "unoffered"]
    at: timedelta
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket with its conversation; waiting ones have a `key` by which tests find them."""

    id: int
    subject: str
    requester: int
    status: str
    created: timedelta
    comments: tuple[Remark, ...]
    key: str | None = None
    priority: str | None = None
    type: str | None = None
    channel: str = "web"
    tags: tuple[str, ...] = ()
    assignee: int | None = None
    locale: str | None = None
    satisfaction: Rating | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Who is in it: people of `user_type` who meet every condition that is not empty, and those added by name."""

    id: int
    name: str
    user_type: Literal["signed_in_users", "staff"] = "staff"
    built_in: bool = False
    organizations: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    or_tags: tuple[str, ...] = ()
    added_users: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    id: int
    locale: str
    created: timedelta
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    id: int
    category: int
    locale: str
    created: timedelta
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Text:
    """An article in one locale; times default to the article's."""

    title: str
    body: str
    draft: bool = False
    created: timedelta | None = None
    updated: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Article:
    id: int
    section: int
    source_locale: str
    created: timedelta
    translations: Mapping[str, Text]
    author: int | None = None
    segment: int | None = None
    labels: tuple[str, ...] = ()
    promoted: bool = False


@dataclass(frozen=True, slots=True)
class Macro:
    id: int
    title: str
    created: timedelta
    comment: str
    updated: timedelta | None = None
    active: bool = True
    description: str | None = None
    public: bool | None = None
    set_tags: tuple[str, ...] = ()
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Company:
    bot: int
    people: tuple[Person, ...]
    locales: tuple[str, ...] = ("en-us",)
    segments: tuple[Segment, ...] = ()
    categories: tuple[Category, ...] = ()
    sections: tuple[Section, ...] = ()
    articles: tuple[Article, ...] = ()
    past: tuple[Case, ...] = ()
    waiting: tuple[Case, ...] = ()
    macros: tuple[Macro, ...] = ()


def load_company(folder: Traversable | Path | None = None) -> Company:
    """Read the five files of `folder`, by default the company in this package. Raises CompanyFault."""
    people, knowledge, macros = (open_file(folder, name) for name in ("people.yaml", "articles.yaml", "macros.yaml"))
    company = Company(
        bot=people["bot"],
        people=records(Person, people["users"], "people.yaml users"),
        locales=tuple(knowledge.get("locales", ["en-us"])),
        segments=records(Segment, knowledge.get("segments"), "articles.yaml segments"),
        categories=records(Category, knowledge.get("categories"), "articles.yaml categories"),
        sections=records(Section, knowledge.get("sections"), "articles.yaml sections"),
        articles=records(Article, knowledge.get("articles"), "articles.yaml articles", {"translations": _translations}),
        past=_cases(folder, "past_tickets.yaml"),
        waiting=_cases(folder, "waiting_tickets.yaml"),
        macros=records(Macro, macros.get("macros"), "macros.yaml macros"),
    )
    check_company(company)
    return company


def check_company(company: Company) -> None:
    """Raises CompanyFault for a doubled id, a reference to nothing, or a conversation that runs backwards."""
    listed = {
        "people": company.people,
        "segments": company.segments,
        "categories": company.categories,
        "sections": company.sections,
        "articles": company.articles,
        "macros": company.macros,
        "tickets": (*company.past, *company.waiting),
    }
    ids = {name: distinct(rows, name, above=SMALLEST_ID) for name, rows in listed.items()}
    people, segments, categories, sections = (ids[name] for name in ("people", "segments", "categories", "sections"))
    refer(company.bot, people, "people.yaml bot")
    for section in company.sections:
        refer(section.category, categories, f"section {section.id} category")
    for segment in company.segments:
        for added in segment.added_users:
            refer(added, people, f"segment {segment.id} added_users")
    for article in company.articles:
        refer(article.section, sections, f"article {article.id} section")
        refer(article.segment, segments, f"article {article.id} segment")
        refer(article.author, people, f"article {article.id} author")
        if article.source_locale not in article.translations:
            raise CompanyFault(f"article {article.id}: no translation in its source_locale {article.source_locale}")
    for case in (*company.past, *company.waiting):
        _check_case(case, people)
    keys = [case.key for case in company.waiting]
    if None in keys or len(set(keys)) != len(keys):
        raise CompanyFault("waiting_tickets.yaml: every ticket needs a key of its own")


def _check_case(case: Case, people: set[int]) -> None:
    refer(case.requester, people, f"ticket {case.id} requester")
    refer(case.assignee, people, f"ticket {case.id} assignee")
    if not case.comments:
        raise CompanyFault(f"ticket {case.id}: no comments; the first one is the description")
    last = case.created
    for number, remark in enumerate(case.comments):
        if remark.by != SYSTEM_AUTHOR:
            refer(remark.by, people, f"ticket {case.id} comments[{number}] by")
        if remark.at is None and number:
            raise CompanyFault(f"ticket {case.id} comments[{number}]: `at` is missing")
        at = case.created if remark.at is None else remark.at
        if at > last:
            raise CompanyFault(f"ticket {case.id} comments[{number}]: older than what stands before it")
        last = at


def _cases(folder: Traversable | Path | None, name: str) -> tuple[Case, ...]:
    nested = {"comments": _remarks, "satisfaction": _rating}
    return records(Case, open_file(folder, name).get("tickets"), f"{name} tickets", nested)


def _remarks(rows: Any, place: str) -> tuple[Remark, ...]:
    """`from` is a word of Python's, so it is called `address` here."""
    return records(Remark, [{"address" if key == "from" else key: value for key, value in row.items()} for row in rows or ()], place)


def _rating(raw: Any, place: str) -> Rating | None:
    return None if raw is None else record(Rating, raw, place)


def _translations(texts: Any, place: str) -> Mapping[str, Text]:
    return {locale: record(Text, text, f"{place}.{locale}") for locale, text in (texts or {}).items()}
