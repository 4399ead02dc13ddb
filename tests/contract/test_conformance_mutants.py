"""The suite can fail: for every rule there is a connector with one fault that the rule finds.

The small ones are the scaffold's connector with a line changed; the ones with tickets are Zendesk with a method spoilt.
"""

from __future__ import annotations

import importlib
import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.scaffold import drawn
from connectors.base import Cursor, Document, Gone, Outdated, Page, Part, Refused, Reply, ReplyRef, Ticket, TicketPage, WebhookEvent
from connectors.conformance import Conformance, Play, Stage
from connectors.http import HttpFactory
from connectors.sandbox.zendesk.stage import ZendeskStage
from connectors.zendesk.connector import Zendesk

Line = tuple[str, str]
RULES = [name for name in dir(Conformance) if name.startswith("test_")]
NUMBERS = count(1)

# --- the scaffold's connector, a line changed ---

CURSOR = 'return {"v": 1, "since": since, "page": token, "newest": newest}'
VERSION = 'if cursor.get("v") != 1 or not isinstance(since, str) or not isinstance(newest, str):'
AUDIENCE = 'audience="public" if row.get("visible_to") == "everyone" else "internal"'
ASKED = "body = self._http.get(NOTES, {name: value for name, value in params.items() if value}).json()"
LISTED = 'yield from (self._id(row) for row in rows if row.get("archived") is not True)'
MID_PAGE = "yield Page(changes, _cursor(since, token, newest), caught_up=False)"
SKIPS: Line = (MID_PAGE, 'yield Page(changes, _cursor("9999", None, newest), caught_up=False)')
MET: Line = ("= _place(cursor)\n", "= _place(cursor)\n        met = set()\n")
WALK = 'rows, following = self._ask({"changed_since": since, "page": token})'
ONCE: Line = (WALK, f"{WALK}\n            rows = [row for row in rows if not (row['id'] in met or met.add(row['id']))]")
SHORT_PAGES: Line = ("PAGE = 10", "PAGE = 2")
LAST = '{"id": "x", "archived": True, "updated_at": "2026-12-31T00:00:00+00:00"}'
SWALLOWS: Line = (
    f"            {ASKED}\n",
    f"            {ASKED}\n        except Transient:\n            return [{LAST}], None\n",
)
OPEN_SOCKET = '__import__("requests").get(self._settings.base_url + NOTES, params=params, timeout=9, headers=BEARER)'
BEARER: Line = ('NOTES = "/api/notes"', 'NOTES = "/api/notes"\nBEARER = {"Authorization": "Bearer sandbox-token"}')
FOLLOWING = "return rows, str(following) if following else None"
LINK: Line = ('"next": following}', '"next": following and request.link({"page": following})}')
FOLLOWS = (
    'return rows, __import__("requests").get(following, headers=BEARER, timeout=9) and following.split("page=")[1].replace('
    '"%7C", "|").replace("%3A", ":").replace("%2B", "+") if following else None'
)

