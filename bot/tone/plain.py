# ruff: noqa: E501 (patterns and word lists read better unbroken)
"""The plain side of a training pair: the same facts without the team's manner. By rules, so that no fact can move."""

from __future__ import annotations

import re
from collections import Counter

from bot.tone.cleaning import Said

_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]|(?<!\\w)[:;]-?[)D(]")
_CONTRACTIONS = {
    "it's": "it is", "that's": "that is", "don't": "do not", "doesn't": "does not", "can't": "cannot", "won't": "will not", "isn't": "is not",
    "aren't": "are not", "i'm": "I am", "i've": "I have", "i'll": "I will", "you're": "you are", "you've": "you have", "you'll": "you will",
    "we're": "we are", "we've": "we have", "we'll": "we will", "let's": "let us", "there's": "there is", "didn't": "did not",
}  # fmt: skip
_CONTRACTED = re.compile(rf"\b(?:{'|'.join(re.escape(one) for one in _CONTRACTIONS)})\b", re.IGNORECASE)
_WARM = re.compile(r"(?<!\bnot )(?<!n't )(?<!\bpas )\b(?:just|simply|really|absolutely|of course,?|no worries,?|happily|luckily|tout simplement|bien s[uû]r,?)\s+", re.IGNORECASE)
MANNER_WORDS = 14  # a paragraph at either end that is as short and holds no fact is manner
FACTS = re.compile(r"https?://\S+|[\w.+-]+@[\w.-]+|\d+(?:[.,:]\d+)*")
_NO_MANNER = re.compile(r"\d|https?:|@|>|^\s*[-*•]|\b(?:not|never|no|pas|jamais|nicht|kein\w*)\b", re.IGNORECASE | re.MULTILINE)


def is_manner(paragraph: str) -> bool:
    """Whether a paragraph is tone and nothing else: short, and no number, link, path, list or negation in it."""
    return len(paragraph.split()) <= MANNER_WORDS and _NO_MANNER.search(paragraph) is None and not paragraph.rstrip().endswith(":")


def plain(said: Said) -> str:
    """The facts of a reply in order; "" where nothing but manner was said. Numbers, links and addresses stay as they are."""
    kept = list(said.paragraphs)
    while kept and is_manner(kept[0]):
        kept.pop(0)
    while kept and is_manner(kept[-1]):
        kept.pop()
    text = _plainer("\n\n".join(kept))
    return text if facts(text) == facts("\n\n".join(kept)) else "\n\n".join(kept)


def facts(text: str) -> Counter[str]:
    return Counter(FACTS.findall(text))


def _plainer(text: str) -> str:
    text = _EMOJI.sub("", text)
    text = _CONTRACTED.sub(_spelt_out, text.replace("’", "'"))
    text = re.sub(r"!+", ".", _WARM.sub("", text))
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _spelt_out(found: re.Match[str]) -> str:
    said = _CONTRACTIONS[found.group().casefold()]
    return said[0].upper() + said[1:] if found.group()[0].isupper() else said
