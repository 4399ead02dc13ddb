"""The style sheet: greetings and sign-offs as the team uses them, learnt from its replies, read and edited by the operator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.tone.cleaning import is_greeting
from bot.tone.dataset import Example
from bot.tone.habits import habits
from connectors.base import ConfigProblem

FORMS = {"fr": {"formal": "vous", "informal": "tu"}, "de": {"formal": "Sie", "informal": "du"}, "es": {"formal": "usted", "informal": "tú"}}
_ADDRESSED = {
    "fr": (re.compile(r"\b(?:vous|votre|vos)\b", re.IGNORECASE), re.compile(r"\b(?:tu|te|ton|ta|tes|toi)\b", re.IGNORECASE)),
    "de": (re.compile(r"(?<=\s)(?:Sie|Ihre?[nmrs]?|Ihnen)\b"), re.compile(r"\b(?:du|dich|dir|deine?[nmrs]?)\b", re.IGNORECASE)),
    "es": (re.compile(r"\b(?:usted(?:es)?|le|su|sus)\b", re.IGNORECASE), re.compile(r"\b(?:tú|te|tus?|ti|contigo)\b", re.IGNORECASE)),
}
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
USES_EMOJI = 0.2  # of a language's replies
NAME = "style.yaml"  # in DATA_DIR/voice
SHARE, FEWEST = 0.3, 5  # of a language's replies that must use a form before it counts as the team's
# Words and nothing else: no number, address or link fits in, and five words make no claim worth proving.
_FORMULA = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+){0,4}[,!.]?")
_SAYS_MORE = re.compile(r"\b(?:not|no|never|free|refund\w*|will|must|can|pas|jamais|gratuit\w*|nicht|kein\w*|gratis)\b", re.IGNORECASE)
HEAD = """\
# How the team greets and signs off, by language; learnt from its replies, yours to edit. `{name}` is the customer's first name.
# A sign-off is words only, at most five. `address` is formal or informal (vous/tu, Sie/du, usted/tú), `emoji` yes or no, `sentence`
# the usual number of words: they guide a writing model. Delete this file and run `draftdesk tone dataset` to learn it anew.
"""


@dataclass(frozen=True, slots=True)
class Style:
    """By language. `greeting` holds {name}; `address` is formal or informal; `sentence` a number of words."""

    greeting: Mapping[str, str]
    sign_off: Mapping[str, str]
    address: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, bool] = field(default_factory=dict)
    sentence: Mapping[str, int] = field(default_factory=dict)

    def guidance(self, language: str) -> str:
        """What to tell a writing model, in a line; "" where nothing is known."""
        said = []
        if language in self.address:
            said.append(
                f"address the customer {self.address[language]}ly"
                + (f" ({FORMS[language][self.address[language]]})" if language in FORMS else "")
            )
        if language in self.emoji:
            said.append("emoji are welcome" if self.emoji[language] else "no emoji")
        if language in self.sentence:
            said.append(f"sentences of about {self.sentence[language]} words")
        return "; ".join(said)


def learn(examples: Sequence[Example]) -> Style:
    """Pure: the most used form of each language, where enough replies use it and it says nothing but courtesy."""
    greetings: dict[str, Counter[str]] = {}
    closings: dict[str, Counter[str]] = {}
    for one in examples:
        greetings.setdefault(one.language, Counter())[one.greeting] += 1
        closings.setdefault(one.language, Counter())[one.closing.rstrip(",!. ")] += 1
    said = {language: [one.voice for one in examples if one.language == language] for language in sorted(greetings)}
    enough = {language: texts for language, texts in said.items() if len(texts) >= FEWEST}
    return Style(
        _usual(greetings, _greets),
        _usual(closings, _closes),
        {language: form for language, texts in enough.items() if (form := _address(texts, language))},
        {language: sum(map(bool, map(_EMOJI.search, texts))) >= USES_EMOJI * len(texts) for language, texts in enough.items()},
        {language: size for language, texts in enough.items() if (size := round(habits(texts, language).words_per_sentence))},
    )


def _address(texts: Sequence[str], language: str) -> str | None:
    """By which form more replies use; None for a language that has one form, or where neither is used."""
    if language not in _ADDRESSED:
        return None
    formal, informal = (sum(bool(form.search(text)) for text in texts) for form in _ADDRESSED[language])
    return None if formal == informal else "formal" if formal > informal else "informal"


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
    content = {name: dict(getattr(style, name)) for name in ("greeting", "sign_off", "address", "emoji", "sentence")}
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
        parts = [dict(content.get(name) or {}) for name in ("greeting", "sign_off", "address", "emoji", "sentence")]
        style = Style(*parts)
        wrong = [form for form in style.greeting.values() if not _greets(form)]
        wrong += [form for form in style.sign_off.values() if not _closes(form)]
        wrong += [form for form in style.address.values() if form not in ("formal", "informal")]
        wrong += [str(form) for form in style.emoji.values() if not isinstance(form, bool)]
        wrong += [str(form) for form in style.sentence.values() if type(form) is not int or not 1 <= form <= 60]
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError) as problem:
        raise ConfigProblem(f"{path}: is no style sheet ({type(problem).__name__}); correct it, or delete it to learn it anew") from None
    if wrong:
        rule = "a greeting is `Hi {name},`, a sign-off at most five words without numbers, address formal or informal, sentence 1 to 60"
        raise ConfigProblem(f"{path}: {wrong[0]!r} cannot be used; {rule}")
    return style
