# ruff: noqa: E501 (word lists read better unbroken)
"""Drafts that say what no passage says, made by rule from passages and from honest drafts, and honest drafts: what the check lets past of each.

Ordinary runs judge a seeded sample; `ADVERSARIAL=1` (`make adversarial`) judges more than 5,000 of each kind and every honest draft.
Halves are told apart by a hash of the passage: words and rules were fitted on `tuned`, later also on what was blocked of the other half
of `faithful.yaml` and `fresh.yaml`; the other half of `later.yaml` was never looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.answer.check import Verdict, check
from bot.answer.retrieve import Passage
from bot.answer.units import units
from bot.answer.words import content_words, normal, sentences
from bot.answer.write import Draft, Sentence, Usage
from connectors.markdown import to_markdown
from connectors.sandbox.company import load_company
from storage.passages import split

pytestmark = pytest.mark.xdist_group("inventions")
HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data"
SEED = int(os.environ.get("ADVERSARIAL_SEED", "20261126"))
WHOLE = os.environ.get("ADVERSARIAL") == "1"
HARD, SUBTLE = (6_000, 6_000) if WHOLE else (156, 160)
# What is held: more than this let past or blocked is a step back. The aim is 1% past and 3% blocked in both halves; an honest draft
# with a word that no list knows is still blocked, and the whole set finds inventions with figures that the sample does not.
MOST_SUBTLE = {"tuned": 0.03, "held back": 0.05}  # of the small sample; `make adversarial` prints the whole
MOST_BLOCKED = {"tuned": 0.04, "held back": 0.11}
MOST_FREE = 0.37  # of drafts in free words: what an honest model loses today
# Hard inventions past, subtle ones past, honest drafts blocked: what is so today. Of `later` the other half was never looked at; its
# authors wrote as freely as a model that is not told to keep the passage's words.
MOST_BY_HAND = {
    "fresh": {"tuned": (0, 0, 12), "held back": (0, 0, 16)},
    "later": {"tuned": (0, 1, 137), "held back": (0, 0, 128)},
}
LANGUAGES = {"f": "fr", "e": "en", "d": "de", "s": "es"}
HALVES = ("tuned", "held back")
Checker = Callable[[Draft], Verdict]


@dataclass(frozen=True)
class Base:
    """One sentence that its passage proves, to be bent; `beside` are true sentences of the same passage."""

    text: str
    passage: Passage
    language: str
    kind: Any
    beside: tuple[Sentence, ...]
    half: str


@dataclass(frozen=True)
class Trial:
    kind: str
    half: str
    draft: Draft
    text: str


def half(text: str) -> str:
    return HALVES[hashlib.sha256(text.encode()).digest()[0] % 2]


def passage(text: str, title: str, language: str, heading: tuple[str, ...] = ()) -> Passage:
    return Passage("kb:1", title, "https://kb.example/1", "public", language, None, heading, text, 1.0, 0.8, "v1")  # type: ignore[arg-type]


# --- honest drafts


@cache
def written() -> list[dict[str, Any]]:
    """`part`: drafts that were all looked at count as tuned; the others are halved by hash."""
    files = {"faithful.yaml": None, "faithful_tuned.yaml": HALVES[0]}
    return [row | {"part": part or half(row["text"])} for name, part in files.items() for row in yaml.safe_load((HERE / name).read_text(encoding="utf-8"))]


@cache
def honest() -> list[Trial]:
    return trials_of(written())


def trials_of(rows: Iterable[dict[str, Any]]) -> list[Trial]:
    made = []
    for row in rows:
        source = passage(row["text"], row["title"], row.get("language", "en"))
        for make, text in row["drafts"]:
            said = [(text, "statement")] if isinstance(text, str) else [(step, "step") for step in text]
            draft = Draft(tuple(Sentence(each, (1,), kind) for each, kind in said), (source,), Usage(), True)  # type: ignore[arg-type]
            made.append(Trial(make, row["part"], draft, " / ".join(each for each, _ in said)))
    return made


@cache
def free() -> tuple[int, int]:
    """(blocked, all) of the drafts in free words."""
    rows = yaml.safe_load((HERE / "faithful_free.yaml").read_text(encoding="utf-8"))
    trials = trials_of(row | {"part": HALVES[0]} for row in rows)
    return len(trials) - len(past(trials, real)), len(trials)


# --- sets by hand, drafts and inventions over the same passages


@cache
def by_hand(name: str) -> tuple[list[Trial], list[Trial]]:
    """(honest drafts, inventions), halved by hash."""
    rows = [row | {"part": half(row["text"])} for row in yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))]
    return trials_of(rows), trials_of(row | {"drafts": row["inventions"]} for row in rows)


# --- what is bent


def _company() -> Iterator[Passage]:
    for article in load_company().articles:
        if article.segment is None:
            for locale, text in article.translations.items():
                for part in split(to_markdown(text.body, "https://tidewell.example")):
                    yield passage(part.text, text.title, locale[:2], part.heading)


def _public_texts() -> Iterator[Passage]:
    for name in ("mattermost", "doc2dial"):
        file = SHARED / name / "corpus.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines()[:: 5 if WHOLE else 400] if file.exists() else []
        for row in map(json.loads, lines):
            yield passage(row["text"], row["title"], "en")


@cache
def bases() -> list[Base]:
    made = []
    for source in (*_company(), *_public_texts()):
        parts = [unit for unit in units(source.text) if unit.kind in ("sentence", "step", "row") and len(unit.text) < 400]
        for at, unit in enumerate(parts):
            near = tuple(Sentence(other.text, (1,), "statement") for other in parts[max(0, at - 1) : at])
            kind = {"sentence": "statement", "step": "step", "row": "row"}[unit.kind]
            made.append(Base(unit.text, source, source.language or "en", kind, near, half(source.text)))
    for row in written():
        source = passage(row["text"], row["title"], row.get("language", "en"))
        for make, text in row["drafts"]:
            spoken = LANGUAGES.get(make, source.language or "en")
            for each in [text] if isinstance(text, str) else text:
                made.append(Base(each, source, spoken, "statement" if isinstance(text, str) else "step", (), row["part"]))
    return made


# --- how it is bent: each takes a base and dice, and gives the bent sentence, or None where it finds nothing to bend

NAMES = ("Zurich", "Nimbus Pro", "Kestrel", "Portugal", "Dr. Amara Voss", "Ocado", "FlexPass", "Rotterdam", "Orion 7", "SafeHarbor", "Tobias", "AquaSense", "Oslo", "DHL")
PLACES = {"en": "in {}", "fr": "à {}", "de": "in {}", "es": "en {}"}
NUMBER = re.compile(r"(?<![\w.,/:@-])(?<!- )\d+(?:[.,]\d+)?(?![\w/:@-]|[.,]\d)")
DATES = {"en": " from 3 March 2027", "fr": " à partir du 3 mars 2027", "de": " ab dem 3. März 2027", "es": " a partir del 3 de marzo de 2027"}
TERMS = {"en": (" within 3 days", " for 18 months"), "fr": (" sous 3 jours", " pendant 18 mois"), "de": (" innerhalb von 3 Tagen", " für 18 Monate"), "es": (" en 3 días", " durante 18 meses")}
UNITS = {
    "en": ("minutes", "hours", "days", "weeks", "months", "years"),
    "fr": ("minutes", "heures", "jours", "semaines", "mois", "ans"),
    "de": ("Minuten", "Stunden", "Tage", "Wochen", "Monate", "Jahre"),
    "es": ("minutos", "horas", "días", "semanas", "meses", "años"),
}
PROMISES = {
    "en": ("We will refund the full amount.", "We guarantee that this works.", "I have sent you a replacement.", "A technician will call you today.", "You will get a voucher from us.", "We promise to fix this by tomorrow.", "We'll cover the cost.", "Your request has been approved.", "We are going to credit your account."),
    "fr": ("Nous vous rembourserons la totalité.", "Nous garantissons que cela fonctionne.", "Je vous ai envoyé un remplacement.", "Un technicien vous appellera aujourd'hui.", "Votre demande est acceptée."),
    "de": ("Wir erstatten Ihnen den vollen Betrag.", "Wir garantieren, dass das funktioniert.", "Ich habe Ihnen einen Ersatz geschickt.", "Ein Techniker ruft Sie heute an."),
    "es": ("Le reembolsaremos el importe completo.", "Garantizamos que funciona.", "Le he enviado un repuesto.", "Un técnico le llamará hoy."),
}  # fmt: skip
VERBS = {
    "en": r"is|are|can|cannot|must|may|has|have|takes?|costs?|needs?|works?|starts?|includes?|covers?|shows?|gets?|sends?|keeps?|lasts?|expires?|will|should",
    "fr": r"est|sont|peut|peuvent|doit|doivent|prend|prennent|coûte|coûtent|fonctionne|comprend|dure|ne|contient|reste|restent|sera|nécessite",
    "de": r"ist|sind|kann|können|muss|müssen|kostet|dauert|hält|enthält|wird|werden|gilt|bleibt|zeigt|braucht|benötigt|darf",
    "es": r"es|son|está|están|puede|pueden|debe|deben|cuesta|tarda|incluye|dura|se|no",
}
CONDITIONS = {
    "en": r"only if|if|unless|when|once|until|except|provided|as long as|before|after|without|for|with|during",
    "fr": r"si|s'il|sauf|lorsque|lorsqu'|quand|une fois|jusqu'|à condition|tant que|avant|après|sans|pour|avec|pendant|dès que",
    "de": r"nur wenn|wenn|falls|sofern|außer|bis|sobald|solange|bevor|nachdem|vor|nach|ohne|für|mit|während",
    "es": r"solo si|si|salvo|excepto|cuando|una vez|hasta|siempre que|antes|después|sin|para|con|durante",
}
WIDER = {
    "en": ((r"\b(some|most|many|certain|several|selected)\b", "all"), (r"\b(usually|normally|often|sometimes|generally|almost always)\b", "always"), (r"\b(only|usually|at most|up to|at least|about|mostly|probably) ", ""),
           (r"\b(can|may)\b(?! not)", "must"), (r"\b(a|an|one|your|the) (?=\w+ (?:is|are|can|must|has|have|will)\b)", "every "), (r"\b(is|are|can|will)\b", r"\1 always"), (r"(?:\.|(?<![.]))\Z", " at any time."), (r"(?:\.|(?<![.]))\Z", " for free."),
           (r"(?:\.|(?<![.]))\Z", " worldwide."), (r"(?:\.|(?<![.]))\Z", " automatically."), (r"(?:\.|(?<![.]))\Z", ", and the same goes for all other products."), (r"\b(companies|members|users|customers|administrators|owners|editors|students)\b", "everyone")),
    "fr": ((r"\b(certains|certaines|la plupart des|quelques)\b", "tous les"), (r"\b(généralement|souvent|parfois|presque toujours)\b", "toujours"), (r"\b(seulement|uniquement|environ|au moins|au plus|jusqu'à) ", ""), (r"\b(peuvent)\b", "doivent"),
           (r"\b(pouvez)\b", "devez"), (r"(?:\.|(?<![.]))\Z", " à tout moment."), (r"(?:\.|(?<![.]))\Z", " gratuitement."), (r"(?:\.|(?<![.]))\Z", " dans le monde entier."), (r"(?:\.|(?<![.]))\Z", " automatiquement.")),
    "de": ((r"\b(einige|manche|die meisten|bestimmte)\b", "alle"), (r"\b(meist|oft|manchmal|normalerweise)\b", "immer"), (r"\b(nur|etwa|mindestens|höchstens|bis zu) ", ""), (r"\b(können)\b", "müssen"), (r"(?:\.|(?<![.]))\Z", " jederzeit."), (r"(?:\.|(?<![.]))\Z", " kostenlos.")),
    "es": ((r"\b(algunos|algunas|ciertos)\b", "todos los"), (r"\b(normalmente|a veces)\b", "siempre"), (r"\b(solo|al menos|hasta|como máximo) ", ""), (r"\b(pueden)\b", "deben"), (r"(?:\.|(?<![.]))\Z", " en cualquier momento."), (r"(?:\.|(?<![.]))\Z", " gratis.")),
}  # fmt: skip
STEPS = {
    "en": ("Then restart the device.", "Afterwards, clear the cache of your browser.", "Next, confirm with your password.", "Finally, log out and in again.", "Then update the firmware.", "After that, contact your bank.",
           "Unplug the power supply first.", "Make sure that the app is up to date.", "Then tick the box and accept the terms.", "Please keep the original box.", "Take a photo of the serial number first."),
    "fr": ("Redémarrez ensuite l'appareil.", "Videz ensuite le cache de votre navigateur.", "Confirmez avec votre mot de passe.", "Débranchez d'abord l'alimentation.", "Conservez l'emballage d'origine."),
    "de": ("Starten Sie danach das Gerät neu.", "Bestätigen Sie mit Ihrem Passwort.", "Ziehen Sie zuerst den Stecker.", "Bewahren Sie die Originalverpackung auf."),
    "es": ("Después reinicie el dispositivo.", "Confirme con su contraseña.", "Desenchufe primero la fuente de alimentación.", "Conserve el embalaje original."),
}  # fmt: skip
TAILS = {"en": " and {}", "fr": " et {}", "de": " und {}", "es": " y {}"}
NO = {
    "en": ((r"\b(is|are|can|will|must|may|should|was|were|has|have)(?:n't| not)\b", r"\1"), (r"\bcannot\b", "can"), (r"\b(?:do not|don't|does not|doesn't|did not) ", ""), (r"\bnever ", ""), (r"\bno (?=\w)", "a "), (r"\bwithout\b", "with"),
           (r"\b(is|are|can|will|must|may|should|was|were)\b(?! not|'|n't)", r"\1 not"), (r"^(?=[A-Z][a-z]+ (?:the|your|a|an|it|and)\b)", "Do not "), (r"\b(takes|costs|needs|works|includes|covers|shows|keeps|lasts|starts)\b", r"never \1"), (r"\bonly\b", "not")),
    "fr": ((r"\bne (\w+) (?:pas|plus|jamais) ?", r"\1 "), (r"\bn'(\w+) (?:pas|plus|jamais) ?", r"\1 "), (r"\bsans\b", "avec"), (r"\b(est|sont|peut|peuvent|doit|doivent|pouvez|devez|coûte|prend|dure|fonctionne|comprend)\b", r"ne \1 pas")),
    "de": ((r"\bnicht ", ""), (r"\bkeine?n? ", "eine "), (r"\bohne\b", "mit"), (r"\b(ist|sind|kann|können|muss|wird|werden|kostet|dauert|hält|darf)\b(?! nicht)", r"\1 nicht")),
    "es": ((r"\b[Nn]o (?=\w+ (?!nunca|ning|nada|nadie))", ""), (r"^Nunca ", ""), (r"\bsin\b", "con"), (r"\b(es|son|puede|pueden|debe|cuesta|incluye|dura|están)\b", r"no \1")),
}  # fmt: skip


def _end(text: str, tail: str) -> str:
    return text.rstrip(" .;:") + tail + "."


def _sub(text: str, pattern: str, by: str, dice: random.Random, flags: int = 0) -> str | None:
    found = list(re.finditer(pattern, text, flags))
    if not found:
        return None
    one = dice.choice(found)
    return (text[: one.start()] + one.expand(by) + text[one.end() :]).strip()


def _number(base: Base, dice: random.Random) -> str | None:
    found = list(NUMBER.finditer(base.text))
    if not found:
        return None
    one = dice.choice(found)
    value = float(one.group().replace(",", "."))
    elsewhere = [other.group() for other in NUMBER.finditer(base.passage.text) if float(other.group().replace(",", ".")) != value]
    new = dice.choice([f"{int(value) + dice.choice((1, 2, 5, 10))}", f"{int(value * 10) or 7}", *(dice.sample(elsewhere, 1) if elsewhere else ())])
    return base.text[: one.start()] + new + base.text[one.end() :]


def _unit(base: Base, dice: random.Random) -> str | None:
    names = UNITS[base.language]
    stems = "|".join(name.rstrip("sne") if base.language != "fr" else name.rstrip("s") for name in names)
    found = re.search(rf"\d[\d.,–-]*\s+((?:business |working )?(?:{stems})\w*)", base.text, re.I)
    if found:
        other = dice.choice([name for name in names if name[:3] != found.group(1)[:3].lower() and name[:3].lower() not in found.group(1).lower()])
        return base.text[: found.start(1)] + other + base.text[found.end(1) :]
    swapped = {"GB": "MB", "MB": "GB", "kg": "g", "cm": "mm", "mm": "cm", "GHz": "MHz", "°C": "°F", "bar": "psi", "km": "m", "V": "W", "W": "V", "Go": "Mo", "litres": "gallons"}
    found = re.search(rf"\d\s?({'|'.join(swapped)})\b", base.text)
    return base.text[: found.start(1)] + swapped[found.group(1)] + base.text[found.end(1) :] if found else None


def _money(base: Base, dice: random.Random) -> str | None:
    swapped = {"€": "$", "$": "£", "£": "€", "EUR": "USD", "USD": "GBP", "euros": "dollars"}
    return _sub(base.text, "|".join(map(re.escape, swapped)), "", dice) and re.sub(r"[€$£]|EUR|USD|euros", lambda one: swapped[one.group()], base.text)


def _price(base: Base, dice: random.Random) -> str | None:
    if re.search(r"\b12\b", base.passage.text):
        return None
    tail = {"en": " for €12", "fr": " pour 12 €", "de": " für 12 €", "es": " por 12 €"}[base.language]
    return _end(base.text, tail)


def _date(base: Base, dice: random.Random) -> str:
    return _end(base.text, DATES[base.language])


def _duration(base: Base, dice: random.Random) -> str:
    return _end(base.text, dice.choice(TERMS[base.language]))


def _version(base: Base, dice: random.Random) -> str:
    bent = re.sub(r"\b(v?\d+\.\d+)\.(\d+)\b", r"\1.97", base.text)
    return bent if bent != base.text else _end(base.text, dice.choice((" (version 4.9.7)", " (v7.3)")))


def _email(base: Base, dice: random.Random) -> str:
    bent = re.sub(r"[\w.+-]+@([\w-]+)", r"help@\1", base.text)
    return bent if bent != base.text else _end(base.text, dice.choice((" (help@tidewell-care.example)", ": refunds@acme.example")))


def _phone(base: Base, dice: random.Random) -> str:
    return _end(base.text, dice.choice((" (+44 20 7946 0018)", ": 0800 555 0199", ", 01 99 00 27 44")))


def _url(base: Base, dice: random.Random) -> str:
    return _end(base.text, dice.choice((" (https://evil.example/go)", ": tidewell-help.example/start", " at [this page](https://tidewell.example.evil.example)", " at http://kb.example/1/x")))


def _name(base: Base, dice: random.Random) -> str:
    known = normal(f"{base.passage.title} {' '.join(base.passage.heading)} {base.passage.text}").casefold()
    new = dice.choice([name for name in NAMES if name.casefold() not in known])
    found = list(re.finditer(r"(?<=[a-zà-ÿ,] )[A-Z][a-zA-Z]{3,}\b", base.text)) if base.language != "de" else []
    if found and dice.random() < 0.6:
        one = dice.choice(found)
        return base.text[: one.start()] + new + base.text[one.end() :]
    return _end(base.text, " " + PLACES[base.language].format(new))


def _negation(base: Base, dice: random.Random) -> str | None:
    if base.language == "fr" and re.search(r"\bn['e]", base.text):
        return next((bent for pattern, by in NO["fr"][:3] if (bent := _sub(base.text, pattern, by, dice)) and bent != base.text), None)
    made = [bent for pattern, by in NO[base.language] if (bent := _sub(base.text, pattern, by, dice)) and bent != base.text]
    return dice.choice(made) if made else None


def _promise(base: Base, dice: random.Random) -> str:
    said = dice.choice(PROMISES[base.language])
    return said if dice.random() < 0.5 else _end(base.text, TAILS[base.language].format(said[0].lower() + said[1:-1]))


@cache
def _subjects(language: str) -> tuple[str, ...]:
    found = Counter(subject for base in bases() if base.language == language and (subject := _subject(base)))
    return tuple(found)


@cache
def _heads(language: str) -> frozenset[str]:
    """Words that something is said of somewhere: nouns."""
    heads = (content_words(subject, language) for subject in _subjects(language) if len(subject.split()) <= 3)
    return frozenset(words[-1].casefold() for words in heads if len(words[-1]) > 3)


def _subject(base: Base) -> str | None:
    found = re.match(rf"^(?:[^,.;:]{{3,60}}, )?((?:[^\W\d_][\w'’-]*\s?){{1,4}}?) (?:{VERBS[base.language]})\b", base.text)
    if not found or not content_words(found.group(1), base.language) or len(found.group(1)) < 4:
        return None
    return found.group(1)


def _swapped(base: Base, dice: random.Random) -> str | None:
    """Somebody or something else does it: of the same passage, of another one, or the sentence's own other part."""
    own = _subject(base)
    if not own:
        return None
    heavy = content_words(own, base.language)
    nouns = [word for word in content_words(base.text[len(own) :], base.language) if word.casefold() in _heads(base.language)]
    if nouns and dice.random() < 0.4:
        noun = dice.choice(nouns)
        bent = re.sub(rf"\b{re.escape(noun)}\b", "\0", base.text).replace(heavy[-1], noun, 1).replace("\0", heavy[-1], 1)
        return bent if bent != base.text else None
    known = {word.casefold() for word in content_words(base.text, base.language)}
    near = [word for word in content_words(base.passage.text, base.language) if word.casefold().endswith("s") and len(word) > 4 and word.casefold() not in known]
    if near and dice.random() < 0.4:
        return base.text.replace(heavy[-1], dice.choice(near), 1)
    others = [other for other in _subjects(base.language) if not {word.casefold() for word in content_words(other, base.language)} & known]
    return base.text.replace(own, dice.choice(others), 1) if others else None


