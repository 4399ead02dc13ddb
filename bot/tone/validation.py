"""What is wrong with a training file, line by line, before anybody is paid for reading it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.tone.prices import count_tokens
from bot.tone.redaction import personal
from connectors.base import ConfigProblem

FEWEST, FEW = 10, 100  # examples: fewer than the first are refused, fewer than the second rarely teach a manner
MOST_TOKENS = 65_536  # of one example (OpenAI's fine-tuning guide for the 4o and 4.1 families)
MOST_BYTES = 512 * 2**20  # of one file (OpenAI's API description)
ROLES = ("system", "user", "assistant", "tool", "developer")


@dataclass(frozen=True, slots=True)
class Fault:
    """`line` counts from 1; 0 is the whole file."""

    line: int
    says: str
    grave: bool = True  # False: a warning


@dataclass(frozen=True, slots=True)
class Examined:
    kind: Literal["supervised", "preference"]
    examples: int
    tokens: int
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        return not any(fault.grave for fault in self.faults)


def validate(path: Path, *, canaries: Collection[str] = (), apart_from: Path | None = None) -> Examined:
    """`canaries` must stand nowhere in it; `apart_from`: the other split, with which it may share no reply. Raises ConfigProblem."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ConfigProblem(f"{path}: cannot be read ({problem.strerror})") from None
    faults, rows, tokens = [], [], 0
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            if number <= raw.count(b"\n"):
                faults.append(Fault(number, "is empty; each line holds one example"))
            continue
        row = _parsed(line)
        if isinstance(row, str):
            faults.append(Fault(number, row))
            continue
        rows.append((number, row))
        size = count_tokens(line.decode())
        tokens += size
        faults.extend(Fault(number, says) for says in [*_shape(row), *_content(line.decode(), canaries)])
        if size > MOST_TOKENS:
            faults.append(Fault(number, f"is about {size} tokens long; at most {MOST_TOKENS} are read"))
    kind: Literal["supervised", "preference"] = "preference" if rows and "preferred_output" in rows[0][1] else "supervised"
    faults.extend(_whole(len(raw), rows))
    if apart_from is not None:
        faults.extend(_leaks(rows, apart_from))
    return Examined(kind, len(rows), tokens, tuple(sorted(faults, key=lambda fault: fault.line)))


def _parsed(line: bytes) -> dict[str, Any] | str:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as problem:
        return f"is not UTF-8 at byte {problem.start}"
    except ValueError as problem:
        return f"is not JSON ({problem})"
    return row if isinstance(row, dict) else "is no JSON object"


def _shape(row: dict[str, Any]) -> list[str]:
    if "preferred_output" in row or "non_preferred_output" in row:
        return _preference(row)
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return ["lacks `messages`, a list of {role, content}"]
    found = _messages(messages, "messages")
    if found:
        return found
    if not any(one["role"] == "assistant" and one.get("weight", 1) for one in messages):
        found.append("no assistant message is to be learnt from: give one, with weight 1 or none")
    if messages[-1]["role"] != "assistant":
        found.append("ends with a message that is not the assistant's")
    return found


def _messages(messages: Sequence[Any], where: str) -> list[str]:
    found = []
    for at, message in enumerate(messages):
        place = f"{where}[{at}]"
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            found.append(f"{place}.role is none of {', '.join(ROLES)}")
        elif not isinstance(message.get("content"), str) or not message["content"].strip():
            found.append(f"{place}.content is empty or no text")
        elif "weight" in message and (message["role"] != "assistant" or message["weight"] not in (0, 1)):
            found.append(f"{place}.weight may be 0 or 1, and only on assistant messages")
    return found


def _preference(row: dict[str, Any]) -> list[str]:
    asked = row.get("input")
    messages = asked.get("messages") if isinstance(asked, dict) else None
    if not isinstance(messages, list) or not messages:
        return ["lacks `input.messages`"]
    found, outputs = _messages(messages, "input.messages"), []
    for name in ("preferred_output", "non_preferred_output"):
        output = row.get(name)
        if not isinstance(output, list) or len(output) != 1:
            found.append(f"{name} must hold exactly one assistant message")
            continue
        found.extend(_messages(output, name))
        if isinstance(output[0], dict) and output[0].get("role") != "assistant":
            found.append(f"{name}[0].role must be assistant")
        outputs.append(output)
    if len(outputs) == 2 and outputs[0] == outputs[1]:
        found.append("prefers what it rejects: both outputs are the same")
    return found


def _content(line: str, canaries: Collection[str]) -> list[str]:
    text = json.dumps(json.loads(line), ensure_ascii=False)
    found = [f"holds personal data ({kind})" for kind in personal(text)]
    return found + ["holds a text that must never leave (a canary)" for canary in canaries if canary in text]


def _whole(size: int, rows: Sequence[tuple[int, dict[str, Any]]]) -> list[Fault]:
    found = []
    if size > MOST_BYTES:
        found.append(Fault(0, f"has {size} bytes; at most {MOST_BYTES} are taken"))
    if len({"preferred_output" in row for _, row in rows}) > 1:
        found.append(Fault(0, "mixes preference pairs with chat examples; keep them in two files"))
    if len(rows) < FEWEST:
        found.append(Fault(0, f"has {len(rows)} examples; at least {FEWEST} are needed"))
    elif len(rows) < FEW:
        found.append(Fault(0, f"has {len(rows)} examples; under {FEW} rarely teach a manner", grave=False))
    return found


def _leaks(rows: Sequence[tuple[int, dict[str, Any]]], other: Path) -> list[Fault]:
    try:
        taken = {reply for line in other.read_text(encoding="utf-8").split("\n") if line.strip() and (reply := _reply(json.loads(line)))}
    except (OSError, ValueError) as problem:
        raise ConfigProblem(f"{other}: cannot be compared with ({problem})") from None
    return [Fault(number, f"its reply stands in {other.name} too") for number, row in rows if _reply(row) in taken]


def _reply(row: dict[str, Any]) -> str | None:
    """What both splits may not hold; where the answer is a few fields in JSON, which repeat, it is the message they are about."""
    messages = row.get("messages") or row.get("preferred_output")
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict) or "content" not in messages[-1]:
        return None
    said = " ".join(str(messages[-1]["content"]).split())
    return " ".join(str(messages[-2].get("content")).split()) if said.startswith("{") and len(messages) > 1 else said
