"""The contract, kept by Zendesk."""

from __future__ import annotations

from connectors.conformance import Conformance
from connectors.sandbox.zendesk.stage import ZendeskStage


class TestZendesk(Conformance):
    stage = staticmethod(ZendeskStage)