SUPPRESS: Line = ("import Iterator, Mapping\n", "import Iterator, Mapping\nfrom contextlib import suppress\n")
LINES: list[tuple[str, str | None, tuple[Line, ...]]] = [
    (
        "check_is_quiet_and_cheap_where_all_is_well",
        None,
        (('self._ask({"limit": "1"})', '[self._ask({"limit": "1"}) for _ in range(20)]'),),
    ),
    (
        "a_first_load_ends_in_what_is_true",
        None,
        (("for row in rows)\n            if following", "for row in rows[1:])\n            if following"),),
    ),
    ("ids_are_stable_and_carry_the_connector", None, ((".name}:note:{row['id']}", ".name}:note:{row['id']}.{id(self)}"),)),
    ("documents_have_what_a_reader_needs", None, (('title=str(row.get("title") or "Untitled")', 'title=""'),)),
    ("a_new_document_and_an_edit_come_with_the_next_turn", None, (('"changed_since": since,', '"changed_since": since and "9999",'),)),
    ("a_pull_ends_with_its_caught_up_page", None, (("caught_up=True", "caught_up=False"),)),
    (
        "cursors_stay_as_they_were_given",
        None,
        ((CURSOR, f"return [SHARED.update({CURSOR[7:]}), SHARED][1]"), ('NOTES = "/api/notes"', 'NOTES = "/api/notes"\nSHARED: dict = {}')),
    ),
    ("a_cursor_that_makes_no_sense_is_expired_never_a_crash", None, ((VERSION, "if False:"),)),
    ("reading_resumes_from_every_cursor_ever_given", None, (SKIPS,)),
    ("a_crash_at_any_page_boundary_loses_nothing", None, (SKIPS,)),
    ("a_crash_inside_a_catch_up_loses_nothing", None, (SKIPS, SHORT_PAGES)),
    ("a_change_in_the_very_moment_of_a_cursor_is_not_lost", None, (("timedelta(minutes=2)", "timedelta(seconds=-1)"),)),
    ("a_change_during_a_pull_is_not_lost", None, (("timedelta(minutes=2)", "timedelta(hours=-1)"), MET, ONCE)),
    (
        "a_deleted_document_is_gone_after_the_stream_and_the_listing",
        None,
        ((LISTED, 'yield from (self._id({"id": n}) for n in range(99))'),),
    ),
    ("the_listing_names_every_document_and_no_other", None, ((LISTED, f"{LISTED}\n            return"),)),
    (
        "a_hidden_document_is_gone_and_comes_back",
        None,
        (('if row.get("archived") is True:', "if False:"), (LISTED, LISTED[: -len(' if row.get("archived") is not True)')] + ")")),
    ),
    ("a_restricted_document_is_internal_at_once_or_within_a_day", None, ((AUDIENCE, 'audience="public"'),)),
    ("a_document_that_was_always_restricted_is_never_public", None, ((AUDIENCE, 'audience="public"'),)),
    (
        "an_audience_that_nobody_knows_is_internal",
        None,
        ((AUDIENCE, 'audience="internal" if row.get("visible_to") == "team" else "public"'),),
    ),
    ("an_unreadable_document_stops_no_other_and_is_tried_again", None, (("return Unreadable(identity, ", "raise ValueError(identity, "),)),
    (
        "a_document_that_becomes_unreadable_does_not_vanish",
        None,
        (('return Unreadable(identity, "the note has no text that can be read")', "return Gone(identity)"),),
    ),
    ("an_expired_cursor_is_told_and_everything_read_again", None, (('if refusal.status == 410 and params.get("page"):', "if False:"),)),
    ("a_turn_with_nothing_new_costs_the_same_however_much_there_is", None, (('"changed_since": since,', '"changed_since": "",'),)),
    ("a_first_load_survives", "HTML for good", (SWALLOWS,)),
    (
        "a_first_load_survives",
        "a redirect to another host",
        (BEARER, ("self._http.get(NOTES, {name: value for name, value in params.items() if value})", OPEN_SOCKET)),
    ),
    ("a_first_load_survives", "a next-link to another host", (BEARER, LINK, (FOLLOWING, FOLLOWS))),
    ("a_catch_up_survives", "truncated for good", (SWALLOWS,)),
    ("a_listing_is_complete_or_an_exception", "503 for good", (SWALLOWS,)),
    (
        "credentials_are_for_the_configured_address_only",
        None,
        (("http(settings.base_url,", 'http(settings.base_url.replace("127.0.0.1", "localhost"),'),),
    ),
    ("a_vendor_that_is_down_is_no_bug", None, (SWALLOWS,)),
    (
        "too_many_calls_are_not_answered_with_more",
        None,
        (
            SUPPRESS,
            (
                f"            {ASKED}",
                "            for _ in range(5):\n                with suppress(Exception):\n"
                f"                    self._http.get(NOTES)\n            {ASKED}",
            ),
        ),
    ),
    (
        "a_delay_that_the_vendor_asks_for_is_kept",
        None,
        (("    def check(self)", "        self._http._sleep = lambda _: None\n\n    def check(self)"),),
    ),
    (
        "a_wrong_credential_costs_one_request_and_one_sentence",
        None,
        (
            SUPPRESS,
            (
                '        self._ask({"limit": "1"})',
                '        with suppress(ConfigProblem):\n            self._ask({"limit": "1"})\n        self._ask({"limit": "1"})',
            ),
        ),
    ),
]