def _unconditioned(base: Base, dice: random.Random) -> str | None:
    markers = CONDITIONS[base.language]
    made = []
    for one in re.finditer(rf"(?:,\s|\s)\b(?:{markers})\b[^,.;:()]*(?=[.;]?$|, )", base.text, re.I):
        left = content_words(base.text[: one.start()], base.language)
        if len(left) >= 2 and content_words(one.group(), base.language)[0:1] and " which" not in one.group() and base.text[one.start() - 1] not in ";:":
            made.append(base.text[: one.start()] + base.text[one.end() :])
    for one in re.finditer(rf"^(?:{markers})\b[^,.;:()]*, (\w)", base.text, re.I):
        if len(content_words(base.text[one.end() :], base.language)) >= 2:
            made.append(one.group(1).upper() + base.text[one.end() :])
    return dice.choice(made) if made else None


def _widened(base: Base, dice: random.Random) -> str | None:
    known = base.passage.text.casefold()
    made = [
        bent
        for pattern, by in WIDER[base.language]
        if not (len(by) > 8 and by.strip(" .,") in known) and (bent := _sub(base.text, pattern, by, dice)) and bent != base.text
    ]
    return dice.choice(made) if made else None


def _step(base: Base, dice: random.Random) -> str:
    pool = STEPS[base.language]
    if base.language == "en" and dice.random() < 0.5:
        pool = tuple(other.text for other in dice.sample(bases(), 40) if other.kind == "step" and other.language == "en" and other.passage.text != base.passage.text) or pool
    said = dice.choice(pool)
    return said if dice.random() < 0.5 else _end(base.text, TAILS[base.language].format(said[0].lower() + said[1:].rstrip(".")))


