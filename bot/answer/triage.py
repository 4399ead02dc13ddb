"""What a ticket asks, in what mood, and whether it is the bot's to answer at all. Pure: no clock, no network, no model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from bot.answer import phrases
from bot.answer.clean import hides_text, own_words, visible
from bot.answer.courtesy import WHICH_CASE
from bot.answer.entities import Entity, Pattern, entities
from bot.answer.language import detected
from bot.answer.risk import risk
from bot.answer.words import ASKING, content_stems, content_words, fold, sentences
from connectors.base import Comment, Ticket

if TYPE_CHECKING:
    from bot.answer.pseudonyms import Masking
    from bot.answer.topics import Topical
    from bot.answer.write import Usage

Sentiment = Literal["positive", "neutral", "negative"]
Priority = Literal["low", "normal", "high", "urgent"]

MOST_QUESTIONS = 4
LONGEST_QUESTION = 600  # characters; a longer one is cut at a sentence
SHORT = 450  # characters of a message that asks one thing: all of it helps to understand the question
FEWEST_APART = 3  # content words from which a part of a sentence is a question of its own
LONGEST_UNMARKED = 160  # characters of a question that ends without its mark
WORDS_SURE = 0.3  # of a topic that shares nothing but words with the ticket
SAID, UNSAID = 0.9, 0.7  # how sure what a customer says in so many words is, and what nothing speaks against
SHORT_ANSWER = 12  # words of an answer to a question of ours; a longer one asks for itself
FEWEST_WORDS = 2  # content words below which a question needs what was said before it


@dataclass(frozen=True, slots=True)
class Triage:
    """`skip` and `suspicious` are sentences for the operator; no `questions` means there is nothing to go by."""

    language: str
    topic: str | None
    sentiment: Sentiment
    priority: Priority
    entities: tuple[Entity, ...]
    questions: tuple[str, ...]
    skip: str | None
    human_wanted: bool
    suspicious: tuple[str, ...]
    risk: str | None = None  # why a person had better answer, in a sentence
    sure: Mapping[str, float] = field(default_factory=dict)  # 0 to 1, by what was judged
    usage: Usage | None = None  # what asking a model for the topic cost


class Topic(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...


class Finder(Protocol):
    def find(self, text: str, ticket_id: str, *, may_ask: bool) -> Topical: ...


def triage(
    ticket: Ticket,
    languages: Sequence[str],
    opt_out_tags: Sequence[str] = (),
    topics: Sequence[Topic] = (),
    *,
    patterns: Sequence[Pattern] = (),
    finder: Finder | None = None,
    mask: Masking | None = None,
) -> Triage:
    """Reads the customer's last turn: every public comment of theirs since somebody answered. `finder` tells topics better than words."""
    turn = last_turn(ticket)
    written = "\n\n".join(comment.text for comment in turn)
    text = "\n\n".join(filter(None, (own_words(comment.text, ticket.requester_name) for comment in turn)))
    subject = clean_subject(ticket.subject)
    text = _joined(_earlier(ticket, turn), text)
    both = f"{subject}\n{text}"
    spoken, sure = detected(both, languages, ticket.language)
    folded, (mood, mood_sure), flagged = fold(both), mood_of(text), suspicious(f"{ticket.subject}\n{written}")
    urgency, urgency_sure = priority(folded, mood)
    wants_person = bool(phrases.HUMAN.search(folded))
    surely = {"sentiment": mood_sure, "priority": urgency_sure, "human_wanted": SAID if wants_person else UNSAID}
    why = skip(ticket, turn, text, opt_out_tags)
    shown = mask.of(ticket).hide(both) if mask else both
    topical = finder.find(shown, ticket.id, may_ask=not flagged) if finder and why is None else None
    topic = topical.name if topical else None if finder else topic_of(f"{subject} {text}", spoken, topics)
    return Triage(
        language=spoken,
        topic=topic,
        sentiment=mood,
        priority=urgency,
        entities=entities(both, patterns),
        questions=questions(subject, text, spoken),
        skip=why,
        human_wanted=wants_person,
        suspicious=flagged,
        risk=risk(ticket, text, angry=mood == "negative"),
        sure={"language": sure, "topic": topical.sure if topical else WORDS_SURE if topic else 0.0, **surely},
        usage=topical.usage if topical else None,
    )


