"""What the connectors ask, held against the vendors' published descriptions, where these lie beside the checkout.

Each connector plays its part on its stage: first load, edits, deletions, a listing, and for a helpdesk a ticket's whole way. Every
request must be one that the description knows: the path, the method, each parameter's name and value, and the body.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from jsonschema import Draft4Validator

from connectors.base import Divided, Helpdesk, Listing, Reply, Segmented
from connectors.conformance import Desk, Hides, Moves, Play, Restricts, Shelf, Stage
from connectors.http import HttpFactory
from connectors.sandbox.confluence.stage import ConfluenceStage
from connectors.sandbox.google_docs.stage import GoogleStage
from connectors.sandbox.site import Api
from connectors.sandbox.wire import Request, Response, Route
from connectors.sandbox.zendesk.stage import ZendeskStage

SPECS = Path(os.environ.get("DRAFTDESK_SPECS") or Path(__file__).resolve().parents[3] / "shared" / "specs")
# Told by Zendesk's developer pages on pagination and side-loading, and left out of its machine-readable description.
ONLY_IN_PROSE = {"page[size]", "page[after]", "include", "sort"}
Asked = tuple[str, str, tuple[tuple[str, str], ...], bytes]  # method, path, query in its order, body


class Loader(yaml.CSafeLoader):
    """Reads a bare `=` as text."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


@dataclass(frozen=True)
class Operation:
    """One call that a description offers; `queries` and `body` are JSON Schemas."""

    method: str
    path: re.Pattern[str]
    queries: Mapping[str, Mapping[str, Any]]
    needed: frozenset[str]
    body: Mapping[str, Any] | None


