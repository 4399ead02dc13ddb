"""YAML text -> plain values, and where each key and value stands.

A narrower YAML than PyYAML's default: only `true`/`false` are booleans (`off` and `no` stay words), nothing becomes a
date, keys are always text and never twice, and there are no tags of one's own. Every value is bounded in size and depth.
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.reader import ReaderError

from bot.config.faults import ConfigFaults, Fault, Finding, Loc, Mark

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_VALUES = 20_000  # after aliases are followed: a small file can name billions
TAG = "tag:yaml.org,2002:"
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

# PyYAML's problem starts with ...: what to tell the operator (its own texts repeat parts of the file), and whether the place is
# where the broken construct began rather than where reading stopped.
PROBLEMS = (
    ("found unexpected end of stream", "a quote is opened here and never closed; close it", True),
    ("found unexpected document separator", "a quote is opened here and never closed; close it", True),
    ("could not find expected ':'", "a key here has no colon; write it as `key: value`", True),
    ("mapping values are not allowed", "a colon is not expected here; check the indentation, or quote a text that contains `: `", False),
    ("sequence entries are not allowed", "a list item is not expected here; put it on a line of its own, indented under its key", False),
    ("expected <block end>", "this line does not line up with the ones above; indent the keys of one mapping alike", False),
    ("expected ',' or ']'", "a list is opened here with [ and not closed; separate with commas and close with ]", True),
    ("expected ',' or '}'", "a mapping is opened here with { and not closed; separate with commas and close with }", True),
    ("found undefined alias", "a value that begins with * is read as an alias; put it in quotes", False),
    ("found duplicate anchor", "this anchor (&) was given before; remove it", False),
    ("expected alphabetic or numeric character", "a value that begins with * or & is read as an alias or anchor; put it in quotes", True),
    ("but found another document", "a second document begins here; keep one, and remove the line ---", False),
    ("found unknown escape character", "unknown escape after a backslash; use single quotes, or double the backslash", False),
    ("expected escape sequence", "unknown escape after a backslash; use single quotes, or double the backslash", False),
    ("found character", "a value cannot begin with this character; put the value in quotes", False),
    ("nested too deeply", "nested too deeply; no setting is that deep", False),
)


class Loader(yaml.SafeLoader):
    """PyYAML's reader with our scalars and a bound on depth."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML fills it by class
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, "nested too deeply", self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


Loader.add_implicit_resolver(TAG + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
Loader.add_implicit_resolver(TAG + "bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Loader.add_implicit_resolver(TAG + "int", re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$"), list("-+0123456789"))
Loader.add_implicit_resolver(
    TAG + "float", re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?$"), list("-+.0123456789")
)


@dataclass(slots=True)
class Tree:
    """The file's plain value, the place of every value and key, and what is wrong with the YAML itself."""

    plain: Any = None
    values: dict[Loc, Mark] = field(default_factory=dict)
    keys: dict[Loc, Mark] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def parse(raw: bytes, file: str) -> Tree:
    """The file as plain values. Raises ConfigFaults where it cannot be read at all (encoding, syntax, empty, not a mapping)."""
    text = _decode(raw, file)
    try:
        root = Loader(text).get_single_node()
    except ReaderError as problem:
        raise ConfigFaults([_at(text, problem.position, file, "a control character stands here; remove it")]) from None
    except yaml.MarkedYAMLError as problem:
        raise ConfigFaults([_syntax(problem, text, file)]) from None
    except (ValueError, OverflowError):
        # Seen from PyYAML on escapes such as "\UFFFFFFFF", which no character has.
        raise ConfigFaults([Fault(file, 1, 1, "", "an escape in double quotes names no character; use single quotes")]) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value == ""):
        message = "the file is empty; `draftdesk sandbox` prints a ready one, config.example.yaml shows all keys"
        raise ConfigFaults([Fault(file, 1, 1, "", message)])
    mark = (root.start_mark.line + 1, root.start_mark.column + 1)
    if not isinstance(root, yaml.MappingNode):
        raise ConfigFaults([Fault(file, *mark, "", "a mapping is expected: lines of `key: value`, such as `languages: [en]`")])
    tree = Tree()
    tree.plain = _plain(root, (), tree)
    if tree.plain is None:
        raise ConfigFaults([Fault(file, *mark, "", finding.message) for finding in tree.findings])
    if len(tree.values) > MAX_VALUES:
        raise ConfigFaults([Fault(file, *mark, "", "the aliases (*) of this file unfold into too many values; write the values out")])
    return tree


