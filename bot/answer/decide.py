"""What becomes of a ticket: a public reply, a note with a draft, a hand-off to a person, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from bot.answer.check import Verdict
from bot.answer.conflict import Conflict
from bot.answer.retrieve import Found
from bot.answer.triage import Triage
from bot.answer.write import Draft

Outcome = Literal["reply", "note", "handoff", "skip"]
Mode = Literal["reply", "note", "never"]
ONLY_NOTES = "policy: deliver note"
DAY_IS_FULL = "policy: max_replies_per_day is reached"
AtRisk = Literal["reply", "note", "handoff"]


class TopicRule(Protocol):
    """One entry of `policy.topics`, as the configuration gives it."""

    @property
    def name(self) -> str: ...
    @property
    def deliver(self) -> Mode: ...
    @property
    def max_wrong(self) -> float | Literal["off"] | None: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """What was shown of a topic: from `threshold` on at most `max_wrong` of its replies are wrong. `obstacle`: why that does not count."""

    max_wrong: float
    threshold: float
    obstacle: str | None = None


def nothing_shown(topic: str) -> Bound | None:
    """No topic has a bound."""
    return None


class Hours(Protocol):
    """When people are at work, and what may go out by itself then and otherwise."""

    @property
    def inside(self) -> Literal["reply", "note"]: ...
    @property
    def outside(self) -> Literal["reply", "note"]: ...
    def is_open(self, moment: datetime) -> bool: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds when a ticket is decided on, beside what it says; `agent`: one is at work on it; `replies`: public ones of the day."""

    now: datetime
    agent: bool = False
    replies: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's policy as one ticket meets it; `ceiling` is the connector's own `deliver`, `bounds` knows each topic's bound."""

    topics: Sequence[TopicRule]
    default: Mode
    ceiling: Literal["note", "reply"]
    max_replies_per_ticket: int
    bounds: Callable[[str], Bound | None] = nothing_shown
    at_risk: AtRisk = "note"
    hours: Hours | None = None
    max_replies_per_day: int | None = None
    agent_active: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is typed where INTERFACE types it (``no_knowledge: …``), a sentence otherwise; `confidence` is 0 to 1."""

    outcome: Outcome
    reason: str
    confidence: float
    steps: tuple[str, ...]  # the policy steps taken, for `explain`


def refuse_early(triage: Triage, rules: Rules, replies: int) -> Decision | None:
    """What can be said before anything is searched or written: skip, or hand over. None: go on."""
    if triage.skip:
        return Decision("skip", triage.skip, 1.0, ("triage: skip",))
    if replies >= rules.max_replies_per_ticket:
        return Decision("skip", f"policy: this ticket already had {replies} answers of the bot", 1.0, ("policy: max_replies_per_ticket",))
    if triage.human_wanted:
        return Decision("handoff", "customer_request: the customer asks for a person", 1.0, ("triage: a person is wanted",))
    if triage.risk and rules.at_risk == "handoff":
        return Decision("handoff", f"policy: {triage.risk}", 1.0, ("policy: at_risk handoff",))
    if _mode(triage, rules) == "never":
        return Decision("handoff", f"policy: topic {triage.topic or 'default'} is left to people", 1.0, ("policy: deliver never",))
    if not triage.questions:
        return Decision(
            "handoff", "no_knowledge: the message has no text to go by; a person must look at it", 1.0, ("triage: no question",)
        )
    return None


def decide(
    triage: Triage,
    found: Found,
    draft: Draft | None,
    verdict: Verdict | None,
    rules: Rules,
    *,
    clashes: Sequence[Conflict] = (),
    moment: Moment | None = None,
) -> Decision:
    """The decision over a checked draft. Whatever is not wholly supported goes to a person. `moment` None: a replay, without one."""
    if draft is None or verdict is None or not draft.sentences:
        hint = "; internal sources may help, see below" if found.internal else ""
        return Decision("handoff", f"no_knowledge: nothing that this customer may read answers it{hint}", 0.0, ("write: no answer",))
    confidence = _confidence(draft)
    if not verdict.supported:
        why = next((sentence.why for sentence in verdict.sentences if not sentence.supported), "nothing but courtesies")
        return Decision("handoff", f"unsupported: {why}", confidence, ("check: not every sentence is supported",))
    if clashes:
        clash = clashes[0]
        told = f"{clash.source.title} and {clash.rival.title} contradict each other ({clash.why})"
        return Decision("handoff", f"conflict: {told}", confidence, ("check: every sentence is supported", "check: the sources disagree"))
    steps = ["check: every sentence is supported"]
    outcome: Outcome = "note"
    if _mode(triage, rules) == "reply":
        obstacle = _obstacle(triage, draft, rules) or _doubt(triage, rules, confidence) or (moment and _untimely(moment, rules))
        steps.append(obstacle or "policy: the topic's bound holds, or is waived (max_wrong: off)")
        outcome = "note" if obstacle else "reply"
    else:
        steps.append(ONLY_NOTES)
    return Decision(outcome, steps[-1], confidence, tuple(steps))


def _obstacle(triage: Triage, draft: Draft, rules: Rules) -> str | None:
    """Why a topic that may reply does not reply this time."""
    if rules.ceiling == "note":
        return "policy: the connector's deliver: note is the ceiling"
    if triage.suspicious:
        return "policy: the message tries to instruct the bot"
    if not draft.complete:
        return "policy: only a part of the questions is answered"
    if draft.asks:
        return "policy: the draft asks the customer which case is theirs; a person sends it"
    if triage.risk and rules.at_risk != "reply":
        return f"policy: {triage.risk}; a person sends it"
    return None


def _untimely(moment: Moment, rules: Rules) -> str | None:
    """Why no reply goes out just now."""
    if moment.agent:
        return "policy: an agent is at work on the ticket"
    if rules.hours:
        open_ = rules.hours.is_open(moment.now)
        if (rules.hours.inside if open_ else rules.hours.outside) == "note":
            return f"policy: only notes {'inside' if open_ else 'outside'} business hours"
    if rules.max_replies_per_day is not None and moment.replies >= rules.max_replies_per_day:
        return DAY_IS_FULL
    return None


def lowered(decision: Decision, why: str) -> Decision:
    """A reply that became a note at the last moment."""
    return replace(decision, outcome="note", reason=why, steps=(*decision.steps, why))


def _doubt(triage: Triage, rules: Rules, confidence: float) -> str | None:
    """Why the topic's bound does not speak for this reply; None where it does, or where the operator has waived it."""
    rule = _rule(triage, rules)
    if rule is None:
        return "policy: a ticket of no topic has no error bound"
    if obstacle := held_back(rule, rules):
        return f"policy: {obstacle}"
    bound = rules.bounds(rule.name) if rule.max_wrong != "off" else None
    if bound and confidence < bound.threshold:
        return f"policy: confidence {confidence:.2f} is below {bound.threshold:.2f}, from which on this topic's bound holds"
    return None


