"""Past replies that show a writer how this team speaks: of the ticket's language, nearest by topic, mood and words, and without facts.

None is from after the ticket, nor an answer to nearly the same words: it would show what to say, and a simulation would be told its answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from bot.answer.manner import Manner, Manners
from bot.answer.triage import Triage, last_turn, sentiment
from bot.answer.words import content_stems
from bot.tone.dataset import SOURCES
from bot.tone.plain import FACTS
from bot.tone.style import read_style
from connectors.base import Ticket

TRAIN = "train.jsonl"
MOST = 3
LONGEST = 900  # characters of a reply that is shown
BLANK = "[…]"  # in the place of a number, a link or an address: what a model has not seen it cannot copy
TOPIC, MOOD = 1.0, 0.3  # against 0 to 1 for the words in common
SAME = 0.8  # of all words in common: the same ticket again


@dataclass(frozen=True, slots=True)
class Exemplar:
    """`reply` as the team wrote it, redacted, its facts blanked."""

    at: datetime
    language: str
    topic: str
    mood: str
    stems: frozenset[str]
    reply: str


def manners(folder: Path) -> Manners:
    """What a writer is shown for a ticket, from the style sheet and the newest tone data set in `folder`, DATA_DIR/voice."""

    def manner(ticket: Ticket, triage: Triage) -> Manner:
        style = read_style(folder)
        turn = last_turn(ticket)
        replies = exemplars_for(
            read_exemplars(folder), before=turn[0].created_at if turn else ticket.created_at, asked=" ".join(one.text for one in turn),
            language=triage.language, topic=triage.topic, mood=triage.sentiment,
        )  # fmt: skip
        return Manner(style.guidance(triage.language) if style else "", replies)

    return manner


def newest(folder: Path) -> Path | None:
    """The newest tone data set in DATA_DIR/voice; None before one was made."""
    for report in sorted(folder.glob("*/report.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        whole = all((report.parent / name).exists() for name in (TRAIN, SOURCES))
        if whole and json.loads(report.read_text(encoding="utf-8")).get("task") == "tone":
            return report.parent
    return None


def read_exemplars(folder: Path) -> tuple[Exemplar, ...]:
    """The training replies of the newest data set. Held-out replies are not shown."""
    dataset = newest(folder)
    if dataset is None:
        return ()
    files = (dataset / TRAIN, dataset / SOURCES)
    return _read(*files, tuple(path.stat().st_mtime_ns for path in files))


@lru_cache(maxsize=4)
def _read(train: Path, sources: Path, stamps: tuple[int, ...]) -> tuple[Exemplar, ...]:
    """`stamps` only make a changed file another one."""
    rows = [json.loads(line) for line in sources.read_text(encoding="utf-8").split("\n") if line.strip()]
    lines = [line for line in train.read_text(encoding="utf-8").split("\n") if line.strip()]
    about = [row for row in rows if row["file"] == train.name]
    return tuple(
        Exemplar(
            at=datetime.fromisoformat(row["at"]),
            language=row["language"],
            topic=row["topic"],
            mood=sentiment(row["asked"]),
            stems=frozenset(content_stems(row["asked"], row["language"])),
            reply=FACTS.sub(BLANK, str(json.loads(line)["messages"][-1]["content"])),
        )
        for row, line in zip(about, lines, strict=True)
    )


def exemplars_for(
    known: Sequence[Exemplar], *, before: datetime, asked: str, language: str, topic: str | None, mood: str, most: int = MOST
) -> tuple[str, ...]:
    """The most fitting replies of this language from `before`, best first. `asked` is what the customer wrote."""
    stems = frozenset(content_stems(asked, language))
    fitting = []
    for one in known:
        common = len(stems & one.stems) / (len(stems | one.stems) or 1)
        if one.language == language and one.at < before and len(one.reply) <= LONGEST and common < SAME:
            fitting.append((common + TOPIC * (topic is not None and one.topic == topic) + MOOD * (one.mood == mood), one.reply))
    ranked = sorted(fitting, key=lambda row: row[0], reverse=True)
    return tuple(reply for _, reply in ranked[:most])
