"""What customers ask and the knowledge does not answer: unanswered past tickets by subject, with what an article could say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.answer.clean import own_words
from bot.answer.triage import clean_subject
from bot.answer.words import content_words, fold, sentences, stem
from bot.simulate.lacks import lacks
from bot.simulate.redact import redact
from storage.embedding import Embedder
from storage.tables import SampleRow

# Measured on the sandbox's past tickets: from this cosine to a cluster's centre on, two tickets want the same article. The questions alone
# reach 0.45 where the answers beside them, other wording of one piece of knowledge, reach 0.6.
ALIKE = 0.55
ANSWERS_WEIGH = 0.7  # against a question's 1
EXAMPLES = 5
LONGEST = 1_500  # characters of a question that are compared
ANSWERS = 8  # of a gap, that a draft is made from
REPEATED = 0.9  # cosine from which on two sentences say the same
UNANSWERED = ("no_knowledge", "unsupported")
STOCK = 4  # answers that hold the same sentence: a formula, not knowledge
LEAST_WORDS = 3  # content words of a sentence that tells something
# What an agent did for one customer is no knowledge, and may name them; on folded text.
DONE_ONCE = re.compile(
    r"^(?:i have|i've|i just|i did|i am|i'm|i was|i will|i'll|j'ai|je viens|je vais|je suis|je vous ai|ich habe|he|me)\b"
)


@dataclass(slots=True)
class Unanswered:
    """One ticket, as much of it as a gap needs."""

    ticket_id: str
    subject: str
    question: str
    answer: str  # redacted
    language: str
    hours: float
    replies: int
    nearest: dict[str, Any] | None


@dataclass(slots=True)
class Cluster:
    centre: NDArray[np.float32]
    tickets: list[Unanswered] = field(default_factory=list)


def unanswered(rows: Iterable[SampleRow]) -> Iterator[Unanswered]:
    """Those that were handed over for want of knowledge."""
    for row in rows:
        record = row.record
        if row.decision != "handoff" or str(record["reason"]).partition(":")[0] not in UNANSWERED:
            continue
        yield Unanswered(
            ticket_id=row.ticket_id,
            subject=clean_subject(record["subject"]),
            question=(own_words(record["question"]) or record["question"])[:LONGEST],
            answer=redact(record["answer"], record["requester"]),
            language=record["triage"]["language"],
            hours=record["hours"],
            replies=record["replies"],
            nearest=record["nearest"],
        )


def find_gaps(
    tickets: Sequence[Unanswered], embedder: Embedder, most: int | None = None, read: Callable[[str], str] = lambda _: ""
) -> list[dict[str, Any]]:
    """The `most` that weigh heaviest. `read`: a document's text, for what the nearest one lacks."""
    stock = _stock(tickets)
    replies = max(1, sum(ticket.replies for ticket in tickets))
    clusters = sorted(_clusters(tickets, embedder), key=lambda one: (-_weight(one, len(tickets), replies), one.tickets[0].ticket_id))
    return [_describe(cluster, stock, embedder, read) for cluster in clusters[:most]]


def _weight(cluster: Cluster, tickets: int, replies: int) -> float:
    """Its share of the unanswered tickets and its share of the answers that agents wrote to them, in equal parts."""
    return len(cluster.tickets) / tickets + sum(ticket.replies for ticket in cluster.tickets) / replies


def _clusters(tickets: Sequence[Unanswered], embedder: Embedder) -> list[Cluster]:
    """Leader clustering: each ticket joins the nearest centre, or begins one; languages stay apart."""
    if not tickets:
        return []
    rows = _placed(tickets, embedder)
    found: list[Cluster] = []
    for language in dict.fromkeys(ticket.language for ticket in tickets):
        at = [place for place, ticket in enumerate(tickets) if ticket.language == language]
        found += _led([tickets[place] for place in at], rows[at])
    return found


def _led(tickets: Sequence[Unanswered], rows: NDArray[np.float32]) -> list[Cluster]:
    centres, clusters = np.zeros_like(rows), list[Cluster]()
    for ticket, row in zip(tickets, rows, strict=True):
        near = centres[: len(clusters)] @ row
        best = int(np.argmax(near)) if clusters else -1
        if best < 0 or near[best] < ALIKE:
            best = len(clusters)
            clusters.append(Cluster(centres[best]))
        cluster = clusters[best]
        total = cluster.centre * len(cluster.tickets) + row
        cluster.tickets.append(ticket)
        centres[best] = total / max(float(np.linalg.norm(total)), 1e-9)  # `cluster.centre` is this row
    return clusters


