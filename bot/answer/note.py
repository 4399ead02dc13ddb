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
QUOTE_LIMIT = 48  # characters of a statement that is pointed at
MOST_QUOTES, MOST_NEAREST, MOST_HINTS = 3, 3, 3
HEADLINES = {
    "customer_request": "the customer asks for a person",
    "no_knowledge": "nothing that this customer may read answers it",
    "unsupported": "what was written could not be proved",
    "policy": "left to people by your rules",
    "conflict": "the sources contradict each other",
    "injection": "the message tries to instruct the bot",
    "model_unavailable": "the model could not answer",
    "budget": "the money for this ticket is used up",
    "pending_question": "an earlier question is still open",
}


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
) -> str:
    """HTML of the note that carries a draft; `body_html` is already sanitised, `why` says what kept it from being sent."""
    lead = "Draft reply, ready to send" if complete else "Draft of a part of the reply: a question is left to you"
    return "".join(
        [
            f"<p><strong>{lead}</strong></p><hr>",
            body_html,
            "<hr>",
            _list("Sources", _sources(citations, verdict.sentences)),
            _line("Checked", _checked(verdict.sentences)),
            _line("Not sent", escape(_sentence(why))) if why else "",
            _list("Look at this first", [escape(_sentence(remark)) for remark in remarks]),
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
) -> str:
    """HTML of the note that says why there is no draft; sources that disagree are shown side by side. `advice`: the operator's words."""
    kind, _, sentence = reason.partition(": ")
    return "".join(
        [
            f"<p><strong>For you: {escape(HEADLINES.get(kind, kind.replace('_', ' ')))}</strong></p>",
            f"<p>{escape(advice)}</p>" if advice else "",
            _line("No draft", escape(_sentence(sentence or kind))),
            _clashes(clashes),
            _list("Look at this first", [escape(_sentence(remark)) for remark in remarks]),
            _list("Nearest pages", [_link(passage) for passage in _documents(nearest)[:MOST_NEAREST]]),
            _hints(hints),
            _foot(draft_id),
        ]
    )


def _sources(citations: Sequence[Passage], sentences: Sequence[Judged]) -> list[str]:
    """One entry a document, with the beginnings of the statements that it proves."""
    proven: dict[str, list[str]] = {}
    first: dict[str, Passage] = {}
    for marker, passage in enumerate(citations, start=1):
        said = [_beginning(sentence.text) for sentence in sentences if marker in sentence.citations]
        first.setdefault(passage.document, passage)
        proven.setdefault(passage.document, []).extend(said)
    return [f"{_link(first[document])}{_quoted(list(dict.fromkeys(said)))}" for document, said in proven.items() if said]


def _quoted(said: Sequence[str]) -> str:
    more = f" and {len(said) - MOST_QUOTES} more" if len(said) > MOST_QUOTES else ""
    return "<br>" + ", ".join(f"“{escape(text)}”" for text in said[:MOST_QUOTES]) + more


def _beginning(text: str) -> str:
    line = " ".join(text.replace("*", "").replace("`", "").lstrip("#|-0123456789. ").split())
    if len(line) <= QUOTE_LIMIT:
        return line
    return line[:QUOTE_LIMIT].rsplit(" ", 1)[0] + "…"


def _checked(sentences: Sequence[Judged]) -> str:
    total = sum(bool(sentence.citations) for sentence in sentences)
    held = sum(bool(sentence.citations) and sentence.supported for sentence in sentences)
    subject = "1 statement stands" if total == 1 else f"{held} of {total} statements stand"
    return f"{subject} in these sources, with each number, date, price and link."


def _hints(hints: Sequence[Passage]) -> str:
    return _list("For you, not for the customer", [_link(passage) for passage in _documents(hints)[:MOST_HINTS]])


def _documents(passages: Sequence[Passage]) -> list[Passage]:
    return list({passage.document: passage for passage in reversed(passages)}.values())[::-1]


def _clashes(clashes: Sequence[Conflict]) -> str:
    pairs = [
        f"<li>{_link(clash.source)}: “{escape(clash.said)}”</li><li>{_link(clash.rival)}: “{escape(clash.other)}”</li>" for clash in clashes
    ]
    return f"<ul>{''.join(pairs)}</ul>" if pairs else ""


def _line(name: str, html: str) -> str:
    return f"<p><strong>{name}:</strong> {html}</p>"


def _list(name: str, items: Sequence[str]) -> str:
    return f"<p><strong>{name}</strong></p><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if items else ""


def _sentence(text: str) -> str:
    """As people write it: a capital first, a full stop last; what a policy step begins with is dropped."""
    said = text.removeprefix("policy: ").strip()
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "!", "?", "…")) else ".")


def _link(passage: Passage) -> str:
    title = escape(passage.title[:TITLE_LIMIT] or passage.document)
    if passage.url.startswith(("https://", "http://")):
        return f'<a href="{escape(passage.url, quote=True)}">{title}</a>'
    return title


def _foot(draft_id: str) -> str:
    """The id is read back from the note to see whether it was already written; `draftdesk explain` takes it too."""
    return f"<p>draft {escape(draft_id)}</p>"
