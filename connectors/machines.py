"""Signs that a machine wrote a message: auto-replies, bounces and mail loops. Pure, and the same for every helpdesk.

Helpdesks keep no Auto-Submitted header in their APIs, so the signs are the sender, the subject and the first words. Each pattern is
anchored: "how do I set an automatic reply?" is a customer's question. Each function gives the reason as a sentence; None: no sign.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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


def of_sender(address: object) -> str | None:
    """What is no text is no address."""
    return "the sender's address belongs to a machine" if isinstance(address, str) and MACHINE_SENDER.match(address) else None


def of_subject(subject: str) -> str | None:
    if BOUNCE.match(subject):
        return "the subject is that of a delivery failure"
    return "the subject is that of an automatic reply" if AUTO_REPLY.match(subject) else None


def of_words(text: str) -> str | None:
    head = text[:HEAD]
    first_line = head.strip().splitlines()[0] if head.strip() else ""
    if FIRST_WORDS.search(head) or AUTO_REPLY.match(first_line) or BOUNCE.match(first_line):
        return "the message says that it was sent automatically"
    return None


def of_client(client: str) -> str | None:
    """By the mail program's name."""
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
