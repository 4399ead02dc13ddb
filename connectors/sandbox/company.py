"""The invented company whose accounts the sandbox shows: read from YAML, times as offsets before now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

SYSTEM_AUTHOR = -1  # the author id that Zendesk gives to its own comments; no user has it
SMALLEST_ID = 2**32  # every id is larger, as the vendor's are: 32-bit columns must fail here
OFFSET = re.compile(r"^(\d+)([smhd])$")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Role = Literal["end-user", "agent", "admin"]
T = TypeVar("T")


class CompanyFault(ValueError):
    """The company's files contradict themselves; says in which file and where."""


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
    id: int
    name: str


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
    folder = files(__package__).joinpath("company") if folder is None else folder
    people, knowledge = _open(folder, "people.yaml"), _open(folder, "articles.yaml")
    company = Company(
        bot=people["bot"],
        people=tuple(_read(Person, row, f"people.yaml users[{i}]") for i, row in enumerate(people["users"])),
        locales=tuple(knowledge.get("locales", ["en-us"])),
        segments=_rows(Segment, knowledge, "segments", "articles.yaml"),
        categories=_rows(Category, knowledge, "categories", "articles.yaml"),
        sections=_rows(Section, knowledge, "sections", "articles.yaml"),
        articles=tuple(_article(row, f"articles.yaml articles[{i}]") for i, row in enumerate(knowledge.get("articles", []))),
        past=_cases(folder, "past_tickets.yaml"),
        waiting=_cases(folder, "waiting_tickets.yaml"),
        macros=_rows(Macro, _open(folder, "macros.yaml"), "macros", "macros.yaml"),
    )
    check_company(company)
    return company


def check_company(company: Company) -> None:
    """Raises CompanyFault for a doubled id, a reference to nothing, or a conversation that runs backwards."""
    people = _ids(company.people, "people")
    segments, categories = _ids(company.segments, "segments"), _ids(company.categories, "categories")
    sections = _ids(company.sections, "sections")
    _ids(company.articles, "articles")
    _ids(company.macros, "macros")
    _ids((*company.past, *company.waiting), "tickets")
    _refer(company.bot, people, "people.yaml bot")
    for section in company.sections:
        _refer(section.category, categories, f"section {section.id} category")
    for article in company.articles:
        _refer(article.section, sections, f"article {article.id} section")
        _refer(article.segment, segments, f"article {article.id} segment")
        _refer(article.author, people, f"article {article.id} author")
        if article.source_locale not in article.translations:
            raise CompanyFault(f"article {article.id}: no translation in its source_locale {article.source_locale}")
    for case in (*company.past, *company.waiting):
        _check_case(case, people)
    keys = [case.key for case in company.waiting]
    if None in keys or len(set(keys)) != len(keys):
        raise CompanyFault("waiting_tickets.yaml: every ticket needs a key of its own")


def _check_case(case: Case, people: set[int]) -> None:
    _refer(case.requester, people, f"ticket {case.id} requester")
    _refer(case.assignee, people, f"ticket {case.id} assignee")
    if not case.comments:
        raise CompanyFault(f"ticket {case.id}: no comments; the first one is the description")
    last = case.created
    for number, remark in enumerate(case.comments):
        if remark.by != SYSTEM_AUTHOR:
            _refer(remark.by, people, f"ticket {case.id} comments[{number}] by")
        if remark.at is None and number:
            raise CompanyFault(f"ticket {case.id} comments[{number}]: `at` is missing")
        at = case.created if remark.at is None else remark.at
        if at > last:
            raise CompanyFault(f"ticket {case.id} comments[{number}]: older than what stands before it")
        last = at


def _open(folder: Traversable | Path, name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = folder.joinpath(name).read_text(encoding="utf-8")
    except OSError as problem:
        raise CompanyFault(f"{name}: cannot be read ({problem.strerror})") from None
    content = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    if not isinstance(content, dict):
        raise CompanyFault(f"{name}: a mapping is expected at the top")
    return content


def _rows(kind: type[T], content: Mapping[str, Any], key: str, name: str) -> tuple[T, ...]:
    return tuple(_read(kind, row, f"{name} {key}[{i}]") for i, row in enumerate(content.get(key) or []))


def _cases(folder: Traversable | Path, name: str) -> tuple[Case, ...]:
    return tuple(_case(row, f"{name} tickets[{i}]") for i, row in enumerate(_open(folder, name).get("tickets") or []))


def _case(raw: Any, place: str) -> Case:
    row = dict(raw)
    row["comments"] = tuple(_remark(remark, f"{place} comments[{i}]") for i, remark in enumerate(row.get("comments") or []))
    if row.get("satisfaction") is not None:
        row["satisfaction"] = _read(Rating, row["satisfaction"], f"{place} satisfaction")
    return _read(Case, row, place)


def _remark(raw: Any, place: str) -> Remark:
    row = dict(raw)
    if "from" in row:
        row["address"] = row.pop("from")
    return _read(Remark, row, place)


def _article(raw: Any, place: str) -> Article:
    row = dict(raw)
    texts = row.get("translations") or {}
    row["translations"] = {locale: _read(Text, text, f"{place} translations.{locale}") for locale, text in texts.items()}
    return _read(Article, row, place)


def _read(kind: type[T], raw: Any, place: str) -> T:
    if not isinstance(raw, Mapping):
        raise CompanyFault(f"{place}: a mapping is expected")
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(str(key) for key in raw if key not in known):
        raise CompanyFault(f"{place}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
    if missing := [name for name, field in known.items() if name not in raw and field.default is MISSING]:
        raise CompanyFault(f"{place}: {', '.join(missing)} is missing")
    return kind(**{name: _value(known[name], value, f"{place}.{name}") for name, value in raw.items()})


def _value(field: Field[Any], value: Any, place: str) -> Any:
    if "timedelta" in str(field.type) and value is not None:
        return offset(value, place)
    if field.name == "id" and not (isinstance(value, int) and value > SMALLEST_ID):
        raise CompanyFault(f"{place}: an integer above 2^32 is expected")
    if str(field.type).startswith("tuple[str"):
        return tuple(str(item) for item in value or ())
    if str(field.type).startswith("str") and value is not None and not isinstance(value, str):
        raise CompanyFault(f"{place}: text is expected; put it in quotes")
    return value


def offset(text: Any, place: str) -> timedelta:
    """'36h' -> 36 hours. Raises CompanyFault."""
    match = OFFSET.match(str(text))
    if match is None:
        raise CompanyFault(f"{place}: {text!r} is no time before now; write 30s, 20m, 36h or 400d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _ids(rows: Iterable[Any], name: str) -> set[int]:
    seen: set[int] = set()
    for row in rows:
        if row.id in seen:
            raise CompanyFault(f"{name}: id {row.id} appears twice")
        seen.add(row.id)
    return seen


def _refer(target: int | None, known: set[int], place: str) -> None:
    if target is not None and target not in known:
        raise CompanyFault(f"{place}: there is no {target}")
