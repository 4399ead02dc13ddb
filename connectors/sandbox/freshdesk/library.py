"""The solutions' endpoints: categories, folders, folders within folders, articles, and each of them in another language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.sandbox.freshdesk import shapes
from connectors.sandbox.freshdesk.errors import missing, not_found
from connectors.sandbox.freshdesk.paging import PAGING, accept, answer
from connectors.sandbox.freshdesk.records import PUBLISHED, FolderRecord, JsonObject
from connectors.sandbox.freshdesk.world import Ids, World
from connectors.sandbox.wire import Problem, Request, Response, Route


def _language(world: World, ids: Ids) -> str:
    """Raises Problem 404 for one that the account does not have."""
    asked = ids.get("locale", world.solutions.primary)
    for language in world.solutions.languages:
        if language.lower() == asked.lower():
            return language
    raise Problem(not_found())


def _rows(world: World, request: Request, rows: Sequence[JsonObject], *known: str) -> Response:
    accept(request, (*PAGING, *known))
    if not world.quirks.solutions_paged and request.twist is None:
        return answer(rows)
    page, headers = world.pager.page(request, rows)
    return answer(page, headers=headers)


def categories(world: World, request: Request, ids: Ids) -> Response:
    language = _language(world, ids)
    known = [category for category in world.solutions.categories.values() if language in category.names]
    return _rows(world, request, [shapes.category_row(category, language) for category in known])


def category(world: World, request: Request, ids: Ids) -> Response:
    language, found = _language(world, ids), world.solutions.categories.get(int(ids["category_id"]))
    return not_found() if found is None or language not in found.names else answer(shapes.category_row(found, language))


def folders(world: World, request: Request, ids: Ids) -> Response:
    """Of a category, the outermost only."""
    number = int(ids["category_id"])
    if number not in world.solutions.categories:
        return not_found()
    here = [one for one in world.solutions.folders.values() if one.category_id == number and one.parent_id is None]
    return _folder_rows(world, request, ids, here)


def subfolders(world: World, request: Request, ids: Ids) -> Response:
    number = int(ids["folder_id"])
    if number not in world.solutions.folders:
        return not_found()
    return _folder_rows(world, request, ids, world.solutions.subfolders(number))


def _folder_rows(world: World, request: Request, ids: Ids, here: Sequence[FolderRecord]) -> Response:
    language = _language(world, ids)
    return _rows(world, request, [shapes.folder_row(one, world.solutions, language) for one in here if language in one.names])


def folder(world: World, request: Request, ids: Ids) -> Response:
    language, found = _language(world, ids), world.solutions.folders.get(int(ids["folder_id"]))
    return not_found() if found is None or language not in found.names else answer(shapes.folder_row(found, world.solutions, language))


def articles(world: World, request: Request, ids: Ids) -> Response:
    """Drafts as well: the key is an agent's."""
    number, language = int(ids["folder_id"]), _language(world, ids)
    if number not in world.solutions.folders:
        return not_found()
    here = [one for one in world.solutions.in_folder(number) if language in one.texts]
    return _rows(world, request, [shapes.article_row(one, world.solutions, language) for one in here])


def article(world: World, request: Request, ids: Ids) -> Response:
    language, found = _language(world, ids), world.solutions.articles.get(int(ids["article_id"]))
    if found is None or language not in found.texts:
        return not_found()
    return answer(shapes.article_row(found, world.solutions, language, alone=True))


def search(world: World, request: Request, ids: Ids) -> Response:
    term = request.query.get("term", "").lower()
    if not term:
        raise Problem(missing("term"))
    found = [
        shapes.article_row(one, world.solutions, world.solutions.primary)
        for one in world.solutions.articles.values()
        for text in (one.texts[world.solutions.primary],)
        if text.status == PUBLISHED and term in f"{text.title} {text.html}".lower()
    ]
    return _rows(world, request, found, "term")


def _both(template: str, call: Callable[..., Response]) -> tuple[Route, Route]:
    return Route("GET", template, call), Route("GET", f"{template}/{{locale}}", call)


LIBRARY = (
    *_both("/api/v2/solutions/categories/{category_id}/folders", folders),
    *_both("/api/v2/solutions/categories/{category_id}", category),
    *_both("/api/v2/solutions/categories", categories),
    *_both("/api/v2/solutions/folders/{folder_id}/subfolders", subfolders),
    *_both("/api/v2/solutions/folders/{folder_id}/articles", articles),
    *_both("/api/v2/solutions/folders/{folder_id}", folder),
    *_both("/api/v2/solutions/articles/{article_id}", article),
    Route("GET", "/api/v2/search/solutions", search),
)