def held_back(rule: TopicRule, rules: Rules) -> str | None:
    """Why no reply on this topic goes out at present, in a sentence; None: its bound holds, or is waived."""
    if rule.max_wrong == "off":
        return None
    bound = rules.bounds(rule.name)
    if rule.max_wrong is None or bound is None:
        return "no error bound has been shown for this topic yet; run draftdesk simulate and label its samples"
    if bound.obstacle:
        return bound.obstacle
    if bound.max_wrong > rule.max_wrong:
        shown = f"the bound was shown for max_wrong {bound.max_wrong:g}, the file now says {rule.max_wrong:g}"
        return f"{shown}; run draftdesk simulate again"
    return None


def _rule(triage: Triage, rules: Rules) -> TopicRule | None:
    return next((rule for rule in rules.topics if rule.name == triage.topic), None)


def _mode(triage: Triage, rules: Rules) -> Mode:
    rule = _rule(triage, rules)
    return rule.deliver if rule else rules.default


def _confidence(draft: Draft) -> float:
    """The writer's own figure where it has one; else the weakest link, the lowest cosine (0 to 1) among the cited passages."""
    if draft.confidence is not None:
        return draft.confidence
    cited = {marker for sentence in draft.sentences for marker in sentence.citations}
    return round(min((max(0.0, draft.citations[marker - 1].cosine) for marker in cited), default=0.0), 3)
