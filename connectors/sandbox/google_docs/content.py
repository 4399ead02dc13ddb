"""The company's Drive, read from YAML: people, folders, documents and shared drives; times are offsets before now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from connectors.sandbox.google_docs.items import DOCUMENT, FOLDER, SHORTCUT, Grant, Sheet
from connectors.sandbox.google_docs.notation import read
from connectors.sandbox.google_docs.sign_in import ACCOUNT
from connectors.sandbox.google_docs.tree import Tree, single

OFFSET = re.compile(r"^(\d+)([hd])$")
KINDS = {"folder": FOLDER, "doc": DOCUMENT, "shortcut": SHORTCUT, "file": ""}
KEYS = {*KINDS, "id", "share", "limited", "items", "text", "tabs", "updated", "created", "by", "mime", "content", "to", "remarks"} | {
    *("weight", "plain_weight", "no_download", "trashed")
}


class ContentFault(ValueError):
    """The company's file contradicts itself; says where."""


@dataclass(frozen=True, slots=True)
class Content:
    """`people`: every address that may sign in, the service account not among them; `items` and `drives` as the file has them."""

    people: tuple[str, ...]
    items: tuple[Mapping[str, Any], ...] = ()
    drives: tuple[Mapping[str, Any], ...] = ()


def load_content(where: Path | Traversable | None = None) -> Content:
    """Raises ContentFault."""
    file = where or files("connectors.sandbox") / "company" / "google_docs.yaml"
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not {"people", "items"} <= set(told):
        raise ContentFault("google_docs.yaml: people and items are missing")
    return Content(tuple(told["people"]), tuple(told["items"]), tuple(told.get("drives", ())))


def fill(tree: Tree, content: Content) -> None:
    """Puts it all into an empty tree. Raises ContentFault."""
    for address in content.people:
        tree.add_root(address)
    tree.add_root(ACCOUNT)
    home = tree.root_of(content.people[0])
    for drive in content.drives:
        made = tree.add_drive(drive["name"], _grants(drive.get("members", {})), id=drive["id"])
        _fill(tree, drive.get("items", ()), made.id)
    _fill(tree, content.items, home)
    for item in tree.items.values():
        if item.target and item.target not in tree.items:
            raise ContentFault(f"shortcut {item.name}: there is no {item.target}")


def _fill(tree: Tree, items: Iterable[Mapping[str, Any]], parent: str) -> None:
    for told in items:
        kind = next((key for key in KINDS if key in told), None)
        if kind is None or not set(told) <= KEYS:
            raise ContentFault(f"{dict(told)}: one of {', '.join(KINDS)} and no other keys than {', '.join(sorted(KEYS))}")
        _put(tree, told, kind, parent)


def _put(tree: Tree, told: Mapping[str, Any], kind: str, parent: str) -> None:
    now = tree.now()
    item = tree.add(
        told[kind],
        KINDS[kind] or told["mime"],
        parent,
        by=told.get("by"),
        id=told.get("id"),
        target=told.get("to"),
        sheets=_sheets(told) if kind == "doc" else (),
        content=told.get("content", ""),
        grants=_grants(told.get("share", {})),
        at=now - _offset(told.get("created", told.get("updated", "300d"))),
    )
    item.modified = now - _offset(told.get("updated", "300d"))
    item.limited, item.no_download = told.get("limited", False), told.get("no_download", False)
    item.weight, item.plain_weight = told.get("weight", 0), told.get("plain_weight", 0)
    item.trashed = now if told.get("trashed") else None
    for address, text in told.get("remarks", {}).items():
        tree.remark(item.id, text, by=address)
    _fill(tree, told.get("items", ()), item.id)


def _sheets(told: Mapping[str, Any]) -> tuple[Sheet, ...]:
    if "tabs" not in told:
        return (single(told["text"]),)
    return tuple(_sheet(tab, f"t.{n}" if n == 0 else "") for n, tab in enumerate(told["tabs"]))


def _sheet(told: Mapping[str, Any], id: str) -> Sheet:
    """Only the first tab's id is "t.0"; the others' are made up."""
    below = tuple(_sheet(tab, "") for tab in told.get("tabs", ()))
    return Sheet(told.get("id", id), told["title"], read(told.get("text", "")), below, told.get("emoji"))


def _grants(told: Mapping[str, str]) -> list[Grant]:
    return [Grant(ACCOUNT if who == "account" else who, role) for who, role in told.items()]


def _offset(text: str) -> timedelta:
    match = OFFSET.match(text)
    if match is None:
        raise ContentFault(f"{text!r} is no offset, such as 5h or 30d")
    return timedelta(**{"hours" if match[2] == "h" else "days": int(match[1])})
