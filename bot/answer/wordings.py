# ruff: noqa: E501 (patterns read better unbroken)
"""Expressions that say the same in other words than one by one: put in one form before a sentence is read."""

from __future__ import annotations

import re

_FEW = (
    r"\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|douze"
    r"|ein|eine[rnsm]?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|una?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce"
)
_SPAN = r"second|minute|hour|day|week|month|Sekunde|Minute|Stunde|Tag|Woche|Monat"
WORDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), by)
    for pattern, by in (
        (r"\bpeut être\b", "peut"),  # "can be"; with its hyphen it is "perhaps"
        (r"(?<=\d)(\s?(?:%|percent|per cent))\s+off\b", r"\1 discount"),
        # once: "only one time" says no more than "one time"
        (r"\bonly\s+once\b(?=\s*(?:[.,;)]|$|per|an?\b|each|every|in\b|within|during|for\b))|\bonce\s+only\b|\b(?:only\s+)?(?:one|a\s+single)\s+time\b(?:\s+only\b)?", "once"),
        (r"\bn(?:e\s+|')((?:\w+\s+){0,2}\w+)\s+qu'une\s+(?:seule\s+)?fois\b", r"\1 une fois"), (r"\bune\s+seule\s+fois\b", "une fois"),
        (r"\bnur\s+(?:einmal|ein\s+Mal)\b|\bein\s+einziges\s+Mal\b", "einmal"), (r"\b(?:solo|sólo|solamente|únicamente)\s+una\s+(?:sola\s+)?vez\b|\buna\s+sola\s+vez\b", "una vez"),
        # to wait until
        (r"\b(attend(?:re|ez|s|ons))\s+qu(?:e\s+|')", r"\1 jusqu'à ce que "), (r"\b(esper(?:ar|e|en|a))\s+a\s+que\b", r"\1 hasta que"),
        # how long something takes, not until when it is so
        (rf"\b((?:take|takes|need|needs)\b[^.;]{{0,40}}?\b(?:{_SPAN})s?)\s+until\b", r"\1 for"), (rf"\b((?:dauert|dauern)\b[^.;]{{0,40}}?\b(?:{_SPAN})[ens]*),?\s+bis\b", r"\1 dass"),
        (r"\bas long as (it|they|this|the \w+|your \w+) (is|are|has|have) not (?:been |yet )?", r"until \1 \2 "), (r"\btant qu(?:e |')((?:\w+ ){1,3})n'(est|a|ont|sont) pas (?:encore )?", r"jusqu'à ce que \1\2 "),
        # both this and that
        (r"\bboth (?=[^.;,]* and )|\bà la fois (?=[^.;,]* et )|\bsowohl (?=[^.;,]* (?:als|wie) auch )|\btanto (?=[^.;,]* como )", ""), (r"\b(?:als|wie) auch\b", "und"),
        # whenever one likes
        (r"\b(?:when|whenever) you (?:like|want|wish|please)\b|\bat any moment\b", "at any time"), (r"\bquand vous (?:le )?(?:voulez|souhaitez|désirez)\b", "à tout moment"),
        (r"\bwann (?:immer )?Sie (?:möchten|wollen|wünschen)\b", "jederzeit"), (r"\bcuando (?:lo )?(?:quiera|desee)\b", "en cualquier momento"),
        # a condition without its word
        (r"(^|[.;:] )should (you|your|the|a|an|this|it|there|we)\b", r"\1if \2"),
        (r"\bun segundo (?=[a-zñ])(?!y |de |después|antes)", "segundo "),
        (rf"\b(?:pendant|durant) (?=(?:{_FEW}|\d+) (?:secondes?|minutes?|heures?|jours?|semaines?|mois|ans?)\b)", "pour "),
        # a purpose claims no possibility
        (r"\b(so that [^.;,]{1,40}?) can\b(?!['’]t)", r"\1"), (r"\b((?:afin|pour) qu(?:e |')[^.;,]{1,40}?) (?:puisse|puissent|puissiez)\b", r"\1"), (r"\b(para que [^.;,]{1,40}?) (?:pueda|puedan)\b", r"\1"),
        # what ends after a while is valid for it
        (rf"\bexpires?\s+(?:after|in)\s+(?=(?:{_FEW})\b)", "is valid for "), (rf"\bexpir(?:e|ent)\s+(?:après\s+|au\s+bout\s+(?:de\s+|d'))(?=(?:{_FEW})\b)", "est valable "),
        (rf"\b(?:läuft|laufen)\s+nach\s+((?:{_FEW})\s+\w+)\s+ab\b", r"gilt \1"), (rf"\bcaducan?\s+(?:a\s+los|tras|después\s+de)\s+(?=(?:{_FEW})\b)", "es válido "),
        # ages
        (r"\b(from|over|under|above|below|until|up to|than|at|least) (?:the )?age (?:of )?(?=\d)", r"\1 aged "), (r"\baged (\d+)(?! (?:years|months|weeks))\b", r"\1 years"), (r"\bl'âge de (?=\d)", ""),
        (r"\b(\d+)((?: years?)? (?:old )?)(?:or|and) (?:older|over|above)\b", r"at least \1 years"), (r"\b(\d+) ans (?:et|ou) plus\b", r"au moins \1 ans"),
        # limits
        (rf"\b(?:do not|don't|never|cannot|can't) ((?:(?!for\b)\w+ ){{1,4}})more than (?=(?:{_FEW})\b)", r"\1at most "), (r"\b(?:closer|nearer) than\b", "less than"), (r"(?<!no )(?<!not )\blater than\b", "after"), (r"\bover the (?:past|last)\b", "in the last"),
        (rf"\buntil ((?:{_FEW}) (?:minutes?|hours?|days?|weeks?|months?)) (before|prior|in advance)\b", r"up to \1 \2"), (r"\b(after that|afterwards|thereafter|après|danach|después),\s+", "then, "),
        (rf"\b(an?|the) (minimum|maximum) ((?:\w+ ){{1,2}})of ({_FEW})\b", r"\1 \3of \2 \4"), (r"\b(mínim|máxim)[oa] es de\b", r"es de \1o de"),
        # a span to do something in
        (rf"\b(you) (?:then |now )?have ((?:\d+|{_FEW}) (?:minutes?|hours?|days?|weeks?|months?|years?)) to (?=\w)", r"\1 can within \2 "),
        (rf"\b(vous) (?:disposez de|avez) ((?:\d+|{_FEW}) (?:minutes?|heures?|jours?|semaines?|mois|ans?)) pour (?=\w)", r"\1 pouvez sous \2 "),
        # the same span said with an article
        (r"\b(for|in|takes?|lasts?|another|waits?|about) an? (second|minute|hour|day|week|month|year)\b(?! and a half)", r"\1 1 \2"),
        (r"\b(pendant|dure|dans|durant|pour|depuis|environ|de|attend(?:re|ez)) une? (seconde|minute|heure|jour|semaine|mois|an)\b", r"\1 1 \2"),
        (r"\b(für|in|seit|etwa|dauert|um|vor|warten(?: Sie)?) eine[rsnm]? (Sekunde|Minute|Stunde|Tag|Woche|Monat|Jahr)\b", r"\1 1 \2"),
        (r"\b(durante|en|por|de|dura|tarda|espere|unos?) una? (segundo|minuto|hora|día|semana|mes|año)\b", r"\1 1 \2"),
        (r"\b(?:one|a|1) day (?:before|earlier|in advance|beforehand|ahead)(?=\s*(?:[.,;)]|$))", "the day before"), (r"\bun jour (?:avant|à l'avance)(?=\s*(?:[.,;)]|$))", "la veille"), (r"\b(?:einen|1) Tag (?:vorher|zuvor|davor)\b", "am Vortag"), (r"\bun día antes(?=\s*(?:[.,;)]|$))", "el día anterior"),
        (r"\bkilowatt[- ]?hours?\b|\bkilowattheures?\b|\bkilowattstunden?\b|\bkilovatios?[- ]hora\b", "kWh"),
        (r"\b(?:24 hours a day|24/7|(?:a)?round the clock|24 h(?:eures)? sur 24|24 ?h/24|rund um die Uhr|las 24 horas(?: del día)?)(?!\w)", "24/7"),
        (r",\s+hors\s+(?!saison|taxe)", ", sauf "),
        (r"\bout of (stock|service|warranty|reach)\b", r"not in \1"), (r"\bhors (?:de |d')?(stock|service|garantie|portée)\b", r"pas en \1"),
        # neither this nor that, one denial
        (r"\bne (\w+) (être )?ni (\w+) ni (\w+)", r"ne \1 pas \2\3 ou \4"), (r"\bneither (\w+) nor (\w+)", r"not \1 or \2"), (r"\bweder (\w+) noch (\w+)", r"nicht \1 oder \2"),
        (r"\b(no (?:se )?(?:\w+ ){1,2}\w+) ni (?=\w)", r"\1 o "),
    )
)  # fmt: skip


def reworded(text: str) -> str:
    """The text with each of these expressions in its one form."""
    for pattern, by in WORDINGS:
        text = pattern.sub(by, text)
    return text
