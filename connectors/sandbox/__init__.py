"""The vendors' APIs on loopback, with an invented company in them: for the demo, the tests, and a try without an account."""

from connectors.sandbox.site import Site
from connectors.sandbox.zendesk.site import Sandbox

__all__ = ["Sandbox", "Site"]
