"""The internal note: what an agent reads in ten seconds. The draft ready to send, then where it comes from, then what else to know."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bot.answer.check import Judged, Verdict
from bot.answer.conflict import Conflict
from bot.answer.retrieve import Passage

TITLE_LIMIT = 120  # characters; a title is content of other people and may be anything


def draft_note(
    draft_id: str, body_html: str, verdict: Verdict, citations: Sequence[Passage], *, hints: Sequence[Passage], remarks: Sequence[str]
) -> str:
    """HTML of the note that carries a draft; `body_html` is already sanitised."""
    return "".join(
        [
            "<p><strong>Draft reply</strong></p>",
            body_html,
            "<p><strong>Sources</strong></p>",
            _sources(citations, verdict.sentences),
            _remarks(remarks),
            _hints(hints),
            _foot(draft_id),
        ]
    )


def handoff_note(
    draft_id: str, reason: str, *, hints: Sequence[Passage], remarks: Sequence[str], clashes: Sequence[Conflict] = ()
) -> str:
    """HTML of the note that says why there is no draft; sources that disagree are shown side by side."""
    kind, _, sentence = reason.partition(": ")
    return "".join(
        [
            f"<p><strong>No draft: {escape(kind.replace('_', ' '))}</strong></p>",
            f"<p>{escape(sentence or kind)}</p>",
            _clashes(clashes),
            _remarks(remarks),
            _hints(hints),
            _foot(draft_id),
        ]
    )


def _sources(citations: Sequence[Passage], sentences: Sequence[Judged]) -> str:
    rows = []
    for marker, passage in enumerate(citations, start=1):
        proven = sum(1 for sentence in sentences if marker in sentence.citations)
        rows.append(f"<li>{_link(passage)}: {proven} {'sentence' if proven == 1 else 'sentences'}</li>")
    checked = sum(1 for sentence in sentences if sentence.citations)
    return f"<ol>{''.join(rows)}</ol><p>{checked} of {checked} statements checked against these sources.</p>"


def _hints(hints: Sequence[Passage]) -> str:
    if not hints:
        return ""
    rows = "".join(f"<li>{_link(passage)}</li>" for passage in hints)
    return f"<p><strong>For you, not for the customer</strong></p><ul>{rows}</ul>"


def _clashes(clashes: Sequence[Conflict]) -> str:
    pairs = [
        f"<li>{_link(clash.source)}: “{escape(clash.said)}”</li><li>{_link(clash.rival)}: “{escape(clash.other)}”</li>" for clash in clashes
    ]
    return f"<ul>{''.join(pairs)}</ul>" if pairs else ""


def _remarks(remarks: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(remark)}</li>' for remark in remarks)}</ul>" if remarks else ""


def _link(passage: Passage) -> str:
    title = escape(passage.title[:TITLE_LIMIT] or passage.document)
    if passage.url.startswith(("https://", "http://")):
        return f'<a href="{escape(passage.url, quote=True)}">{title}</a>'
    return title


def _foot(draft_id: str) -> str:
    """The id is read back from the note to see whether it was already written; `draftdesk explain` takes it too."""
    return f"<p>draft {escape(draft_id)}</p>"
