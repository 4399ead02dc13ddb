"""Zendesk's answers as our values: liberal in what is taken, strict about who may read it and who wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Comment, Document, Gone, Unreadable
from connectors.fields import moment
from connectors.zendesk.client import next_request
from connectors.zendesk.machines import machine
from connectors.zendesk.parse import Place, article_changes, comment_text, macro_change, side_loaded, ticket, ticket_ref

PLACE = Place("acme", "https://acme.zendesk.com")
ROW = {
    "id": 46406145565073, "title": "Refunds & returns", "draft": False,
    "body": "<p>Within 30 days, see <a href='/hc/en-us/x'>here</a>.</p>",
    "locale": "en-us", "source_locale": "en-us", "html_url": "https://acme.zendesk.com/hc/en-us/articles/46406145565073-Refunds",
    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-02-01T00:00:00Z", "edited_at": "2026-03-01T00:00:00Z",
    "user_segment_id": None, "user_segment_ids": [],
}  # fmt: skip
WHEN = datetime(2026, 11, 20, 9, tzinfo=UTC)


def only(row: dict[str, Any], translations: list[dict[str, Any]] | None = None) -> Any:
    (change,) = article_changes(PLACE, row, translations or [])
    return change


def test_an_article_is_read_with_the_later_of_its_two_times_and_absolute_links() -> None:
    document = only(ROW)
    assert document.id == "zendesk:acme:article:46406145565073"
    assert document.updated_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert document.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert "https://acme.zendesk.com/hc/en-us/x" in document.markdown
    assert (document.audience, document.language, document.url) == ("public", "en", ROW["html_url"])


@pytest.mark.parametrize(
    ("change", "audience"),
    [
        ({}, "public"),
        ({"user_segment_id": 5}, "internal"),
        ({"user_segment_id": 0}, "internal"),
        ({"user_segment_ids": [5]}, "internal"),
        ({"user_segment_ids": None}, "public"),
        ({"permission_group_id": 5}, "public"),
    ],
)
def test_only_an_article_for_everyone_is_public(change: dict[str, Any], audience: str) -> None:
    assert only({**ROW, **change}).audience == audience


def test_an_article_that_does_not_tell_its_readers_is_internal() -> None:
    silent = {key: value for key, value in ROW.items() if not key.startswith("user_segment")}
    assert only(silent).audience == "internal"


@pytest.mark.parametrize("fault", [{"body": ["x"]}, {"title": {"x": 1}}])
def test_a_body_that_is_no_text_is_unreadable(fault: dict[str, Any]) -> None:
    assert isinstance(only({**ROW, **fault}), Unreadable)


def test_a_null_body_is_an_empty_article() -> None:
    assert only({**ROW, "body": None}).markdown.strip() == ""


def test_a_draft_is_gone_in_its_own_language_only() -> None:
    french = {"locale": "fr", "title": "R", "body": "<p>x</p>", "draft": True}
    english, gone = article_changes(PLACE, ROW, [french])
    assert isinstance(english, Document)
    assert gone == Gone("zendesk:acme:article:46406145565073:fr")
    first, second = article_changes(PLACE, {**ROW, "draft": True}, [{**french, "draft": False}])
    assert isinstance(first, Gone)
    assert isinstance(second, Document)


def test_a_draft_flag_of_the_source_translation_counts_too() -> None:
    assert isinstance(only(ROW, [{"locale": "en-us", "draft": True}]), Gone)
    assert isinstance(only(ROW, [{"locale": "en-us", "hidden": True}]), Gone)


def test_a_restricted_article_is_restricted_in_every_language() -> None:
    french = {"locale": "fr", "title": "R", "body": "<p>x</p>", "draft": False}
    assert {change.audience for change in article_changes(PLACE, {**ROW, "user_segment_id": 3}, [french])} == {"internal"}  # type: ignore[union-attr]


def test_an_article_with_little_more_than_an_id_is_read() -> None:
    document = only({"id": "7", "title": "T", "body": "x", "locale": "pt-BR", "unknown": {"x": [1]}})
    assert (document.id, document.language, document.updated_at) == ("zendesk:acme:article:7", "pt", None)
    assert document.url == "https://acme.zendesk.com/hc/pt-br/articles/7"
    assert article_changes(PLACE, {"title": "no id"}, []) == []


def test_side_loaded_translations_are_found_nested_and_in_an_array_of_their_own() -> None:
    french = {"locale": "fr", "source_id": 7}
    assert side_loaded({}, {"id": 7, "translations": [french]}) == [french]
    assert side_loaded({"translations": [french, {"locale": "fr", "source_id": 8}]}, {"id": 7}) == [french]
    assert side_loaded({}, {"id": 7}) is None
    assert side_loaded({}, {"id": 7, "translations": [1, 2]}) is None


@pytest.mark.parametrize(
    ("macro", "text"),
    [
        ({"actions": [{"field": "comment_value", "value": "Hello"}]}, "Hello"),
        ({"actions": [{"field": "comment_value", "value": ["channel:all", "Hello"]}]}, "Hello"),
        ({"actions": [{"field": "comment_value_html", "value": "<p>Hello</p>"}, {"field": "status", "value": "solved"}]}, "Hello"),
        ({"actions": [{"field": "status", "value": "solved"}]}, None),
        ({"actions": None}, None),
        ({"active": False, "actions": [{"field": "comment_value", "value": "Hello"}]}, None),
        ({"restriction": {"type": "User", "id": 4}, "actions": [{"field": "comment_value", "value": "Hello"}]}, None),
    ],
)
def test_a_macro_is_internal_or_gone(macro: dict[str, Any], text: str | None) -> None:
    change = macro_change(PLACE, {"id": 25, "title": "Hi", **macro})
    if text is None:
        assert change == Gone("zendesk:acme:macro:25")
    else:
        assert isinstance(change, Document)
        assert (change.markdown.strip(), change.audience) == (text, "internal")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-08T10:12:07.672717030Z", datetime(2025, 1, 8, 10, 12, 7, 672717, tzinfo=UTC)),
        ("2025-01-08T10:12:07Z", datetime(2025, 1, 8, 10, 12, 7, tzinfo=UTC)),
        ("2025-01-08 10:12:07 +0200", datetime(2025, 1, 8, 8, 12, 7, tzinfo=UTC)),
        ("2025-01-08T10:12:07.5-01:00", datetime(2025, 1, 8, 11, 12, 7, 500000, tzinfo=UTC)),
        ("2025-02-30T10:12:07Z", None),
        ("soon", None),
        (None, None),
        (1763629200, None),
    ],
)
def test_times_are_read_in_every_form_that_zendesk_writes(text: object, expected: datetime | None) -> None:
    assert moment(text) == expected


@given(st.text(max_size=40))
def test_no_text_makes_a_time_fail(text: str) -> None:
    found = moment(text)
    assert found is None or found.tzinfo is not None


PAGE = {"page[size]": "100", "include": "users"}


@pytest.mark.parametrize(
    ("body", "following"),
    [
        ({"meta": {"has_more": True, "after_cursor": "abc"}, "links": {}}, {**PAGE, "page[after]": "abc"}),
        ({"meta": {"has_more": True}, "links": {"next": "https://x.example:443/y?page%5Bafter%5D=abc"}}, {**PAGE, "page[after]": "abc"}),
        ({"meta": {"has_more": False, "after_cursor": "abc"}, "links": {"next": "https://acme.zendesk.com/x?page%5Bafter%5D=abc"}}, None),
        ({"next_page": "https://evil.example/x?page=2&per_page=100"}, {"include": "users", "page": "2", "per_page": "100"}),
        ({"next_page": None, "count": 3}, None),
        ({"next_page": "http://[broken"}, None),
        ({"meta": None, "links": None}, None),
        ({}, None),
    ],
)
def test_the_next_page_is_known_by_the_answer_and_never_by_its_address(body: dict[str, Any], following: dict[str, str] | None) -> None:
    assert next_request(body, PAGE) == following


# --- tickets ---


def comment(identity: int, author: int, text: str | None = "Hello", **more: Any) -> dict[str, Any]:
    return {"id": identity, "author_id": author, "plain_body": text, "public": True, "created_at": "2026-11-20T09:00:00Z", **more}


USERS: dict[str, dict[str, Any]] = {
    "1": {"id": 1, "role": "end-user", "email": "c@example.com", "name": "Cleo", "locale": "fr-CA"},
    "2": {"id": 2, "role": "agent"},
    "3": {"id": 3, "role": "end-user", "email": None, "active": False},
}


def authors(*comments: dict[str, Any]) -> list[str]:
    row = {"id": 9, "requester_id": 1, "updated_at": "2026-11-20T09:00:00Z", "status": "new"}
    return [one.author for one in ticket("https://acme.zendesk.com", row, comments, "50", USERS).comments]


def test_each_comment_has_the_right_author() -> None:
    assert authors(
        comment(1, 1), comment(2, 2), comment(3, 3), comment(4, -1), comment(5, 50, via={"channel": "api"}),
        comment(6, 50, via={"channel": "web"}), comment(7, 2, metadata={"custom": {"draftdesk_effect": "k"}}), comment(8, 777),
        comment(9, 2, via={"channel": "rule"}), comment(10, 1, public=False), comment(11, 50),
    ) == ["customer", "agent", "customer", "system", "bot", "agent", "bot", "agent", "system", "agent", "bot"]  # fmt: skip


def test_a_ticket_of_little_more_than_an_id_is_read() -> None:
    row = {"id": 9, "status": "on-our-own-status", "requester_id": None, "tags": None, "via": None}
    found = ticket("https://acme.zendesk.com", row, [{"id": 1, "author_id": None, "body": None, "via": [], "metadata": None}], "50", {})
    assert (found.status, found.subject, found.tags, found.channel, found.version) == ("open", "", (), "web", "")
    assert found.comments[0].public is False


def test_comments_come_oldest_first_and_keep_the_vendors_order_within_a_second() -> None:
    row = {"id": 9, "requester_id": 1}
    late, first, second = comment(1, 1), comment(2, 1), comment(3, 2)
    late["created_at"] = "2026-11-20T10:00:00Z"
    assert [one.id for one in ticket("", row, [late, first, second], "50", USERS).comments] == ["2", "3", "1"]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"plain_body": "A&nbsp;b\u00a0c"}, "A b c"),
        ({"plain_body": "", "body": "Words"}, "Words"),
        ({"body": None, "html_body": "<div class='zd-comment'><p>Words</p></div>"}, "Words"),
        ({"plain_body": None, "body": None, "html_body": None}, ""),
        ({}, ""),
    ],
)
def test_the_text_of_a_comment_is_the_plainest_there_is(row: dict[str, Any], text: str) -> None:
    assert comment_text(row) == text


def test_a_ticket_reference_keeps_ids_beyond_32_bits_and_needs_no_more_than_an_id() -> None:
    assert ticket_ref({"id": 46406145565073, "status": "HOLD"}).id == "46406145565073"  # type: ignore[union-attr]
    assert ticket_ref({"status": "open"}) is None
    assert ticket_ref({"id": 1, "subject": "SCRUBBED", "description": "X", "status": "closed"}).status == "deleted"  # type: ignore[union-attr]


# --- machines ---


def automated(subject: str = "Refund", text: str = "Where is my refund?", *, email: str = "c@example.com", **more: Any) -> str | None:
    said = [Comment("1", "1", "customer", True, text, WHEN)]
    raw = [{"id": 1, **{key: value for key, value in more.items() if key in ("via", "metadata")}}]
    return machine(subject, said, raw, {"1": {"email": email, **{key: value for key, value in more.items() if key == "suspended"}}})


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Your ticket", "Re: Out of Office: back on Monday", "Out of office", "AutoReply: x",
        "Undeliverable: Your ticket",
        "Undelivered Mail Returned to Sender", "Delivery Status Notification (Failure)",
        "Mail delivery failed: returning message to sender",
        "Réponse automatique : Votre demande", "Absence du bureau : retour lundi", "Non remis : Votre demande",
        "Automatische Antwort: Ticket",
        "Abwesenheitsnotiz: Ticket", "Unzustellbar: Ticket", "AW: Automatische Antwort: Ticket",
        "Respuesta automática: x", "failure notice",
    ],
)  # fmt: skip
def test_automatic_replies_and_bounces_are_known_by_their_subject(subject: str) -> None:
    assert automated(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "How do I set up an automatic reply?", "Out of office does not work", "Automatic reply settings", "Undeliverable parcel",
        "Réponse automatique ne marche pas", "Abwesenheitsnotiz einrichten", "My mail delivery is late", "Refund", "",
    ],
)  # fmt: skip
def test_a_question_about_such_things_is_a_customers(subject: str) -> None:
    assert automated(subject) is None


@pytest.mark.parametrize(
    "email",
    ["mailer-daemon@x.example", "MAILER-DAEMON@x.example", "postmaster@x.example", "no-reply@x.example", "noreply+7@x.example",
     "donotreply@x.example", "bounce-17@x.example"],
)  # fmt: skip
def test_a_machines_address_is_known(email: str) -> None:
    assert automated(email=email)


def test_a_persons_address_is_not_a_machines() -> None:
    assert automated(email="noreplyson@example.com") is None
    assert automated(email="anna.postmaster@example.com") is None


def test_other_signs_of_a_machine() -> None:
    assert automated(via={"channel": "email", "source": {"from": {"address": "mailer-daemon@x.example"}}})
    assert automated(metadata={"system": {"client": "Vacation responder 1.0"}})
    assert automated(suspended=True)
    assert automated(text="I am out of the office until Monday and will answer then.")
    assert automated(text="Je suis absente du bureau jusqu'au 3.")
    assert automated(text="Ich bin derzeit nicht im Büro.")
    assert automated(via=[], metadata="x") is None


def test_words_said_again_after_an_answer_are_a_loop() -> None:
    words = "Your request has been received under number 5."
    said = [
        Comment("0", "1", "customer", True, words, WHEN),
        Comment("1", "1", "bot", True, "Hello", WHEN),
        Comment("2", "1", "customer", True, words, WHEN),
    ]
    assert machine("Refund", said, [], {})
    assert machine("Refund", [said[0], said[2]], [], {}) is None


def test_a_subject_speaks_for_the_first_message_only() -> None:
    said = [Comment("1", "1", "customer", True, "x", WHEN), Comment("2", "1", "customer", True, "I am back, please help me.", WHEN)]
    assert machine("Automatic reply: x", said, [], {}) is None


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
SCRAPS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
READERS = ["user_segment_id", "user_segment_ids"]
FIELDS = ["id", "title", "body", "draft", "locale", "source_locale", "html_url", "updated_at", "hidden", *READERS]


@given(st.dictionaries(st.sampled_from(FIELDS), SCRAPS))
def test_no_shape_of_an_article_is_an_exception_and_none_unknown_is_public(row: dict[str, Any]) -> None:
    for change in article_changes(PLACE, row, []):
        if isinstance(change, Document) and change.audience == "public":
            assert row.get("user_segment_id") is None
            assert not row.get("user_segment_ids")
