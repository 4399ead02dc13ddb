"""The contract, kept by Google Docs."""

from __future__ import annotations

from connectors.conformance import Conformance
from connectors.sandbox.google_docs.stage import GoogleStage


class TestGoogle(Conformance):
    stage = staticmethod(GoogleStage)
