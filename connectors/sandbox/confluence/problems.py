"""How this vendor says no: three JSON envelopes and pages of HTML."""

from __future__ import annotations

from connectors.sandbox.wire import JsonObject, Problem, Response

HTML = {"content-type": "text/html;charset=UTF-8"}
TOMCAT = (
    '<!doctype html><html lang="en"><head><title>HTTP Status {0} – {1}</title></head>'
    "<body><h1>HTTP Status {0} – {1}</h1><hr class='line' /><h3>Apache Tomcat</h3></body></html>"
)
LOGIN = "<!DOCTYPE html><html><head><title>Log in - Confluence</title></head><body><form action='/dologin.action'></form></body></html>"
REJECTED = (
    "com.atlassian.confluence.mvc.rest.common.exception.StacklessResponseStatusException: "
    '403 FORBIDDEN "Request rejected because caller cannot access Confluence"'
)
BAD_CURSOR = "Provided value for 'cursor' is not the correct type. Expected type is Cursor."
CURSOR_HINT = "The provided cursor was not valid. You can get a new valid cursor by making the original pagination request again."
ILLEGAL = "java.lang.IllegalArgumentException: "
PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
    504: "Gateway Timeout",
}


def html(status: int) -> Problem:
    return Problem(Response(status, TOMCAT.format(status, PHRASES[status]), HTML))


def v2(status: int, code: str, title: str, detail: str | None = None) -> Problem:
    return Problem(Response(status, {"errors": [{"status": status, "code": code, "title": title, "detail": detail}]}))


def v2_not_found() -> Problem:
    return v2(404, "NOT_FOUND", "Not Found")


def v2_invalid(title: str, detail: str | None = None) -> Problem:
    return v2(400, "INVALID_REQUEST_PARAMETER", title, detail)


def v1(status: int, message: str, *, cloud: bool, detailed: bool = False) -> Problem:
    """Data Center adds the reason."""
    body: JsonObject = {"statusCode": status, "message": message}
    if detailed or not cloud:
        errors = [{"message": {"translation": message, "args": []}}]
        body["data"] = {"authorized": False, "valid": status != 404, "allowedInReadOnlyMode": True, "errors": errors, "successful": False}
    if not cloud:
        body["reason"] = PHRASES.get(status, "")
    return Problem(Response(status, body))


def v1_not_found(id: str, *, cloud: bool) -> Problem:
    message = f"com.atlassian.confluence.api.service.exceptions.NotFoundException: No content found with id: ContentId{{id={id}}}"
    return v1(404, message, cloud=cloud, detailed=True)
