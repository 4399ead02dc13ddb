"""Words of a text in the four languages the bot speaks: tokens, stems, stop words, sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

STEMMERS = {
    "en": "english",
    "fr": "french",
    "de": "german",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}

_EN = """a an the this that these those it its they them their he she his her him we us our you your yours i me my mine
and or but so as at by for from in into of off on onto to with about over under through out up down than then there here
is are was were be been being am do does did doing done have has had having will would shall should can could may might must
if when while where which who whom whose what why how whether because since until please also just too very more most some any
each both such same other another own own's s t re ve ll d m not no nor yes ok okay get gets got getting want wants need needs
like know let make sure able via per within during between after before again once only even still however therefore thus
"""
_FR = """le la les l un une des du de d au aux ce c cet cette ces il ils elle elles on nous vous je j tu me m te t se s lui leur leurs
mon ma mes ton ta tes son sa ses notre nos votre vos y en et ou mais donc or ni car que qu qui quoi dont où est sont était étaient
être été ai as a avons avez ont avoir avait ne n pas plus sans sous sur dans par pour avec chez vers entre si quand comme comment
pourquoi combien quel quelle quels quelles très aussi peut peuvent puis pouvez doit doivent devez faut fait faire bien merci tout
toute tous toutes même autre autres alors afin lorsque ainsi cela ça
"""
_DE = """der die das den dem des ein eine einen einem einer eines und oder aber doch denn weil dass wenn als ob wie wo was wer wann warum
ich du er sie es wir ihr mich dich ihn uns euch mir dir ihm ihnen mein meine meinen meinem meiner dein deine sein seine ihre ihren
ihrem ihrer unser unsere ist sind war waren bin bist sein gewesen wird werden wurde wurden hat haben hatte hatten habe kann können
könnten muss müssen soll sollen darf dürfen will wollen möchte nicht kein keine keinen keiner nur auch noch schon sehr mehr in im an
am auf aus bei mit nach von vom vor zu zum zur über unter für durch gegen ohne um bis seit zwischen bitte dann da hier dort so sich
man jede jeder jedes
"""
_ES = """el la los las un una unos unas de del al a y e o u pero que qué quien cual cuál cuándo cuando cómo como dónde donde por para con
sin sobre entre desde hasta en es son era eran ser sido está están estar estoy he ha han hemos haber había yo tú él ella nosotros
ustedes ellos me te se nos le les lo mi mis tu tus su sus nuestro nuestra este esta estos estas ese esa eso esto no ni sí si más muy
también ya hay puede puedo pueden debe deben tiene tienen tengo hacer hago porque cada otro otra otros otras
"""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


STOP: dict[str, frozenset[str]] = {"en": _set(_EN), "fr": _set(_FR), "de": _set(_DE), "es": _set(_ES)}
EVERY_STOP = frozenset().union(*STOP.values())

# Words that say that something is asked, not what; they must not decide whether a passage answers.
ASKING = {
    "en": _set("""hi hello dear thanks thank wondering wonder question questions ask asking help tell explain possible way ways best
        trying try use using there's i'd i'm i've anyone someone something anything find out work works happen happens mean
        hey problem problems issue issues going look looking long many much often far soon last lasts"""),
    "fr": frozenset(
        [
            "bonjour",
            "merci",
            "question",
            "questions",
            "combien",
            "temps",
            "longtemps",
            "savoir",
            "aide",
            "aider",
            "dire",
            "expliquer",
            "possible",
            "façon",
            "moyen",
            "souhaite",
            "voudrais",
            "veux",
        ]
    ),
    "de": frozenset(["hallo", "danke", "frage", "fragen", "wissen", "hilfe", "helfen", "sagen", "erklären", "möglich", "gerne", "weg"]),
    "es": frozenset(
        [
            "hola",
            "gracias",
            "pregunta",
            "preguntas",
            "saber",
            "ayuda",
            "ayudar",
            "decir",
            "explicar",
            "posible",
            "manera",
            "quiero",
            "quisiera",
        ]
    ),
}

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‑": "-", "−": "-",
                         "\u00a0": " ", "\u202f": " ", "\u2009": " ", "…": "..."})  # fmt: skip
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|nr|dr|mr|mrs|ms|st|p\.\s?ex|env|max|min|z\.\s?b|d\.\s?h|bzw|ca|ggf|evtl|sr|sra|ej|art|fig|inc|ltd|a\.m|p\.m)|\b[^\W\d_])\.$",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?…])[\"')\]*_]*\s+(?=[\"'(\[*_`¿¡«“]*[^\W_a-zà-ÿ])|(?<=[。！？])")
_LIST_NUMBER = re.compile(r"^\d{1,2}\.$")


def normal(text: str) -> str:
    """Compatibility-normalised, one kind of quote, dash and space, runs of space closed up; case is kept."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).split())


def fold(word: str) -> str:
    """For comparing: no case, no accents."""
    if word.isascii():  # nothing to take apart
        return word.casefold()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    return _WORD.findall(normal(text))


@lru_cache(maxsize=65536)
def stem(word: str, language: str | None) -> str:
    """The folded stem of a word; an unknown language is stemmed as English.

    A stemmer keeps state while it works, so each call makes its own: threads may share this.
    """
    import snowballstemmer

    return fold(str(snowballstemmer.stemmer(STEMMERS.get(language or "en", "english")).stemWord(word.casefold())))


def stems(listed: Iterable[str], language: str | None) -> dict[str, str]:
    """As `stem`, of many words at once, which is faster."""
    import snowballstemmer

    each = list(dict.fromkeys(listed))
    found = snowballstemmer.stemmer(STEMMERS.get(language or "en", "english")).stemWords([word.casefold() for word in each])
    return {word: fold(str(root)) for word, root in zip(each, found, strict=True)}


def stop_words(language: str | None) -> frozenset[str]:
    return STOP.get(language or "", EVERY_STOP)


def content_words(text: str, language: str | None) -> list[str]:
    """The words that carry meaning, in order, as written."""
    stop = stop_words(language)
    return [word for word in words(text) if word.casefold() not in stop and (len(word) > 1 or word.isdigit())]


def content_stems(text: str, language: str | None) -> list[str]:
    return [stem(word, language) for word in content_words(text, language)]


def sentences(text: str) -> list[str]:
    """Sentences of one paragraph, whole: joined by spaces they give the paragraph again."""
    found: list[str] = []
    start = 0
    for gap in _BREAK.finditer(text):
        head = text[start : gap.start()].rstrip("\"')]*_ ")
        if _ABBREVIATION.search(head) or _LIST_NUMBER.match(head.strip()):
            continue
        found.append(text[start : gap.end()].strip())
        start = gap.end()
    tail = text[start:].strip()
    return [*found, tail] if tail else found