def _placed(tickets: Sequence[Unanswered], embedder: Embedder) -> NDArray[np.float32]:
    """One row per ticket, of unit length: what was asked, and what agents answered."""
    asked = embedder.embed([_content(f"{ticket.subject} {ticket.question}", ticket.language) for ticket in tickets])
    answered = embedder.embed([_content(ticket.answer, ticket.language) for ticket in tickets])
    rows: NDArray[np.float32] = asked + np.float32(ANSWERS_WEIGH) * answered
    np.divide(rows, np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), out=rows)
    return rows


def _content(text: str, language: str) -> str:
    return " ".join(content_words(text, language))


def _describe(cluster: Cluster, stock: frozenset[str], embedder: Embedder, read: Callable[[str], str]) -> dict[str, Any]:
    nearest = Counter((one.nearest["document"], one.nearest["title"]) for one in cluster.tickets if one.nearest).most_common(1)
    said, language, subject = _told(cluster, stock, embedder), cluster.tickets[0].language, _subject(cluster, embedder)
    text = read(nearest[0][0][0]) if nearest else ""
    missing = {"lacks": lacks(said, text, language)} if text else {}
    return {
        "topic": subject,
        "language": cluster.tickets[0].language,
        "tickets": len(cluster.tickets),
        "replies": sum(ticket.replies for ticket in cluster.tickets),
        "hours": round(sum(ticket.hours for ticket in cluster.tickets), 1),
        "examples": [ticket.ticket_id for ticket in cluster.tickets[:EXAMPLES]],
        "nearest": {"document": nearest[0][0][0], "title": nearest[0][0][1], **missing} if nearest else None,
        "draft": "\n".join([f"# {subject}", "", *(f"- {sentence}" for sentence in said)]) + "\n",
    }


def _subject(cluster: Cluster, embedder: Embedder) -> str:
    """The subject line that is nearest to what all ask."""
    subjects = [ticket.subject or "(no subject)" for ticket in cluster.tickets]
    rows = embedder.embed(subjects)
    return redact(subjects[int(np.argmax(rows @ cluster.centre))]).strip() or "(no subject)"


def _told(cluster: Cluster, stock: frozenset[str], embedder: Embedder) -> list[str]:
    """What the agents said, each thing once, most telling answers first."""
    answers = sorted({ticket.answer for ticket in cluster.tickets}, key=len, reverse=True)[:ANSWERS]
    language = cluster.tickets[0].language
    told = list(dict.fromkeys(one for answer in answers for one in telling(answer, language) if _key(one) not in stock))
    kept: list[int] = []
    rows = embedder.embed(told)
    for at, row in enumerate(rows):
        if all(float(np.dot(row, rows[other])) < REPEATED for other in kept):
            kept.append(at)
    return [told[at] for at in kept]


def telling(answer: str, language: str) -> list[str]:
    """The sentences of an answer that say something."""
    lines = (re.sub(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+", "", line) for line in answer.split("\n"))
    found = (sentence.strip() for line in lines for sentence in sentences(line))
    return [one for one in found if len(content_words(one, language)) >= LEAST_WORDS and not DONE_ONCE.match(fold(one).replace("’", "'"))]


def _stock(tickets: Sequence[Unanswered]) -> frozenset[str]:
    """Sentences that agents write whatever the question."""
    counts = Counter(key for ticket in tickets for key in {_key(one) for one in sentences(ticket.answer)})
    subjects: dict[str, set[str]] = {}
    for ticket in tickets:
        for key in {_key(one) for one in sentences(ticket.answer)}:
            subjects.setdefault(key, set()).add(_stems(ticket.subject, ticket.language))
    return frozenset(key for key, count in counts.items() if count >= STOCK and len(subjects[key]) >= STOCK)


def _stems(text: str, language: str) -> str:
    return " ".join(sorted(stem(word, language) for word in content_words(text, language)))


def _key(sentence: str) -> str:
    return " ".join(sentence.casefold().split())


def as_markdown(gaps: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(file name, text) of each gap's drafted article."""
    for number, gap in enumerate(gaps, start=1):
        name = re.sub(r"[^a-z0-9]+", "-", str(gap["topic"]).casefold()).strip("-")[:60] or "gap"
        yield f"{number:03d}-{name}.md", str(gap["draft"])