def last_turn(ticket: Ticket) -> tuple[Comment, ...]:
    """The customer's public comments that nobody has answered yet, oldest first; else their last one alone."""
    public = [comment for comment in ticket.comments if comment.public and comment.author != "system"]
    asked = [at for at, comment in enumerate(public) if comment.author == "customer"]
    if not asked:
        return ()
    start = end = asked[-1]
    while start > 0 and public[start - 1].author == "customer":
        start -= 1
    return tuple(public[start : end + 1])


def _earlier(ticket: Ticket, turn: Sequence[Comment]) -> str:
    """What the customer had asked before we asked them which of several cases is theirs; empty where that is not what they answer."""
    public = [comment for comment in ticket.comments if comment.public and comment.author != "system"]
    ours = public[-len(turn) - 1] if turn and len(public) > len(turn) else None
    if ours is None or ours.author == "customer" or not any(question in ours.text for question in WHICH_CASE.values()):
        return ""
    before = last_turn(replace(ticket, comments=tuple(public[: -len(turn) - 1])))
    return "\n\n".join(filter(None, (own_words(comment.text, ticket.requester_name) for comment in before)))


def _joined(earlier: str, text: str) -> str:
    """The earlier question with the case that a short answer names: "What does the label cost? UK" asks about the UK."""
    if not earlier or "?" in text or is_chatter(text) or not 0 < len(text.split()) <= SHORT_ANSWER:
        return text
    named = " ".join(text.split()).strip(" .!")
    asked, mark, rest = earlier.rpartition("?")
    return f"{asked} ({named}){mark}{rest}" if mark else f"{earlier} ({named})"


def clean_subject(subject: str) -> str:
    """Without Re:, Fwd:, ticket numbers in brackets and hidden characters."""
    return re.sub(r"^(?:\s*(?:re|fwd?|tr|aw|wg|rv|fw)\s*:\s*|\s*\[[^\]]{0,40}\]\s*)+", "", visible(subject), flags=re.IGNORECASE).strip()


def skip(ticket: Ticket, turn: Sequence[Comment], text: str, opt_out_tags: Sequence[str]) -> str | None:
    """Why the bot writes nothing at all, in a sentence; None when the ticket is waiting for an answer."""
    public = [comment for comment in ticket.comments if comment.public and comment.author != "system"]
    tags = {tag.casefold() for tag in ticket.tags}
    opted = sorted(tag for tag in opt_out_tags if tag.casefold() in tags)
    if ticket.status == "closed":
        return "the ticket is closed"
    if opted:
        return f"the ticket carries the opt-out tag {opted[0]}"
    if ticket.automated:
        return f"a machine seems to have written it: {ticket.automated}"
    if not turn:
        return "no customer has written a public comment"
    if public[-1].author == "bot":
        return "the last public comment is the bot's own"
    if public[-1].author == "agent":
        return "an agent has answered since the customer last wrote"
    if ticket.status == "solved" and len(public) == len(turn):
        return "the ticket is solved"
    if is_chatter(text) and not any(comment.attachments for comment in turn) and (len(public) > len(turn) or text):
        return "the customer's message asks nothing (thanks or the like)"
    return None


def is_chatter(text: str) -> bool:
    folded = fold(text).replace("'", " ").replace("’", " ").strip()
    return bool(folded) and "?" not in folded and bool(phrases.CHATTER.match(folded)) and bool(phrases.GRATITUDE.search(folded))


