"""Freshdesk's error envelopes: field by field for what is invalid, a code for what is not allowed, nothing at all for 404."""

from __future__ import annotations

from connectors.sandbox.wire import Response

LAST_PAGE = 300


def invalid(field: str, message: str, code: str = "invalid_value") -> Response:
    return Response(400, {"description": "Validation failed", "errors": [{"field": field, "message": message, "code": code}]})


def unexpected(field: str) -> Response:
    return invalid(field, "Unexpected/invalid field in request", "invalid_field")


def missing(field: str) -> Response:
    return invalid(field, "It should not be blank as this is a mandatory field", "missing_field")


def too_deep() -> Response:
    return invalid("page", f"You cannot access tickets beyond the {LAST_PAGE}th page. Please provide a smaller page number.")


def unauthenticated() -> Response:
    return Response(401, {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."})


def forbidden() -> Response:
    return Response(403, {"code": "access_denied", "message": "You are not authorized to perform this action."})


def not_found() -> Response:
    return Response(404)


def not_allowed(methods: str) -> Response:
    return Response(405, None, {"allow": methods})


def conflict(message: str) -> Response:
    return Response(409, {"code": "inconsistent_state", "message": message})


def unsupported(content_type: str) -> Response:
    message = f"Content-Type header is set to {content_type or 'nothing'}. It should be application/json or multipart/form-data."
    return Response(415, {"code": "invalid_content_type", "message": message})


def not_acceptable() -> Response:
    return Response(406, {"code": "invalid_accept_header", "message": "The Accept header admits no JSON."})
