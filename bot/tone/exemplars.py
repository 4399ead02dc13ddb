"""Past replies that show a writer how this team speaks: of the ticket's language, nearest by topic, mood and words, and without facts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.answer.triage import sentiment
from bot.answer.words import content_stems
from bot.tone.dataset import SOURCES
from bot.tone.plain import FACTS

MOST = 3
LONGEST = 900  # characters of a reply that is shown
BLANK = "[…]"  # in the place of a number, a link or an address: what a model has not seen it cannot copy
TOPIC, MOOD = 1.0, 0.3  # against 0 to 1 for the words in common


@dataclass(frozen=True, slots=True)
class Exemplar:
    """`reply` as the team wrote it, redacted, its facts blanked."""

    language: str
    topic: str
    mood: str
    stems: frozenset[str]
    reply: str


def read_exemplars(folder: Path) -> tuple[Exemplar, ...]:
    """The training replies of the newest tone data set in DATA_DIR/voice; none before one was made. Held-out replies are not shown."""
    reports = sorted(folder.glob("*/report.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for report in reports:
        dataset = report.parent
        files = (dataset / "train.jsonl", dataset / SOURCES)
        if all(path.exists() for path in files) and json.loads(report.read_text(encoding="utf-8")).get("task") == "tone":
            return _read(*files, tuple(path.stat().st_mtime_ns for path in files))
    return ()


@lru_cache(maxsize=4)
def _read(train: Path, sources: Path, stamps: tuple[int, ...]) -> tuple[Exemplar, ...]:
    """`stamps` only make a changed file another one."""
    rows = [json.loads(line) for line in sources.read_text(encoding="utf-8").split("\n") if line.strip()]
    lines = [line for line in train.read_text(encoding="utf-8").split("\n") if line.strip()]
    about = [row for row in rows if row["file"] == train.name]
    return tuple(
        Exemplar(
            row["language"], row["topic"], sentiment(row["asked"]), frozenset(content_stems(row["asked"], row["language"])),
            FACTS.sub(BLANK, str(json.loads(line)["messages"][-1]["content"])),
        )
        for row, line in zip(about, lines, strict=True)
    )  # fmt: skip


def exemplars_for(
    known: Sequence[Exemplar], *, asked: str, language: str, topic: str | None, mood: str, most: int = MOST
) -> tuple[str, ...]:
    """The most fitting replies of this language, best first; none of another language. `asked` is what the customer wrote."""
    stems = frozenset(content_stems(asked, language))

    def fits(one: Exemplar) -> float:
        words = len(stems & one.stems) / (len(stems | one.stems) or 1)
        return words + TOPIC * (topic is not None and one.topic == topic) + MOOD * (one.mood == mood)

    spoken = [one for one in known if one.language == language and len(one.reply) <= LONGEST]
    return tuple(one.reply for one in sorted(spoken, key=fits, reverse=True)[:most])
