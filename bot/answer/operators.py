# ruff: noqa: E501 (word lists)
"""The small words that decide what a sentence claims, as signs that are the same in all four languages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from bot.answer.lexicon import NUMBER_WORDS
from bot.answer.words import fold

# A sign's words in en, fr, de, es together; "_" joins words of one expression.
SIGNS: dict[str, str] = {
    "no": """not no cannot cant can't won't don't doesn't isn't aren't wasn't weren't couldn't shouldn't wouldn't didn't hasn't haven't mustn't needn't neither nor none nobody nothing without unable never impossible no_longer no_one avoid avoids forbidden prohibited banned disallowed interdit interdite interdits interdites défendu prohibé prohibée verboten untersagt prohibido prohibida prohibidos prohibidas
        pas aucun aucune aucunement sans jamais impossible rien non ni évitez éviter évite
        nicht kein keine keinen keiner keinem keines ohne niemals nie nichts niemand weder unmöglich vermeiden vermeide
        sin nunca ningún ninguna ninguno jamás nada nadie tampoco imposible evite evitar""",
    "bound": """older_than heavier_than longer_than larger_than higher_than shorter_than lower_than younger_than at_most at_the_most at_least no_more_than not_more_than no_less_than not_less_than more_than less_than fewer_than up_to maximum max minimum about approximately around roughly or_more or_less
        au_moins au_plus au_maximum au_minimum plus_de moins_de jusqu'à environ ou_plus ou_moins mindestens höchstens maximal minimal bis_zu mehr_als weniger_als etwa ungefähr circa ca rund oder_mehr
        al_menos como_máximo como_mínimo más_de menos_de hasta aproximadamente alrededor_de o_más""",
    "ever": "never ever in_any_case in_no_case under_no_circumstances on_no_account jamais en_aucun_cas nie niemals auf_keinen_fall keinesfalls nunca jamás en_ningún_caso",
    "only": "only solely exclusively reserved_for uniquement seulement seul seule seuls seules exclusivement réservé_à réservée_aux nur ausschließlich lediglich solo sólo solamente únicamente exclusivamente",
    "all": "beliebige beliebigen beliebiger beliebiges both beide beiden ambos ambas all every each any anyone everyone everybody whatever whole entire everything anything anywhere everywhere tout toute tous toutes chaque n'importe partout alle allen aller alles jeder jede jedes jeden jedem sämtliche überall todo toda todos todas cada cualquier cualquiera",
    "hedge": "usually generally normally typically mostly often sometimes most some certain several selected probably perhaps possibly maybe nearly almost partly généralement habituellement souvent parfois certains certaines plusieurs la_plupart presque probablement partiellement meist meistens oft manchmal einige manche bestimmte teilweise vielleicht fast normalerweise normalmente generalmente veces algunos algunas ciertos quizás casi parcialmente",
    "can": "forbidden prohibited banned disallowed interdit interdite interdits interdites défendu prohibé prohibée verboten untersagt prohibido prohibida prohibidos prohibidas possibles posibles can able est_permis est_permise sont_permis sont_permises gestattet zulässig lässt_sich lassen_sich allow allows allowed may permitted possible could peut peuvent pouvez pouvons pourra pourrez possible permet permettent autorisé autorisée autorisés kann können kannst könnt könnte darf dürfen dürft möglich erlaubt zugelassen puede puisse puissent puissiez pueden puedes podemos podéis podrá podrán podría podrían pueda puedan pourrons pourront pourrait posible permite permiten permitido permitidos",
    "must": "must has_to have_to had_to need_to needs_to required mandatory obligatory compulsory need needs needed require requires necessary doit doivent devez devons faut obligatoire obligatoirement nécessaire nécessite nécessitent exige exigé requis requise muss müssen musst müsst erforderlich notwendig pflicht verpflichtend benötigt benötigen benötigt brauchen braucht erfordert erfordern debe deben debes debemos deberá deberán devra devrez devront musste mussten obligatorio obligatoria necesario necesita necesitan hay_que tiene_que tienen_que",
    "should": "should recommend recommended recommends advise advised devriez devrait conseillé recommandé recommandons conseillons sollte sollten solltest empfohlen empfehlen recomendado recomendamos debería deberían",
    "if": "if when whenever provided as_long_as in_case once as_soon_as si s'il s'ils lorsque lorsqu quand dès_que dès_qu une_fois_que à_condition tant_que tant_qu en_cas wenn falls sofern sobald solange si cuando siempre_que en_cuanto en_caso",
    "unless": "unless except excluding otherwise apart_from excepted sauf excepté hormis à_moins sinon außer ausgenommen es_sei_denn sonst andernfalls salvo excepto a_menos si_no",
    "until": "until till jusqu jusque d'ici bis hasta",
    "before": "in_advance à_l'avance im_voraus vorab por_adelantado con_antelación de_antelación de_anticipación ahead before prior_to beforehand earlier_than avant vor bevor vorher antes",
    "after": "after afterwards later_than following from_on past après passé suivant suivants ensuite nach nachdem danach anschließend después tras",
    "during": "during while pendant durant lors während durante mientras",
    "off": "off",
    "over": "over above exceeding beyond dessus supérieur supérieure supérieurs supérieures über oberhalb encima superior superiores",
    "under": "under below beneath dessous inférieur inférieure unter unterhalb debajo inferior inferiores",
    "extra": "also too as_well additionally aussi également auch zudem außerdem también además",
}  # fmt: skip
# Of these, what the source does not say may not be added; and what it says may not be left out.
NOT_ADDED = frozenset({"ever", "only", "all", "must", "should", "unless", "before", "off"})
NOT_DROPPED = frozenset({"only", "hedge", "unless", "until", "before", "off"})
NO_CLAUSE = frozenset({"a", "per", "every", "more", "again", "only", "and", "at", "in", "on", "to"})  # "once a week"
FOREIGN = {"en": frozenset({"ni", "sin", "fast", "alle", "nie", "personne", "pas", "rien"}), "fr": frozenset({"all", "over", "off"}), "de": frozenset({"off"})}  # signs elsewhere, not here
LONGEST = 4  # words of an expression
PERIODS = re.compile(
    r"^(?:two|second|deux|trois|zwei|dos|\d+|days?|nights?|weeks?|months?|years?|hours?|minutes?|quarters?|mornings?|mondays?|jours?|nuits?|semaines?|mois|ans?|annees?|heures?|"
    r"tage?n?|nacht|woche|wochen|monate?n?|jahre?n?|stunden?|minuten?|dias?|noches?|semanas?|mes(?:es)?|anos?|horas?|minutos?|third|time|fois|mal|vez)$"
)


class Sign(NamedTuple):
    """`words` of the text it takes up; a word may bear two signs ("never": no, ever)."""

    signs: frozenset[str]
    words: int


@lru_cache(maxsize=1)
def _phrases() -> dict[tuple[str, ...], frozenset[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for sign, listed in SIGNS.items():
        for entry in listed.split():
            found.setdefault(tuple(fold(part) for part in re.split(r"[_-]|(?<=\w)'(?=\w\w)", entry)), set()).add(sign)
    return {words: frozenset(signs) for words, signs in found.items()}


def sign(words: list[str], at: int, language: str = "") -> Sign | None:
    """The longest expression beginning at that folded word; a period ("every 3 months", "chaque nuit") claims no whole."""
    for many in range(min(LONGEST, len(words) - at), 0, -1):
        signs = _phrases().get(tuple(words[at : at + many]))
        if not signs or words[at] in FOREIGN.get(language, ()):
            continue
        if words[at] == "once" and (at + 1 >= len(words) or words[at + 1] in NO_CLAUSE or words[at - 1 : at] in (["only"], ["just"])):
            continue
        if "bound" in signs and not any(word[:1].isdigit() or word in NUMBER_WORDS for word in words[max(0, at - 3) : at + many + 2]):
            continue
        period = "all" in signs and _is_period(words[at + many : at + many + 3])
        return Sign(signs - {"all"} if period else signs, many)
    return None


def _is_period(after: list[str]) -> bool:
    """ "every other day"; "all other products" is none."""
    return any(PERIODS.match(word) for word in (after[1:] if after[:1] in (["other"], ["autres"]) else after)[:2])


def is_lone_plus(words: list[str], at: int) -> bool:
    """French "ne ... plus": no longer; "plus" otherwise is "more"."""
    return words[at] == "plus" and any(word in ("ne", "n") for word in words[max(0, at - 4) : at]) and words[at + 1 : at + 2] != ["de"]


def is_only_but(words: list[str], at: int) -> bool:
    """French "ne ... que": only."""
    before = words[max(0, at - 10) : at]
    last = max((place for place, word in enumerate(before) if word in ("ne", "n")), default=None)
    return words[at] in ("que", "qu") and last is not None and not {"pas", "plus", "jamais", "afin", "parce"} & set(before[last:])
