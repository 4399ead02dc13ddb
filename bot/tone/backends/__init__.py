"""Where a voice is trained; one module each, imported only when asked for."""
