"""The language of `q` in files.list: read into a predicate over items."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.google_docs.items import Item
from connectors.sandbox.google_docs.tree import Tree

TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<sign><=|>=|!=|=|<|>|\(|\))|(?P<word>[A-Za-z.]+))")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MOST_TERMS = 200
WRITERS = ("writer", "fileOrganizer", "organizer", "owner")

Test = Callable[[Item], bool]


class BadQuery(ValueError):
    """`q` is not a query."""


@dataclass(slots=True)
class Reader:
    """`address` is who asks: for `root`, `me` and `sharedWithMe`."""

    tree: Tree
    address: str
    tokens: list[tuple[str, str]]
    terms: int = 0

    def whole(self) -> Test:
        test = self.either()
        if self.tokens or self.terms > MOST_TERMS:
            raise BadQuery
        return test

    def next(self, kind: str | None = None) -> str:
        if not self.tokens or (kind and self.tokens[0][0] != kind):
            raise BadQuery
        return self.tokens.pop(0)[1]

    def comes(self, text: str) -> bool:
        if self.tokens and self.tokens[0] in (("word", text), ("sign", text)):
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Test:
        tests = [self.both()]
        while self.comes("or"):
            tests.append(self.both())
        return lambda item: any(test(item) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.comes("and"):
            tests.append(self.one())
        return lambda item: all(test(item) for test in tests)

    def one(self) -> Test:
        if self.comes("not"):
            test = self.one()
            return lambda item: not test(item)
        if self.comes("("):
            inner = self.either()
            if not self.comes(")"):
                raise BadQuery
            return inner
        self.terms += 1
        if self.tokens and self.tokens[0][0] == "text":
            return self.membership(_unquoted(self.next()))
        return self.term(self.next("word"))

    def membership(self, value: str) -> Test:
        if not self.comes("in"):
            raise BadQuery
        name = self.next("word")
        if name == "parents":
            folder = self.tree.root_of(self.address) if value == "root" else value
            return lambda item: item.parent == folder
        who = self.address if value == "me" else value
        if name == "owners":
            return lambda item: item.drive is None and item.owner == who
        if name == "writers":
            return lambda item: self.tree.role(item, who) in WRITERS
        if name == "readers":
            return lambda item: self.tree.role(item, who) is not None
        raise BadQuery

    def term(self, name: str) -> Test:
        if name == "sharedWithMe":
            wanted = self.truth() if self.comes("=") else True
            return lambda item: self.shared(item) == wanted
        sign = self.next()
        if name in ("trashed", "starred"):
            if sign not in ("=", "!="):
                raise BadQuery
            wanted = self.truth() == (sign == "=")
            return lambda item: (name == "trashed" and self.tree.in_trash(item)) == wanted
        value = _unquoted(self.next("text"))
        if name in ("modifiedTime", "createdTime"):
            return self.moment(name, sign, value)
        if name in ("name", "mimeType", "fullText", "shortcutDetails.targetId"):
            return self.words(name, sign, value)
        raise BadQuery

    def truth(self) -> bool:
        word = self.next("word")
        if word not in ("true", "false"):
            raise BadQuery
        return word == "true"

    def shared(self, item: Item) -> bool:
        return item.owner != self.address and any(grant.holds_for(self.address) for grant in item.grants)

    def moment(self, name: str, sign: str, value: str) -> Test:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise BadQuery from None
        limit = at if at.tzinfo else at.replace(tzinfo=UTC)
        compare = COMPARE.get(sign)
        if compare is None:
            raise BadQuery
        return lambda item: compare(item.modified if name == "modifiedTime" else item.created, limit)

    def words(self, name: str, sign: str, value: str) -> Test:
        if sign == "contains" and name == "fullText":
            return lambda item: value.lower() in f"{item.name} {item.content} {item.sheets}".lower()
        if sign == "contains" and name == "name":
            return lambda item: any(word.startswith(value.lower()) for word in _tails(item.name.lower()))
        if sign == "contains" and name == "mimeType":
            return lambda item: item.mime.startswith(value)
        if sign in ("=", "!=") and name != "fullText":
            return lambda item: COMPARE[sign]({"name": item.name, "mimeType": item.mime}.get(name, item.target), value)
        raise BadQuery


def predicate(q: str, tree: Tree, address: str) -> Test:
    """Raises BadQuery."""
    tokens, at = [], 0
    while q[at:].strip():
        match = TOKEN.match(q, at)
        if match is None:
            raise BadQuery
        kind = match.lastgroup or ""
        tokens.append(("sign" if match[kind] in ("contains", "has") else kind, match[kind]))
        at = match.end()
    return Reader(tree, address, tokens).whole()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _tails(name: str) -> list[str]:
    """The name from each of its words on: `contains` matches where a word begins."""
    return [name[match.start() :] for match in re.finditer(r"\b\w", name)]
