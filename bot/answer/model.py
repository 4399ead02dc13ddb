"""The writer that asks a model, at any OpenAI-compatible endpoint. What it says is a proposal; `check` decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot.answer import courtesy
from bot.answer.manner import Manners, plain
from bot.answer.prompt import SCHEMA, Answered, Asked, Unreadable, again, ask, read
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage
from bot.answer.write import Draft, ModelUnavailable, OverBudget, Sentence, Usage
from bot.spending import Purchase, Purse
from connectors.base import ConfigProblem, RateLimited, Ticket, Transient
from connectors.timing import seconds

if TYPE_CHECKING:
    from openai import OpenAI

    from bot.answer.check import Verdict
    from bot.config.model import Prices, Writer

MOST_TOKENS = 4_000  # of one answer, reasoning included
LEAST_TOKENS = 200  # an answer that must be shorter is not worth asking for
BYTES_PER_TOKEN = 2.0  # of a prompt, at the least: what it may cost is reserved before it is sent
NEXT_LOOK = 3600.0  # seconds, when the day's money is spent
WARNING_DAYS = 60  # before a model's shutdown date
# Codes of a 429 that waiting does not cure (OpenAI's error reference, November 2026).
OUT_OF_MONEY = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)


class ModelWriter:
    """One request a ticket, and one more where `judge` refuses a part of the answer that the passages could put right.

    No request is repeated here: the caller postpones, or falls back, on ModelUnavailable.
    """

    def __init__(
        self,
        settings: Writer,
        purse: Purse | None = None,
        *,
        manners: Manners = plain,
        judge: Callable[[Draft], Verdict] | None = None,
        most_tokens: int = MOST_TOKENS,
    ) -> None:
        self._settings = settings
        self._purse = purse
        self._manners = manners
        self._judge = judge
        self._most_tokens = most_tokens

    @cached_property
    def _client(self) -> OpenAI:
        return open_client(self._settings)

    def close(self) -> None:
        self._client.close()

    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        """A draft; one without sentences when the model says that nothing here answers (its cost counts). Raises ModelUnavailable."""
        if not triage.questions or not found.public:
            return None
        asked = ask(ticket, triage, found.public, self._manners(ticket, triage))
        content, draft = self._answer(asked, ticket, triage)
        verdict = self._judge(draft) if self._judge and draft.sentences else None
        return self._repaired(again(asked, content, verdict), draft, verdict, ticket, triage) if verdict and _mends(verdict) else draft

    def _repaired(self, asked: Asked, draft: Draft, verdict: Verdict, ticket: Ticket, triage: Triage) -> Draft:
        """The second attempt; the first, and what was paid for both, where there is none to be had."""
        try:
            _, second = self._answer(asked, ticket, triage)
        except ModelUnavailable as outage:
            return replace(draft, usage=draft.usage + outage.usage)
        refused = sum(not sentence.supported for sentence in verdict.sentences)
        return replace(second, usage=draft.usage + second.usage, repaired=refused)

    def _answer(self, asked: Asked, ticket: Ticket, triage: Triage) -> tuple[str, Draft]:
        """What the model said, and the draft made of it. Raises ModelUnavailable."""
        with self._purchase(ticket.id, asked) as purchase:
            completion = self._complete(asked, self._affordable(purchase, asked), purchase)
            usage = usage_of(completion, self._settings.prices)
            purchase.cost = usage.cost_usd
        content = content_of(completion, usage)
        try:
            answered = read(content, asked, len(triage.questions))
        except Unreadable as fault:
            raise ModelUnavailable(f"the model's answer cannot be used: {fault}", retryable=True, usage=usage) from None
        return content, _draft(answered, asked.passages, usage, ticket, triage)

    @contextmanager
    def _purchase(self, ticket_id: str, asked: Asked) -> Iterator[Purchase]:
        prices = self._settings.prices
        if self._purse is None or prices is None:
            yield Purchase(float("inf"), False, "")
            return
        most = _prompt_cost(asked, prices) + self._most_tokens * float(prices.output) / 1e6
        with self._purse.open(ticket_id, most, model=self._settings.model) as purchase:
            yield purchase

    def _affordable(self, purchase: Purchase, asked: Asked) -> int:
        """How many tokens the answer may have. Raises OverBudget."""
        prices = self._settings.prices
        if prices is None or purchase.usd == float("inf"):
            return self._most_tokens
        left = purchase.usd - _prompt_cost(asked, prices)
        tokens = self._most_tokens if left >= 0 and not prices.output else int(left * 1e6 / float(prices.output or 1))
        if tokens < min(LEAST_TOKENS, self._most_tokens):
            purchase.cost = 0.0
            final = purchase.ticket_is_short
            raise OverBudget(purchase.told, retryable=True, retry_after=None if final else NEXT_LOOK, final=final)
        return min(tokens, self._most_tokens)

    def _complete(self, asked: Asked, tokens: int, purchase: Purchase) -> Any:
        import openai

        shape = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
        try:
            try:
                return self._create(asked, tokens, response_format=shape)
            except openai.BadRequestError as refusal:
                if "response_format" not in str(refusal):
                    raise
                return self._create(asked, tokens)
        except openai.OpenAIError as problem:
            if isinstance(problem, openai.APIStatusError) or _unsent(problem):
                purchase.cost = 0.0  # a call that timed out may have been billed; one that was refused was not
            raise unavailable(problem, self._settings) from None

    def _create(self, asked: Asked, tokens: int, **shape: Any) -> Any:
        """The messages go past the package's walk through every field of them, which costs as much as the call itself."""
        said = {"messages": list(asked.messages), **shape}
        return self._client.chat.completions.create(
            model=self._settings.model or "", messages=[], max_completion_tokens=tokens, extra_body=said
        )