Bend = Callable[[Base, random.Random], str | None]
HARD_KINDS: dict[str, Bend] = {
    "number": _number, "unit": _unit, "currency": _money, "price": _price, "date": _date, "duration": _duration, "version": _version,
    "e-mail": _email, "phone": _phone, "link": _url, "name": _name, "negation": _negation, "promise": _promise,
}  # fmt: skip
SUBTLE_KINDS: dict[str, Bend] = {"subject": _swapped, "condition": _unconditioned, "scope": _widened, "step": _step}


@cache
def invented(hard: bool) -> list[Trial]:
    """As many of each kind, each draft once; alone or beside a true sentence."""
    kinds, many = (HARD_KINDS, HARD) if hard else (SUBTLE_KINDS, SUBTLE)
    dice = random.Random(SEED + hard)
    made: list[Trial] = []
    for kind, bend in kinds.items():
        told: set[str] = set()
        tries = 0
        while len(told) < many / len(kinds) and tries < 60_000:
            tries += 1
            base = dice.choice(bases())
            bent = bend(base, dice)
            if not bent or bent in told or _is_said(bent, base):
                continue
            told.add(bent)
            said = (*base.beside, Sentence(bent, (1,), base.kind)) if dice.random() < 0.3 else (Sentence(bent, (1,), base.kind),)
            made.append(Trial(kind, base.half, Draft(said, (base.passage,), Usage(), True), f"{bent}  <<  {base.text}"))
    return made


