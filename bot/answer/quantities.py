# ruff: noqa: E501 (patterns read better unbroken)
"""Figures with their measures, however they are spelled: 90 minutes is an hour and a half, EUR 20 is 20 €."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from bot.answer.claims import Number
from bot.answer.lexicon import MONTHS, NUMBER_WORDS
from bot.answer.words import fold

# Measure -> (what it measures, how many of the smallest).
SCALE: dict[str, tuple[str, Fraction]] = {
    "second": ("time", Fraction(1)), "minute": ("time", Fraction(60)), "hour": ("time", Fraction(3600)),
    "day": ("time", Fraction(86_400)), "week": ("time", Fraction(604_800)),
    "month": ("months", Fraction(1)), "year": ("months", Fraction(12)),
    "gram": ("mass", Fraction(1)), "kg": ("mass", Fraction(1000)),
    "ml": ("volume", Fraction(1)), "cl": ("volume", Fraction(10)), "litre": ("volume", Fraction(1000)),
    "hz": ("pace", Fraction(1)), "khz": ("pace", Fraction(1000)), "mhz": ("pace", Fraction(1_000_000)), "ghz": ("pace", Fraction(1_000_000_000)),
    "watt": ("power", Fraction(1)), "kw": ("power", Fraction(1000)),
    "mm": ("length", Fraction(1)), "cm": ("length", Fraction(10)), "metre": ("length", Fraction(1000)), "km": ("length", Fraction(1_000_000)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """`amount` in the smallest measure of its kind, or a date, time or version as written; `bound` "", upto, atleast, over, under, about, low, high."""

    kind: str
    amount: Fraction | str
    bound: str
    place: int
    clause: int
    text: str


def _hours(found: re.Match[str]) -> str:
    return f"{int(found.group(1)) * 60 + int(found.group(2))} minutes"


def _days(found: re.Match[str]) -> str:
    """ "1 to 14 July": both ends are dates."""
    first, to, last, month = found.groups()
    return f"{first} {month} {to} {last} {month}" if fold(month) in MONTHS else found.group()


def _between(found: re.Match[str]) -> str:
    """ "from 1 to 14 July" and "between 1 and 14 July" are the same dates."""
    first, last, month = found.groups()
    return f"between {first} {month} and {last} {month}" if fold(month) in MONTHS else found.group()


_CLOCK = r"(?<![\d:.,])(\d{1,2})"
_WORDED = "|".join(word for word, number in NUMBER_WORDS.items() if 1 < number <= 12)


def _digits(found: re.Match[str]) -> str:
    """ "two to three weeks": a range is read in digits."""
    first, to, last = found.groups()
    return f"{NUMBER_WORDS[fold(first)]} {to} {NUMBER_WORDS[fold(last)]}"


SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), by)
    for pattern, by in (
        (rf"\b(one|une?|eine?|una?|{_WORDED})\s+(to|à|bis|a)\s+({_WORDED})\b", _digits),
        (r"\bhalf\s+an?\s+hour\b|\bhalf[- ]hour\b|\b(?:une\s+)?demi-?\s?heure\b|\b(?:eine\s+)?halbe\s+stunde\b|\bmedia\s+hora\b", "30 minutes"),
        (r"\b(?:an?|one|1)\s+hour\s+and\s+a\s+half\b|\bune\s+heure\s+et\s+demie\b|\b(?:eineinhalb|anderthalb)\s+stunden\b|\b(?:una\s+)?hora\s+y\s+media\b", "90 minutes"),
        (r"\bhalf\s+a\s+year\b|\bhalbes\s+jahr\b|\bmedio\s+año\b", "6 months"),
        (r"\ba\s+fortnight\b|\bfortnight\b", "14 days"),
        (r"\b(within|after)\s+an?\s+(second|minute|hour|day|week|month|year)\b", r"\1 1 \2"),
        (r"\b(délai\s+d'|sous\s+|après\s+)une?\s+(seconde|minute|heure|jour|semaine|mois|an)\b", r"\1 1 \2"),
        (r"\b(innerhalb|binnen|nach)\s+eine[rsnm]?\s+(Sekunde|Minute|Stunde|Tag(?:e?s)?|Woche|Monat(?:s)?|Jahr(?:e?s)?)\b", r"\1 1 \2"),
        (r"\b(plazo\s+de|dentro\s+de|tras)\s+una?\s+(segundo|minuto|hora|día|semana|mes|año)\b", r"\1 1 \2"),
        (r"\b(\d+)-(?=(?:digit|character|page|person|step|second|minute|hour|day|week|month|year)s?\b)", r"\1 "),
        (r"\bhalf\s+an?\s+(second|minute|day|week|month|litre|liter|kilo|kilogram)\b", r"0.5 \1"), (r"\b(?:un\s+)?demi[- ](litre|kilo)\b", r"0.5 \1"),
        (r"\b(?:einen\s+|ein\s+)?halbe[nrs]?\s+(Liter|Kilo)\b", r"0.5 \1"), (r"\bmedio\s+(litro|kilo)\b", r"0.5 \1"),
        (r"\b(?:une\s+)?demi-?\s?(seconde|minute|journée)\b", r"0.5 \1"),
        (r"\bquarter\s+of\s+an\s+hour\b|\bquart\s+d'heure\b|\bviertelstunde\b|\bcuarto\s+de\s+hora\b", "15 minutes"),
        (r"\b(\d+)\s*(?:hours?|heures?|stunden?|horas?|h)\s+(?:and\s+|et\s+|und\s+|y\s+)?(\d+)\s*(?:minutes?|minuten|minutos|min)\b", _hours),
        (r"(\d[\d.,]*\s?(?:€|EUR|%|euros?|kg|g|GB|MB|times?|fois|mal|veces)?|[€$£]\s?\d[\d.,]*|\bonce|\btwice|\btimes)\s+an?\s+(year|month|week|day|night|hour|minute|litre|kilo|person|item|article|piece)\b", r"\1 per \2"),
        (r"\s?°\s?C\b", " celsius"), (r"\s?°\s?F\b", " fahrenheit"),
        (r"\bday\s+one\b", "the first day"),
        (r"\btwice\b|\btwo\s+times\b", "2 times"), (r"\bthrice\b|\bthree\s+times\b", "3 times"), (r"\bdeux\s+fois\b", "2 fois"), (r"\btrois\s+fois\b", "3 fois"),
        (r"\bzwei\s?mal\b", "2 mal"), (r"\bdrei\s?mal\b", "3 mal"), (r"\bdos\s+veces\b", "2 veces"), (r"\btres\s+veces\b", "3 veces"),
        (r"\bhalf[- ]price\b", "50 % of the price"), (r"\bhalf\s+(?:of\s+)?(?=(?:the|its|their|your)\b)", "50 % of "), (r"\bmoitié\s+prix\b", "50 % du prix"),
        (r"\bla\s+moitié\s+d(?=[eu]|')", "50 % d"), (r"\bdie\s+Hälfte\s+(?=de[sr]\b)", "50 % "), (r"\bla\s+mitad\s+de", "50 % de"),
        (r"\b(?:a|one)\s+quarter\s+of\b", "25 % of"), (r"\bthree\s+quarters\s+of\b", "75 % of"),
        (r"\b(?:not|no)\s+later\s+than(?=(?:\s+\w+){2,3}\s+(?:before|prior|beforehand|in\s+advance|ahead))", "at least"),
        (r"\b(?:not|no)\s+(?:older|longer|larger|bigger|higher|heavier|later|more)\s+than\b", "at most"),
        (r"\b(EUR|USD|GBP|CHF)\s?(\d[\d.,']*\d|\d)", r"\2 \1"),
        (r"\b(\d+)(?:st|nd|rd|th|er|ème|ª|º)\b", r"\1"),
        (r"\bbetween\s+(?:the\s+)?(\d+)\s+and\s+(?:the\s+)?(\d+)\b", r"between \1 and \2"),
        (r"\bentre\s+(?:le\s+|el\s+)?(\d+)\s+(et|y)\s+(?:le\s+|el\s+)?(\d+)\b", r"entre \1 \2 \3"),
        (r"\b(?:between|entre|zwischen|from|du|vom|del)\s+(?:the\s+|le\s+|el\s+|dem\s+)?(\d{1,2})\.?\s+(?:to|until|au|bis|al|and|et|und|y)\s+(?:the\s+|le\s+|el\s+|dem\s+|zum\s+)?(\d{1,2})\.?\s+(?:de\s+)?([^\W\d_]{3,10})\b", _between),
        (r"\b(\d{1,2})\.?\s+(to|until|au|bis|al|-|–)\s+(\d{1,2})\.?\s+(?:de\s+)?([^\W\d_]{3,10})\b", _days),
        (r"\b(\d+)\s+(premi[eè]re?s|dernières?|derniers|ersten|letzten|primer[oa]s|últim[oa]s)\s+", r"\2 \1 "),
        (rf"{_CLOCK}\s*uhr\b", r"\1:00"),
        (rf"\b(von|ab|de|from|à|a|dès|avant|entre)\s+{_CLOCK}\s*(?:h\b)?\s+(bis|à|to|et|a)\s+(\d{{1,2}}:00|\d{{1,2}}\s*h\b(?!\s?\d))", lambda one: f"{one.group(1)} {one.group(2)}:00 {one.group(3)} {re.match(r'[0-9]+', one.group(4)).group()}:00"),  # type: ignore[union-attr]
        (rf"\b(à|avant|dès|après|jusqu'à|vers|partir\s+de)\s+{_CLOCK}\s*h\b(?!\s?\d)", r"\1 \2:00"),
        (r"\b(?:must|may|can|should)\s*(?:not|n't)\s+((?:\w+\s+){0,2})(?:more\s+than|exceed|over)(?=\s+[\d€$£])", r"may \1at most"),
        (r"\b(?:ne|n')\s*(?:doit|doivent|peut|peuvent)\s+pas\s+(?:dépasser|((?:\w+\s+){0,2})plus\s+de)", r"peuvent \1au plus"),
        (r"\b(darf|dürfen)\s+(?:nicht|höchstens)\s+mehr\s+als\b", r"\1 höchstens"),
    )
)  # fmt: skip

_BEFORE = tuple(
    (name, re.compile(rf"(?:^|\s)(?:{pattern})\s*$"))
    for name, pattern in (
        ("upto", r"as (?:long|many|much|late) as|until (?:they|you|he|she) (?:turn|are)|up to the age of|(?:maximum|maximal\w*|maximale?|ceiling|limite?|cap)(?: [\w']+){0,4} (?:is|of|de|est(?: de)?|betragt|es(?: de)?|von)|up to|no more than|not more than|never more than|at (?:the )?most|(?:a |the )?maximum(?: of)?|max|not exceed|jusqu(?:'| )?a|au (?:plus|maximum)|(?:un )?maximum de|bis zu|bis|hochstens|maximal|hasta(?: con)?|como maximo|(?:un )?maximo de"),
        ("atleast", r"(?:minim[aou]m?|minimal\w*|minimale?)(?: [\w']+){0,4} (?:is|of|est(?: de)?|betragt|es(?: de)?|von)|at least|(?:a )?minimum(?: of)?|no less than|not less than|au moins|au minimum|minimum de|mindestens|wenigstens|al menos|como minimo|minimo de"),
        ("over", r"more than|over|above|exceeding|greater than|(?:old|heavi|long|larg|high|bigg|tall)er than|plus de|superieure?s? a|au-?\s?dela de|mehr als|uber|(?:alter|schwerer|langer|hoher) als|mas de|superior(?:es)? a|beyond|past"),
        ("under", r"less than|under|below|fewer than|(?:short|young|light|small|low|clos|near)er than|moins de|inferieure?s? a|weniger als|unter|(?:kurzer|junger|kleiner) als|menos de|inferior(?:es)? a"),
        ("in", r"within|innerhalb(?: von)?|binnen|sous|dans (?:les|un delai d'?e?)|dans un delai maximum de|dentro de(?: los)?|en (?:un|el) plazo (?:de|maximo de)|in the course of"),
        ("from", r"from(?: (?:an? )?\w+ value of)?|a partir de|des|ab(?: einem \w+ von)?|desde|a partir de los"),
        ("after", r"after|apres|au bout de|nach|despues de|tras"),
        ("before", r"before|avant|vor|antes de(?: las)?"),
        ("about", r"about|approximately|around|roughly|approx|environ|a peu pres|etwa|ungefahr|circa|ca|rund|alrededor de|aproximadamente|un[oa]s"),
    )
)  # fmt: skip
_AFTER = (
    ("upto", re.compile(r"^(?:(?:(?:per|par|pro|por|each) \w+ )?(?:\w+ )?(?:maximum|max|at (?:the )?most|au maximum|au plus|hochstens|maximal|como maximo|or less|or fewer|ou moins|oder weniger)|maximum)\b")),
    ("atleast", re.compile(r"^(?:(?:per|par|pro|por|each) \w+ )?(?:\w+ )?(?:or more|ou plus|oder mehr|o mas|at least|au moins|minimum|mindestens)\b")),
)  # fmt: skip


UNTIL = re.compile(r"(?:\bbis|\bjusqu(?:'| )?au?|\bhasta(?: las?| el)?)$")  # before a moment: until


def spelled(text: str) -> str:
    """With compound durations, currencies before the figure and clock times in the one form that `claims` reads."""
    for pattern, by in SPELLINGS:
        text = pattern.sub(by, text)
    return text


def bound(before: str, after: str) -> str:
    """How a figure is limited by the folded words just before and just after it."""
    for name, pattern in _BEFORE:
        if pattern.search(before):
            return name
    return next((name for name, pattern in _AFTER if pattern.match(after)), "")


def quantities(number: Number, before: str, after: str) -> tuple[Quantity, ...]:
    """One, or the two ends of a range."""
    unit = number.unit.rpartition(" ")[2]
    kind, scale = SCALE.get(unit, (unit, Fraction(1)))
    limits = bound(before, after)
    ends = number.value.split("..") if ".." in number.value else [number.value]
    made = []
    for at, value in enumerate(ends):
        try:
            amount: Fraction | str = Fraction(value) * scale
        except ValueError:
            amount = value
        limits = "" if limits == "upto" and UNTIL.search(before) and isinstance(amount, str) else limits
        made.append(Quantity(kind, amount, limits if len(ends) == 1 else ("low", "high")[at], number.place, number.clause, number.text))
    return tuple(made)


LOOSE: tuple[set[str], ...] = ({"", "in"}, {"in", "upto"}, {"", "from"}, {"from", "atleast"})  # pairs of limits that say the same


def same(said: Quantity, source: Quantity) -> bool:
    """Value and measure agree and no limit is lost, added or changed; a date without its year agrees with the dated one."""
    if said.bound != source.bound and {said.bound, source.bound} not in LOOSE:
        return False
    if said.kind != source.kind:
        return _is_age(said, source) or _is_age(source, said)
    if said.amount == source.amount:
        return True
    day = isinstance(said.amount, str) and re.fullmatch(r"\d{1,2}-\d{1,2}", said.amount)
    return bool(day and str(source.amount).endswith(f"-{said.amount}"))


def _is_age(one: Quantity, other: Quantity) -> bool:
    """ "under 8" is "de moins de 8 ans"."""
    bare = one.kind == "" and other.kind == "months" and one.bound in ("under", "upto", "over", "atleast")
    return bare and isinstance(one.amount, Fraction) and one.amount * 12 == other.amount


def folded(words: list[str]) -> str:
    return " ".join(fold(word) for word in words)
