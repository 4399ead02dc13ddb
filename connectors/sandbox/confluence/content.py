"""The company's wiki, read from `company/confluence.yaml`; times are offsets before now ("36h", "400d")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from connectors.sandbox.confluence.records import Account, Edition, Readers
from connectors.sandbox.confluence.wiki import Wiki, status_named
from connectors.sandbox.confluence.world import Flavour
from connectors.sandbox.rows import CompanyFault, offset

KEYS = {
    *("id", "space", "title", "kind", "parent", "status", "created", "updated", "by", "labels", "readers"),
    *("body", "earlier", "files", "remarks"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """`bot`: the account of the credentials; `server_zone`: Data Center's. Spaces and pages as the file has them."""

    accounts: tuple[Account, ...]
    bot: str
    spaces: tuple[Mapping[str, Any], ...] = ()
    pages: tuple[Mapping[str, Any], ...] = ()
    server_zone: str = "Europe/Amsterdam"


def load_content(where: Path | Traversable | None = None) -> Content:
    """Raises CompanyFault."""
    told = yaml.safe_load((where or files("connectors.sandbox") / "company" / "confluence.yaml").read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not {"people", "bot", "spaces", "pages"} <= set(told):
        raise CompanyFault("confluence.yaml: people, bot, spaces and pages are what it holds")
    accounts = tuple(Account(**{**person, "groups": tuple(person.get("groups", ()))}) for person in told["people"])
    if told["bot"] not in {account.id for account in accounts}:
        raise CompanyFault(f"confluence.yaml: the bot {told['bot']} is nobody")
    return Content(accounts, told["bot"], tuple(told["spaces"]), tuple(told["pages"]), told.get("server_zone", "Europe/Amsterdam"))


def fill(wiki: Wiki, content: Content, flavour: Flavour) -> None:
    """Puts it all into an empty wiki. Data Center has no folders: there they are pages without text. Raises CompanyFault."""
    for told in content.spaces:
        more = {**told, "readers": readers(told["readers"]), "created": wiki.now() - offset(told.get("created", "900d"), told["key"])}
        wiki.add_space(more.pop("key"), more.pop("name"), **more)
    for told in content.pages:
        if not set(told) <= KEYS:
            raise CompanyFault(f"page {told.get('title')}: no such keys as {', '.join(sorted(set(told) - KEYS))}")
        try:
            _put(wiki, told, flavour)
        except (KeyError, ValueError) as problem:
            raise CompanyFault(f"page {told.get('title')}: {problem}") from None


def readers(told: Mapping[str, Any]) -> Readers:
    return Readers(tuple(told.get("users", ())), tuple(told.get("groups", ())))


def _put(wiki: Wiki, told: Mapping[str, Any], flavour: Flavour) -> None:
    now, by = wiki.now(), told.get("by") or next(iter(wiki.accounts))
    created, updated = now - offset(told.get("created", "400d"), told["title"]), now - offset(told.get("updated", "90d"), told["title"])
    if created > updated:
        raise ValueError("it is updated before it is created")
    earlier = told.get("earlier", ())
    item = wiki.create(
        told["title"],
        earlier[0] if earlier else told.get("body", ""),
        space=told["space"],
        parent=told.get("parent"),
        status=status_named(told.get("status", "current")),
        kind="folder" if told.get("kind") == "folder" and flavour == "cloud" else "page",
        by=by,
        id=told["id"],
        at=created,
        labels=told.get("labels", ()),
        readers=readers(told["readers"]) if "readers" in told else None,
    )
    bodies = (*earlier, told.get("body", "")) if earlier else (told.get("body", ""), told.get("body", ""))
    step = (updated - created) / (len(bodies) - 1)
    item.editions = [Edition(n + 1, told["title"], body, created + n * step, by) for n, body in enumerate(bodies)]
    item.indexed = [replace(entry, body=bodies[-1], modified=updated) for entry in item.indexed]
    for name in told.get("files", ()):
        wiki.attach(item.id, name)
    for text in told.get("remarks", ()):
        wiki.remark(item.id, text)
