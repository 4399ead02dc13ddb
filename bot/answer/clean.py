# ruff: noqa: E501 (patterns and word lists read better unbroken)
"""A customer's mail reduced to what the customer wrote: no quoted mail, signature, greeting or invisible text."""

from __future__ import annotations

import re
import unicodedata

from bot.answer.words import fold

LONGEST = 20_000  # characters of one message that are looked at; the rest is a pasted log

# Zero-width, bidirectional controls, soft hyphen, tag characters: text that a reader does not see.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
# Of the patterns of an injection those that no help text needs.
ORDERS = frozenset({"asks to set instructions aside", "speaks to the bot as its operator"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTED_FROM = re.compile(
    r"""^\s*(?:
      on\b.{4,200}\bwrote\s*: | le\b.{4,200}\ba\s+[ée]crit\s*: | am\b.{4,200}\bschrieb\b.{0,80}: | el\b.{4,200}\bescribi[óo]\s*:
      | -{2,}\s*(?:original\s+message|message\s+d'origine|message\s+transf[ée]r[ée]|forwarded\s+message|urspr[üu]ngliche\s+nachricht|mensaje\s+original).*
      | _{8,}\s*
      | (?:from|de|von)\s*:\s.{1,200}@.*
      | \#\#-\s.*\s-\#\#
    )$""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_SIGNATURE = re.compile(
    r"""^\s*(?:--\s?|—\s?|
      sent\s+from\s+my\s.{1,40} | envoy[ée]\s+de(?:puis)?\s+mon\s.{1,40} | von\s+meinem\s.{1,40}\sgesendet | enviado\s+desde\s+mi\s.{1,40}
      | (?:(?:kind|best|warm)(?:est)?\s+)?regards\b.{0,20} | (?:yours\s+)?(?:sincerely|faithfully)\b.{0,20} | cheers\s*[,.!]?\s*\w{0,20} | best\s*,
      | (?:many\s+|with\s+)?thanks(?:\s+(?:a\s+lot|again|in\s+advance|so\s+much))?\s*[,.!]*
      | thank\s+you(?:\s+(?:in\s+advance|very\s+much|so\s+much))?\s*[,.!]*
      | (?:bien\s+)?(?:cordialement|[àa]\s+vous)\b.{0,20} | (?:bien\s+)?sinc[èe]res?\s+salutations.{0,20} | merci(?:\s+(?:d'avance|beaucoup|par\s+avance))?(?:\s+pour\s+votre\s+(?:aide|r[ée]ponse))?\s*[,.!]*
      | (?:mit\s+)?(?:freundlichen?|besten?|viele)\s+gr[üu](?:ß|ss)en?.{0,20} | danke(?:\s+im\s+voraus)?\s*[,.!]*
      | (?:un\s+)?(?:cordial\s+)?saludos?\b.{0,20} | (?:muchas\s+)?gracias(?:\s+de\s+antemano)?\s*[,.!]* | atentamente.{0,20}
    )\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_GREETING = re.compile(
    r"""^\s*(?:hi|hello|hey|dear|good\s+(?:morning|afternoon|evening|day)|bonjour|bonsoir|salut|ch[èe]re?s?|madame|monsieur|
      hallo|guten\s+(?:tag|morgen|abend)|sehr\s+geehrte[rs]?|liebe[rs]?|moin|hola|buenos\s+d[íi]as|buenas(?:\s+tardes)?|estimad[oa]s?)
      (?:[\s,]+(?:there|all|team|everyone|support|madame|monsieur|messieurs|damen|und|herren|equipo|[^\W\d_a-zà-ÿ][\w'’-]{0,20}|l'[ée]quipe|à\s+tous)){0,4}\s*[,.!:;-]+\s*""",
    re.IGNORECASE | re.VERBOSE,
)

# A line of its own from "Dear" to a comma greets whomever it names: "Dear trade desk,".
_GREETING_LINE = re.compile(
    r"^\s*(?:dear|ch[èe]re?s?|sehr\s+geehrte[rs]?|liebe[rs]?|estimad[oa]s?)"
    r"(?:[ \t]+[^\s,.!?:;]{1,20}){0,4}[ \t]*[,!:][ \t]*\n",
    re.IGNORECASE,
)
NAME_LINES = 4  # at a message's end; where people put their name, and under it their firm


def visible(text: str) -> str:
    """Without characters a reader cannot see; line ends are \\n."""
    return _CONTROL.sub("", _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def hides_text(text: str) -> bool:
    """Whether invisible characters carry something: a run of them, or any tag character."""
    return bool(re.search("[\U000e0000-\U000e0fff]|[\u200b-\u200d\u2060\ufeff]{4,}|[\u202a-\u202e\u2066-\u2069]", text))


def speaks_to_the_bot(text: str) -> bool:
    """Whether a text gives orders to a language model: to set its rules aside, or as if from its operator."""
    from bot.answer.phrases import INJECTION

    folded = " ".join(fold(word) for word in visible(text).split())
    return any(pattern.search(folded) for name, pattern in INJECTION if name in ORDERS)


def own_words(text: str, name: str | None = None) -> str:
    """What the customer wrote in this message, as plain paragraphs; empty when that is nothing. `name`: the customer's."""
    text = unicodedata.normalize("NFC", visible(_ends(text)))
    quoted = _QUOTED_FROM.search(text)
    if quoted:
        text = text[: quoted.start()]
    lines = [line.rstrip() for line in text.split("\n") if not line.lstrip().startswith(">")]
    lines = _without_name(_without_signature(lines), name or "")
    written = "\n".join(lines).strip()
    greeting = _GREETING_LINE if _GREETING_LINE.match(written) else _GREETING
    return greeting.sub("", written, count=1).strip()


def _ends(text: str) -> str:
    """Of a text beyond all measure its beginning and its end, where people say what they want."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n\n{text[-LONGEST // 2 :]}"


def _without_signature(lines: list[str]) -> list[str]:
    """Cuts at the first closing line that has little after it and something before it."""
    for at, line in enumerate(lines):
        after = [later for later in lines[at + 1 :] if later.strip()]
        before = any(_content(earlier) for earlier in lines[:at])
        if not _SIGNATURE.match(line):
            continue
        if line.strip() in ("--", "—") or (before and len(after) <= 6 and all(len(later) <= 80 for later in after)):
            return lines[:at] if before or not after else lines[at + 1 :]
    return lines


def _without_name(lines: list[str], name: str) -> list[str]:
    """Without the customer's own name as the last thing they wrote, and what stands under it."""
    own = set(fold(name).split())
    for at in range(max(1, len(lines) - NAME_LINES), len(lines)):
        written = fold(lines[at]).strip(" ,.-").split()
        below = [line.strip() for line in lines[at + 1 :] if line.strip()]
        signs = all(len(line) <= 60 and not line[0].islower() and not set(".?!") & set(line) for line in below)
        if written and own.issuperset(written) and signs and any(_content(line) for line in lines[:at]):
            return lines[:at]
    return lines


def _content(line: str) -> bool:
    return bool(_GREETING.sub("", line + ",").strip(" ,"))
