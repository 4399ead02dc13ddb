"""The answers held against the vendors' published API descriptions, where these lie beside the checkout."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, Draft202012Validator

from connectors.sandbox import Sandbox

SPECS = Path(os.environ.get("DRAFTDESK_SPECS") or Path(__file__).resolve().parents[4] / "shared" / "specs")
ZENDESK, OPENAI = SPECS / "zendesk-support.openapi.yaml", SPECS / "openai.openapi.json"

HELLO = [{"role": "user", "content": "x"}]

# Where recorded traffic has null and the description does not say so, the sandbox follows the traffic.
NULL_ON_THE_WIRE = {
    *("next_page", "previous_page", "before_cursor", "before_url", "rel"),
    *("assignee_id", "external_id", "forum_topic_id", "organization_id", "priority", "problem_id", "recipient", "type", "reason"),
    "value",  # of a ticket's custom field that nobody filled
    *("alias", "default_group_id", "email", "details", "last_login_at", "notes", "signature", "phone", "photo", "shared_phone_number"),
}


class Loader(yaml.CSafeLoader):
    """Reads a bare `=` as text."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def with_null(schema: Any, name: str = "") -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema."""
    if isinstance(schema, list):
        return [with_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: with_null(value, key) for key, value in schema.items() if key not in ("nullable", "example")}
    if (schema.get("nullable") or name in NULL_ON_THE_WIRE) and ({"type", "$ref", "allOf"} & set(schema)) and name != "properties":
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


@cache
def zendesk_components() -> dict[str, Any]:
    if not ZENDESK.is_file():
        pytest.skip(f"{ZENDESK} is not there; set DRAFTDESK_SPECS to the folder of API descriptions")
    components = with_null(yaml.load(ZENDESK.read_text(encoding="utf-8"), Loader=Loader)["components"])
    assert isinstance(components, dict)
    return components


@cache
def openai_components() -> dict[str, Any]:
    if not OPENAI.is_file():
        pytest.skip(f"{OPENAI} is not there; set DRAFTDESK_SPECS to the folder of API descriptions")
    components = json.loads(OPENAI.read_text(encoding="utf-8"))["components"]
    assert isinstance(components, dict)
    return components


def faults(validator: Any, name: str, components: dict[str, Any], answer: Any) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator(schema).iter_errors(answer)]


@pytest.mark.parametrize(
    ("target", "schema"),
    [
        ("/api/v2/users/me.json", "CurrentUserResponse"),
        ("/api/v2/users/show_many.json?ids={anna},{leo},{gone}", "UsersResponse"),
        ("/api/v2/users/{anna}.json", "UserResponse"),
        ("/api/v2/tickets.json", "TicketsResponse"),
        ("/api/v2/tickets.json?page[size]=1", "TicketsResponse"),
        ("/api/v2/tickets/show_many.json?ids={past}", "TicketsResponse"),
        ("/api/v2/tickets/{past}.json", "TicketResponse"),
        ("/api/v2/tickets/{past}/comments.json?include=users", "TicketCommentsResponse"),
        ("/api/v2/tickets/{closed}/comments.json", "TicketCommentsResponse"),
        ("/api/v2/tickets/{past}/audits.json", "TicketAuditsResponseNoneCursor"),
        ("/api/v2/tickets/{past}/tags.json", "TagsByObjectIdResponse"),
        ("/api/v2/incremental/tickets/cursor.json?start_time=0", "CursorBasedExportIncrementalTicketsResponse"),
        ("/api/v2/incremental/tickets.json?start_time=0", "TimeBasedExportIncrementalTicketsResponse"),
        ("/api/v2/macros.json", "MacrosResponse"),
        ("/api/v2/satisfaction_ratings.json", "SatisfactionRatingsResponse"),
        ("/api/v2/deleted_tickets.json", "ListDeletedTicketsResponse"),
    ],
)
def test_what_is_read_is_what_zendesk_describes(sandbox: Sandbox, api: Any, ids: Any, target: str, schema: str) -> None:
    sandbox.desk.delete_ticket(sandbox.desk.create_many(1)[0])
    answer = api.get(target.format(**vars(ids)))
    assert answer.status_code == 200
    assert faults(Draft4Validator, schema, zendesk_components(), answer.json()) == []


def test_what_is_written_is_answered_as_zendesk_describes(api: Any, ids: Any) -> None:
    body = {"ticket": {"comment": {"html_body": "<p>x</p>", "public": True}, "status": "pending", "metadata": {"e": "k"}}}
    updated = api.put(f"/api/v2/tickets/{ids.waiting}.json", body).json()
    assert faults(Draft4Validator, "TicketUpdateResponse", zendesk_components(), updated) == []
    created = api.post("/api/v2/tickets.json", {"ticket": {"subject": "s", "comment": {"body": "b"}}}).json()
    assert faults(Draft4Validator, "TicketResponse", zendesk_components(), created) == []
    tags = api.put(f"/api/v2/tickets/{ids.waiting}/tags.json", {"tags": ["b"]}).json()
    assert faults(Draft4Validator, "TagsByObjectIdResponse", zendesk_components(), tags) == []


def test_a_broken_answer_is_noticed(api: Any, ids: Any) -> None:
    answer = api.get(f"/api/v2/tickets/{ids.past}.json").json()
    answer["ticket"]["id"] = "text"
    assert faults(Draft4Validator, "TicketResponse", zendesk_components(), answer) != []


@pytest.mark.parametrize(
    ("method", "target", "body", "schema"),
    [
        ("GET", "/models", None, "ListModelsResponse"),
        ("GET", "/models/sandbox-chat", None, "Model"),
        ("POST", "/chat/completions", {"model": "sandbox-chat", "messages": HELLO}, "CreateChatCompletionResponse"),
        ("POST", "/embeddings", {"model": "sandbox-embed", "input": "x"}, "CreateEmbeddingResponse"),
        ("POST", "/embeddings", {"model": "nobody", "input": "x"}, "ErrorResponse"),
    ],
)
def test_the_model_answers_as_openai_describes(openai: Any, method: str, target: str, body: Any, schema: str) -> None:
    answer = openai(method, target, json=body)
    assert faults(Draft202012Validator, schema, openai_components(), answer.json()) == []


def test_a_refusal_is_answered_as_openai_describes(sandbox: Sandbox, openai: Any) -> None:
    sandbox.model.mode = "refuse"
    answer = openai.post("/chat/completions", {"model": "sandbox-chat", "messages": HELLO})
    assert faults(Draft202012Validator, "CreateChatCompletionResponse", openai_components(), answer.json()) == []