def small(folder: Path, *lines: Line) -> Stage:
    """The scaffold's stage with its connector, these lines changed."""
    name = f"mutant_{next(NUMBERS)}"
    texts = drawn(name)
    left = list(lines)
    for path, text in texts.items():
        for old, new in lines:
            if path.endswith(("connector.py", "sandbox.py")) and text.count(old) == 1:
                text = text.replace(old, new)  # noqa: PLW2901
                left.remove((old, new))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    assert not left, f"the scaffold no longer has {left}"
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(f"draftdesk_{name}.sandbox")
    finally:
        sys.path.remove(str(folder))
    stage: Stage = getattr(module, f"Mutant{name.split('_')[1]}Stage")()
    return stage


# --- Zendesk, a method spoilt ---


class NeverFinds(Zendesk):
    def find_reply(self, ticket_id: str, effect_key: str) -> ReplyRef | None:
        return None


class AlwaysFinds(Zendesk):
    def find_reply(self, ticket_id: str, effect_key: str) -> ReplyRef | None:
        return ReplyRef("1")


class Blurts(Zendesk):
    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef:
        return super().post_reply(ticket_id, replace(reply, public=True), effect_key, seen_version)


class Hurries(Zendesk):
    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef:
        now = self.ticket(ticket_id)
        return super().post_reply(ticket_id, reply, effect_key, now.version if now else seen_version)


class Believes(Zendesk):
    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef:
        try:
            return super().post_reply(ticket_id, reply, effect_key, seen_version)
        except (Refused, Outdated):
            return ReplyRef("1")


class Mute(Zendesk):
    def ticket(self, ticket_id: str) -> Ticket | None:
        found = super().ticket(ticket_id)
        return replace(found, comments=()) if found else None


class Modest(Zendesk):
    def ticket(self, ticket_id: str) -> Ticket | None:
        found = super().ticket(ticket_id)
        return replace(found, comments=tuple(replace(one, author="agent") for one in found.comments)) if found else None


class Overlooks(Zendesk):
    def tickets(self, cursor: Cursor | None, since: datetime) -> Iterator[TicketPage]:
        for page in super().tickets(cursor, since):
            yield replace(page, tickets=page.tickets[:-1])


class Replaces(Zendesk):
    def add_tags(self, ticket_id: str, tags: tuple[str, ...]) -> None:
        self._calls.http.post(f"/api/v2/tickets/{ticket_id}/tags.json", {"tags": list(tags)})


