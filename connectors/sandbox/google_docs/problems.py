"""Google's error bodies: Drive's with `errors[]` and a `reason`, Docs' with a `status`, OAuth's two strings."""

from __future__ import annotations

from typing import NamedTuple

from connectors.sandbox.wire import JsonObject, Problem, Response

UNREGISTERED = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)
BAD_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication "
    "credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
FEW_SCOPES = "Request had insufficient authentication scopes."
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Known(NamedTuple):
    code: int
    domain: str
    message: str


NO_DRIVE = "Google Drive API has not been used in project 417700001166 before or it is disabled."
REASONS = {
    "rateLimitExceeded": Known(403, "usageLimits", "Rate Limit Exceeded"),
    "userRateLimitExceeded": Known(403, "usageLimits", "User Rate Limit Exceeded"),
    "dailyLimitExceeded": Known(403, "usageLimits", "Daily Limit Exceeded"),
    "accessNotConfigured": Known(403, "usageLimits", NO_DRIVE),
    "domainPolicy": Known(403, "global", "The domain administrators have disabled Drive apps."),
    "insufficientFilePermissions": Known(403, "global", "The user does not have sufficient permissions for this file."),
    "insufficientPermissions": Known(403, "global", FEW_SCOPES),
    "appNotAuthorizedToFile": Known(403, "global", "The user has not granted the app access to the file."),
    "exportSizeLimitExceeded": Known(403, "global", "This file is too large to be exported."),
    "cannotExportFile": Known(403, "global", "This file cannot be exported by the user."),
    "fileNotExportable": Known(403, "global", "Export only supports Docs Editors files."),
    "fileNotDownloadable": Known(403, "global", "Only files with binary content can be downloaded. Use Export with Docs Editors files."),
    "supportsTeamDrivesRequired": Known(403, "global", "The supportsAllDrives parameter must be set to true."),
    "backendError": Known(500, "global", "Backend Error"),
    "notFound": Known(404, "global", "File not found"),
    "invalid": Known(400, "global", "Invalid Value"),
    "badRequest": Known(400, "global", "Bad Request"),
}


def drive_problem(
    reason: str,
    message: str | None = None,
    *,
    at: str | None = None,
    kind: str = "parameter",
    code: int | None = None,
    status: str | None = None,
) -> Problem:
    """`at`: the parameter or header that is to blame. `status` stands in answers about the caller's sign-in only."""
    known = REASONS.get(reason, Known(code or 400, "global", reason))
    told = message or known.message
    line = {"message": told, "domain": known.domain, "reason": reason}
    if at:
        line |= {"location": at, "locationType": kind}
    error: JsonObject = {"code": code or known.code, "message": told, "errors": [line]}
    return Problem(Response(code or known.code, {"error": {**error, **({"status": status} if status else {})}}))


def no_file(file_id: str) -> Problem:
    """The same for a file that never was and one that the caller may not read."""
    return drive_problem("notFound", f"File not found: {file_id}.", at="fileId")


def docs_problem(
    code: int, message: str, *, status: str | None = None, verbose: bool = False, reason: str = "", details: list[JsonObject] | None = None
) -> Problem:
    """`verbose`: the caller asked for the older format, which has `errors[]` as well."""
    error: JsonObject = {"code": code, "message": message, "status": status or STATUSES[code]}
    if details:
        error["details"] = details
    if verbose:
        error["errors"] = [
            {"message": message, "domain": "global", "reason": reason or {403: "forbidden", 404: "notFound"}.get(code, "badRequest")}
        ]
    return Problem(Response(code, {"error": error}))


def oauth_problem(code: int, error: str, description: str) -> Problem:
    return Problem(Response(code, {"error": error, "error_description": description}))


def error_info(reason: str, service: str) -> JsonObject:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": service, "consumer": "projects/417700001166"},
    }
