"""The contract, kept by Confluence, as Cloud and as Data Center."""

from __future__ import annotations

from functools import partial

from connectors.conformance import Conformance
from connectors.sandbox.confluence.stage import ConfluenceStage


class TestCloud(Conformance):
    stage = staticmethod(partial(ConfluenceStage, "cloud"))


class TestDataCenter(Conformance):
    stage = staticmethod(partial(ConfluenceStage, "datacenter"))