_ASKS = re.compile(
    r"^(?:(?:and|so|also|but|then|well|et|und|y|also|hi|hello|please|s'il vous plait|bitte|por favor)[\s,]+)*(?:"
    r"how|what|when|where|why|who|which|whose|can|could|would|will|is|are|do|does|did|may|should|has|have|am|"
    r"comment|quand|ou|pourquoi|qui|quel|quelle|quels|quelles|combien|est-ce|puis-je|pouvez-vous|peut-on|y a-t-il|que|"
    r"wie|was|wann|wo|warum|wer|welche|welcher|welches|kann|konnen|konnten|gibt|ist|darf|"
    r"como|que|cuando|donde|por que|quien|cual|cuanto|cuanta|cuantos|puedo|pueden|puede|hay|es posible)\b"
)
_REQUESTS = re.compile(
    r"\b(?:i\s+(?:want|need|would\s+like|wish|am\s+trying|cannot|can'?t|am\s+unable|don'?t\s+(?:know|see|understand)|do\s+not\s+(?:know|see|understand))|i'?d\s+like|i'?m\s+(?:trying|unable|looking|wondering)|"
    r"(?:please|could\s+you|can\s+you)\s+(?:tell|explain|help|let|advise|send|confirm|show)|let\s+me\s+know|wondering|"
    r"je\s+(?:veux|voudrais|souhaite|souhaiterais|cherche|n'arrive|ne\s+(?:peux|sais|comprends|trouve))|j'aimerais|pourriez-vous|pouvez-vous|merci\s+de|"
    r"ich\s+(?:mochte|will|wurde|brauche|kann\s+nicht|finde|suche|weiss\s+nicht)|konnen\s+sie|bitte\s+(?:sagen|erklaren|teilen)|"
    r"quiero|quisiera|necesito|me\s+gustaria|no\s+puedo|no\s+se\b|podrian?|pueden)\b"
)
_LIST_MARK = re.compile(r"^(?:\d{1,2}[.)]|[-*•])\s+")
_AND_ASKS = re.compile(
    r"(?:,\s*|\s+)(?:and|also|plus|et|und|sowie|y)\s+(?:also\s+|aussi\s+|auch\s+)?(?=(?:how|what|when|where|why|who|which|can\s+(?:i|you|we)|do\s+(?:i|you|we)|is\s+(?:it|there)|"
    r"comment|quand|où|pourquoi|quel\w*|combien|est-ce|puis-je|wie|was|wann|wo|warum|welche\w*|kann\s+ich|cómo|cuándo|dónde|por\s+qué|cuál|cuánto|puedo)\b)",
    re.IGNORECASE,
)


def questions(subject: str, text: str, spoken: str) -> tuple[str, ...]:
    """What is asked, apart, each with as much of what stands before it as it needs to be understood; at most four."""
    bare = fold(text).strip()
    if phrases.SEE_ATTACHED.match(bare) or not content_words(text, spoken):
        text = ""
    if not text and (not _weight(subject, spoken) or phrases.SEE_ATTACHED.match(fold(subject).strip())):
        return ()
    said = [
        sentence
        for line in re.split(r"\n\s*\n|\n\s*[-*•]\s+|\n\s*\d+[.)]\s+", text)
        for sentence in sentences(_LIST_MARK.sub("", " ".join(line.split())))
    ]
    asked = [at for at, sentence in enumerate(said) if is_question(sentence)]
    if not asked:
        asked = [at for at, sentence in enumerate(said) if len(sentence) < LONGEST_UNMARKED and _ASKS.match(fold(sentence))]
    if not asked:
        asked = [at for at, sentence in enumerate(said) if _REQUESTS.search(fold(sentence))][:1] if len(said) > 3 else []
    if not asked:
        return (_cut(_with_subject(subject, text, spoken)),)
    apart = [part for at in asked for part in _apart(subject, said, at, spoken)]
    distinct = _distinct(apart, spoken)
    if len(distinct) > MOST_QUESTIONS:
        distinct = [*distinct[: MOST_QUESTIONS - 1], " ".join(distinct[MOST_QUESTIONS - 1 :])]
    if len(distinct) == 1 and len(text) <= SHORT and not suspicious(text):
        return (" ".join(text.split()),)
    return tuple(_cut(question) for question in distinct)


def is_question(sentence: str) -> bool:
    return sentence.rstrip("\"')» ").endswith("?")


