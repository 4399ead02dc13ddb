"""How long what is kept. Each field is a key of `retention:` in the file."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from connectors.settings import Strict
from connectors.timing import SAY_DURATION, seconds

FOREVER = "forever"


def _span(text: str) -> str:
    if text != FOREVER:
        try:
            seconds(text)
        except ValueError:
            raise ValueError(f"write forever, or a duration: {SAY_DURATION.partition(': ')[2]}") from None
    return text


Span = Annotated[str, AfterValidator(_span)]


class Retention(Strict):
    """When words go by themselves; `forever` keeps them. What must not be done twice stays known by its key."""

    drafts: Span = Field(default="365d", description="decisions and what was written; then they lose their words", examples=["180d"])
    samples: Span = Field(default="365d", description="past tickets that were simulated, and the reports on them", examples=["90d"])
    versions: Span = Field(default=FOREVER, description="superseded texts of documents; simulations go back no further", examples=["730d"])
    spending: Span = Field(default="800d", description="what each call of a model cost", examples=["400d"])
    workflows: Span = Field(default="30d", description="ended pieces of durable work; they hold ids only", examples=["7d"])