def _is_said(bent: str, base: Base) -> bool:
    """The passage says just that elsewhere, or the sentence's words are all still there in their order."""
    own = {" ".join(content_words(text, None)).casefold() for text in (base.text, *(piece for unit in units(base.passage.text) for piece in (unit.text, *sentences(unit.text))))}
    return normal(bent).strip(" .").casefold() == normal(base.text).strip(" .").casefold() or (" ".join(content_words(bent, None)).casefold() in own and bent.strip(" .") in base.passage.text)


# --- the judgement


def real(draft: Draft) -> Verdict:
    return check(draft, ())


def lax(draft: Draft) -> Verdict:
    """A check that believes whatever cites something, as far as it carries no address."""
    verdict = check(draft, ())
    return replace(verdict, supported=all(bool(said.citations) and "@" not in said.text for said in verdict.sentences))


def strict(draft: Draft) -> Verdict:
    """A check that takes nothing but the passage's own sentences."""
    texts = " ".join(normal(passage.text) for passage in draft.citations)
    return replace(check(draft, ()), supported=all(normal(said.text) in texts for said in draft.sentences))


def past(trials: list[Trial], checker: Checker) -> list[Trial]:
    return [trial for trial in trials if checker(trial.draft).supported]


def faults(checker: Checker, *, say: bool = False) -> list[str]:
    """Which limits a checker misses, per half; empty for a good one."""
    missed = []
    for part in HALVES:
        hard = [trial for trial in invented(True) if trial.half == part]
        subtle = [trial for trial in invented(False) if trial.half == part]
        true = [trial for trial in honest() if trial.half == part]
        past_hard, past_subtle = past(hard, checker), past(subtle, checker)
        blocked = len(true) - len(past(true, checker))
        if say:
            print(f"{part}: past the check {len(past_hard)} of {len(hard)} inventions with figures, names, negations or promises, "
                  f"{len(past_subtle)} of {len(subtle)} without; blocked {blocked} of {len(true)} honest drafts (seed {SEED})")  # fmt: skip
        missed += [f"{part}: invention past"] * bool(past_hard)
        missed += [f"{part}: {len(past_subtle)} subtle inventions past"] * (len(past_subtle) > MOST_SUBTLE[part] * len(subtle))
        missed += [f"{part}: {blocked} honest drafts blocked"] * (blocked > MOST_BLOCKED[part] * len(true))
    return missed


