"""Past tickets answered again, without leakage, and what may be concluded from it."""
