"""The only sentences of a reply that rest on no passage: a closed set, so that nothing can be smuggled in as politeness."""

from __future__ import annotations

import re
import unicodedata

_NAME = re.compile(r"^[^\W\d_]{2,20}(?:-[^\W\d_]{2,20})?$")
_NO_NAMES = frozenset(
    (
        "support",
        "team",
        "info",
        "admin",
        "contact",
        "sales",
        "service",
        "client",
        "customer",
        "user",
        "unknown",
        "guest",
        "test",
        "dr",
        "mr",
        "mrs",
        "ms",
        "herr",
        "frau",
        "monsieur",
        "madame",
    )
)

GREETING = {
    "en": ("Hello {name},", "Hello,"),
    "fr": ("Bonjour {name},", "Bonjour,"),
    "de": ("Guten Tag {name},", "Guten Tag,"),
    "es": ("Hola {name}:", "Hola:"),
}
THANKS = {
    "en": "Thank you for your message.",
    "fr": "Merci pour votre message.",
    "de": "vielen Dank für Ihre Nachricht.",
    "es": "Gracias por su mensaje.",
}
SIGN_OFF = {"en": "Kind regards", "fr": "Bien cordialement", "de": "Mit freundlichen Grüßen", "es": "Un cordial saludo"}
ORDINALS = {
    "en": ("first", "second", "third", "fourth"),
    "fr": ("première", "deuxième", "troisième", "quatrième"),
    "de": ("ersten", "zweiten", "dritten", "vierten"),
    "es": ("primera", "segunda", "tercera", "cuarta"),
}
ABOUT = {
    "en": "About your {ordinal} question:",
    "fr": "Concernant votre {ordinal} question :",
    "de": "Zu Ihrer {ordinal} Frage:",
    "es": "Sobre su {ordinal} pregunta:",
}
COLLEAGUE = {
    "en": "We have found no answer to your {ordinal} question yet; a colleague will get back to you about it.",
    "fr": "Nous n'avons pas encore trouvé de réponse à votre {ordinal} question ; un collègue reviendra vers vous à ce sujet.",
    "de": "Zu Ihrer {ordinal} Frage haben wir noch keine Antwort gefunden; ein Kollege meldet sich dazu bei Ihnen.",
    "es": "Todavía no hemos encontrado respuesta a su {ordinal} pregunta; un compañero le escribirá al respecto.",
}
REST = {
    "en": "We have found no answer to the rest of your message yet; a colleague will get back to you about it.",
    "fr": "Nous n'avons pas encore trouvé de réponse au reste de votre message ; un collègue reviendra vers vous à ce sujet.",
    "de": "Zum Rest Ihrer Nachricht haben wir noch keine Antwort gefunden; ein Kollege meldet sich dazu bei Ihnen.",
    "es": "Todavía no hemos encontrado respuesta al resto de su mensaje; un compañero le escribirá al respecto.",
}
WHICH_CASE = {
    "en": "Which of these cases is yours?",
    "fr": "Lequel de ces cas est le vôtre ?",
    "de": "Welcher dieser Fälle trifft auf Sie zu?",
    "es": "¿Cuál de estos casos es el suyo?",
}
NAMES_OF_LANGUAGES = {
    "en": {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "nl": "Dutch", "pt": "Portuguese"},
    "fr": {"en": "anglais", "fr": "français", "de": "allemand", "es": "espagnol", "it": "italien", "nl": "néerlandais", "pt": "portugais"},
    "de": {
        "en": "Englisch",
        "fr": "Französisch",
        "de": "Deutsch",
        "es": "Spanisch",
        "it": "Italienisch",
        "nl": "Niederländisch",
        "pt": "Portugiesisch",
    },
    "es": {"en": "inglés", "fr": "francés", "de": "alemán", "es": "español", "it": "italiano", "nl": "neerlandés", "pt": "portugués"},
}
OTHER_LANGUAGE = {
    "en": "Our documentation on this is available in {language}:",
    "fr": "Notre documentation à ce sujet est disponible en {language} :",
    "de": "Unsere Dokumentation dazu liegt auf {language} vor:",
    "es": "Nuestra documentación al respecto está disponible en {language}:",
}


def spoken(language: str) -> str:
    """The language the courtesies are said in: the ticket's where we have it, else English."""
    return language if language in GREETING else "en"


def first_name(full_name: str | None) -> str | None:
    """A name safe to greet with: letters only, and not a role; else None."""
    parts = unicodedata.normalize("NFC", full_name or "").split()
    if not parts or len(parts) > 4 or not _NAME.match(parts[0]) or parts[0].casefold() in _NO_NAMES or not parts[0][0].isupper():
        return None
    return parts[0] if not parts[0].isupper() else parts[0].title()


def greeting(language: str, full_name: str | None) -> str:
    named, plain = GREETING[spoken(language)]
    name = first_name(full_name)
    return named.format(name=name) if name else plain


def greeted(text: str, language: str) -> str | None:
    """The first name that one of our greetings greets; None for a nameless one, and for what is none."""
    named = GREETING[spoken(language)][0]
    head, _, tail = named.partition("{name}")
    return text[len(head) : len(text) - len(tail)] if _is_greeting(text, named) else None


def thanks(language: str) -> str:
    return THANKS[spoken(language)]


def sign_off(language: str) -> str:
    return SIGN_OFF[spoken(language)]


def about(language: str, question: int) -> str:
    """Heads the answer to the question of that number (from 1)."""
    return ABOUT[spoken(language)].format(ordinal=ORDINALS[spoken(language)][question - 1])


def colleague(language: str, question: int | None) -> str:
    """Says that the question of that number (from 1), or the rest of the message, is not answered, and leaves it to a person."""
    tongue = spoken(language)
    return REST[tongue] if question is None else COLLEAGUE[tongue].format(ordinal=ORDINALS[tongue][question - 1])


def which_case(language: str) -> str:
    """Asks for the one fact on which it hangs which of the cases above holds."""
    return WHICH_CASE[spoken(language)]


def other_language(language: str, source: str) -> str | None:
    """Says that what follows is in the source's language; None where that language has no name here."""
    tongue = spoken(language)
    name = NAMES_OF_LANGUAGES[tongue].get(source)
    return OTHER_LANGUAGE[tongue].format(language=name) if name else None


def _closed_set(tongue: str) -> frozenset[str]:
    fixed = {GREETING[tongue][1], THANKS[tongue], SIGN_OFF[tongue], REST[tongue], WHICH_CASE[tongue]}
    fixed |= {form[tongue].format(ordinal=ordinal) for form in (ABOUT, COLLEAGUE) for ordinal in ORDINALS[tongue]}
    fixed |= {OTHER_LANGUAGE[tongue].format(language=name) for name in NAMES_OF_LANGUAGES[tongue].values()}
    return frozenset(fixed)


CLOSED_SETS = {tongue: _closed_set(tongue) for tongue in GREETING}


def is_courtesy(text: str, language: str | None = None) -> bool:
    """Whether a sentence is exactly one of ours (in that language, where told), a greeting holding nothing but a plain first name."""
    tongues = tuple(GREETING) if language is None else (spoken(language),)
    return any(text in CLOSED_SETS[tongue] or _is_greeting(text, GREETING[tongue][0]) for tongue in tongues)


def _is_greeting(text: str, named: str) -> bool:
    head, _, tail = named.partition("{name}")
    if not (text.startswith(head) and text.endswith(tail)):
        return False
    name = text[len(head) : len(text) - len(tail)]
    return bool(_NAME.match(name)) and first_name(name) == name
