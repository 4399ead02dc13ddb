"""pydantic's errors -> sentences for the operator. Never repeats a value of the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.faults import Finding, Loc
from bot.config.model import DEVICE, TOPIC_NAME
from bot.config.shape import Types, field_at, home_of, keys_of, models_at, value_at
from connectors.timing import DURATION, SAY_DURATION

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
PATTERNS = {
    DURATION: SAY_DURATION,
    NAME_PATTERN: "a name is made of lower-case letters, digits, - and _, at most 63, and begins with a letter or digit",
    r"^[^\s,]+$": "a tag has no spaces or commas",
    DEVICE: "write cpu, mps, cuda or cuda:N",
    TOPIC_NAME: "a name has 1 to 80 characters",
}
KINDS = {
    "string": "text is expected; put it in quotes",
    "path": "a path is expected",
    "bool": "write true or false",
    "int": "a whole number is expected, without quotes",
    "float": "a number is expected, without quotes",
    "finite": "a number is expected, without quotes",
    "dict": "a mapping is expected: keys with their values, indented below",
    "model": "a mapping is expected: keys with their values, indented below",
    "mapping": "a mapping is expected: keys with their values, indented below",
    "tuple": "a list is expected, in [ ] or as lines that begin with -",
    "list": "a list is expected, in [ ] or as lines that begin with -",
    "set": "a list is expected, in [ ] or as lines that begin with -",
}
BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most", "min_length": "at least", "max_length": "at most"}


class Speaker:
    """Turns the errors of one validation into findings."""

    def __init__(self, root: type[BaseModel], plain: Any, types: Types) -> None:
        self.root, self.plain, self.types = root, plain, types

    def findings(self, problem: ValidationError) -> list[Finding]:
        """One finding per error; of a place that fits none of several alternatives, only the errors of the likeliest one."""
        errors = problem.errors(include_url=False)
        return [self._finding(error) for error in _likeliest(errors, self.plain) if not _echo(error, self.plain)]

    def _finding(self, error: ErrorDetails) -> Finding:
        kind, context = error["type"], error.get("ctx", {})
        loc = (*_in_file(error["loc"], self.plain, kind), *context.get("at", ()))
        if kind == "union_tag_not_found":
            return Finding((*loc, "provider"), "missing; add it: write openai or lora")
        if kind == "missing":
            return Finding(loc, f"missing; add it{self._example(loc, with_key=True)}")
        if kind == "extra_forbidden":
            return self._unknown_key(loc)
        if loc and loc[-1] == "[key]":
            return Finding(loc[:-1], "this key is not understood", at_key=True)
        at_key = kind == "unknown_space"
        return Finding(loc, self._wrong_value(kind, loc, error), at_key=at_key)

    def _wrong_value(self, kind: str, loc: Loc, error: ErrorDetails) -> str:
        context, value = error.get("ctx", {}), value_at(self.plain, loc)
        if kind == "connector_type":
            start = "missing; add it: " if context["missing"] else "no such connector type; "
            return start + choose(value, context["known"])
        if kind in {"literal_error", "union_tag_invalid"}:
            if kind == "union_tag_invalid":
                return "not understood; " + choose(value_at(self.plain, (*loc, "provider")), _quoted(str(context.get("expected_tags"))))
            return ("" if value is None else "not understood; ") + choose(value, _quoted(str(context.get("expected"))))
        if kind == "literal_secret":
            return f"{error['msg']}; write {self._reference(loc)}"
        if value is None and kind.endswith("_type"):
            return f"nothing stands here; write a value{self._example(loc)}, or remove the key"
        for start, sentence in KINDS.items():
            if kind.startswith(start + "_") and kind not in {"string_too_short", "string_too_long", "string_pattern_mismatch"}:
                return sentence + self._example(loc)
        for bound, words in BOUNDS.items():
            if bound in context:
                return _bounded(kind, words, context[bound]) + self._example(loc)
        if kind == "string_pattern_mismatch":
            pattern = str(context.get("pattern"))
            return PATTERNS.get(pattern, f"not of the form {pattern}") + self._example(loc)
        return _without(value, error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")) or "not understood"

    def _unknown_key(self, loc: Loc) -> Finding:
        key = str(loc[-1])
        models = models_at(self.root, loc[:-1], self.plain, self.types)
        known = keys_of(models)
        if key == "<<":
            return Finding(loc, "merging with << is not understood in this file; write the keys out", at_key=True)
        near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
        home = home_of(models, key)
        if home and not near:
            return Finding(loc, f"unknown key here; it belongs under {home}: indent it there", at_key=True)
        if near:
            return Finding(loc, f"unknown key; did you mean {near[0]}?", at_key=True)
        if ":" in key:
            return Finding(loc, "unknown key; put a space after the colon", at_key=True)
        message = f"unknown key; known here: {', '.join(known)}" if known else "unknown key; remove it"
        if value_at(self.plain, loc) is None:
            # A value without its key, perhaps: `auth: {hunter2}`. It is not for the screen.
            return Finding(loc, f"{message} (a key needs a colon and a value)", at_key=True, hidden=True)
        return Finding(loc, message, at_key=True)

    def _example(self, loc: Loc, with_key: bool = False) -> str:
        info = field_at(self.root, loc, self.plain, self.types)
        if info is None or not info.examples:
            return ""
        shown = in_yaml(info.examples[0])
        return f", for example {loc[-1]}: {shown}" if with_key else f", for example {shown}"

    def _reference(self, loc: Loc) -> str:
        """What to write for a secret. A connector's is named after the connector and the key: env:HELP_API_TOKEN."""
        info = field_at(self.root, loc, self.plain, self.types)
        reference = str(info.examples[0]) if info and info.examples else "env:NAME"
        name = value_at(self.plain, (*loc[:2], "name")) if loc[:1] == ("connectors",) else None
        if isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name):
            reference = "env:" + f"{name}_{loc[-1]}".upper().replace("-", "_")
        return f"{reference} and set that variable" if reference.startswith("env:") else reference


