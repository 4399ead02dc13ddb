"""Held-out replies, and what each voice makes of their plain side: by the very way a draft takes when a ticket is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.answer import courtesy
from bot.answer.check import check
from bot.answer.render import Blocked, render
from bot.answer.retrieve import Passage
from bot.answer.units import units
from bot.answer.voice import Rewriter, Voice
from bot.answer.write import Draft, Kind, Sentence, Usage
from bot.tone.dataset import SYSTEM, read_chat
from bot.tone.plain import facts
from connectors.base import ConfigProblem

STAND_IN = "Ana"  # for the customer whose name was struck out
_LANGUAGE = re.compile(re.escape(SYSTEM).replace(r"\{language\}", r"(\w+)"))
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", re.MULTILINE)
KINDS: Mapping[str, Kind] = {"sentence": "statement", "step": "step", "row": "row", "heading": "heading", "code": "statement"}


@dataclass(frozen=True, slots=True)
class Reply:
    """One held-out pair. `team` is what was really sent, without who signed."""

    language: str
    plain: str
    team: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What would have been sent. `why`: the reason of a fallback; `raw`: what the model itself said, None where none was asked."""

    text: str
    voice: str
    why: str | None
    kept: bool  # every number, link and address of the plain side, and no other
    usage: Usage
    raw: str | None = None


def read_held_out(path: Path) -> list[Reply]:
    """Raises ConfigProblem: unreadable, empty, or not the tone's."""
    found = []
    for messages in read_chat(path):
        asked = _LANGUAGE.fullmatch(str(messages[0].get("content")))
        if len(messages) != 3 or asked is None:
            raise ConfigProblem(f"{path}: is no held-out file of the tone; make the data set again")
        found.append(Reply(asked[1], str(messages[1]["content"]), str(messages[2]["content"])))
    if not found:
        raise ConfigProblem(f"{path}: nothing is held out; more solved tickets are needed")
    return found


@dataclass(slots=True)
class Overheard:
    """A rewriter that keeps what the one behind it said last."""

    behind: Rewriter
    said: str | None = None

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        self.said = None
        text, usage = self.behind.rewrite(text, language, ticket_id)
        self.said = text
        return text, usage


def provable(replies: Sequence[Reply]) -> list[Reply]:
    """Those whose plain side passes the check as a draft; the others could not be sent by any voice."""
    return [reply for reply in replies if speak(reply, Voice()) is not None]


def speak(reply: Reply, voice: Voice, ticket_id: str = "held-out") -> Spoken | None:
    """None when the plain side itself cannot be a draft."""
    draft = _draft(reply)
    verdict = check(draft, ())
    heard = Overheard(voice.model) if voice.model else None
    made = Voice(voice.style, heard).speak(draft, verdict, reply.language, ticket_id, ())
    try:
        said = render(made.draft, made.verdict, reply.language, (), made.courtesies).text
    except Blocked:
        return None
    text = re.sub(rf"\b{STAND_IN}\b", "[name]", said)
    kept = facts(" ".join(_words(draft))) == facts(" ".join(_words(made.draft)))
    return Spoken(text, made.voice, made.why, kept, made.draft.usage, heard.said if heard else None)


def _draft(reply: Reply) -> Draft:
    """Each paragraph rests on a passage of its own, which is that paragraph."""
    paragraphs = [part for part in re.split(r"\n\s*\n", reply.plain) if part.strip()]
    said = [Sentence(unit.text, (marker,), KINDS[unit.kind]) for marker, part in enumerate(paragraphs, start=1) for unit in units(part)]
    passages = tuple(
        Passage(f"held-out:{marker}", "", "", "public", reply.language, None, (), part, 1.0, 1.0, "")
        for marker, part in enumerate(paragraphs, start=1)
    )
    greeting, end = courtesy.greeting(reply.language, STAND_IN), courtesy.sign_off(reply.language)
    return Draft((Sentence(greeting, (), "courtesy"), *said, Sentence(end, (), "courtesy")), passages, Usage(), True)


def _words(draft: Draft) -> list[str]:
    return [sentence.text for sentence in draft.sentences if sentence.kind != "courtesy"]


def levelled(text: str) -> str:
    """Without what is set by the renderer and not by whoever speaks: list marks, spaces, the sign after the last word."""
    text = _LIST_MARK.sub("", text)
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()).rstrip(",!. ")


def everyone(replies: Sequence[Reply], voice: Voice, told: Callable[[int], None] = lambda _: None) -> list[Spoken]:
    """Of `provable` replies, in their order. `told` hears how many are done. Raises what the voice's model does not catch."""
    found = []
    for at, reply in enumerate(replies, start=1):
        said = speak(reply, voice)
        if said is None:
            raise ValueError("only provable replies can be spoken")
        found.append(said)
        told(at)
    return found
