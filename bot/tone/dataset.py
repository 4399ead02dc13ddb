"""From the team's replies to training files: redacted, without near-duplicates, balanced, split by ticket and time."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot.tone.plain import facts, plain
from bot.tone.redaction import personal, redact
from bot.tone.replies import Dropped, TeamReply
from connectors.base import ConfigProblem
from storage.requesters import requester_key

SHINGLE = 4  # words
SAME = 0.7  # share of shingles in common, from which on two replies are one
HELD_OUT, AT_LEAST, AT_MOST = 0.15, 20, 0.3  # of the tickets, the newest; of few tickets more, or nothing could be measured on them
MOST_OF_A_KIND = 3.0  # times the median count of topics, of which a topic, language or agent keeps no more
FLOOR = 20  # replies that any topic or agent may keep
SOURCES = "sources.jsonl"
SYSTEM = (
    "You rewrite a support reply in the team's voice. "
    "Keep every fact, number, link, condition and negation. Add nothing. Language: {language}."
)


@dataclass(frozen=True, slots=True)
class Example:
    """One pair, free of personal data. `greeting` and `closing` are the team's forms; `voice` holds them, `plain` does not."""

    ticket: str
    language: str
    topic: str
    agent: str  # a digest
    at: str  # ISO 8601
    greeting: str
    closing: str
    plain: str
    voice: str
    asked: str = ""  # by the customer, as redacted as the rest
    requester: str | None = None  # a digest


@dataclass(frozen=True, slots=True)
class Preference:
    """An agent's reply, preferred over the bot's draft to the same customer."""

    language: str
    asked: str
    preferred: str
    rejected: str
    ticket: str = ""
    requester: str | None = None  # a digest


@dataclass(frozen=True, slots=True)
class Dataset:
    id: str
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    preference: tuple[Preference, ...]
    dropped: Mapping[str, int]
    tickets: int
    task: str = "tone"
    system: str = SYSTEM  # what a model is told before each example


