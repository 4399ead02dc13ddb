"""What all tests share: how Hypothesis is to be run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No timing decides a test: a busy machine is slow at generating inputs, and that is no fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("patient")