def _decode(raw: bytes, file: str) -> str:
    if len(raw) > MAX_BYTES:
        raise ConfigFaults([Fault(file, 1, 1, "", f"larger than {MAX_BYTES // 1024} KiB; this is not a configuration file")])
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigFaults([Fault(file, 1, 1, "", "the file is UTF-16; save it as UTF-8")])
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        good = raw[: problem.start].decode("utf-8")
    raise ConfigFaults([_at(good, len(good), file, "a byte here is not UTF-8; save the file as UTF-8")])


def _at(text: str, position: int, file: str, message: str) -> Fault:
    before = text[:position]
    return Fault(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1, "", message)


def _syntax(problem: yaml.MarkedYAMLError, text: str, file: str) -> Fault:
    said = problem.problem or ""
    message, begin = "not valid YAML here; check colons, quotes, brackets and indentation", False
    for start, sentence, from_begin in PROBLEMS:
        if said.startswith(start):
            message, begin = sentence, from_begin
            break
    mark = (problem.context_mark if begin else problem.problem_mark) or problem.problem_mark or problem.context_mark
    if mark is None:
        return Fault(file, 1, 1, "", message)
    stopped = (problem.problem_mark or mark).index
    line = text[text.rfind("\n", 0, stopped) + 1 : stopped + 1]
    if "\t" in line and not line.strip(" \t-"):
        row = (problem.problem_mark or mark).line + 1
        return Fault(file, row, line.index("\t") + 1, "", "a tab indents this line; YAML takes spaces only")
    return Fault(file, mark.line + 1, mark.column + 1, "", message)


def _plain(node: yaml.Node, loc: Loc, tree: Tree) -> Any:
    tree.values[loc] = mark = (node.start_mark.line + 1, node.start_mark.column + 1)
    if len(loc) > MAX_DEPTH or len(tree.values) > MAX_VALUES:
        if len(loc) > MAX_DEPTH:
            tree.findings.append(Finding(loc[:1], "an alias (*) leads back into itself; write the value out", mark=mark))
        return None
    if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
        return _mapping(node, loc, tree)
    if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
        return [_plain(item, (*loc, index), tree) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, loc, tree)
    tree.findings.append(Finding(loc, "a tag (!) is not understood in this file; remove it"))
    return None


def _mapping(node: yaml.MappingNode, loc: Loc, tree: Tree) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in node.value:
        mark = (key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, yaml.ScalarNode):
            tree.findings.append(Finding(loc, "a list or mapping cannot be a key; quote a text that begins with [ or {", mark=mark))
            continue
        name = str(key.value)
        if UNPRINTABLE.search(name):
            tree.findings.append(Finding(loc, "a key holds a control character; remove it", mark=mark))
        elif name in plain:
            first = tree.keys[(*loc, name)][0]
            tree.findings.append(Finding((*loc, name), f"the key stands here a second time (first on line {first}); keep one", mark=mark))
        else:
            tree.keys[(*loc, name)] = mark
            plain[name] = _plain(value, (*loc, name), tree)
    return plain


def _scalar(node: yaml.ScalarNode, loc: Loc, tree: Tree) -> Any:
    text = str(node.value)
    kind = node.tag.removeprefix(TAG)
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        if kind == "int":
            return int(text)
        if kind == "float" and math.isfinite(number := float(text)):
            return number
    except (ValueError, KeyError):
        kind = "unreadable"
    if kind == "str" and not UNPRINTABLE.search(text):
        return text
    message = "the text holds a control character; remove it" if kind == "str" else "a tag (!) is not understood in this file; remove it"
    tree.findings.append(Finding(loc, message if kind != "float" else "the number is too large"))
    return None
