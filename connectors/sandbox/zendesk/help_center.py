"""The Help Center API: articles, translations, sections, categories; what a caller sees depends on who asks."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.sandbox.company import Category, Section, Segment
from connectors.sandbox.markup import slug
from connectors.sandbox.wire import Caller, Problem, Request, Response, Route, forbidden_role, not_found
from connectors.sandbox.zendesk import shapes
from connectors.sandbox.zendesk.auth import allow, unauthenticated
from connectors.sandbox.zendesk.guide import ArticleRecord, TranslationRecord
from connectors.sandbox.zendesk.paging import HELP_CENTER, ok, paginate
from connectors.sandbox.zendesk.records import JsonObject, UserRecord
from connectors.sandbox.zendesk.world import World

Ids = Mapping[str, str]
EXPORT_PAGE = 1000
NOTHING_CHANGED = 1  # `end_time` of an empty incremental answer, as observed at the vendor: no cursor to keep


def list_articles(world: World, request: Request, ids: Ids) -> Response:
    """Of the whole Help Center, a section or a category; with a locale those that have it, without one each in its source locale."""
    gate(world, request, ids)
    rows = _listed(world, request, ids)
    if labels := [label for label in request.query.get("label_names", "").split(",") if label]:
        rows = [a for a in rows if set(labels) <= set(a.labels)]
    if "section_id" in ids:
        rows = [a for a in rows if a.section_id == int(ids["section_id"])]
    if "category_id" in ids:
        rows = [a for a in rows if world.guide.sections[a.section_id].category == int(ids["category_id"])]
    sort = request.query.get("sort_by") or request.query.get("sort", "position")
    descending = request.query.get("sort_order") == "desc" or sort.startswith("-")
    key = _order(sort.lstrip("-"), ids.get("locale"))
    body, page = paginate(request, "articles", rows, key, _shape(world, request, ids), style=HELP_CENTER, descending=descending)
    return ok(_side_loaded(world, request, body, page))


def incremental_articles(world: World, request: Request, ids: Ids) -> Response:
    """Articles whose metadata changed since `start_time`, inclusive: a text edit is not in here, an archived article neither."""
    caller = request.caller
    if caller is None:
        return unauthenticated()
    allow(caller, request)
    if caller.role == "end-user":
        return forbidden_role()
    start = request.integer("start_time", 0)
    size = min(max(1, request.integer("per_page", EXPORT_PAGE)), EXPORT_PAGE)
    horizon = world.now() - world.export_delay
    rows = [a for a in world.guide.articles.values() if a.metadata_at.timestamp() >= start and a.metadata_at <= horizon]
    rows.sort(key=lambda a: (a.metadata_at, a.id))
    page = rows[:size]
    end_time = int(page[-1].metadata_at.timestamp()) if page else NOTHING_CHANGED
    following = request.link({"start_time": end_time}) if len(rows) > size else None
    shape = _shape(world, request, ids)
    body: JsonObject = {"count": len(page), "next_page": following, "end_time": end_time, "articles": [shape(a) for a in page]}
    return ok(_side_loaded(world, request, body, page))


def one_article(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request, ids)
    article = _find(world, request, ids)
    if ids.get("locale", article.source_locale) not in article.translations:
        return not_found()
    return ok(_side_loaded(world, request, {"article": _shape(world, request, ids)(article)}, [article]))


def translations(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request, {"locale": "any"})
    article = _find(world, request, ids)
    rows = [t for t in article.translations.values() if not t.draft or _staff(request)]
    at = request.origin
    body, _ = paginate(request, "translations", rows, lambda t: (t.id,), lambda t: translation(t, article, at), style=HELP_CENTER)
    return ok(body)


def one_translation(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request, ids)
    article = _find(world, request, ids)
    text = article.translations.get(ids["locale"].lower())
    if text is None or (text.draft and not _staff(request)):
        return not_found()
    return ok({"translation": translation(text, article, request.origin)})


def sections(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request, ids)
    rows = [s for s in world.guide.sections.values() if "category_id" not in ids or s.category == int(ids["category_id"])]

    def shape(row: Section) -> JsonObject:
        return section(row, world.guide.started, request.origin, ids)

    body, _ = paginate(request, "sections", rows, lambda s: (s.id,), shape, style=HELP_CENTER)
    return ok(body)


def one_section(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request, ids)
    found = world.guide.sections.get(int(ids["section_id"]))
    return not_found() if found is None else ok({"section": section(found, world.guide.started, request.origin, ids)})


def categories(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request, ids)
    rows = list(world.guide.categories.values())
    body, _ = paginate(
        request, "categories", rows, lambda c: (c.id,), lambda c: category(c, world.guide.started, request.origin, ids), style=HELP_CENTER
    )
    return ok(body)


def locales(world: World, request: Request, ids: Ids) -> Response:
    return ok({"locales": list(world.guide.locales), "default_locale": world.guide.locales[0]})


def user_segments(world: World, request: Request, ids: Ids) -> Response:
    """Of the account: for administrators, who manage the Help Center here."""
    if _asking(world, request).role != "admin":
        return forbidden_role()
    return _segments(world, request, list(world.guide.segments.values()))


def segments_of_user(world: World, request: Request, ids: Ids) -> Response:
    """Those that a user is in; an agent who does not manage the Help Center hears only of those it is in itself."""
    asking = _asking(world, request)
    user = world.desk.users.get(int(ids["user_id"]))
    if user is None:
        return not_found()
    rows = [segment for segment in world.guide.segments.values() if is_in(user, segment)]
    if asking.role != "admin":
        rows = [segment for segment in rows if is_in(world.desk.users[asking.user_id], segment)]
    return _segments(world, request, rows)


def _asking(world: World, request: Request) -> Caller:
    """Raises Problem: 401 without credentials, 403 for end users."""
    gate(world, request, {})
    if request.caller is None or request.caller.role == "end-user":
        raise Problem(forbidden_role())
    return request.caller


def is_in(user: UserRecord, segment: Segment) -> bool:
    """By name, or by all conditions; an empty one holds for everybody."""
    right_type = segment.user_type == "signed_in_users" or user.role != "end-user"
    right_place = not segment.organizations or user.organization_id in segment.organizations
    tags = set(user.tags)
    tagged = set(segment.tags) <= tags and (not segment.or_tags or bool(tags & set(segment.or_tags)))
    return user.id in segment.added_users or (user.active and right_type and right_place and tagged)


def _segments(world: World, request: Request, rows: list[Segment]) -> Response:
    stamp = shapes.iso(world.guide.started)

    def shape(segment: Segment) -> JsonObject:
        return {
            "id": segment.id,
            "name": segment.name,
            "user_type": segment.user_type,
            "built_in": segment.built_in,
            "group_ids": [],
            "organization_ids": list(segment.organizations),
            "tags": list(segment.tags),
            "or_tags": list(segment.or_tags),
            "added_user_ids": list(segment.added_users),
            "created_at": stamp,
            "updated_at": stamp,
        }

    return ok(paginate(request, "user_segments", rows, lambda s: (s.id,), shape, style=HELP_CENTER)[0])


def public_page(world: World, request: Request, ids: Ids) -> Response:
    """The page a customer opens: drafts and restricted articles lead to the sign-in page, which answers 200."""
    number = ids["word"].split("-")[0]
    article = world.guide.articles.get(int(number)) if number.isdigit() else None
    text = article.translations.get(ids["locale"].lower()) if article else None
    headers = {"content-type": "text/html; charset=utf-8"}
    if article is None or text is None:
        return Response(404, "<!doctype html><title>Not found</title><h1>There is no such page</h1>", headers)
    if text.draft or article.segment_ids:
        return Response(200, "<!doctype html><title>Sign in</title><h1>Sign in to Tidewell</h1>", headers)
    title = html.escape(text.title)
    return Response(200, f"<!doctype html><title>{title}</title><h1>{title}</h1>{text.body}", headers)


def gate(world: World, request: Request, ids: Ids) -> None:
    """Anybody may read what is public under a locale; without a locale or credentials: 401."""
    if request.caller is not None:
        allow(request.caller, request)
    elif "locale" not in ids:
        raise Problem(unauthenticated())


def _staff(request: Request) -> bool:
    return request.caller is not None and request.caller.role != "end-user"


def _listed(world: World, request: Request, ids: Ids) -> list[ArticleRecord]:
    locale = ids.get("locale", "").lower()
    rows = [a for a in world.guide.articles.values() if (locale or a.source_locale) in a.translations]
    if _staff(request):
        return rows
    return [a for a in rows if not a.segment_ids and not a.translations[locale or a.source_locale].draft]


def _find(world: World, request: Request, ids: Ids) -> ArticleRecord:
    article = world.guide.articles.get(int(ids["article_id"]))
    if article is None:
        raise Problem(not_found())
    shown = article.translations.get(ids.get("locale", article.source_locale).lower())
    if not _staff(request) and (article.segment_ids or shown is None or shown.draft):
        raise Problem(not_found())
    return article


def _order(name: str, locale: str | None) -> Callable[[ArticleRecord], tuple[Any, ...]]:
    def text(article: ArticleRecord) -> TranslationRecord:
        return article.translations[(locale or article.source_locale).lower()]

    orders: dict[str, Callable[[ArticleRecord], tuple[Any, ...]]] = {
        "title": lambda a: (text(a).title, a.id),
        "created_at": lambda a: (a.created_at, a.id),
        "updated_at": lambda a: (a.updated_at, a.id),
        "edited_at": lambda a: (text(a).edited_at, a.id),
    }
    return orders.get(name, lambda a: (a.position, a.id))


def _shape(world: World, request: Request, ids: Ids) -> Callable[[ArticleRecord], JsonObject]:
    def shape(record: ArticleRecord) -> JsonObject:
        made = article(record, ids.get("locale", record.source_locale).lower(), request.origin)
        if request.includes("translations"):
            texts = [t for t in record.translations.values() if _staff(request) or not t.draft]
            made["translations"] = [translation(t, record, request.origin) for t in texts]
        return made

    return shape


def _side_loaded(world: World, request: Request, body: JsonObject, page: list[ArticleRecord]) -> JsonObject:
    used = {a.section_id for a in page}
    found = [s for s in world.guide.sections.values() if s.id in used]
    if request.includes("users"):
        body["users"] = [shapes.user(world.desk.users[n], request.origin) for n in dict.fromkeys(a.author_id for a in page)]
    if request.includes("sections"):
        body["sections"] = [section(s, world.guide.started, request.origin, {}) for s in found]
    if request.includes("categories"):
        above = {s.category for s in found}
        kept = [c for c in world.guide.categories.values() if c.id in above]
        body["categories"] = [category(c, world.guide.started, request.origin, {}) for c in kept]
    return body


def article(record: ArticleRecord, locale: str, origin: str) -> JsonObject:
    text = record.translations[locale]
    return {
        "id": record.id,
        "url": f"{origin}/api/v2/help_center/{locale}/articles/{record.id}.json",
        "html_url": f"{origin}/hc/{locale}/articles/{record.id}-{slug(text.title)}",
        "author_id": record.author_id,
        "comments_disabled": False,
        "content_tag_ids": [],
        "label_names": list(record.labels),
        "draft": text.draft,
        "promoted": record.promoted,
        "position": record.position,
        "vote_sum": 0,
        "vote_count": 0,
        "section_id": record.section_id,
        "created_at": shapes.iso(record.created_at),
        "updated_at": shapes.iso(record.updated_at),
        "edited_at": shapes.iso(text.edited_at),
        "name": text.title,
        "title": text.title,
        "source_locale": record.source_locale,
        "locale": locale,
        "outdated": False,
        "outdated_locales": [],
        "permission_group_id": 36_000_000_100_009,
        "user_segment_id": record.segment_ids[0] if record.segment_ids else None,
        "user_segment_ids": list(record.segment_ids),
        "body": text.body,
    }


def translation(record: TranslationRecord, owner: ArticleRecord, origin: str) -> JsonObject:
    return {
        "id": record.id,
        "url": f"{origin}/api/v2/help_center/articles/{owner.id}/translations/{record.locale}.json",
        "html_url": f"{origin}/hc/{record.locale}/articles/{owner.id}-{slug(record.title)}",
        "source_id": owner.id,
        "source_type": "Article",
        "locale": record.locale,
        "title": record.title,
        "body": record.body,
        "outdated": False,
        "draft": record.draft,
        "hidden": False,
        "created_at": shapes.iso(record.created_at),
        "updated_at": shapes.iso(record.updated_at),
        "created_by_id": owner.author_id,
        "updated_by_id": owner.author_id,
    }


def section(record: Section, started: datetime, origin: str, ids: Ids) -> JsonObject:
    made = _heading("sections", record, started, origin, ids)
    return {**made, "category_id": record.category, "parent_section_id": None, "sorting": "manual", "theme_template": "section_page"}


def category(record: Category, started: datetime, origin: str, ids: Ids) -> JsonObject:
    return _heading("categories", record, started, origin, ids)


def _heading(kind: str, record: Section | Category, started: datetime, origin: str, ids: Ids) -> JsonObject:
    asked = ids.get("locale", record.locale).lower()
    locale = asked if asked in record.names else record.locale
    name, stamp = record.names.get(locale, ""), shapes.iso(started - record.created)
    return {
        "id": record.id,
        "url": f"{origin}/api/v2/help_center/{locale}/{kind}/{record.id}.json",
        "html_url": f"{origin}/hc/{locale}/{kind}/{record.id}-{slug(name)}",
        "position": 0,
        "created_at": stamp,
        "updated_at": stamp,
        "name": name,
        "description": None,
        "locale": locale,
        "source_locale": record.locale,
        "outdated": False,
    }


HC = "/api/v2/help_center"


def _both(path: str, call: Callable[..., Response]) -> tuple[Route, Route]:
    """A path exists with the locale in front and without."""
    return Route("GET", f"{HC}/{path}", call), Route("GET", f"{HC}/{{locale}}/{path}", call)


HELP_CENTER_ROUTES = (
    Route("GET", f"{HC}/locales", locales),
    Route("GET", f"{HC}/user_segments", user_segments),
    Route("GET", f"{HC}/users/{{user_id}}/user_segments", segments_of_user),
    Route("GET", f"{HC}/incremental/articles", incremental_articles),
    Route("GET", f"{HC}/articles/{{article_id}}/translations", translations),
    Route("GET", f"{HC}/articles/{{article_id}}/translations/{{locale}}", one_translation),
    *_both("articles", list_articles),
    *_both("articles/{article_id}", one_article),
    *_both("sections", sections),
    *_both("sections/{section_id}", one_section),
    *_both("sections/{section_id}/articles", list_articles),
    *_both("categories", categories),
    *_both("categories/{category_id}/articles", list_articles),
    *_both("categories/{category_id}/sections", sections),
    Route("GET", "/hc/{locale}/articles/{word}", public_page),
)