def choose(value: object, known: Sequence[str]) -> str:
    """"write one of a, b; did you mean b?"."""
    near = difflib.get_close_matches(value.lower(), known, n=1, cutoff=0.6) if isinstance(value, str) else []
    one_of = "write " + (" or ".join(known) if len(known) < 3 else "one of " + ", ".join(known))
    return f"{one_of}; did you mean {near[0]}?" if near else one_of


def in_yaml(value: object) -> str:
    """An example as it would be written in the file, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(in_yaml(inner) for inner in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bounded(kind: str, words: str, bound: object) -> str:
    if kind in {"string_too_short", "string_too_long"}:
        return f"{words} {bound} character{'s' if bound != 1 else ''}"
    if kind in {"too_short", "too_long"}:
        return f"{words} {bound} item{'s' if bound != 1 else ''}"
    return f"{words} {bound}"


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _without(value: object, message: str) -> str:
    """A plug-in's own sentence may quote what it refuses; that could be a secret."""
    return message.replace(value, "…") if isinstance(value, str) and len(value) > 3 else message


def _in_file(loc: Iterable[str | int], plain: Any, kind: str) -> Loc:
    """pydantic's place without the steps that name alternatives instead of keys."""
    steps = list(loc)
    kept: list[str | int] = []
    for number, step in enumerate(steps):
        here = value_at(plain, tuple(kept))
        last = number == len(steps) - 1
        is_key = isinstance(here, dict) and step in here
        is_item = isinstance(here, list) and isinstance(step, int)
        if is_key or is_item or (last and (kind == "missing" or step == "[key]")):
            kept.append(step)
    return tuple(kept)


def _likeliest(errors: list[ErrorDetails], plain: Any) -> list[ErrorDetails]:
    """Where alternatives (a union without a discriminator) all failed, the errors of the one with the fewest faults, unknown keys first."""
    branches: dict[Loc, dict[str, list[ErrorDetails]]] = {}
    plainly: list[ErrorDetails] = []
    for error in errors:
        fork = _fork(error["loc"], plain, error["type"])
        if fork is None:
            plainly.append(error)
        else:
            branches.setdefault(fork[0], {}).setdefault(fork[1], []).append(error)
    for alternatives in branches.values():
        plainly += min(alternatives.values(), key=_distance)
    return plainly


def _echo(error: ErrorDetails, plain: Any) -> bool:
    """pydantic counts only the good items of a list: a list of bad ones is not too short, its items are bad."""
    found = value_at(plain, error["loc"])
    return error["type"] == "too_short" and isinstance(found, list) and len(found) >= error["ctx"]["min_length"]


def _distance(found: Iterable[ErrorDetails]) -> tuple[int, int]:
    kinds = [error["type"] for error in found]
    return kinds.count("extra_forbidden"), len(kinds)


def _fork(loc: Loc, plain: Any, kind: str) -> tuple[Loc, str] | None:
    for number, step in enumerate(loc):
        here = value_at(plain, loc[:number])
        unwritten = number == len(loc) - 1 and kind in {"missing", "extra_forbidden"}
        if isinstance(step, str) and not (isinstance(here, dict) and step in here) and not unwritten:
            return loc[:number], step
    return None
