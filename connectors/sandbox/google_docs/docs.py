"""Docs v1's documents.get: the first tab as the document's own members, or all tabs, seen with suggestions or without."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sandbox.google_docs.asking import JSON_TYPE
from connectors.sandbox.google_docs.items import CAN_LIST_PERMISSIONS, Item, Sheet
from connectors.sandbox.google_docs.masks import BadMask, Mask, Shape, apply, check, parse, shape
from connectors.sandbox.google_docs.notation import Text
from connectors.sandbox.google_docs.problems import REASONS, docs_problem, error_info
from connectors.sandbox.google_docs.rendering import View, content_of
from connectors.sandbox.google_docs.sign_in import Token
from connectors.sandbox.google_docs.world import World
from connectors.sandbox.wire import JsonObject, Problem, Request, Response

LEGACY = "body,documentStyle,footers,footnotes,headers,inlineObjects,lists,namedRanges,namedStyles,positionedObjects"
SUGGESTED = "suggestedDocumentStyleChanges,suggestedNamedStylesChanges"
KNOWN: Shape = shape(
    f"documentId,title,revisionId,suggestionsViewMode,commentsViewMode,comments,suggestions,{LEGACY},{SUGGESTED},"
    "tabs(tabProperties(tabId,title,index,nestingLevel,parentTabId,iconEmoji),documentTab,childTabs)"
)
VIEWS: tuple[View, ...] = ("SUGGESTIONS_INLINE", "PREVIEW_SUGGESTIONS_ACCEPTED", "PREVIEW_WITHOUT_SUGGESTIONS")
COMMENT_VIEWS = ("COMMENTS_VIEW_MODE_DEFAULT_FOR_CURRENT_ACCESS", "COMMENTS_VIEW_MODE_INCLUDED")
PARAMETERS = {
    *("includeTabsContent", "suggestionsViewMode", "commentsViewMode"),
    *(
        "fields",
        "alt",
        "prettyPrint",
        "quotaUser",
        "key",
        "access_token",
        "oauth_token",
        "callback",
        "uploadType",
        "upload_protocol",
        "$.xgafv",
    ),
}


def get_document(world: World, token: Token, request: Request, ids: Mapping[str, str]) -> Response:
    verbose = request.query.get("$.xgafv") == "1"
    _know_parameters(request, verbose)
    item = _find(world, token, ids["document"], verbose)
    mask, tabs = _mask(request, verbose)
    view = _view(world, token, item, request, verbose)
    _check_comment_view(request, view, tabs=tabs, verbose=verbose)
    told: JsonObject = {"title": item.name, "suggestionsViewMode": view, "documentId": item.id}
    if world.tree.role(item, token.address) in CAN_LIST_PERMISSIONS:
        told["revisionId"] = f"ALm37BV{item.id[:8]}{item.revision:06d}"
    sheets = item.sheets or (Sheet("t.0", "Tab 1", Text()),)
    if tabs:
        told["tabs"] = [_tab(sheet, view, item.id, index=index) for index, sheet in enumerate(sheets)]
    else:
        told |= content_of(sheets[0].text, view, f"{item.id} {sheets[0].id}", None)
    return Response(200, apply(mask, told), JSON_TYPE)


def _tab(sheet: Sheet, view: View, seed: str, *, index: int, parent: str | None = None, level: int = 0) -> JsonObject:
    """`nestingLevel` is left out where it is 0, as the vendor leaves out all zeros but `index`."""
    properties: JsonObject = {"tabId": sheet.id, "title": sheet.title, "index": index}
    properties |= {"parentTabId": parent, "nestingLevel": level} if parent else {}
    properties |= {"iconEmoji": sheet.emoji} if sheet.emoji else {}
    told: JsonObject = {"tabProperties": properties, "documentTab": content_of(sheet.text, view, f"{seed} {sheet.id}", sheet.id)}
    if sheet.below:
        told["childTabs"] = [_tab(below, view, seed, index=n, parent=sheet.id, level=level + 1) for n, below in enumerate(sheet.below)]
    return told


def _know_parameters(request: Request, verbose: bool) -> None:
    for name in request.query:
        if name not in PARAMETERS:
            message = (
                f"Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found."
            )
            raise docs_problem(400, message, verbose=verbose)
    if request.query.get("includeTabsContent", "false").lower() not in ("true", "false"):
        raise docs_problem(400, "Invalid value at 'include_tabs_content' (TYPE_BOOL)", verbose=verbose)


def _find(world: World, token: Token, document_id: str, verbose: bool) -> Item:
    """Raises Problem: 404 for what never was, 403 for what is not shared, 400 for what is no document."""
    item = world.tree.items.get(document_id)
    if item is None:
        raise docs_problem(404, "Requested entity was not found.", verbose=verbose)
    if world.tree.role(item, token.address) is None:
        raise docs_problem(403, "The caller does not have permission", verbose=verbose)
    if reason := world.refused(item.id):
        raise refusal(reason, verbose)
    if not item.is_document or item.id in world.spoilt:
        message = "This operation is not supported for this document"
        raise docs_problem(400, message, status="FAILED_PRECONDITION", verbose=verbose, reason="failedPrecondition")
    return item


def refusal(reason: str, verbose: bool) -> Problem:
    """What Drive refuses for this reason, as Docs says it."""
    if "LimitExceeded" in reason and "export" not in reason:
        metric = "quota metric 'Read requests' and limit 'Read requests per minute per user'"
        text = f"Quota exceeded for {metric} of service 'docs.googleapis.com'."
        return docs_problem(429, text, verbose=verbose, details=[error_info("RATE_LIMIT_EXCEEDED", "docs.googleapis.com")], reason=reason)
    if reason == "accessNotConfigured":
        text = "Google Docs API has not been used in project 417700001166 before or it is disabled."
        return docs_problem(403, text, verbose=verbose, details=[error_info("SERVICE_DISABLED", "docs.googleapis.com")], reason=reason)
    if REASONS.get(reason) and REASONS[reason].code >= 500:
        return docs_problem(500, "Internal error encountered.", verbose=verbose, reason=reason)
    return docs_problem(403, "The caller does not have permission", verbose=verbose)


def _mask(request: Request, verbose: bool) -> tuple[Mask | None, bool]:
    """The mask and whether all tabs are told: a mask that names them asks for them. Raises Problem 400."""
    tabs, asked = request.query.get("includeTabsContent", "false").lower() == "true", request.query.get("fields")
    if asked is None:
        return None, tabs
    try:
        mask = parse(asked)
        check(mask, KNOWN)
    except BadMask as bad:
        text = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{bad}'."
        detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": str(bad), "description": text}]}
        raise docs_problem(400, "Request contains an invalid argument.", verbose=verbose, details=[detail]) from None
    if "tabs" in mask and set(LEGACY.split(",")) & set(mask):
        raise docs_problem(400, "The fields mask may not name both tabs and the text content fields of Document.", verbose=verbose)
    return mask, tabs or "tabs" in mask


def _view(world: World, token: Token, item: Item, request: Request, verbose: bool) -> View:
    """Who may comment sees proposals unless he asks not to. Raises Problem."""
    asked, reads_only = (
        request.query.get("suggestionsViewMode") or "DEFAULT_FOR_CURRENT_ACCESS",
        world.tree.role(item, token.address) == "reader",
    )
    if asked == "DEFAULT_FOR_CURRENT_ACCESS":
        return "PREVIEW_WITHOUT_SUGGESTIONS" if reads_only else "SUGGESTIONS_INLINE"
    if asked not in VIEWS:
        raise docs_problem(400, f"Invalid value at 'suggestions_view_mode', \"{asked}\"", verbose=verbose)
    if reads_only and asked != "PREVIEW_WITHOUT_SUGGESTIONS":
        raise docs_problem(403, "The caller does not have permission", verbose=verbose)
    return next(view for view in VIEWS if view == asked)


def _check_comment_view(request: Request, view: View, *, tabs: bool, verbose: bool) -> None:
    asked = request.query.get("commentsViewMode")
    if asked and (not tabs or (asked in COMMENT_VIEWS and view != "SUGGESTIONS_INLINE")):
        raise docs_problem(400, "comments_view_mode requires include_tabs_content and suggestions inline.", verbose=verbose)