def _apart(subject: str, said: Sequence[str], at: int, spoken: str) -> list[str]:
    """One sentence's questions; the first is filled up from what stands before it, or from the subject."""
    first, *others = _rejoined(_AND_ASKS.split(said[at]), spoken)
    if _weight(first, spoken) < FEWEST_WORDS and at > 0 and not is_question(said[at - 1]):
        first = f"{said[at - 1]} {first}"
    if _weight(first, spoken) < FEWEST_WORDS:
        first = _with_subject(subject, first, spoken)
    return [first, *others]


def _rejoined(parts: Sequence[str], spoken: str) -> list[str]:
    """A part that says too little by itself ("how long does it take?") stays with the one before it."""
    kept = [parts[0]]
    for part in parts[1:]:
        if min(len(content_words(part, spoken)), len(content_words(kept[-1], spoken))) < FEWEST_APART:
            kept[-1] = f"{kept[-1]}, {part}"
        else:
            kept.append(part)
    return kept


def _weight(text: str, spoken: str) -> int:
    asking = ASKING.get(spoken, frozenset())
    return sum(word.casefold() not in asking for word in content_words(text, spoken))


def _with_subject(subject: str, text: str, spoken: str) -> str:
    if not subject or set(content_stems(subject, spoken)) <= set(content_stems(text, spoken)):
        return text or subject
    return f"{subject.rstrip('.!?:')}{'?' if subject.rstrip().endswith('?') else '.'} {text}".strip()


def _distinct(asked: Sequence[str], spoken: str) -> list[str]:
    kept: list[tuple[str, frozenset[str]]] = []
    for question in asked:
        stems = frozenset(content_stems(question, spoken))
        if stems and all(len(stems & other) < 0.8 * len(stems | other) for _, other in kept):
            kept.append((question, stems))
    return [question for question, _ in kept] or list(asked[:1])


def _cut(question: str) -> str:
    question = " ".join(question.split())
    if len(question) <= LONGEST_QUESTION:
        return question
    head = question[:LONGEST_QUESTION]
    return head[: max(head.rfind(". "), head.rfind("? "), head.rfind(" "))].strip()


def sentiment(text: str) -> Sentiment:
    return mood_of(text)[0]


def mood_of(text: str) -> tuple[Sentiment, float]:
    """The mood, and how sure that is: by how many words speak for it, and whether others speak against it."""
    found = [fold(word) for word in content_words(text, None)]
    pleased, angry = (sum(word in words for word in found) for words in (phrases.PLEASED, phrases.ANGRY))
    shouting = sum(len(word) > 3 and word.isupper() for word in text.split()) > 4 or "!!" in text
    score = pleased - 2 * angry - shouting
    sure = UNSAID if not pleased + angry + shouting else max(0.5, min(0.95, UNSAID + 0.1 * abs(pleased - angry)))
    return "negative" if score < 0 else "positive" if score > 0 else "neutral", round(sure, 2)


def priority(folded: str, mood: Sentiment) -> tuple[Priority, float]:
    """The urgency, and how sure that is."""
    if phrases.URGENT.search(folded):
        return "urgent", SAID
    if phrases.PRESSING.search(folded):
        return "high", SAID
    return ("high", UNSAID) if mood == "negative" else ("normal", UNSAID)


def suspicious(written: str) -> tuple[str, ...]:
    """Signs that the text was written for the bot, not for a person: flags for the operator, never a verdict."""
    folded = fold(visible(written))
    signs = [name for name, pattern in phrases.INJECTION if pattern.search(folded)]
    if hides_text(written):
        signs.append("hides text in invisible characters")
    if phrases.MARKUP.search(written):
        signs.append("carries markup")
    if phrases.ENCODED.search(written):
        signs.append("carries an encoded block")
    return tuple(signs)


def topic_of(text: str, spoken: str, topics: Sequence[Topic]) -> str | None:
    """The topic with most of its words in the text; None when no word or a tie."""
    stems = set(content_stems(text, spoken))
    counted = sorted(
        ((len(stems & set(content_stems(f"{topic.name} {topic.about}", spoken))), topic.name) for topic in topics), reverse=True
    )
    if not counted or counted[0][0] == 0 or (len(counted) > 1 and counted[1][0] == counted[0][0]):
        return None
    return counted[0][1]
