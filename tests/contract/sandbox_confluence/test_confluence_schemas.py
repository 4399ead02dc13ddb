"""The answers held against the published descriptions of Cloud's v1 and v2, where these lie beside the checkout."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

SPECS = Path(os.environ.get("DRAFTDESK_SPECS") or Path(__file__).resolve().parents[4] / "shared" / "specs")
V1, V2 = SPECS / "confluence-cloud-v1.openapi.json", SPECS / "confluence-cloud-v2.openapi.json"
# Null on the wire where the description only says so in words.
NULL_ON_THE_WIRE = {"parentId", "parentType", "homepageId", "description"}
# Told on the wire, and younger than the description.
YOUNGER = {"labels", "versions", "operations", "properties", "isExternalCollaborator", "body", "base", "allowedInReadOnlyMode"}
EXPAND = "body.storage,version,space,ancestors,metadata.labels,history.lastUpdated,restrictions.read.restrictions.user"


def strict(schema: Any, name: str = "") -> Any:
    """OpenAPI 3.0 as JSON Schema in which unknown members are faults."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: strict(value, key) for key, value in schema.items() if key not in ("nullable", "example", "description")}
    if name == "properties":
        told = {key: strict(value, key) for key, value in schema.items()}
        return told
    if "properties" in told and "additionalProperties" not in told:
        told["properties"] = {**{key: {} for key in (*YOUNGER, "_expandable", "_links")}, **told["properties"]}
        told["additionalProperties"] = False
    if schema.get("nullable") or name in NULL_ON_THE_WIRE:
        return {"anyOf": [told, {"type": "null"}]}
    return told


@cache
def described(file: Path) -> dict[str, Any]:
    if not file.is_file():
        pytest.skip(f"{file} is not there; set DRAFTDESK_SPECS to the folder of API descriptions")
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for name in ("ParentContentType", "AncestorType"):
        told["components"]["schemas"].get(name, {"enum": []})["enum"].append("folder")
    return told


def faults(file: Path, path: str, answer: Any) -> list[str]:
    told = described(file)
    schema = next(iter(told["paths"][path]["get"]["responses"]["200"]["content"].values()))["schema"]
    whole = {**strict(schema), "components": strict(told["components"])}
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in Draft4Validator(whole).iter_errors(answer)]


@pytest.fixture
def content() -> None:
    """The company's own wiki: it has something of everything."""


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("spaces?description-format=plain", "/spaces"),
        ("spaces/65538", "/spaces/{id}"),
        ("spaces/65538/permissions", "/spaces/{id}/permissions"),
        ("spaces/65538/pages?limit=7&body-format=storage", "/spaces/{id}/pages"),
        ("pages?status=archived&status=trashed&limit=250", "/pages"),
        ("pages/98351?body-format=view&include-labels=true&include-versions=true", "/pages/{id}"),
        ("pages/98311/labels", "/pages/{id}/labels"),
        ("pages/98311/versions?body-format=storage", "/pages/{id}/versions"),
        ("pages/98305/children", "/pages/{id}/children"),
        ("pages/98341/ancestors", "/pages/{id}/ancestors"),
        ("pages/98311/operations", "/pages/{id}/operations"),
        ("pages/98318/attachments", "/pages/{id}/attachments"),
        ("pages/98311/footer-comments", "/pages/{id}/footer-comments"),
    ],
)
def test_v2_answers_as_described(cloud: Any, target: str, path: str) -> None:
    described(V2)
    assert faults(V2, path, cloud.ok(f"/api/v2/{target}")) == []


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (f"content/search?cql=type=page&limit=9&expand={EXPAND}", "/wiki/rest/api/content/search"),
        ("content/search?cql=type=page&limit=9", "/wiki/rest/api/content/search"),
        ("search?cql=type=page&limit=9", "/wiki/rest/api/search"),
        (
            "content/98340/restriction/byOperation/read?expand=restrictions.user,restrictions.group",
            "/wiki/rest/api/content/{id}/restriction/byOperation/{operationKey}",
        ),
        ("user/current", "/wiki/rest/api/user/current"),
        (f"content?spaceKey=KB&expand={EXPAND}", "/wiki/rest/api/content"),
        ("content/98340?expand=space,history", "/wiki/rest/api/content/{id}"),
        ("space", "/wiki/rest/api/space"),
    ],
)
def test_v1_answers_as_described(cloud: Any, target: str, path: str) -> None:
    described(V1)
    assert faults(V1, path, cloud.ok(f"/rest/api/{target}")) == []


def test_a_broken_answer_is_noticed(cloud: Any) -> None:
    told = cloud.ok("/api/v2/spaces/65538/pages")
    told["results"][0]["colour"] = "red"
    told["results"][1]["status"] = "lost"
    assert len(faults(V2, "/spaces/{id}/pages", told)) == 2
