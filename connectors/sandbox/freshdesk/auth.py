"""API keys over Basic: the key is the user name, the password any text that is not empty."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from connectors.sandbox.freshdesk.errors import forbidden, unauthenticated
from connectors.sandbox.freshdesk.state import Desk
from connectors.sandbox.wire import Caller, Problem, Request

API_KEY = "sandbox-freshdesk-key"
RESTRICTED_KEY = "sandbox-freshdesk-restricted"  # an agent's who sees the tickets assigned to it, no others


@dataclass(slots=True)
class Access:
    """`keys`: API key -> agent. `suspended`: the account is; every call is 403. `forbidden`: path prefixes that answer 403."""

    desk: Desk
    keys: dict[str, int]
    suspended: bool = False
    forbidden: list[str] = field(default_factory=list)

    def identify(self, request: Request) -> Caller:
        """Raises Problem 401 or 403."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        person = self.desk.agent(self.keys.get(_user_name(value), 0)) if kind.lower() == "basic" else None
        if person is None:
            raise Problem(unauthenticated())
        if self.suspended or any(request.path.startswith(prefix) for prefix in self.forbidden):
            raise Problem(forbidden())
        return Caller(person.id, "agent")


def _user_name(value: str) -> str:
    """The key; nothing where the header is no Basic or the password is empty."""
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return name if password else ""
