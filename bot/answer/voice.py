"""How a proven draft comes to sound like the team. Whatever it makes is checked anew; a draft that lost its proof is never used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from bot.answer import courtesy
from bot.answer.check import Verdict, check
from bot.answer.units import units
from bot.answer.words import fold
from bot.answer.write import Draft, ModelUnavailable, Sentence, Usage
from bot.tone.cleaning import clean
from bot.tone.plain import facts, is_manner
from bot.tone.style import Style

# Words that turn a sentence round, bind it to a condition, or commit the team; a rewriting has exactly the proven ones.
_BINDING = re.compile(
    r"\b(?:not|no|never|none|nor|without|cannot|only|unless|except|if|until|before|after|must|may|might|should|always|any|every|all|free"
    r"|eur|euros?|usd|dollars?|gbp|chf|minutes?|hours?|days?|weeks?|months?|years?|heures?|jours?|semaines?|mois|tagen?|wochen?|monaten?|dias?"
    r"|guarantee\w*|promise\w*|refund\w*|immediately"
    r"|pas|ne|jamais|aucun\w*|sans|seulement|sauf|si|avant|apres|doit|doivent|toujours|tous|toutes|garanti\w*|rembours\w*|gratuit\w*"
    r"|nicht|kein\w*|nie|ohne|nur|ausser|wenn|bis|vor|nach|muss|mussen|immer|alle|garantier\w*|erstatt\w*|kostenlos\w*"
    r"|nunca|sin|solo|salvo|antes|despues|debe\w*|siempre|todos|todas|garantiz\w*|reembols\w*|gratis)\b"
)
_CONTRACTED = re.compile(r"n't\b|(?<=\bcan)not\b")
LEAST_KEPT = 0.6  # of a proven paragraph's words


class Rewriter(Protocol):
    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        """The text in the team's voice. Raises ModelUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Voiced:
    """`verdict` is on `draft`; `voice` is what it speaks with: none, exemplars or model; `why` tells of a fallback."""

    draft: Draft
    verdict: Verdict
    voice: str
    why: str | None = None
    courtesies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Voice:
    """`style`: None before one was learnt. `model`: asked first, where there is one."""

    style: Style | None = None
    model: Rewriter | None = None

    def speak(self, draft: Draft, verdict: Verdict, language: str, ticket_id: str, allowed_links: Sequence[str]) -> Voiced:
        """Of a draft that is not proved nothing is changed."""
        if not verdict.supported:
            return Voiced(draft, verdict, "none")
        styled = self._styled(Voiced(draft, verdict, "none"), language, allowed_links)
        if self.model is None:
            return styled
        try:
            return _rewritten(styled, self.model, language, ticket_id, allowed_links)
        except ModelUnavailable as outage:
            usage = styled.draft.usage + outage.usage
            return replace(styled, draft=replace(styled.draft, usage=usage), why=f"the voice's model failed: {outage.reason}")

    def _styled(self, plain: Voiced, language: str, allowed_links: Sequence[str]) -> Voiced:
        """With the team's own greeting and sign-off instead of ours, word for word from the style sheet."""
        if self.style is None:
            return plain
        said, own = [], set()
        for sentence in plain.draft.sentences:
            text = self._courtesy(sentence, language)
            if text != sentence.text:
                own.add(text)
            said.append(replace(sentence, text=text))
        if not own:
            return plain
        draft = replace(plain.draft, sentences=tuple(said))
        verdict = check(draft, allowed_links, frozenset(own))
        return Voiced(draft, verdict, "exemplars", courtesies=frozenset(own)) if verdict.supported else plain

    def _courtesy(self, sentence: Sentence, language: str) -> str:
        if sentence.kind != "courtesy" or self.style is None:
            return sentence.text
        if sentence.text == courtesy.sign_off(language):
            return self.style.sign_off.get(language, sentence.text)
        name, form = courtesy.greeted(sentence.text, language), self.style.greeting.get(language)
        return form.replace("{name}", name) if name and form else sentence.text


def _rewritten(plain: Voiced, model: Rewriter, language: str, ticket_id: str, allowed_links: Sequence[str]) -> Voiced:
    """The statements in the model's words, paragraph by paragraph; `plain`, with the reason, when any of them is not the same."""
    runs = [(key, list(group)) for key, group in groupby(plain.draft.sentences, key=lambda one: (one.kind, one.citations))]
    spoken = [run for (kind, _), run in runs if kind == "statement" and not any("```" in one.text or "~~~" in one.text for one in run)]
    if not spoken:
        return plain
    before = [" ".join(one.text for one in run) for run in spoken]
    text, usage = model.rewrite("\n\n".join(before), language, ticket_id)
    plain = replace(plain, draft=replace(plain.draft, usage=plain.draft.usage + usage))
    after = [part for part in clean(text).paragraphs if not is_manner(part)]
    if len(after) != len(before):
        return replace(plain, why="the voice left something out, or added something")
    for old, new in zip(before, after, strict=True):
        if why := changed(old, new):
            return replace(plain, why=f"the voice {why}")
    fresh = {id(run[0]): _sentences(new, run[0].citations) for run, new in zip(spoken, after, strict=True)}
    said = tuple(one for _, run in runs for one in fresh.get(id(run[0]), run))
    draft = replace(plain.draft, sentences=said)
    verdict = check(draft, allowed_links, plain.courtesies)
    if not verdict.supported:
        why = next((one.why for one in verdict.sentences if not one.supported), "nothing is said")
        return replace(plain, why=f"the voice's words are not proved: {why}")
    return Voiced(draft, verdict, "model", courtesies=plain.courtesies)


def changed(old: str, new: str) -> str | None:
    """What a rewriting did to the sense, as far as words show it; None when nothing."""
    if facts(old) != facts(new):
        return "changed a number, a link or an address"
    if _binding(old) != _binding(new):
        return "changed a negation, a condition, a unit or a promise"
    words, kept = _words(old), _words(new)
    if words and len(words & kept) / len(words) < LEAST_KEPT:
        return "left out what was proved"
    return None


def _binding(text: str) -> Counter[str]:
    """A contraction is what it stands for: "can't" is "cannot" is "can not"."""
    return Counter(_BINDING.findall(_CONTRACTED.sub(" not", fold(text).replace("’", "'"))))


def _words(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[^\W_]{4,}", fold(text))}  # the beginning: an inflected word is the same


def _sentences(text: str, citations: tuple[int, ...]) -> list[Sentence]:
    return [Sentence(unit.text, citations, "statement") for unit in units(text)]
