"""Who may read what: the user segments of an article, those that a requester is in, and who else reads a ticket. Pure.

Segments and the list of a user's own: developer.zendesk.com/api-reference/help_center/help-center-api/user_segments/. Every answer that
does not say counts against showing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.base import Comment, Membership
from connectors.fields import Row, mapping, number, objects

# A public comment is mailed, or stands in the Help Center behind the requester's own sign-in. Whoever chats in a widget or an app may
# have given anybody's address, and what is written on social networks is read by others.
PRIVATE_CHANNELS = frozenset({"web", "email"})
OTHERS = ("collaborator_ids", "follower_ids", "email_cc_ids", "sharing_agreement_ids")
CONDITIONS = ("tags", "or_tags", "group_ids")  # by which one person of an organisation may be in a segment, and another one not


def is_public(row: Row) -> bool:
    """Whether everyone may read an article: no user segment at all. An answer that does not say is not public."""
    said = "user_segment_id" in row or "user_segment_ids" in row
    return said and row.get("user_segment_id") is None and not row.get("user_segment_ids")


def segments(connector: str, row: Row) -> tuple[str, ...]:
    """The segments of a restricted article: whoever is in one of them may read it. None where the two fields contradict each other."""
    one, several = number(row.get("user_segment_id")), row.get("user_segment_ids")
    named = {number(item) for item in several} - {None} if isinstance(several, list) else set()
    if one and named and one not in named:
        return ()
    return tuple(sorted(name_of(connector, id) for id in named or {one} if id))


def name_of(connector: str, segment: str) -> str:
    return f"zendesk:{connector}:segment:{segment}"


def sole_reader(row: Row, said: Sequence[Comment], raw: Iterable[Row]) -> bool:
    """Whether a public comment reaches the requester and nobody else, but for people of the ticket's organisation."""
    alone = all(row.get(others) == [] for others in OTHERS) and row.get("forum_topic_id") is None
    copied = any(mapping(mapping(mapping(one.get("via")).get("source")).get("to")).get("email_ccs") for one in raw)
    requester = number(row.get("requester_id"))
    strangers = any(one.author == "customer" and one.author_id != requester for one in said)
    return alone and not copied and not strangers and mapping(row.get("via")).get("channel") in PRIVATE_CHANNELS


def doubt(user: Row | None) -> str | None:
    """Why a requester's segments do not count; None: Zendesk vouches for who it is."""
    if user is None:
        return "Zendesk does not know the requester"
    if user.get("role") != "end-user":
        return "the requester is no customer"
    if user.get("active") is not True or user.get("suspended") is not False:
        return "the requester's account is deleted or suspended"
    return None if user.get("verified") is True else "nobody has confirmed the requester's address"


def membership(connector: str, rows: Iterable[Row], organization: str | None) -> Membership:
    """Of a requester's segments those that count. Others of the ticket's organisation may be allowed to open the ticket; then only
    those in which everybody of that organisation is.
    """
    mine = objects(list(rows))
    counting = [row for row in mine if organization is None or _holds_all_of(row, organization)]
    why = "" if len(counting) == len(mine) else "not everybody of the ticket's organisation is in all of the requester's segments"
    return Membership(frozenset(name_of(connector, id) for row in counting if (id := number(row.get("id")))), why)


def _holds_all_of(segment: Row, organization: str) -> bool:
    chosen = segment.get("organization_ids")
    open_to = isinstance(chosen, list) and (not chosen or organization in {number(id) for id in chosen})
    return open_to and segment.get("user_type") == "signed_in_users" and all(segment.get(limit) == [] for limit in CONDITIONS)
