"""What a voice is worth: how well it can be told from the team, what it does to facts, and how its habits compare. Pure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.tone.classifier import Told, nearer, tell
from bot.tone.habits import habits
from bot.tone.heldout import Reply, Spoken, levelled

FEWEST = 8  # held-out replies; fewer tell nothing
FEW = 30  # fewer are said to be few
SURE = 0.9  # that the voice is harder to tell from the team than exemplars, before it counts as better
BASELINES = ("none", "exemplars")
MODEL = "model"


@dataclass(frozen=True, slots=True)
class Measured:
    """One voice. `raw`: the model's own words before any fallback, where there is a model."""

    name: str
    told: Told
    spoken: tuple[Spoken, ...]
    raw: Told | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better`: whether the model may be promoted without `--anyway`; `says` tells why, or why not."""

    better: bool
    sure: float | None
    says: str


def measure(replies: Sequence[Reply], spoken: Mapping[str, Sequence[Spoken]]) -> list[Measured]:
    """Every voice on the same replies, in the given order. Raises ValueError for fewer than FEWEST."""
    if len(replies) < FEWEST:
        raise ValueError(f"only {len(replies)} replies are held out; at least {FEWEST} are needed")
    return [Measured(name, _told(replies, said), tuple(said), _raw(replies, said)) for name, said in spoken.items()]


def _told(replies: Sequence[Reply], said: Sequence[Spoken]) -> Told:
    return tell([(levelled(reply.team), levelled(one.text)) for reply, one in zip(replies, said, strict=True)])


def _raw(replies: Sequence[Reply], said: Sequence[Spoken]) -> Told | None:
    pairs = [(levelled(reply.team), levelled(one.raw)) for reply, one in zip(replies, said, strict=True) if one.raw]
    return tell(pairs) if len(pairs) >= FEWEST else None


def judge(measured: Sequence[Measured]) -> Verdict:
    """Whether the model beats exemplars: nearer to the team, and no fact lost."""
    by_name = {one.name: one for one in measured}
    if MODEL not in by_name:
        return Verdict(False, None, "no model was measured, only what needs no training")
    model, rest = by_name[MODEL], by_name["exemplars"]
    lost = sum(not one.kept for one in model.spoken)
    sure = nearer(model.told, rest.told)
    compared = f"{model.told.auc:.3f} against {rest.told.auc:.3f} for exemplars (0.5: nobody can tell)"
    if lost:
        return Verdict(False, sure, f"it changed facts in {lost} of {len(model.spoken)} replies")
    if sure < SURE:
        return Verdict(
            False,
            sure,
            f"it is not shown to sound more like the team than exemplars do: {compared}; {sure:.0%} sure, {SURE:.0%} is asked for",
        )
    return Verdict(True, sure, f"it sounds more like the team than exemplars do: {compared}; {sure:.0%} sure")


def document(
    replies: Sequence[Reply], measured: Sequence[Measured], curve: Sequence[Mapping[str, Any]], about: Mapping[str, Any]
) -> dict[str, Any]:
    """The report for machines; no reply's words are in it."""
    verdict = judge(measured)
    languages = sorted({reply.language for reply in replies})
    return {
        **about,
        "held_out": len(replies),
        "few": len(replies) < FEW,
        "better_than_exemplars": verdict.better,
        "sure": verdict.sure,
        "verdict": verdict.says,
        "voices": [_row(one) for one in measured],
        "team": {language: habits(_of(replies, [one.team for one in replies], language), language).row() for language in languages},
        "languages": {
            language: {one.name: habits(_of(replies, [said.text for said in one.spoken], language), language).row() for one in measured}
            for language in languages
        },
        "curve": list(curve),
    }


def _of(replies: Sequence[Reply], texts: Sequence[str], language: str) -> list[str]:
    return [text for reply, text in zip(replies, texts, strict=True) if reply.language == language]


def _row(one: Measured) -> dict[str, Any]:
    count = len(one.spoken)
    fell_back = Counter(said.why for said in one.spoken if one.name == MODEL and said.voice != MODEL)
    return {
        "name": one.name,
        "auc": round(one.told.auc, 4),
        "auc_low": round(one.told.low, 4),
        "auc_high": round(one.told.high, 4),
        "auc_before_fallback": round(one.raw.auc, 4) if one.raw else None,
        "facts_kept": sum(said.kept for said in one.spoken) / count,
        "fell_back": fell_back.total() / count,
        "reasons": dict(fell_back.most_common()),
        "cost_usd": round(sum(said.usage.cost_usd for said in one.spoken), 6),
    }


def shuffled(replies: Sequence[Reply], measured: Sequence[Measured], seed: int, most: int = 40) -> list[list[tuple[str, str]]]:
    """For reading blind: of each reply the team's words and every voice's, as (who, text), in an order that tells nothing."""
    chance = random.Random(seed)  # noqa: S311 (an order to read in, nothing secret)
    rows = []
    for at in sorted(chance.sample(range(len(replies)), min(most, len(replies)))):
        said = [("team", replies[at].team), *((one.name, one.spoken[at].text) for one in measured)]
        chance.shuffle(said)
        rows.append(said)
    return rows
