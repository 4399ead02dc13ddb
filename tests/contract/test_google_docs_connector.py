"""The contract, kept by Google Docs."""

from __future__ import annotations

from functools import partial

from connectors.conformance import Conformance
from connectors.sandbox.google_docs.stage import GoogleStage


class TestGoogleDocs(Conformance):
    stage = staticmethod(GoogleStage)


class TestGoogleDocsWithShortcuts(Conformance):
    stage = staticmethod(partial(GoogleStage, shortcuts=True))
