"""The vendors' APIs on loopback, with an invented company in them: for the demo, the tests, and a try without an account."""

from connectors.sandbox.server import Sandbox

__all__ = ["Sandbox"]