class ForgetsRepeats(Zendesk):
    def verify(self, headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent:
        return replace(super().verify(headers, raw_body, now), delivery_id=uuid.uuid4().hex)


class Credulous(Zendesk):
    def verify(self, headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent:
        return WebhookEvent("1", str(json.loads(raw_body)["detail"]["id"]))


class Patient(Zendesk):
    def verify(self, headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent:
        stamp = headers["X-Zendesk-Webhook-Signature-Timestamp"]
        return super().verify(headers, raw_body, datetime.fromisoformat(stamp))


class Resents(Zendesk):
    """What was deleted once is never taken in again."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            kept = tuple(change for change in page.changes if change.id not in MEMORY["gone"])
            MEMORY["seen"].update(change.id for change in kept)
            yield replace(page, changes=kept)

    def list_ids(self) -> Iterator[str]:
        listed = set(super().list_ids())
        MEMORY["gone"] |= MEMORY["seen"] - listed
        yield from listed


class Stays(Zendesk):
    """The same text told again is taken for a document that left."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            changes = []
            for change in page.changes:
                again = isinstance(change, Document) and change.markdown in MEMORY["seen"]
                changes.append(Gone(change.id) if again else change)
                MEMORY["seen"].add(getattr(change, "markdown", ""))
            yield replace(page, changes=tuple(changes))


MEMORY: dict[str, set[str]] = {"seen": set(), "gone": set()}
CLASSES: list[tuple[str, type[Zendesk]]] = [
    ("a_ticket_is_read_with_what_the_customer_wrote", Mute),
    ("what_moved_is_told_from_every_cursor", Overlooks),
    ("a_reply_stands_once_when_the_answer_to_its_post_is_lost", NeverFinds),
    ("a_reply_that_never_arrived_is_not_found_and_may_be_posted_again", AlwaysFinds),
    ("a_reply_is_found_by_its_own_key_only", AlwaysFinds),
    ("a_note_stays_private_and_a_reply_is_public", Blurts),
    ("what_we_wrote_reads_back_as_our_own", Modest),
    ("nothing_is_written_when_somebody_was_faster", Hurries),
    ("a_deleted_ticket_is_none_and_takes_no_reply", Believes),
    ("tags_are_added_and_replace_none", Replaces),
    ("a_genuine_delivery_names_its_ticket_and_a_repeat_is_told", ForgetsRepeats),
    ("a_forged_delivery_is_rejected", Credulous),
    ("an_old_or_altered_delivery_is_rejected", Patient),
    ("a_delivery_of_nonsense_is_no_crash", Credulous),
    ("a_restored_document_comes_back", Resents),
    ("a_moved_document_is_followed", Stays),
]


class Spoilt(ZendeskStage):
    def __init__(self, kind: type[Zendesk]) -> None:
        super().__init__()
        self._kind = kind

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Zendesk:
        healthy = super().connect(http, wrong_credential=wrong_credential)
        return self._kind(healthy._settings, http, now=self.now)


# --- a source in parts ---


class Halves(Zendesk):
    """Articles with odd numbers, and those with even ones."""

    told = ("0", "1")

    def parts(self) -> tuple[Part, ...]:
        return tuple(Part(key, f"half {key}") for key in self.told)

    def begin(self) -> Cursor:
        return list(self.pull(None))[-1].cursor

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        for page in self.pull(cursor):
            yield replace(page, changes=tuple(change for change in page.changes if int(change.id[-1]) % 2 == int(key)))


class HalfOnly(Halves):
    told = ("0",)


class BeginsLate(Halves):
    """Its beginning is when it is first caught up from, not when it was asked for."""

    def begin(self) -> Cursor:
        return {"v": 1, "walk": "late"}

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        late = cursor is not None and cursor.get("walk") == "late"
        return iter([replace(list(super().pull(None))[-1], changes=())]) if late else super().pull(cursor)


PARTS: list[tuple[str, type[Zendesk]]] = [
    ("parts_then_catching_up_equal_one_load", HalfOnly),
    ("a_change_between_the_parts_is_not_lost", BeginsLate),
]


def finds(rule: str, stage: Stage, fault: str | None = None) -> bool:
    """Whether the rule fails on this stage; a skip finds nothing."""
    MEMORY.update(seen=set(), gone=set())
    try:
        getattr(Conformance(), f"test_{rule}")(Play(stage), **({"fault": fault} if fault else {}))
    except pytest.skip.Exception:
        return False
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a faulty connector may fail in any way
        return True
    finally:
        stage.close()
    return False


@pytest.mark.parametrize(("rule", "fault", "lines"), LINES, ids=[f"{rule}-{fault}" for rule, fault, _ in LINES])
def test_a_line_that_is_wrong_is_found(rule: str, fault: str | None, lines: tuple[Line, ...], tmp_path: Path) -> None:
    assert finds(rule, small(tmp_path, *lines), fault)


@pytest.mark.parametrize(("rule", "kind"), [*CLASSES, *PARTS])
def test_a_method_that_is_wrong_is_found(rule: str, kind: type[Zendesk]) -> None:
    assert finds(rule, Spoilt(kind))


@pytest.mark.parametrize("rule", [rule for rule, _ in PARTS])
def test_a_source_in_sound_parts_passes(rule: str) -> None:
    assert not finds(rule, Spoilt(Halves))


@pytest.mark.parametrize(("rule", "fault", "lines"), [row for row in LINES if LINK in row[2]])
def test_a_link_that_is_not_followed_passes(rule: str, fault: str, lines: tuple[Line, ...], tmp_path: Path) -> None:
    reads = FOLLOWS.replace('__import__("requests").get(following, headers=BEARER, timeout=9) and ', "")
    assert not finds(rule, small(tmp_path, BEARER, LINK, (FOLLOWING, reads)), fault)


def test_every_rule_has_its_fault() -> None:
    tried: dict[str, Any] = {f"test_{row[0]}": row for row in [*LINES, *CLASSES, *PARTS]}
    assert sorted(tried) == RULES
