"""The answers held against Google's discovery documents, where these lie beside the checkout."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from connectors.sandbox.google_docs.site import GoogleSite

SPECS = Path(os.environ.get("DRAFTDESK_SPECS") or Path(__file__).resolve().parents[4] / "shared" / "specs")
DRIVE, DOCS = SPECS / "google-drive.v3.discovery.json", SPECS / "google-docs.v1.discovery.json"
PLAIN = {"string", "integer", "boolean", "number", "array", "object"}


def strict(schema: Any) -> Any:
    """A discovery schema as JSON Schema in which unknown members are faults."""
    told: dict[str, Any] = {}
    if "$ref" in schema:
        return {"$ref": f"#/schemas/{schema['$ref']}"}
    if schema.get("type") in PLAIN:
        told["type"] = schema["type"]
    if "enum" in schema:
        told["enum"] = schema["enum"]
    if "items" in schema:
        told["items"] = strict(schema["items"])
    if schema.get("type") == "object":
        told["properties"] = {name: strict(member) for name, member in schema.get("properties", {}).items()}
        told["additionalProperties"] = strict(schema["additionalProperties"]) if "additionalProperties" in schema else False
    return told


@cache
def schemas(file: Path) -> dict[str, Any]:
    if not file.is_file():
        pytest.skip(f"{file} is not there; set DRAFTDESK_SPECS to the folder of API descriptions")
    return {name: strict(schema) for name, schema in json.loads(file.read_text(encoding="utf-8"))["schemas"].items()}


def faults(file: Path, name: str, answer: Any) -> list[str]:
    validator = Draft7Validator({"$ref": f"#/schemas/{name}", "schemas": schemas(file)})
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(answer)]


@pytest.fixture
def content() -> None:
    """The company's own Drive: it has something of everything."""


@pytest.mark.parametrize(
    ("path", "params", "schema"),
    [
        ("files", {}, "FileList"),
        ("files", {"pageSize": "3", "fields": "*"}, "FileList"),
        ("files", {"fields": "*", "pageSize": "1000"}, "FileList"),
        ("files/1TwKnowledgeFolderAAAAAAAAAAAAAAA", {"fields": "*"}, "File"),
        ("changes", {"pageToken": "12345", "fields": "*", "pageSize": "1000"}, "ChangeList"),
        ("changes", {"pageToken": "12345"}, "ChangeList"),
        ("changes/startPageToken", {}, "StartPageToken"),
        ("drives", {"fields": "*"}, "DriveList"),
        ("drives/0ATwFieldServiceDriveUk9PVA", {"fields": "*"}, "Drive"),
        ("about", {"fields": "user"}, "About"),
        ("files/1TwWarrantyTermsDocAAAAAAAAAAAAAA/comments", {"fields": "*"}, "CommentList"),
    ],
)
def test_drive_answers_as_described(api: Any, shared: dict[str, str], path: str, params: dict[str, str], schema: str) -> None:
    assert faults(DRIVE, schema, api.ok(f"/drive/v3/{path}", **{**shared, **params})) == []


def test_permissions_are_as_described(signed_in: Any) -> None:
    mira = signed_in(sub="mira@tidewell.example")
    for file in ("1TwPlaybookDocAAAAAAAAAAAAAAAAAAA", "1TwTechnicianDocAAAAAAAAAAAAAAAAA"):
        told = mira.ok(f"/drive/v3/files/{file}/permissions", fields="*", supportsAllDrives="true")
        assert faults(DRIVE, "PermissionList", told) == []


@pytest.mark.parametrize("tabs", ["true", "false"])
@pytest.mark.parametrize("view", ["SUGGESTIONS_INLINE", "PREVIEW_WITHOUT_SUGGESTIONS"])
def test_every_document_is_as_described(site: GoogleSite, signed_in: Any, tabs: str, view: str) -> None:
    mira = signed_in(sub="mira@tidewell.example")
    for item in list(site.tree.items.values()):
        if item.is_document:
            told = mira.ok(f"/docs/v1/documents/{item.id}", includeTabsContent=tabs, suggestionsViewMode=view)
            assert faults(DOCS, "Document", told) == []


def test_a_broken_answer_is_noticed(api: Any) -> None:
    told = api.ok("/docs/v1/documents/1TwWarrantyTermsDocAAAAAAAAAAAAAA", includeTabsContent="true")
    told["tabs"][0]["documentTab"]["body"]["content"][1]["paragraph"]["colour"] = "red"
    assert faults(DOCS, "Document", told) != []