class Listener:
    """The system behind it, and what it was asked."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.asked: list[Asked] = []

    @property
    def lock(self) -> threading.RLock:
        return self._api.lock

    @property
    def control(self) -> Sequence[Route]:
        return self._api.control

    def answer(self, request: Request) -> Response:
        pairs = request.pairs or tuple(request.query.items())
        self.asked.append((request.method, request.path, pairs, request.body))
        return self._api.answer(request)


# --- the descriptions ---


@cache
def read(name: str) -> dict[str, Any]:
    file = SPECS / name
    if not file.is_file():
        pytest.skip(f"{file} is not there; set DRAFTDESK_SPECS to the folder of API descriptions")
    text = file.read_text(encoding="utf-8")
    told: dict[str, Any] = yaml.load(text, Loader) if name.endswith(".yaml") else json.loads(text)
    return told


def pattern(path: str) -> re.Pattern[str]:
    """A path template as an expression; a literal segment beats a variable one by being tried first."""
    parts = ("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path))
    return re.compile("".join(parts) + r"(\.json)?")


@cache
def openapi(name: str, root: str = "") -> tuple[Operation, ...]:
    """`root` is what the description's own paths stand below."""
    told = read(name)

    def resolve(node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target: Any = told
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    found = []
    for path, item in sorted(told["paths"].items(), key=lambda pair: pair[0].count("{")):
        for method in {"get", "put", "post", "delete"} & item.keys():
            call = item[method]
            parameters = [resolve(one) for one in (*item.get("parameters", ()), *call.get("parameters", ()))]
            queries = {one["name"]: one.get("schema", {}) for one in parameters if one["in"] == "query"}
            needed = frozenset(one["name"] for one in parameters if one["in"] == "query" and one.get("required"))
            content = resolve(call.get("requestBody", {})).get("content", {})
            body = content.get("application/json", {}).get("schema")
            schemas = {name: {**schema, "components": told["components"]} for name, schema in queries.items()}
            held = body and {**nullable(body), "components": nullable(told["components"])}
            found.append(Operation(method.upper(), pattern(root + path), schemas, needed, held))
    return tuple(found)


def nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable(value) for key, value in schema.items() if key not in ("nullable", "example")}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@cache
def discovery(name: str, root: str) -> tuple[Operation, ...]:
    told = read(name)
    common = told["parameters"]

    def methods(resources: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for resource in resources.values():
            yield from resource.get("methods", {}).values()
            yield from methods(resource.get("resources", {}))

    found = []
    for call in sorted(methods(told["resources"]), key=lambda one: one.get("flatPath", one["path"]).count("{")):
        queries = {name: one for name, one in {**common, **call.get("parameters", {})}.items() if one["location"] == "query"}
        schemas = {name: {key: one[key] for key in ("type", "enum") if key in one} for name, one in queries.items()}
        needed = frozenset(name for name, one in queries.items() if one.get("required"))
        found.append(Operation(call["httpMethod"], pattern(root + call.get("flatPath", call["path"])), schemas, needed, None))
    return tuple(found)


# --- holding a request against them ---


def faults(asked: Asked, operations: Iterable[Operation]) -> list[str]:
    method, path, pairs, body = asked
    found = next((one for one in operations if one.method == method and one.path.fullmatch(path)), None)
    if found is None:
        return [f"{method} {path}: the description has no such call"]
    told: list[str] = []
    names = {name for name, _ in pairs}
    told += [f"{method} {path}: {name} is missing" for name in found.needed - names]
    for name in sorted(names):
        described = found.queries.get(name) or deep(found.queries, name)
        values = [value for key, value in pairs if key == name]
        if described is None:
            told.append(f"{method} {path}: no parameter {name}")
        elif not fits(values, described):
            told.append(f"{method} {path}: {name}={values}")
    if body and found.body is not None:
        errors = Draft4Validator(found.body).iter_errors(json.loads(body))
        told += [f"{method} {path}: body {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]
    return told


def deep(queries: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """`page[size]` of a parameter `page` that is an object."""
    outer, bracket, _ = name.partition("[")
    return {} if bracket and outer in queries else None


def fits(values: Sequence[str], schema: Mapping[str, Any]) -> bool:
    """A query's text as the described type; a list may be repeated or joined with commas."""
    validator = Draft4Validator(schema)
    parts = [piece for value in values for piece in value.split(",")]
    readings: list[Any] = [values[0], list(values), parts, parts[0]]
    for read_as in (int, float, {"true": True, "false": False}.__getitem__):
        try:
            typed = [read_as(part) for part in parts]
        except (ValueError, KeyError):
            continue
        readings += [typed, typed[0]]
    return any(validator.is_valid(reading) for reading in readings)


# --- the play ---


def perform(stage: Stage, http: HttpFactory) -> None:
    """Something of everything that a connector asks for."""
    shelf = Shelf()
    ids = [stage.create(f"marker{number}") for number in range(5)]
    source = stage.connect(http)
    source.check()
    for turn in range(4):
        stage.advance(3600 * 12)
        for page in stage.connect(http).pull(shelf.cursor):
            shelf.apply(page)
        match turn, stage:
            case 0, _:
                stage.edit(ids[0], "edited")
                stage.delete(ids[1])
            case 1, Restricts() as restricting:
                restricting.restrict(ids[2])
            case 2, Hides() as hiding:
                hiding.hide(ids[3])
        if turn == 1 and isinstance(stage, Moves):
            stage.move(ids[4])
    if isinstance(source, Listing):
        list(source.list_ids())
    if isinstance(source, Divided):
        source.begin()
        for part in source.parts():
            list(source.pull_part(part.key, None))
    if isinstance(source, Helpdesk) and isinstance(stage, Desk):
        serve(source, stage)


def serve(source: Helpdesk, stage: Any) -> None:
    number = stage.open_ticket("Where is my order?")
    stage.advance(600)
    list(source.tickets(None, stage.now().replace(hour=0)))
    seen = source.ticket(number)
    assert seen is not None
    for key, public in (("a" * 32, False), ("b" * 32, True)):
        assert source.find_reply(number, key) is None
        source.post_reply(number, Reply("<p>Here it is.</p>", public, ("draftdesk-reply",)), key, seen.version)
        seen = source.ticket(number)
        assert seen is not None
    source.add_tags(number, ("refund",))
    if isinstance(source, Segmented):
        source.membership(seen)


def asked_by(stage: Stage) -> list[Asked]:
    site = stage.site
    assert site is not None
    listener = Listener(site.api)
    site.api = listener
    try:
        perform(stage, Play(stage).http)
    finally:
        stage.close()
    return [(method, unquote(path), pairs, body) for method, path, pairs, body in listener.asked]


def judged(asked: Iterable[Asked], operations: Iterable[Operation]) -> list[str]:
    known = tuple(operations)
    return sorted({fault for one in asked for fault in faults(one, known)})


def test_zendesk_is_asked_what_support_describes() -> None:
    operations = openapi("zendesk-support.openapi.yaml")
    asked = [
        (method, path, tuple(pair for pair in pairs if pair[0] not in ONLY_IN_PROSE), body)
        for method, path, pairs, body in asked_by(ZendeskStage())
        if "/help_center/" not in path and path != "/oauth/tokens"  # of the Help Center and of sign-in nothing is described
    ]
    assert {method for method, *_ in asked} == {"GET", "PUT"}
    assert judged(asked, operations) == []


def test_confluence_cloud_is_asked_what_is_described() -> None:
    v1, v2 = openapi("confluence-cloud-v1.openapi.json"), openapi("confluence-cloud-v2.openapi.json", "/wiki/api/v2")
    asked = [
        (method, path if path.startswith("/wiki/") else f"/wiki{path}", pairs, body)
        for method, path, pairs, body in asked_by(ConfluenceStage())
    ]
    assert len({path for _, path, *_ in asked}) > 4
    assert judged(asked, (*v1, *v2)) == []


def test_google_is_asked_what_is_described() -> None:
    drive, docs = discovery("google-drive.v3.discovery.json", "/drive/v3/"), discovery("google-docs.v1.discovery.json", "/docs/")
    asked = [one for one in asked_by(GoogleStage()) if "token" not in one[1].rsplit("/", 1)[-1] or "PageToken" in one[1]]
    assert len({path for _, path, *_ in asked}) > 4
    assert judged(asked, (*drive, *docs)) == []


def test_what_is_not_described_is_noticed() -> None:
    operations = openapi("zendesk-support.openapi.yaml")
    assert faults(("GET", "/api/v2/tickets/5/thoughts.json", (), b""), operations)
    assert faults(("GET", "/api/v2/tickets/5.json", (("colour", "red"),), b""), operations)
    assert faults(("PUT", "/api/v2/tickets/5.json", (), b'{"ticket": {"status": 5}}'), operations)
    assert faults(("GET", "/drive/v3/files", (("pageSize", "many"),), b""), discovery("google-drive.v3.discovery.json", "/drive/v3/"))