def build(
    found: Iterable[TeamReply | Dropped],
    preference: Sequence[Preference] = (),
    plains: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Dataset:
    """Pure. The id is a digest of the content: the same replies give the same data set. `plains`: plain sides by (ticket, comment)."""
    everything = list(found)
    replies = sorted((one for one in everything if isinstance(one, TeamReply)), key=lambda one: (one.at, one.ticket, one.comment))
    dropped = Counter(one.reason for one in everything if isinstance(one, Dropped))
    team = sorted({name for reply in replies for name in reply.said.signed.split()[:1]})
    examples = []
    for reply in replies:
        example = _example(reply, team, plains.get((reply.ticket, reply.comment)))
        if isinstance(example, str):
            dropped[example] += 1
        else:
            examples.append(example)
    return arrange(examples, dropped, preference, tickets=len({one.ticket for one in everything}))


def arrange(
    examples: Sequence[Example],
    dropped: Counter[str],
    preference: Sequence[Preference] = (),
    *,
    tickets: int,
    task: str = "tone",
    system: str = SYSTEM,
) -> Dataset:
    """Pure: without near-duplicates, balanced, split by ticket and time. What goes is counted in `dropped`."""
    train, validation = _split(_balanced(_distinct(examples, dropped), dropped))
    wanted = tuple(one for one in preference if one.preferred != one.rejected)
    chats = [[_chat(one, system) for one in part] for part in (train, validation)]
    content = json.dumps([*chats, [_pair(one) for one in wanted]])
    identity = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Dataset(identity, train, validation, wanted, dict(sorted(dropped.items())), tickets, task, system)


def _example(reply: TeamReply, team: Sequence[str], made: str | None) -> Example | str:
    """The pair, or why there is none. `made`: its plain side, where the rules' is not wanted."""
    said, names = reply.said, (*reply.names, *team)
    bare = redact(made or plain(said), names)
    if not bare:
        return "nothing but manner"
    body = redact(said.body, names)
    if facts(bare) - facts(body):
        return "facts differ"
    greeting = said.greeting.replace("{name}", "[name]")
    voice = "\n\n".join(part for part in (greeting, body, redact(said.closing, names)) if part)
    if personal(voice) or personal(bare):
        return "personal data left"
    agent = hashlib.sha256(reply.agent.encode()).hexdigest()[:8]
    asked = redact(reply.asked, names)
    return Example(
        reply.ticket, reply.language, reply.topic, agent, reply.at.isoformat(), said.greeting, redact(said.closing, names), bare, voice,
        "" if personal(asked) else asked, requester_key(reply.requester),
    )  # fmt: skip


def _distinct(examples: Sequence[Example], dropped: Counter[str]) -> list[Example]:
    """The first of replies that say nearly the same; candidates by shared shingles, so that it stays linear in practice."""
    where: dict[int, list[int]] = defaultdict(list)
    kept: list[tuple[Example, frozenset[int]]] = []
    for example in examples:
        shingles = _shingles(example.plain)
        shared = Counter(at for shingle in shingles for at in where[shingle])
        if any(common / len(shingles | kept[at][1]) >= SAME for at, common in shared.items()):
            dropped["near-duplicate"] += 1
            continue
        for shingle in shingles:
            where[shingle].append(len(kept))
        kept.append((example, shingles))
    return [example for example, _ in kept]


def _shingles(text: str) -> frozenset[int]:
    words = text.casefold().split()
    return frozenset(hash(tuple(words[at : at + SHINGLE])) for at in range(max(1, len(words) - SHINGLE + 1)))


def _balanced(examples: Sequence[Example], dropped: Counter[str]) -> list[Example]:
    """The newest of each language's topic, and of each agent, up to a cap; in their order."""
    kept = list(examples)
    for what in ("topic", "agent"):
        counts = Counter((one.language, getattr(one, what)) for one in kept)
        cap = max(FLOOR, round(MOST_OF_A_KIND * statistics.median(counts.values()))) if counts else 0
        taken: Counter[tuple[str, str]] = Counter()
        fewer = []
        for one in reversed(kept):
            taken[one.language, getattr(one, what)] += 1
            if taken[one.language, getattr(one, what)] <= cap:
                fewer.append(one)
            else:
                dropped[f"enough of this {what}"] += 1
        kept = fewer[::-1]
    return kept


def _split(examples: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The newest tickets are held out, each wholly."""
    tickets = list(dict.fromkeys(one.ticket for one in examples))
    share = max(round(len(tickets) * HELD_OUT), min(AT_LEAST, round(len(tickets) * AT_MOST)))
    late = frozenset(tickets[len(tickets) - share :])
    return tuple(one for one in examples if one.ticket not in late), tuple(one for one in examples if one.ticket in late)


def _chat(example: Example, system: str) -> dict[str, Any]:
    asked = prompt(example.plain, example.language, system)
    return {"messages": [*asked, {"role": "assistant", "content": example.voice, "weight": 1}]}


def prompt(text: str, language: str, system: str = SYSTEM) -> list[dict[str, Any]]:
    """What a model is asked with, in training and in use."""
    return [{"role": "system", "content": system.replace("{language}", language)}, {"role": "user", "content": text}]


def _pair(preference: Preference) -> dict[str, Any]:
    return {
        "input": {"messages": prompt(preference.asked, preference.language), "tools": [], "parallel_tool_calls": True},
        "preferred_output": [{"role": "assistant", "content": preference.preferred}],
        "non_preferred_output": [{"role": "assistant", "content": preference.rejected}],
    }


def report(dataset: Dataset) -> dict[str, Any]:
    both = (*dataset.train, *dataset.validation)
    return {
        "dataset": dataset.id,
        "task": dataset.task,
        "tickets": dataset.tickets,
        "train": len(dataset.train),
        "validation": len(dataset.validation),
        "preference": len(dataset.preference),
        "dropped": dict(dataset.dropped),
        "languages": dict(Counter(one.language for one in both).most_common()),
        "topics": dict(Counter(one.topic for one in both).most_common()),
        "agents": dict(Counter(one.agent for one in both).most_common()),
        "greetings": _forms(both, "greeting"),
        "closings": _forms(both, "closing"),
        "split_at": min((one.at for one in dataset.validation), default=None),
    }


def _forms(examples: Sequence[Example], what: str) -> dict[str, dict[str, int]]:
    """By language, how often each form was used."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for one in examples:
        counted[one.language][getattr(one, what) or "(none)"] += 1
    return {language: dict(forms.most_common(5)) for language, forms in sorted(counted.items())}


def write(dataset: Dataset, folder: Path) -> dict[str, Any]:
    """Writes the files and returns report.json. Raises ConfigProblem."""
    told = report(dataset)
    files = {
        "train.jsonl": _lines(_chat(one, dataset.system) for one in dataset.train),
        "validation.jsonl": _lines(_chat(one, dataset.system) for one in dataset.validation),
        "preference.jsonl": _lines(_pair(one) for one in dataset.preference),
        SOURCES: _lines(_sources(dataset)),
        "report.json": json.dumps(told, ensure_ascii=False, indent=2) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigProblem(f"{folder}: the data set cannot be written ({problem.strerror}); give another --out") from None
    return told


def _sources(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Where each line of each file is from, in the order of the files and their lines. It stays here: trainers are not given it."""
    for name, examples in (("train.jsonl", dataset.train), ("validation.jsonl", dataset.validation)):
        for one in examples:
            about = {"topic": one.topic, "language": one.language, "asked": one.asked, "at": one.at}
            yield {"file": name, "ticket": one.ticket, "requester": one.requester, **about}
    for pair in dataset.preference:
        yield {"file": "preference.jsonl", "ticket": pair.ticket, "requester": pair.requester, "language": pair.language}


def _lines(rows: Iterator[dict[str, Any]] | Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_chat(path: Path) -> list[list[dict[str, Any]]]:
    """The conversations of a chat file. Raises ConfigProblem."""
    try:
        return [json.loads(line)["messages"] for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, ValueError, KeyError) as problem:
        raise ConfigProblem(f"{path}: cannot be read as training data ({problem}); make it with draftdesk tone dataset") from None
