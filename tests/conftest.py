"""What all tests share: how Hypothesis is to be run, and a log that no test leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

# No timing decides a test: a busy machine is slow at generating inputs, and that is no fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    """A command under test sends the log to the stream it was given, which is closed when the command is over."""
    yield
    structlog.reset_defaults()
