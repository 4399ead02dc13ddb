"""Whether a machine wrote what waits for an answer: auto-replies, bounces and mail loops. Pure.

Zendesk keeps no Auto-Submitted header in its API, so the signs are the sender, the subject and the first words. Each pattern is
anchored: "how do I set an automatic reply?" is a customer's question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Comment

HEAD = 160  # characters of a comment in which an auto-reply says what it is
SAME_TEXT = 20  # characters from which a repeated message counts as a loop; "thanks" may be said twice

REPLY_PREFIX = r"^\s*(?:(?:re|fw|fwd|aw|wg|tr|rif|sv)\s*:\s*)*"
AUTO_REPLY = re.compile(
    REPLY_PREFIX
    + r"(?:\[?auto(?:matic)?[ -]?(?:reply|response|responder)\]?|autoreply|out of (?:the )?office(?: auto-?reply)?"
    r"|vacation (?:reply|notice)"
    r"|réponse automatique|absence du bureau|absente?(?:\(e\))? du bureau|message d['’]absence"
    r"|automatische (?:antwort|rückmeldung)|abwesenheits(?:notiz|nachricht|meldung|agent)|abwesend|nicht im büro"
    r"|respuesta automática|risposta automatica|automatisch antwoord|resposta automática)\s*(?:[:(\]–-]|$)",
    re.IGNORECASE,
)
BOUNCE = re.compile(
    REPLY_PREFIX
    + r"(?:(?:undeliverable|undelivered|non remis|non distribué|unzustellbar|nicht zustellbar|no se puede entregar)\s*(?::|$)"
    r"|undelivered mail returned to sender|delivery status notification|mail delivery (?:failed|failure|subsystem|system)"
    r"|returned mail:|failure notice\s*$|message not delivered|delivery (?:has )?failed"
    r"|échec de (?:la )?remise|unzustellbare nachricht)",
    re.IGNORECASE,
)
FIRST_WORDS = re.compile(
    r"this is an? (?:automated|automatic|automatically generated) (?:reply|response|message|delivery)"
    r"|i am (?:currently )?(?:out of (?:the )?office|on (?:annual )?leave)|i'm (?:currently )?out of (?:the )?office"
    r"|ceci est (?:une réponse|un message) automatique|je suis (?:actuellement )?absente? du bureau"
    r"|dies ist eine automatische (?:antwort|nachricht)|ich bin (?:derzeit |zurzeit |momentan )?(?:nicht im büro|abwesend|außer haus)"
    r"|delivery to the following recipients? (?:has )?failed|your message could not be delivered",
    re.IGNORECASE,
)
MACHINE_CLIENT = re.compile(r"auto-?(?:repl|respon|submitted)|vacation|mailer-daemon|mail delivery (?:sub)?system", re.IGNORECASE)
MACHINE_SENDER = re.compile(
    r"^(?:mailer-?daemon|postmaster|no[-_]?reply|do[-_]?not[-_]?reply|ne-?pas-?repondre|nicht-?antworten|bounces?|auto-?reply)"
    r"(?:[+_.-].*)?@",
    re.IGNORECASE,
)


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
        machine_sender(sender, row)
        or (machine_subject(subject) if opening else None)
        or machine_words(last.text, row)
        or loop(last, said)
    )


def machine_sender(sender: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    if sender.get("suspended") is True:
        return "the sender is suspended in Zendesk"
    addresses = (sender.get("email"), nested(row, "via", "source", "from", "address"))
    if any(isinstance(address, str) and MACHINE_SENDER.match(address) for address in addresses):
        return "the sender's address belongs to a machine"
    return None


def machine_subject(subject: str) -> str | None:
    if BOUNCE.match(subject):
        return "the subject is that of a delivery failure"
    return "the subject is that of an automatic reply" if AUTO_REPLY.match(subject) else None


def machine_words(text: str, row: Mapping[str, Any]) -> str | None:
    head = text[:HEAD]
    first_line = head.strip().splitlines()[0] if head.strip() else ""
    if FIRST_WORDS.search(head) or AUTO_REPLY.match(first_line) or BOUNCE.match(first_line):
        return "the message says that it was sent automatically"
    client = str(nested(row, "metadata", "system", "client") or "")
    return "the message was sent by an automatic responder" if MACHINE_CLIENT.search(client) else None


def loop(last: Comment, said: Sequence[Comment]) -> str | None:
    """The same words again after we, or an agent, answered them: two machines talking."""
    words = " ".join(last.text.split())
    if len(words) < SAME_TEXT:
        return None
    answered = False
    for one in reversed(said[: said.index(last)]):
        answered = answered or (one.public and one.author in ("bot", "agent"))
        if answered and one.author == "customer" and " ".join(one.text.split()) == words:
            return "the same message came back after an answer"
    return None


def nested(value: Any, *path: str) -> Any:
    """What stands at this path of objects; None where one of them is missing or no object."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
