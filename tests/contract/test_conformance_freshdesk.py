"""The contract, kept by Freshdesk."""

from __future__ import annotations

from connectors.conformance import Conformance
from connectors.sandbox.freshdesk.stage import FreshdeskStage


class TestFreshdesk(Conformance):
    stage = staticmethod(FreshdeskStage)
