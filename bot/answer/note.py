"""The internal note: what an agent reads in ten seconds. The draft ready to send, what it rests on, why it was not sent, what else to know.

Plain paragraphs, lists and rules only: helpdesks drop styles, and show notes in a narrow column.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bot.answer.check import Judged, Verdict
from bot.answer.conflict import Conflict
from bot.answer.retrieve import Passage

TITLE_LIMIT = 90  # characters; a title is content of other people and may be anything
QUOTE_LIMIT = 44  # characters of a statement that is pointed at
SEGMENT = "not for everybody; this requester may read it"
TOLD_LIMIT = 240  # characters of a statement that an agent may take over
MOST_QUOTES, MOST_NEAREST, MOST_HINTS, MOST_TOLD = 2, 3, 3, 5
HEADLINES = {
    "unsupported": "what was written could not be proved",
    "policy": "your rules leave it to people",
    "injection": "the message tries to instruct the bot",
    "model_unavailable": "the model could not answer",
    "budget": "the money for this ticket is used up",
    "pending_question": "an earlier question is still open",
}  # before the reason's own sentence, where that does not say it by itself


def draft_note(
    draft_id: str,
    body_html: str,
    verdict: Verdict,
    citations: Sequence[Passage],
    *,
    hints: Sequence[Passage],
    remarks: Sequence[str],
    why: str = "",
    complete: bool = True,
    language: str | None = None,
) -> str:
    """HTML of the note that carries a draft; `body_html` is already sanitised, `why` says what kept it from being sent.

    `language` is told where it is not the team's own.
    """
    spoken = f" ({escape(language)})" if language else ""
    lead = f"Draft reply{spoken}, ready to send" if complete else f"Draft{spoken} of a part of the reply: a question is left to you"
    return "".join(
        [
            f"<p><strong>{lead}</strong></p>",
            _warnings(remarks),
            "<hr>",
            body_html,
            "<hr>",
            _list(_proof(verdict.sentences), _sources(citations, verdict.sentences)),
            f"<p><strong>Not sent by itself:</strong> {escape(_sentence(why))}</p>" if why else "",
            _hints(hints),
            _foot(draft_id),
        ]
    )


def handoff_note(
    draft_id: str,
    reason: str,
    *,
    hints: Sequence[Passage],
    remarks: Sequence[str],
    clashes: Sequence[Conflict] = (),
    advice: str | None = None,
    nearest: Sequence[Passage] = (),
    verdict: Verdict | None = None,
    citations: Sequence[Passage] = (),
) -> str:
    """HTML of the note that says why there is no draft; sources that disagree are shown side by side. `advice`: the operator's words.

    Of a draft that was refused (`verdict`) nothing is shown but what was proved, and what the cited pages say instead of the rest.
    """
    told = _told(verdict.sentences, citations) if verdict and not verdict.supported else []
    return "".join(
        [
            f"<p><strong>No draft: {escape(_why(reason))}</strong></p>",
            f"<p>{escape(advice)}</p>" if advice else "",
            _clashes(clashes),
            _warnings(remarks),
            _list("What the pages say, proved or word for word", told),
            _hints(hints),
            _list("Nearest pages for customers", [_link(passage) for passage in _documents(nearest)[:MOST_NEAREST]]),
            _foot(draft_id),
        ]
    )


def _why(reason: str) -> str:
    kind, _, sentence = reason.partition(": ")
    if kind not in HEADLINES:
        return sentence or kind.replace("_", " ")
    return f"{HEADLINES[kind]} ({sentence})" if sentence else HEADLINES[kind]


def _warnings(remarks: Sequence[str]) -> str:
    """Before the draft, where they are read in time."""
    return f"<p>⚠ {escape(' '.join(map(_sentence, remarks)))}</p>" if remarks else ""


def _proof(sentences: Sequence[Judged]) -> str:
    total = sum(bool(sentence.citations) for sentence in sentences)
    held = sum(bool(sentence.citations) and sentence.supported for sentence in sentences)
    return f"Sources ({held} of {total} statements checked)"


def _sources(citations: Sequence[Passage], sentences: Sequence[Judged]) -> list[str]:
    """One entry a document; of several, with the beginnings of the statements that each proves."""
    proven: dict[str, list[str]] = {}
    first: dict[str, Passage] = {}
    for marker, passage in enumerate(citations, start=1):
        said = [_beginning(sentence.text) for sentence in sentences if marker in sentence.citations]
        if said:
            first.setdefault(passage.document, passage)
            proven.setdefault(passage.document, []).extend(said)
    several = len(proven) > 1
    return [f"{_link(first[document])}{_quoted(list(dict.fromkeys(said))) if several else ''}" for document, said in proven.items()]


def _quoted(said: Sequence[str]) -> str:
    more = f" and {len(said) - MOST_QUOTES} more" if len(said) > MOST_QUOTES else ""
    return "<br>" + ", ".join(f"“{escape(text)}”" for text in said[:MOST_QUOTES]) + more


def _told(sentences: Sequence[Judged], citations: Sequence[Passage]) -> list[str]:
    """Each claim that was proved, and the pages' own words in the place of each that was not."""
    claims = [sentence for sentence in sentences if sentence.kind not in ("courtesy", "heading")]
    said = [(one.text, one.citations[0]) if one.supported else (one.instead, one.nearest) for one in claims]
    return [f"{escape(_plain(text))} — {_link(citations[at - 1])}" for text, at in dict.fromkeys(said) if text][:MOST_TOLD]


def _plain(text: str) -> str:
    line = " ".join(text.replace("*", "").replace("`", "").lstrip("#|- ").split())
    return line if len(line) <= TOLD_LIMIT else line[:TOLD_LIMIT].rsplit(" ", 1)[0] + "…"


def _beginning(text: str) -> str:
    line = " ".join(text.replace("*", "").replace("`", "").lstrip("#|-0123456789. ").split())
    if len(line) <= QUOTE_LIMIT:
        return line
    return line[:QUOTE_LIMIT].rsplit(" ", 1)[0] + "…"


def _hints(hints: Sequence[Passage]) -> str:
    return _list("For you, not for the customer", [_link(passage) for passage in _documents(hints)[:MOST_HINTS]])


def _documents(passages: Sequence[Passage]) -> list[Passage]:
    return list({passage.document: passage for passage in reversed(passages)}.values())[::-1]


def _clashes(clashes: Sequence[Conflict]) -> str:
    pairs = [
        f"<li>{_link(clash.source)}: “{escape(clash.said)}”</li><li>{_link(clash.rival)}: “{escape(clash.other)}”</li>" for clash in clashes
    ]
    return f"<ul>{''.join(pairs)}</ul>" if pairs else ""


def _list(name: str, items: Sequence[str]) -> str:
    return f"<p><strong>{name}</strong></p><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if items else ""


def _sentence(text: str) -> str:
    """As people write it: a capital first, a full stop last; what a policy step begins with is dropped."""
    said = text.removeprefix("policy: ").strip()
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "!", "?", "…")) else ".")


def _link(passage: Passage) -> str:
    title, only = escape(passage.title[:TITLE_LIMIT] or passage.document), f" ({SEGMENT})" if passage.audience == "segment" else ""
    if passage.url.startswith(("https://", "http://")):
        return f'<a href="{escape(passage.url, quote=True)}">{title}</a>{only}'
    return f"{title}{only}"


def _foot(draft_id: str) -> str:
    """The id is read back from the note to see whether it was already written; `draftdesk explain` takes it too."""
    return f"<p>draft {escape(draft_id)}</p>"
