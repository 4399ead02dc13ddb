"""Which internal finds are worth an agent's glance: those near the question, or nearer than anything public."""

from __future__ import annotations

from bot.answer.retrieve import Found, Passage

# Raw cosines of the local embedder on the sandbox's questions: internal passages that answer lie at 0.35 and above, the
# noise at 0.30 and below; a badly worded question that only an internal page answers still has that page nearest.
NEAR, FAR = 0.35, 0.20
MOST = 4  # documents


def hints(found: Found) -> tuple[Passage, ...]:
    """Internal passages to show to the agent, one per document, best first."""
    nearest_public = max((passage.cosine for passage in found.public), default=0.0)
    worth = [p for p in found.internal if p.cosine >= NEAR or p.cosine >= max(FAR, nearest_public)]
    unique: dict[str, Passage] = {}
    for passage in worth:
        unique.setdefault(passage.document, passage)
    return tuple(unique.values())[:MOST]
