"""All that the emulated APIs share: the states, the gate, the clock, and one lock over them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.sandbox.wire import Response
from connectors.sandbox.zendesk.auth import Access
from connectors.sandbox.zendesk.guide import Guide
from connectors.sandbox.zendesk.limits import Buckets
from connectors.sandbox.zendesk.state import Desk


@dataclass(slots=True)
class World:
    """`export_delay`: how long the incremental exports withhold a change; the vendor's is a minute.
    `kept_answers`: Idempotency-Key -> (digest of the request, answer, when)."""

    desk: Desk
    guide: Guide
    access: Access
    buckets: Buckets
    now: Callable[[], datetime]
    lock: threading.RLock
    export_delay: timedelta
    kept_answers: dict[str, tuple[str, Response, datetime]] = field(default_factory=dict)
