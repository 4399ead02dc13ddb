"""Personal data is hidden from a model under placeholders that mean the same everywhere, and comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer.pseudonyms import PLACEHOLDER, Mask, PseudonymousWriter, Pseudonyms
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage, triage
from bot.answer.write import Draft, ModelUnavailable, Sentence, Usage
from bot.config.conduct import EntityPattern
from connectors.base import Comment, Ticket

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
TEXT = (
    "Will you help? I am Ada Byron, ada@example.com, +44 20 7946 0958. My order A-1001 (contract CT-777) went to 10.1.2.3 and back; "
    "paid from GB29 NWBK 6016 1331 9268 19. Write to ada@example.com or support@acme.example."
)
CONTRACT = EntityPattern(type="contract", pattern=r"CT-\d+", personal=True)
TICKET = Ticket(
    "1", "Order A-1001 of Ada", "new", "v", "u", "ada@example.com", "Ada Byron",
    (Comment("c", "u", "customer", True, TEXT, NOW, ("ada-byron.pdf",)),), (), "https://d.example/1", NOW, NOW,
)  # fmt: skip
PAGE = "Write to support@acme.example. Returns take 30 days."
FOUND = Found((Passage("kb:1", "Returns", "", "public", "en", None, (), PAGE, 1.0, 0.9, "v"),), ())


def test_what_leads_to_a_person_is_hidden_and_what_anybody_may_read_is_not() -> None:
    hidden = Mask((CONTRACT,)).of(TICKET, PAGE).hide(TEXT)
    for datum in ("Ada", "Byron", "ada@", "7946", "A-1001", "CT-777", "10.1.2.3", "NWBK"):
        assert datum not in hidden
    assert hidden.startswith("Will you help? I am [NAME-1], [EMAIL-1], [PHONE-1].")
    assert hidden.endswith("Write to [EMAIL-1] or support@acme.example.")


def test_the_same_datum_has_the_same_placeholder_in_every_text_and_comes_back() -> None:
    names = Mask((CONTRACT,)).of(TICKET)
    both = [names.hide(TICKET.subject), names.hide(TEXT)]
    assert "[ORDER-1]" in both[0]
    assert "[ORDER-1]" in both[1]
    assert [names.fill(text) for text in both] == [TICKET.subject, TEXT]


def test_a_placeholder_that_the_model_made_up_is_no_answer() -> None:
    names = Mask().of(TICKET)
    names.hide(TEXT)
    with pytest.raises(ModelUnavailable, match="stands for nothing"):
        names.fill("Your order [ORDER-9] is on its way.")


def test_a_customer_who_writes_a_placeholder_gets_it_back_and_nobody_elses_data() -> None:
    names = Mask().of(TICKET)
    hidden = names.hide("[EMAIL-1] is what I see; mine is ada@example.com")
    assert names.fill(hidden) == "[EMAIL-1] is what I see; mine is ada@example.com"
    assert "ada@" not in hidden


WORDS = st.sampled_from(
    ["Ada", "Byron", "ada@example.com", "+44 20 7946 0958", "A-1001", "[EMAIL-1]", "[ORDER-2]", "[MARK-1]", "CT-1", "the", "12", "\n"]
)


@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=12))
def test_hiding_is_always_undone(first: list[str], second: list[str]) -> None:
    names = Pseudonyms((CONTRACT,), ("Ada Byron", "Byron", "Ada"))
    texts = [" ".join(first), " ".join(second)]
    hidden = [names.hide(text) for text in texts]
    assert [names.fill(text) for text in hidden] == texts
    assert not any("ada@" in text or "7946" in text for text in hidden)


class Model:
    """Answers with the placeholders of its question."""

    def __init__(self) -> None:
        self.seen = ""

    def write(self, ticket: Ticket, read: Triage, found: Found) -> Draft:
        said = [text for one in ticket.comments for text in (one.text, *one.attachments)]
        self.seen = "\n".join([ticket.subject, str(ticket.requester_email), *said, *read.questions, *(one.text for one in read.entities)])
        mark = PLACEHOLDER.search(ticket.subject)
        assert mark is not None
        return Draft((Sentence(f"Your order {mark.group()} is noted.", (1,), "statement"),), found.public, Usage(), True)


def test_a_writer_behind_the_mask_sees_no_person_and_its_draft_names_them_again() -> None:
    model = Model()
    read = triage(TICKET, ("en",), patterns=(CONTRACT,))
    draft = PseudonymousWriter(model, Mask((CONTRACT,))).write(TICKET, read, FOUND)
    assert draft is not None
    assert draft.sentences[0].text == "Your order A-1001 is noted."
    for datum in ("Byron", "ada@example", "7946", "A-1001", "CT-777", "NWBK", "ada-byron.pdf"):
        assert datum not in model.seen
