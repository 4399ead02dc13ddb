"""Google's token endpoint, Drive v3 and Docs v1 at one origin, below /token, /drive/v3 and /docs/v1."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from connectors.sandbox.google_docs import changes, docs, drive
from connectors.sandbox.google_docs.content import Content, fill, load_content
from connectors.sandbox.google_docs.doors import DOORS
from connectors.sandbox.google_docs.problems import BAD_CREDENTIALS, FEW_SCOPES, UNREGISTERED, docs_problem, drive_problem, error_info
from connectors.sandbox.google_docs.sign_in import ACCOUNT, SignIn, Token
from connectors.sandbox.google_docs.tree import Tree
from connectors.sandbox.google_docs.world import Quotas, World
from connectors.sandbox.wire import Problem, Request, Response, Route, Routes

READ = ("drive", "drive.readonly", "drive.file")
SEE = (*READ, "drive.metadata", "drive.metadata.readonly")
READ_DOCS = (*READ, "documents", "documents.readonly")
SCOPES = {"see": SEE, "read": READ, "drives": ("drive", "drive.readonly"), "docs": READ_DOCS}
COSTS = {"list": 100, "export": 200}  # units of Drive's quota; everything else costs 5


ROUTES = Routes(
    Route("GET", "/drive/v3/files", drive.list_files, "see list"),
    Route("GET", "/drive/v3/files/{file}", drive.get_file, "see"),
    Route("GET", "/drive/v3/files/{file}/export", drive.export, "read export"),
    Route("GET", "/drive/v3/files/{file}/permissions", drive.permissions, "see"),
    Route("GET", "/drive/v3/files/{file}/comments", drive.comments, "read"),
    Route("GET", "/drive/v3/changes", changes.list_changes, "see list"),
    Route("GET", "/drive/v3/changes/startPageToken", drive.start_page_token, "see"),
    Route("GET", "/drive/v3/drives", drive.list_drives, "drives list"),
    Route("GET", "/drive/v3/drives/{drive}", drive.get_drive, "drives"),
    Route("GET", "/drive/v3/about", drive.about, "see"),
    Route("GET", "/docs/v1/documents/{document}", docs.get_document, "docs"),
)
NO_PAGE = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> The requested URL was not found."


class GoogleApi:
    """`content`: who and what there is (None: the company's); `delegated`: scopes for which the account may act for those people."""

    control: Sequence[Route] = DOORS

    def __init__(
        self,
        now: Callable[[], datetime],
        content: Content | None = None,
        *,
        delegated: Collection[str] = (),
        quotas: Quotas | None = None,
    ) -> None:
        self.lock = threading.RLock()
        told = content or load_content()
        self.tree = Tree(now, self.lock, (*told.people, ACCOUNT))
        self.sign_in = SignIn(now, told.people, delegated)
        self.world = World(self.tree, self.sign_in, now, quotas or Quotas())
        fill(self.tree, told)

    def service_account_key(self, origin: str, *, wrong: bool = False) -> str:
        """The JSON key file's text; its token_uri is below `origin`. `wrong`: a key that is not the account's."""
        return self.sign_in.key_file(f"{origin}/token", wrong=wrong)

    def answer(self, request: Request) -> Response:
        if request.path == "/token" and request.method == "POST":
            return self.sign_in.token(request)
        if not request.path.startswith(("/drive/v3/", "/docs/v1/")):
            return Response(404, NO_PAGE, {"content-type": "text/html; charset=UTF-8"})
        token, found = self._caller(request), ROUTES.find(request.method, request.path)
        if found is None:
            raise self._no_route(request)
        route, ids = found
        self._gate(request, token, route, ids)
        return route.call(self.world, token, request, ids)

    def _caller(self, request: Request) -> Token:
        """Raises Problem: without credentials Drive says 403 and Docs 401; with bad ones both say 401."""
        in_docs, token = request.path.startswith("/docs/"), self.sign_in.bearer(request)
        if token is not None:
            return token
        if "authorization" not in request.headers and not in_docs:
            raise drive_problem("forbidden", UNREGISTERED, code=403, status="PERMISSION_DENIED")
        if in_docs:
            raise docs_problem(401, BAD_CREDENTIALS, verbose=request.query.get("$.xgafv") == "1", reason="authError")
        raise _bad_credentials()

    def _no_route(self, request: Request) -> Problem:
        """The account only reads: whatever would write wants a scope that it does not have."""
        in_docs = request.path.startswith("/docs/")
        if request.method != "GET":
            return docs_problem(403, FEW_SCOPES) if in_docs else drive_problem("insufficientPermissions", status="PERMISSION_DENIED")
        return Problem(Response(404, NO_PAGE, {"content-type": "text/html; charset=UTF-8"}))

    def _gate(self, request: Request, token: Token, route: Route, ids: Mapping[str, str]) -> None:
        """Scopes, what is refused to everybody, and the quota. Raises Problem."""
        in_docs, (scopes, _, dear) = request.path.startswith("/docs/"), (route.bucket or "see").partition(" ")
        if not token.allows(SCOPES[scopes]):
            if in_docs:
                raise docs_problem(403, FEW_SCOPES, details=[error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "docs.googleapis.com")])
            raise drive_problem("insufficientPermissions", status="PERMISSION_DENIED")
        reason = None if {"file", "document"} & set(ids) else self.world.refused(None)
        quotas = self.world.quotas
        if self.world.overspent(f"docs {token.address}", 1, quotas.docs_reads) if in_docs else False:
            reason = "rateLimitExceeded"
        elif not in_docs and self.world.overspent(f"drive {token.address}", COSTS.get(dear, 5), quotas.drive_units):
            reason = "userRateLimitExceeded"
        if reason:
            raise docs.refusal(reason, False) if in_docs else drive_problem(reason)


def _bad_credentials() -> Problem:
    line = {
        "message": "Invalid Credentials",
        "domain": "global",
        "reason": "authError",
        "location": "Authorization",
        "locationType": "header",
    }
    error = {"code": 401, "message": BAD_CREDENTIALS, "errors": [line], "status": "UNAUTHENTICATED"}
    return Problem(
        Response(401, {"error": error}, {"www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'})
    )
