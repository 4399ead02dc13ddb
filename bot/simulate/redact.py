"""Personal data out of what agents wrote: names of the conversation, addresses, numbers that lead to a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answer.clean import own_words
from bot.answer.entities import entities

PERSONAL = ("email", "phone", "order", "invoice")
SHORTEST = 3  # letters of a name that is worth striking out


def redact(text: str, names: Sequence[str] = ()) -> str:
    """Quoted mail and signature go; the rest keeps its wording, with [email], [phone], [order], [invoice], [name] for the data."""
    shown = own_words(text) or text
    for entity in sorted(entities(shown), key=lambda one: -len(one.text)):
        if entity.type in PERSONAL:
            shown = shown.replace(entity.text, f"[{entity.type}]")
    for name in sorted(_parts(names), key=len, reverse=True):
        shown = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", shown, flags=re.IGNORECASE)
    return shown


def _parts(names: Sequence[str]) -> set[str]:
    """Full names, each of their parts, and what stands before an address's @."""
    found: set[str] = set()
    for name in names:
        words = [part for part in re.split(r"[\s@.,_+-]+", name.partition("@")[0]) if len(part) >= SHORTEST and not part.isdigit()]
        found.update([name, *words])
    return found
