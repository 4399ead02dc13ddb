"""An agent's reply reduced to what the agent said: greeting, paragraphs and closing formula, without quoted mail and signature."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.answer.clean import visible

_QUOTED = re.compile(
    r"^\s*(?:on\b.{4,200}\bwrote\s*:|le\b.{4,200}\ba\s+[ée]crit\s*:|am\b.{4,200}\bschrieb\b.{0,80}:|el\b.{4,200}\bescribi[óo]\s*:"
    r"|_{8,}|(?:from|de|von)\s*:\s.{1,200}@.*|##-\s.*\s-##)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARDED = re.compile(
    r"^\s*(?:-{2,}\s*(?:original|forwarded)\s+message|-{2,}\s*message\s+(?:d'origine|transf[ée]r[ée])"
    r"|-{2,}\s*(?:urspr[üu]ngliche|weitergeleitete)\s+nachricht|begin forwarded message|fwd?:)",
    re.IGNORECASE | re.MULTILINE,
)
_AUTOMATIC = re.compile(
    r"\b(?:this is an automat\w+|automatic reply|auto-?reply|out of (?:the )?office|do not reply to this"
    r"|ticket has been (?:received|created)"
    r"|r[ée]ponse automatique|message automatique|ne pas r[ée]pondre [àa] ce|automatische antwort|abwesenheits)",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?P<form>hi|hello|hey|dear|good (?:morning|afternoon|evening)|bonjour|bonsoir|salut|ch[eè]re?|hallo|guten (?:tag|morgen|abend)"
    r"|liebe[r]?|sehr geehrte[rs]?|hola|buenos d[íi]as|estimad[oa])\b(?P<name>[^\n,:!.]{0,40})(?P<end>[,:!.]?)\s*$",
    re.IGNORECASE,
)
CLOSING_WORDS = 6  # a line of a closing has no more
SIGNATURE = re.compile(r"^\s*(?:--|—)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Said:
    """`greeting`: its form with {name} for the one greeted, "" for none; `closing`: the formula alone, without who signed."""

    greeting: str
    paragraphs: tuple[str, ...]
    closing: str
    signed: str = ""  # the name lines under the formula: struck out elsewhere too, kept nowhere

    @property
    def body(self) -> str:
        return "\n\n".join(self.paragraphs)


def is_automatic(text: str) -> bool:
    return _AUTOMATIC.search(text) is not None


def is_forwarded(text: str) -> bool:
    return _FORWARDED.search(text) is not None


def clean(text: str) -> Said:
    """Pure. What stands under quoted mail or below a signature's dashes is gone."""
    text = unicodedata.normalize("NFC", visible(text))
    for cut in (_QUOTED.search(text), SIGNATURE.search(text)):
        if cut:
            text = text[: cut.start()]
    lines = [line.rstrip() for line in text.split("\n") if not line.lstrip().startswith(">")]
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip()]
    greeting, paragraphs = _greeting(paragraphs)
    closing, signed, paragraphs = _closing(paragraphs)
    return Said(greeting, tuple(paragraphs), closing, signed)


def is_greeting(line: str) -> bool:
    return _GREETING.match(line) is not None


def _greeting(paragraphs: list[str]) -> tuple[str, list[str]]:
    if not paragraphs:
        return "", paragraphs
    first, _, rest = paragraphs[0].partition("\n")
    matched = _GREETING.match(first.strip())
    if matched is None:
        return "", paragraphs
    name = " {name}" if matched["name"].strip() else ""
    return f"{matched['form']}{name}{matched['end']}", [*([rest.strip()] if rest.strip() else []), *paragraphs[1:]]


def _closing(paragraphs: list[str]) -> tuple[str, str, list[str]]:
    """The last paragraph, where it is a formula with a comma and a name below it."""
    if len(paragraphs) < 2:
        return "", "", paragraphs
    lines = paragraphs[-1].split("\n")
    short = all(len(line.split()) <= CLOSING_WORDS for line in lines)
    if 2 <= len(lines) <= 3 and short and lines[0].rstrip().endswith((",", "!", ".")):
        return lines[0].strip(), " ".join(lines[1:]), paragraphs[:-1]
    return "", "", paragraphs
