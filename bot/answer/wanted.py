# ruff: noqa: E501 (patterns read better unbroken)
"""What kind of piece an answer must hold: a time for "how long", money for "how much", steps for "how do I". Four languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answer.units import Unit
from bot.answer.words import fold, normal

NEARLY_BEST = 0.15  # of worth; a unit that is this near to the best is quoted beside it, as a rule

_NUMBER = r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|un|une|deux|trois|ein|eine|zwei|drei|dos|tres|half|a|an)"
_SPAN = r"(?:seconds?|minutes?|mins?|hours?|days?|nights?|weeks?|months?|years?|secondes?|heures?|jours?|semaines?|mois|ans?|annees?|sekunden?|minuten|stunden?|tage?n?|wochen?|monate?n?|jahre?n?|segundos?|minutos?|horas?|dias?|semanas?|meses|mes|anos?|h)"

# On folded text: how the question is put, and what its answer holds. The first that fits counts.
_PIECES = tuple(
    (re.compile(asked), re.compile(piece))
    for asked, piece in (
        (
            r"\bhow much (?:does|do|is|are|will|would|money|must|did)\b|\b(?:cost|costs|price|prices|fee|fees|charge[ds]?|expensive|surcharge)\b|\bwhat amount\b|combien cout|\bcout\w*|\bprix\b|\btarif|was kostet|kosten|wie viel|preis|cuanto cuesta|cuestan?|precio",
            r"[€$£]\s?\d|\d[\d.,]*\s?(?:€|eur\b|euros?\b|usd\b|dollars?\b|gbp\b|pounds?\b|%)|\b(?:free|gratuit\w*|kostenlos|gratis|offert\w*|no charge|free of charge)\b",
        ),
        (
            r"\bhow (?:long|soon|quickly|fast|often)\b|\bhow many (?:days|weeks|months|hours|minutes|years|seconds|times)\b|\b(?:by|until|since|till) (?:when|what time)\b|\bwhen\b (?=do|does|will|is|are|can|must|did|should)|\bwhat time\b|\bdeadline\b|period\b|combien de (?:temps|jours|mois|semaines|heures|minutes)|\bquand\b|\bduree\b|\bdelai\b|wie lange|\bwann\b|wie viele (?:tage|wochen|monate|stunden|minuten)|wie (?:schnell|oft)|cuanto (?:tiempo|dura|tarda)|cuantos (?:dias|meses)|cuando",
            rf"\b{_NUMBER}(?:\s?(?:-|–|to|a|bis)\s?\d+)?[\s-]*(?:business |working |full |calendar |first )?{_SPAN}\b|\b\d{{1,2}}:\d\d\b|\b(?:immediately|at once|instantly|monday|tuesday|wednesday|thursday|friday|saturday|sunday|morning|noon|midnight|night|daily|weekly|monthly|yearly|twice|once)\b",
        ),
        (
            r"\bhow (?:many|much|far|high|loud|big|large|old|wide|heavy|deep)\b|\bcombien\b|wie (?:viele?|weit|hoch|laut|gross)|cuant[oa]s?",
            r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|deux|trois|quatre|zwei|drei|vier|dos|tres|cuatro|no limit|unlimited|several)\b",
        ),
        (
            r"\bwhere\b|\bou (?=puis|est|sont|se|peut|trouv|dois)|\bwo\b|\bwohin\b|\bdonde\b",
            r"\s>\s|https?://|\b(?:under|behind|inside|near|next to|at|in the|on the|sous|dans|unter|im|bajo|en el|en la)\b",
        ),
        (
            r"\bwho\b|\bwhom\b|\bqui (?=peut|est|dois|doit|contact)|\bwer\b|\bwen\b|\bquien\b",
            r"@|\b(?:only|owner|admin\w*|members?|users?|person|people|team|support|we|you|anyone|everybody|agent\w*|b\.v|inc|ltd|gmbh)\b",
        ),
    )
)
_STEPS = re.compile(
    r"\bhow (?:do|can|to|could|should|would|does)\b|^how\b|\bcomment\b|\bwie (?:kann|mache|geht|stelle|bekomme|losche|kundige|andere)|\bcomo\b"
)


def fit(question: str, parts: Sequence[Unit], worth: Sequence[float]) -> float:
    """-1..1: whether the best of `parts`, or one nearly as good, holds what the question asks for; 0 where it asks for nothing of these."""
    folded = fold(normal(question))
    best = max(range(len(parts)), key=lambda at: worth[at])
    piece = next((piece for asked, piece in _PIECES if asked.search(folded)), None)
    if piece is None:
        asks_for_steps = _STEPS.search(folded)
        return (1.0 if parts[best].kind == "step" else -0.5) if asks_for_steps else 0.0
    if piece.search(fold(normal(parts[best].text))):
        return 1.0
    near = (part for part, value in zip(parts, worth, strict=True) if value >= worth[best] - NEARLY_BEST)
    return 0.5 if any(piece.search(fold(normal(part.text))) for part in near) else -1.0
