"""Zendesk, Support and Help Center, as the sandbox serves it."""
