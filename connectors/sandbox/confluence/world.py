"""What every endpoint is given: the wiki, who asks, and which of the vendor's oddities are played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from connectors.sandbox.confluence.records import Account, Item
from connectors.sandbox.confluence.wiki import Wiki

Flavour = Literal["cloud", "datacenter"]


@dataclass(slots=True)
class Quirks:
    """Where sites differ, both ways can be played; changing one takes effect at once."""

    index_delay: timedelta = timedelta(seconds=45)  # for which a change is not found by searching
    archived_found: bool = True  # whether searching finds archived pages
    filters_late: bool = True  # Cloud v2: pages that one may not see are left out of a page already cut, which so comes short
    absolute_next: bool = False  # Cloud: next links with their host
    plus_in_cursors: bool = True
    search_broken: bool = False  # Cloud: /rest/api/search says 400 with HTML to every question
    zone_told: bool = True  # Cloud: user/current tells the time zone
    v1_content: bool = True  # Cloud: whether the deprecated v1 content endpoints still answer
    shared_anonymously: bool = False  # a rejected credential reads what everybody may
    login_page: Literal["", "page", "redirect"] = ""  # Data Center behind a single sign-on: what a rejected credential gets
    heavy: int = 0  # bytes of bodies in one answer above which the server times out; 0: never
    restrictions_known: bool = True  # False: the answer to who may read a page says neither users nor groups


@dataclass(slots=True)
class World:
    """`origin`-free: links are built from the request. `context`: "/wiki" on Cloud, "/confluence" or "" on Data Center."""

    wiki: Wiki
    flavour: Flavour
    context: str
    server_zone: str
    quirks: Quirks
    now: Callable[[], datetime]
    era: int = 0  # of cursors; those of a former era are forgotten

    @property
    def cloud(self) -> bool:
        return self.flavour == "cloud"

    def zone(self, account: Account) -> ZoneInfo:
        """In which a moment of a query is meant: the asking user's on Cloud, the server's on Data Center."""
        return ZoneInfo(account.zone if self.cloud else self.server_zone)

    def moment(self, at: datetime) -> str:
        """As this flavour writes it: UTC with a Z, or the server's zone with its offset."""
        if self.cloud:
            return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return at.astimezone(ZoneInfo(self.server_zone)).isoformat(timespec="milliseconds")

    def page(self, id: str, account: Account, statuses: tuple[str, ...] = ("current", "archived")) -> Item | None:
        """None where there is no such page, it has another status, or it is not for the account: nobody can tell which."""
        item = self.wiki.items.get(int(id)) if id.isdigit() else None
        if item is None or item.status not in statuses or not self.wiki.admits(item, account):
            return None
        return item
