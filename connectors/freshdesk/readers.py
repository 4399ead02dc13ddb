"""Who may read what: a folder, the segments that a requester is in, and who else reads a ticket. Pure.

A folder's codes: 1 everybody, 2 whoever is signed in, 3 agents, 4 chosen companies; of those from 5 on sources disagree. A segment of
contacts or companies is told by no call, so nobody is known to be in one. Every answer that does not say counts against showing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.base import Comment, Membership
from connectors.fields import Row, number, objects

EVERYBODY, SIGNED_IN, COMPANIES = 1, 2, 4  # a folder's visibility
UNTOLD = ("contact_segment_ids", "company_segment_ids")
CONTACTS = "segment:signed-in"  # whoever can sign in to the portal
PRIVATE_SOURCES = ("1", "2")  # mail and portal; whoever chats may have given anybody's address, social networks are read by others
OTHERS = ("cc_emails", "fwd_emails", "reply_cc_emails", "ticket_cc_emails", "ticket_bcc_emails")


@dataclass(frozen=True, slots=True)
class Readers:
    """Everybody, or whoever is in one of the `groups`; without any, agents only."""

    public: bool = False
    groups: frozenset[str] = frozenset()

    def within(self, outer: Readers) -> Readers:
        """Of a folder in a folder: who may read both. Whoever is of a company can sign in."""
        for one, other in ((self, outer), (outer, self)):
            if one.public or (one.groups == {CONTACTS} and not other.public):
                return other
        return Readers(groups=self.groups & outer.groups)


def of_folder(row: Row) -> Readers:
    """Of what lies directly in a folder."""
    visibility, companies = number(row.get("visibility")), row.get("company_ids")
    if any(row.get(limit) for limit in UNTOLD) or (companies and visibility != str(COMPANIES)):
        return Readers()
    if visibility == str(COMPANIES) and isinstance(companies, list):
        return Readers(groups=frozenset(f"company:{id}" for id in map(number, companies) if id))
    if visibility == str(SIGNED_IN):
        return Readers(groups=frozenset({CONTACTS}))
    return Readers(public=visibility == str(EVERYBODY))


def names(connector: str, groups: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(f"freshdesk:{connector}:{group}" for group in groups))


def sole_reader(row: Row, said: Sequence[Comment], raw: Sequence[Row]) -> bool:
    """Whether a reply reaches the requester and nobody else, but for people of the ticket's company."""
    addressed = row.get("to_emails")
    alone = all(row.get(others) == [] for others in OTHERS) and (addressed is None or (isinstance(addressed, list) and len(addressed) <= 1))
    copied = any(one.get("cc_emails") or one.get("bcc_emails") for one in raw)
    requester = number(row.get("requester_id"))
    strangers = any(one.author == "customer" and one.author_id != requester for one in said)
    return alone and not copied and not strangers and number(row.get("source")) in PRIVATE_SOURCES


def membership(connector: str, contact: Row | None, company: str | None) -> Membership:
    """A contact's segments. Others of the ticket's company may be allowed to see the ticket: of several companies only that one counts."""
    if contact is None:
        return Membership(frozenset(), "Freshdesk does not know the requester as a contact")
    if contact.get("active") is not True or contact.get("deleted") or contact.get("blocked"):
        return Membership(frozenset(), "nobody has confirmed the requester's address, or the contact is deleted or blocked")
    rows = [contact, *objects(contact.get("other_companies"))]
    mine = {id for id in (number(row.get("company_id")) for row in rows) if id}
    counting = mine & {company} if company else mine if len(mine) == 1 else set()
    why = "" if counting == mine else "not everybody of the ticket's company is in all of the requester's companies"
    return Membership(frozenset(names(connector, frozenset({CONTACTS, *(f"company:{id}" for id in counting)}))), why)
