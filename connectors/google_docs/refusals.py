"""What Google's 400s, 401s and 403s mean: too many calls, one file, or everything; each as a sentence for the operator."""

from __future__ import annotations

import json
from collections.abc import Collection

from connectors.base import ConfigProblem
from connectors.google_docs.parse import reasons, text
from connectors.http import Answer

SCOPE = "https://www.googleapis.com/auth/drive.readonly"  # lists, changes, and documents.get too
_TOO_MANY = {
    "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED",
    "variableTermLimitExceeded", "servingLimitExceeded"
}
_NOT_ENABLED = {"accessNotConfigured", "SERVICE_DISABLED"}
_NO_SCOPE = {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
_POLICY = {"domainPolicy", "admin_policy_enforced", "org_internal"}


def limited(answer: Answer) -> bool:
    """Whether a 403 says that there were too many calls."""
    if answer.status != 403:
        return False
    try:
        return bool(reasons(json.loads(answer.body)) & _TOO_MANY)
    except (ValueError, RecursionError):
        return False


def of_everything(body: object, api: str) -> ConfigProblem | None:
    """What a 403 says about the whole account, as a sentence; None where it may be about one file only."""
    told = reasons(body)
    if told & _NOT_ENABLED:
        return ConfigProblem(
            f"the Google {api} API is not enabled in the service account's project; enable it in the Google Cloud console under APIs &"
            " Services, and try again some minutes later"
        )
    if told & _NO_SCOPE:
        return ConfigProblem(f"the access token lacks a scope for the Google {api} API; allow the service account {SCOPE}")
    if told & _POLICY:
        return ConfigProblem(
            f"the domain's administrator does not let this account use the Google {api} API; it is allowed in the Admin console under"
            " Security > API controls"
        )
    return None


def of_token(body: object, subject: str | None) -> str:
    """Why there is no access token, and what to do, as the end of a sentence."""
    told, said = reasons(body), text(body.get("error_description") if isinstance(body, dict) else None)
    acting = f"acting for {subject}" if subject else "the key file"
    for words, sentence in (
        (("iat", "exp"), "this machine's clock is wrong; set it by NTP"),
        (("Signature",), "its key was revoked, or is another account's; make a new key and put it in place of the old one"),
        (("Invalid email or User ID",), f"there is no such person; correct auth.subject ({subject or 'none is set'})"),
        (("account not found",), "the service account was deleted; make another, with a key"),
        (("audience",), "token_uri in the key file is not the token address it was sent to; correct endpoints.token or the key file"),
    ):
        if all(word in said for word in words):
            return sentence
    return next((sentence for codes, sentence in _grants(acting) if told & set(codes)), f"check {acting}")


def _grants(acting: str) -> Collection[tuple[tuple[str, ...], str]]:
    delegation = f"{acting} needs domain-wide delegation for exactly the scope {SCOPE} (Admin console, Security > API controls)"
    return (
        (("unauthorized_client", "access_denied"), delegation),
        (("invalid_scope",), f"the scope {SCOPE} is refused"),
        (("disabled_client",), "the service account is disabled; enable it in the Google Cloud console"),
        (tuple(_POLICY), "the domain's administrator does not allow it (Admin console, Security > API controls)"),
    )
