"""Whether a machine wrote what waits for an answer, by what Zendesk tells of a comment and its author. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors import machines
from connectors.base import Comment


def machine(subject: str, said: Sequence[Comment], raw: Sequence[Mapping[str, Any]], users: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why a machine seems to have written the last customer comment, as a sentence; None: a person did, or nobody waits."""
    asked = [one for one in said if one.author == "customer"]
    if not asked:
        return None
    last = asked[-1]
    row = next((item for item in raw if str(item.get("id")) == last.id), {})
    sender = users.get(last.author_id, {})
    opening = len(asked) == 1  # the subject speaks for the first message only
    return (
        ("the sender is suspended in Zendesk" if sender.get("suspended") is True else None)
        or machines.of_sender(sender.get("email"))
        or machines.of_sender(nested(row, "via", "source", "from", "address"))
        or (machines.of_subject(subject) if opening else None)
        or machines.of_words(last.text)
        or machines.of_client(str(nested(row, "metadata", "system", "client") or ""))
        or machines.loop(last, said)
    )


def nested(value: Any, *path: str) -> Any:
    """What stands at this path of objects; None where one of them is missing or no object."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
