# ruff: noqa: E501 (cases read better on one line)
"""A voice that alters facts: whatever it says, what leaves is proved and its facts are the draft's.

    VOICED=2000 SEED=3 pytest tests/unit/test_tone_facts.py        the long version, some minutes
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable

import pytest

from bot.answer.check import check
from bot.answer.retrieve import Passage
from bot.answer.voice import Voice, Voiced, changed
from bot.answer.write import Draft, Sentence, Usage
from bot.tone.plain import facts
from bot.tone.style import Style

COUNT, SEED = int(os.environ.get("VOICED", "200")), int(os.environ.get("SEED", "3"))
STYLE = Style({"en": "Hi {name},", "fr": "Bonjour {name},"}, {"en": "Dry floors", "fr": "À pied sec"})
FRAMES = {
    "en": (
        "You can return the {thing} within {n} days of delivery if it is unopened.", "The {thing} costs {p} EUR per month and can be cancelled at any time.",
        "Do not unplug the {thing} during an update.", "Write to {mail} or open {link} for the {thing}.", "The {thing} is not covered after {n} months.",
        "A {thing} is replaced free of charge when it fails before {date}.", "The {thing} works with {n} sensors and only with WPA2.",
        "Hold the button of the {thing} for {n} seconds until it blinks white.",
    ),
    "fr": (
        "Vous pouvez renvoyer le {thing} sous {n} jours s'il n'est pas ouvert.", "Le {thing} coûte {p} EUR par mois, sans engagement.",
        "Ne débranchez pas le {thing} pendant une mise à jour.", "Écrivez à {mail} ou ouvrez {link} pour le {thing}.",
        "Le {thing} n'est plus garanti après {n} mois.", "Le {thing} est remplacé gratuitement avant le {date}.",
    ),
}  # fmt: skip
THINGS = {"en": ["hub", "lamp", "sensor", "valve", "router", "socket"], "fr": ["routeur", "capteur", "boîtier", "câble", "robinet"]}


def sentence(chance: random.Random, language: str) -> str:
    return chance.choice(FRAMES[language]).format(
        thing=chance.choice(THINGS[language]), n=chance.randint(2, 60), p=f"{chance.randint(1, 90)}.{chance.randint(10, 99)}",
        mail=f"returns{chance.randint(1, 99)}@tidewell.example", link=f"https://help.tidewell.example/a{chance.randint(100, 999)}",
        date=f"2027-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
    )  # fmt: skip


def drafted(chance: random.Random, language: str) -> Draft:
    paragraphs = [" ".join(dict.fromkeys(sentence(chance, language) for _ in range(chance.randint(1, 2)))) for _ in range(chance.randint(1, 2))]
    passages = tuple(Passage(f"d{at}", "", "", "public", language, None, (), text, 1.0, 1.0, "") for at, text in enumerate(paragraphs))
    greeting, end = {"en": ("Hello Ana,", "Kind regards"), "fr": ("Bonjour Ana,", "Bien cordialement")}[language]
    said = tuple(Sentence(text, (at,), "statement") for at, text in enumerate(paragraphs, start=1))
    return Draft((Sentence(greeting, (), "courtesy"), *said, Sentence(end, (), "courtesy")), passages, Usage(), True)


Alteration = Callable[[random.Random, str], str]
ALTERED: dict[str, Alteration] = {
    "another number": lambda chance, text: re.sub(r"\d+", lambda one: str(int(one[0]) + chance.randint(1, 9)), text, count=1),
    "a number more": lambda chance, text: text + f" It takes {chance.randint(2, 90)} minutes.",
    "no number": lambda chance, text: re.sub(r"\b\d+\b ?", "", text, count=1),
    "another link": lambda chance, text: re.sub(r"https://\S+", "https://evil.example/x", text) if "https" in text else text + " https://evil.example/x",
    "another address": lambda chance, text: text.replace("returns", "refunds") if "@" in text else text + " Write to boss@evil.example.",
    "a negation gone": lambda chance, text: re.sub(r"\b(?:not |n'|pas |ne |sans )", "", text, count=1) if re.search(r"\bnot |pas |sans ", text) else "Not so. " + text,
    "a negation more": lambda chance, text: re.sub(r"\b(can|is|works|peut|est|coûte) ", r"\1 not ", text, count=1) + " Never.",
    "a condition gone": lambda chance, text: re.sub(r" (?:if|until|when|s'il|before|avant)\b[^.]*", "", text, count=1) if re.search(r" (?:if|until|when|before|avant)\b| s'il", text) else text + " Only if you ask.",
    "a promise": lambda chance, text: text + chance.choice([" We guarantee it.", " You get a refund.", " It is free.", " Nous garantissons tout.", " C'est gratuit."]),
    "a claim": lambda chance, text: text + chance.choice([" The warehouse also ships lamps to Norway.", " Le directeur vous appellera demain matin."]),
    "a sentence gone": lambda chance, text: " ".join(text.split(". ")[1:]) or "Sure.",
    "another unit": lambda chance, text: re.sub(r"\b(days|months|seconds|jours|mois)\b", "weeks", text) if re.search(r"days|months|seconds|jours|mois", text) else text + " 2 weeks.",
}  # fmt: skip


class Liar:
    def __init__(self, chance: random.Random) -> None:
        self.chance, self.did = chance, ""

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        self.did = self.chance.choice([*ALTERED])
        paragraphs = text.split("\n\n")
        at = self.chance.randrange(len(paragraphs))
        paragraphs[at] = ALTERED[self.did](self.chance, paragraphs[at])
        return "\n\n".join(paragraphs), Usage()


def said(voiced: Voiced | Draft) -> str:
    draft = voiced if isinstance(voiced, Draft) else voiced.draft
    return " ".join(one.text for one in draft.sentences if one.kind != "courtesy")


def test_facts_are_kept_in_every_draft_that_a_voice_has_altered() -> None:
    print(f"{COUNT} drafts, seed {SEED}")
    chance = random.Random(SEED)
    liar, fell_back = Liar(chance), Counter[str]()
    for at in range(COUNT):
        language = ("en", "fr")[at % 2]
        draft = drafted(chance, language)
        proven = check(draft, ())
        assert proven.supported, said(draft)
        voiced = Voice(STYLE, liar).speak(draft, proven, language, str(at), ())
        assert facts(said(voiced)) == facts(said(draft)), liar.did
        assert changed(said(draft), said(voiced)) is None, liar.did
        assert check(voiced.draft, (), voiced.courtesies).supported, liar.did
        fell_back[voiced.voice] += 1
        if voiced.voice == "exemplars":
            assert voiced.why
    print(f"fell back to the proven words: {fell_back['exemplars']} of {COUNT}; by voice: {dict(fell_back)}")
    assert fell_back["exemplars"] >= 0.95 * COUNT


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_voice_that_alters_no_fact_is_heard(language: str) -> None:
    chance = random.Random(SEED)

    class Warm:
        def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
            return text.replace("is not", "isn't").replace("Do not", "Don't").replace("Vous pouvez", "Vous pouvez bien sûr"), Usage()

    heard = [Voice(STYLE, Warm()).speak(draft, check(draft, ()), language, "7", ()).voice for draft in (drafted(chance, language) for _ in range(30))]
    assert heard.count("model") >= 27
