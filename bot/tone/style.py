"""The style sheet: greetings and sign-offs as the team uses them, learnt from its replies, read and edited by the operator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.tone.cleaning import is_greeting
from bot.tone.dataset import Example
from connectors.base import ConfigProblem

NAME = "style.yaml"  # in DATA_DIR/voice
SHARE, FEWEST = 0.3, 5  # of a language's replies that must use a form before it counts as the team's
# Words and nothing else: no number, address or link fits in, and five words make no claim worth proving.
_FORMULA = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,4}[,!.]?")
_SAYS_MORE = re.compile(r"\b(?:not|no|never|free|refund\w*|will|must|can|pas|jamais|gratuit\w*|nicht|kein\w*|gratis)\b", re.IGNORECASE)
HEAD = """\
# How the team greets and signs off, by language; learnt from its replies, yours to edit. `{name}` is the customer's first name.
# A sign-off is words only, at most five. Delete this file and run `draftdesk tone dataset` to learn it anew.
"""


@dataclass(frozen=True, slots=True)
class Style:
    """Forms by language; `greeting` holds {name}."""

    greeting: Mapping[str, str]
    sign_off: Mapping[str, str]


def learn(examples: Iterable[Example]) -> Style:
    """Pure: the most used form of each language, where enough replies use it and it says nothing but courtesy."""
    greetings: dict[str, Counter[str]] = {}
    closings: dict[str, Counter[str]] = {}
    for one in examples:
        greetings.setdefault(one.language, Counter())[one.greeting] += 1
        closings.setdefault(one.language, Counter())[one.closing.rstrip(",!. ")] += 1
    return Style(_usual(greetings, _greets), _usual(closings, _closes))


def _usual(counted: Mapping[str, Counter[str]], fits: Any) -> dict[str, str]:
    found = {}
    for language, forms in sorted(counted.items()):
        form, count = forms.most_common(1)[0]
        if count >= FEWEST and count >= SHARE * forms.total() and fits(form):
            found[language] = form
    return found


def _greets(form: str) -> bool:
    return form.count("{name}") == 1 and is_greeting(form.replace("{name}", "Ana"))


def _closes(form: str) -> bool:
    return _FORMULA.fullmatch(form) is not None and _SAYS_MORE.search(form) is None


def write_style(style: Style, folder: Path) -> bool:
    """Writes the sheet unless there is one, which may be the operator's; whether it was written."""
    import yaml

    path = folder / NAME
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    content = {"greeting": dict(style.greeting), "sign_off": dict(style.sign_off)}
    path.write_text(HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=True), encoding="utf-8")
    return True


def read_style(folder: Path) -> Style | None:
    """The sheet, None where there is none yet. Raises ConfigProblem naming the form that cannot be used."""
    import yaml

    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        style = Style(dict(content.get("greeting") or {}), dict(content.get("sign_off") or {}))
        wrong = [form for form in style.greeting.values() if not _greets(form)]
        wrong += [form for form in style.sign_off.values() if not _closes(form)]
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError) as problem:
        raise ConfigProblem(f"{path}: is no style sheet ({type(problem).__name__}); correct it, or delete it to learn it anew") from None
    if wrong:
        rule = "a greeting is `Hi {name},`, a sign-off at most five words without numbers"
        raise ConfigProblem(f"{path}: {wrong[0]!r} cannot be used; {rule}")
    return style
