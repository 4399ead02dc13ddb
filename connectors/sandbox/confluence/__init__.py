"""Confluence on loopback, as Cloud and as Data Center: what an operator's site may show, with its oddities."""