def test_inventions_stay_out_and_most_honest_drafts_pass_in_both_halves() -> None:
    assert not faults(real, say=True)


def test_most_drafts_in_free_words_are_still_blocked_and_no_more_than_measured() -> None:
    blocked, many = free()
    print(f"free words: blocked {blocked} of {many}")
    assert many >= 400
    assert blocked <= MOST_FREE * many


@pytest.mark.parametrize("part", HALVES)
@pytest.mark.parametrize("name", MOST_BY_HAND)
def test_inventions_by_hand_stay_out_and_as_many_honest_drafts_pass_as_measured(name: str, part: str) -> None:
    true, made = ([trial for trial in trials if trial.half == part] for trials in by_hand(name))
    blocked, known = len(true) - len(past(true, real)), past(made, real)
    hard, subtle = (sum(trial.kind == kind for trial in known) for kind in ("h", "s"))
    found = hard, subtle, blocked
    print(f"{name}, {part}: past {hard} hard and {subtle} subtle of {len(made)} inventions; blocked {blocked} of {len(true)} honest drafts")
    assert all(is_so <= most for is_so, most in zip(found, MOST_BY_HAND[name][part], strict=True))


def test_a_check_that_is_too_lax_or_too_strict_misses_a_limit() -> None:
    assert any("past" in fault for fault in faults(lax))
    assert any("blocked" in fault for fault in faults(strict))


def test_the_sets_are_as_large_and_as_mixed_as_they_claim() -> None:
    assert len(honest()) >= 500
    assert len({trial.text for trial in honest()}) == len(honest())
    assert {trial.kind for trial in honest()} >= {"p", "o", "u", "f", "e", "d", "s"}
    assert min(Counter(trial.half for trial in honest()).values()) >= 200
    assert {trial.kind for trial in invented(True)} == set(HARD_KINDS)
    assert {trial.kind for trial in invented(False)} == set(SUBTLE_KINDS)
    if WHOLE:
        assert len(invented(True)) > 5_000