def _mends(verdict: Verdict) -> bool:
    """Whether a second attempt has something to go by: a passage that speaks of what was refused, or a claim that holds."""
    claims = [sentence for sentence in verdict.sentences if sentence.kind not in ("courtesy", "heading")]
    return not verdict.supported and any(sentence.supported or sentence.instead for sentence in claims)


def open_client(settings: Writer) -> OpenAI:
    import openai

    # A key is always given: without one the package would send the environment's to whatever server the file names.
    return openai.OpenAI(
        api_key=settings.api_key.reveal() if settings.api_key else "none",
        base_url=str(settings.base_url),
        timeout=float(seconds(settings.timeout)),
        max_retries=0,
        http_client=openai.DefaultHttpxClient(follow_redirects=False),
    )


def content_of(completion: Any, usage: Usage) -> str:
    """The text of the one choice. Raises ModelUnavailable for a refusal, a cut or filtered answer, and an empty one."""
    choices = getattr(completion, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise ModelUnavailable(
            "the server answered without a choice; is base_url an OpenAI-compatible endpoint?", retryable=False, usage=usage
        )
    message, finish = choices[0].message, choices[0].finish_reason
    if getattr(message, "refusal", None):
        raise ModelUnavailable("the model refused to answer this ticket", retryable=False, usage=usage, final=True)
    if finish == "content_filter":
        raise ModelUnavailable("the model's content filter held the answer back", retryable=False, usage=usage, final=True)
    if finish == "length":
        raise ModelUnavailable("the model's answer was cut off at the limit of its length", retryable=True, usage=usage)
    if not isinstance(message.content, str) or not message.content.strip():
        raise ModelUnavailable("the model's answer is empty", retryable=True, usage=usage)
    return message.content


def _prompt_cost(asked: Asked, prices: Prices) -> float:
    """USD, at the most."""
    sent = sum(len(str(message["content"]).encode()) for message in asked.messages) + len(str(SCHEMA))
    return sent / BYTES_PER_TOKEN * float(prices.input) / 1e6


def _unsent(problem: Exception) -> bool:
    """Whether no connection came about."""
    return type(problem.__cause__).__name__ in ("ConnectError", "ConnectTimeout", "UnsupportedProtocol")


def usage_of(completion: Any, prices: Prices | None) -> Usage:
    """Tokens and their price; prompt_tokens include the cached ones."""
    counted = getattr(completion, "usage", None)
    prompt, said = (int(getattr(counted, name, 0) or 0) for name in ("prompt_tokens", "completion_tokens"))
    cached = min(prompt, int(getattr(getattr(counted, "prompt_tokens_details", None), "cached_tokens", 0) or 0))
    if prices is None:
        return Usage(prompt, said, 0.0)
    cheap = float(prices.input if prices.cached is None else prices.cached)
    return Usage(prompt, said, ((prompt - cached) * float(prices.input) + cached * cheap + said * float(prices.output)) / 1e6)


def unavailable(problem: Exception, settings: Writer) -> ModelUnavailable:
    """What a failed call means, in a sentence for the operator; bodies of other people's servers are not repeated in it."""
    import openai

    where = f"{settings.model} at {settings.base_url}"
    if isinstance(problem, openai.APITimeoutError):
        return ModelUnavailable(f"{where} did not answer within {settings.timeout}", retryable=True)
    if isinstance(problem, openai.APIConnectionError):
        return ModelUnavailable(f"{where} cannot be reached", retryable=True)
    if isinstance(problem, openai.RateLimitError):
        if {str(problem.code), str(problem.type)} & OUT_OF_MONEY:
            return ModelUnavailable(f"the account behind {where} has no credit or has reached its limit; top it up", retryable=False)
        return ModelUnavailable(f"{where} asks to slow down", retryable=True, retry_after=_retry_after(problem))
    if isinstance(problem, openai.APIStatusError):
        return _by_status(problem.status_code, str(problem.code or ""), where)
    return ModelUnavailable(f"{where} gave an answer that is not a chat completion", retryable=True)


def _by_status(status: int, code: str, where: str) -> ModelUnavailable:
    known = {
        401: f"{where} refuses the key; correct writer.api_key",
        403: f"{where} does not let this account use the model",
        404: f"{where} does not exist: the model is retired or misspelt, or base_url is wrong",
    }
    if status in known:
        return ModelUnavailable(known[status], retryable=False)
    if 300 <= status < 400:
        return ModelUnavailable(f"{where} redirects elsewhere, which is not followed; write the final base_url", retryable=False)
    if code == "context_length_exceeded":
        return ModelUnavailable(f"the ticket and its passages are too long for {where}", retryable=False, final=True)
    return ModelUnavailable(f"{where} answered {status}", retryable=status in (408, 409, 425) or status >= 500)


def _retry_after(problem: Any) -> float | None:
    headers = problem.response.headers
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None


def _draft(answered: Answered, shown: Sequence[Passage], usage: Usage, ticket: Ticket, triage: Triage) -> Draft:
    """The model's sentences between our courtesies, with only the cited passages, renumbered."""
    if not answered.sentences:
        return Draft((), (), usage, complete=False)
    used = list(dict.fromkeys(number for sentence in answered.sentences for number in sentence.citations))
    markers = {number: marker for marker, number in enumerate(used, start=1)}
    body = [Sentence(said.text, tuple(markers[number] for number in said.citations), said.kind) for said in answered.sentences]
    opening = [courtesy.greeting(triage.language, ticket.requester_name), courtesy.thanks(triage.language)]
    several = len(triage.questions) > 1
    closing = [courtesy.which_case(triage.language)] if answered.depends else []
    closing += [courtesy.colleague(triage.language, number if several else None) for number in answered.unanswered]
    closing.append(courtesy.sign_off(triage.language))
    polite = [[Sentence(text, (), "courtesy") for text in texts] for texts in (opening, closing)]
    said, cited = (*polite[0], *body, *polite[1]), tuple(shown[number - 1] for number in used)
    return Draft(said, cited, usage, complete=not answered.unanswered, asks=bool(answered.depends))


@dataclass(frozen=True, slots=True)
class Reached:
    """`warning` when the model's end is near."""

    model: str
    warning: str | None


def reach(settings: Writer, today: date | None = None) -> Reached:
    """The cheapest real call: is the model on the server's list? Raises ConfigProblem, RateLimited, Transient."""
    import openai

    try:
        with open_client(settings) as client:
            listed = {row.id: row for row in client.models.list()}
    except openai.OpenAIError as problem:
        outage = unavailable(problem, settings)
        if outage.retry_after is not None:
            raise RateLimited(outage.reason, outage.retry_after) from None
        raise (Transient(outage.reason) if outage.retryable else ConfigProblem(f"writer: {outage.reason}")) from None
    row = listed.get(settings.model or "")
    if row is None:
        some = ", ".join(sorted(listed)[:5])
        raise ConfigProblem(f"writer.model: {settings.base_url} has no model {settings.model}; it has, among others: {some or 'none'}")
    return Reached(row.id, _end_of_life(row, today or datetime.now(UTC).date()))


def _end_of_life(row: Any, today: date) -> str | None:
    told = getattr(row, "shutdown_date", None)
    if not told:
        return None
    end = date.fromisoformat(str(told)[:10])
    if end <= today:
        raise ConfigProblem(f"writer.model: {row.id} was shut down on {end}; name another model")
    return f"{row.id} will be shut down on {end}" if (end - today).days <= WARNING_DAYS else None
