"""How the helpdesk turns text into HTML and back, and what it throws out of the HTML that clients send."""

from __future__ import annotations

import html
import re

TAG = re.compile(r"<[a-zA-Z/!][^>]*>")
BREAK = re.compile(r"(?i)<br\s*/?>|</(p|div|li|tr|h[1-6]|pre|table)>")
ITEM = re.compile(r"(?i)<li[^>]*>")
BLANKS = re.compile(r"\n{3,}")


def html_from_text(text: str) -> str:
    paragraphs = [part for part in text.strip().split("\n\n") if part]
    return "".join(f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>" for part in paragraphs)


def text_from_html(markup: str) -> str:
    text = TAG.sub("", ITEM.sub("* ", BREAK.sub("\n\n", markup)))
    return BLANKS.sub("\n\n", html.unescape(text)).strip()


def strip_tags(text: str) -> str:
    """A comment's `body` is text: the vendor removes HTML from it."""
    return TAG.sub("", text)


def sanitise(markup: str) -> str:
    """A comment's `html_body`: scripts, comments and unknown attributes do not survive, so no marker can hide there."""
    import nh3

    return nh3.clean(markup)


def slug(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title, flags=re.UNICODE).strip("-")
