"""Templates to answers. What tickets, documents and people say is escaped; markup comes from `clean` alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from bot.answer.render import clean
from bot.console.office import Office
from bot.console.static import address
from bot.console.visit import Visitor

TEMPLATES = Path(__file__).parent / "templates"
SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"))  # seconds
SAID = {
    "sent": "Approved. The reply is on its way.",
    "late": "Somebody was faster: this draft does not wait any more.",
    "rejected": "Rejected.",
    "reopened": "It waits again.",
    "labelled": "Noted.",
    "empty": "There is no text to send.",
    "syncing": "The sync has begun.",
    "studying": "It is being worked out; come back in a moment.",
    "nothing": "Nothing of that name was found.",
    "erased": "This draft is not there any more.",
}
MACROS = {"_icons.html": ("icon",), "_parts.html": ("secret", "kept", "when", "chip", "decision", "source")}
THEMES = ("auto", "light", "dark")


def render(office: Office, visitor: Visitor | None, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the console; `values` may hold anything that people wrote."""
    told = {"visitor": visitor, "now": office.now(), "theme": "auto", "said": None, "here": None} | values
    return HTMLResponse(_environment().get_template(template).render(told), status)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    made.filters |= {"ago": ago, "moment": moment, "letter": letter, "usd": usd, "percent": percent, "plain": plain, "web": web}
    made.globals["static"] = address
    for template, macros in MACROS.items():
        module = made.get_template(template).module
        made.globals |= {name: getattr(module, name) for name in macros}
    return made


def ago(at: datetime | None, now: datetime) -> str:
    """``3 h ago``, or ``in 5 min``."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    for size, unit in SPANS:
        if abs(seconds) >= size:
            told = f"{int(abs(seconds) // size)} {unit}"
            return f"{told} ago" if seconds > 0 else f"in {told}"
    return "just now" if seconds >= 0 else "in a moment"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC")


def letter(markup: str) -> Markup:
    """A reply as the customer will see it: the same rule as for what leaves."""
    return Markup(clean(markup))  # noqa: S704 - nh3 with explicit lists


def usd(amount: float) -> str:
    if amount == 0:
        return "$0"
    return f"${amount:,.2f}" if amount >= 0.01 else f"${amount:.4f}"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def plain(word: str | None) -> str:
    """A typed word as people read it: ``no_knowledge`` is ``no knowledge``."""
    return (word or "").replace("_", " ")


def web(url: str | None) -> str | None:
    """An address that a link may lead to."""
    return url if url and url.startswith(("https://", "http://")) else None


def theme_of(cookies: Mapping[str, str]) -> str:
    wanted = cookies.get("theme", "auto")
    return wanted if wanted in THEMES else "auto"


def frame(request_cookies: Mapping[str, str], query: Mapping[str, str]) -> dict[str, Any]:
    """What the request itself adds to a page."""
    return {"theme": theme_of(request_cookies), "said": SAID.get(query.get("said", ""))}
