"""What the commands show to people: tables on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bot.answer.retrieve import Passage
    from bot.intake import Progress
    from bot.sync import Outcome
    from connectors.registry import Installed

COLOURS = {"reply": "green", "note": "cyan", "handoff": "yellow", "skip": "bright_black"}
PIPE_WIDTH = 120  # characters
EXCERPT = 160  # characters of a passage in a list


def out() -> Console:
    """Where results go; as wide as the terminal, and wide enough for a table where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def err() -> Console:
    return Console(stderr=True, highlight=False)


@contextmanager
def sync_progress(name: str) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal, one for each part of a first load; silence elsewhere (the outcome is printed at the end)."""
    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    # How many documents there are is not known before the last page: the bar pulses, the counts tell how far it is.
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(f"{name}: reading", total=None)
        parts: dict[str, TaskID] = {}

        def advance(progress: Progress) -> None:
            read = progress.added + progress.updated + progress.unchanged + progress.unreadable
            bars.update(task, description=f"{name}: {read:,} documents read, {progress.passages:,} passages indexed")
            if progress.part is not None:
                if progress.part not in parts:
                    parts[progress.part] = bars.add_task("")
                total = max(progress.part_expected, progress.part_seen) if progress.part_expected else None
                told = describe_part(progress.part, progress.part_seen, progress.part_expected)
                bars.update(parts[progress.part], description=escape(f"{name}: {told}"), total=total, completed=progress.part_seen)

        yield advance


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    table = Table(box=None, pad_edge=False)
    counts = ("added", "updated", "removed", "unchanged", "unreadable", "held_back", "requests")
    table.add_column("connector")
    for count in counts:
        table.add_column(count.replace("_", " "), justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for outcome in outcomes:
        state = "[red]failed[/]" if outcome.error else "[green]up to date[/]" if outcome.caught_up else "[yellow]not caught up[/]"
        table.add_row(outcome.name, *(str(getattr(outcome, count)) for count in counts), f"{outcome.seconds:.1f}", state)
    console = out()
    console.print(table)
    for outcome in outcomes:
        for part in outcome.parts:
            state = "[green]loaded[/]" if part.finished else "[yellow]not loaded to its end[/]"
            if part.finished and part.expected is not None and part.seen < part.expected:
                state = f"[red]{part.expected - part.seen:,} are missing[/]"
            console.print(f"{outcome.name}: {escape(describe_part(part.title, part.seen, part.expected))} documents, {state}")


def describe_part(title: str, seen: int, expected: int | None) -> str:
    """How far a part is: ``space KB 340 of 1,200``."""
    return f"{title} {seen:,}" + ("" if expected is None else f" of {expected:,}")


def describe_results(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """The `results` of `search --json`."""
    return [
        {
            "rank": rank,
            "score": round(passage.score, 4),
            "document": passage.document,
            "title": passage.title,
            "url": passage.url,
            "audience": passage.audience,
            "language": passage.language,
            "updated_at": passage.updated_at.isoformat().replace("+00:00", "Z") if passage.updated_at else None,
            "passage": passage.text,
            "cosine": round(passage.cosine, 4),
            "nearness": round(passage.nearness, 4),
            "also": [asdict(source) for source in passage.also],
        }
        for rank, passage in enumerate(passages, start=1)
    ]


def print_results(results: Sequence[dict[str, Any]]) -> None:
    console = out()
    if not results:
        console.print("Nothing found.")
    for result in results:
        console.print(f"[bold]{result['rank']}.[/] {escape(result['title'])}  [bright_black]{result['score']:.2f}  {result['audience']}[/]")
        for document in (result["document"], *(source["document"] for source in result["also"])):
            console.print(f"   [bright_black]{escape(document)}[/]")
        console.print(Text(f"   {shorten(result['passage'])}"))


def print_draft(record: dict[str, Any]) -> None:
    """A decision as a person wants to see it: what, why, the text, and for every sentence where it comes from."""
    console = out()
    colour = COLOURS[record["decision"]]
    ticket = record["ticket"]
    head = Text.assemble(
        (record["decision"].upper(), f"bold {colour}"), f"  ticket {ticket['id']}  ", (ticket["subject"] or "(no subject)", "bold")
    )
    body = Text()
    if record["body_text"]:
        for sentence in record["sentences"]:
            marks = "".join(f"[{marker}]" for marker in sentence["citations"])
            body.append(sentence["text"].strip())
            body.append(f" {marks}\n" if marks else "\n", style="cyan")
    else:
        body.append(record["reason"])
    if record["citations"] and record["body_text"]:
        body.append("\n")
        for citation in record["citations"]:
            body.append(f"[{citation['marker']}] {citation['title']}", style="cyan")
            body.append(f"  {citation['document']}\n", style="bright_black")
    for hint in record["internal_hints"]:
        body.append(f"\nfor the agent only: {hint['title']}  {hint['document']}", style="yellow")
    if record["triage"]["suspicious"]:
        body.append(f"\nflagged: {'; '.join(record['triage']['suspicious'])}", style="red")
    console.print(
        Panel(body, title=head, title_align="left", border_style=colour, subtitle=f"draft {record['draft_id']}", subtitle_align="right")
    )


def print_explanation(record: dict[str, Any]) -> None:
    """Everything kept about one decision, in the order it came about."""
    console = out()
    print_draft(record)
    triage = record["triage"]
    console.print("[bold]Triage[/]  " + ", ".join(f"{name} {triage[name]}" for name in ("language", "sentiment", "priority", "topic")))
    for question in triage["questions"]:
        console.print(Text(f"  asked: {shorten(question)}"))
    console.print("[bold]Found[/]")
    for passage in record["passages"]:
        console.print(Text(f"  {passage['cosine']:.2f}  {passage['audience']:8}  {passage['document']}  {shorten(passage['text'], 80)}"))
    console.print("[bold]Checked[/]")
    for sentence in record["checks"]:
        mark = "supported" if sentence["supported"] else "REFUSED"
        console.print(Text(f"  {mark}: {shorten(sentence['text'], 90)}{' (' + sentence['why'] + ')' if sentence['why'] else ''}"))
        if sentence.get("instead"):
            console.print(Text(f"    the passage says: {shorten(sentence['instead'], 90)}"))
    if record.get("repaired"):
        console.print(Text(f"  at a second attempt; of the first, {record['repaired']} could not be proved"))
    console.print("[bold]Policy[/]")
    for step in record["policy"]:
        console.print(Text(f"  {step}"))
    usage, delivery = record["usage"], record["delivery"]
    tokens = f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens, {usage['cost_usd']:.4f} USD"
    console.print(f"[bold]Cost[/]  {tokens}, {record['timings_ms']['total']:.0f} ms")
    if record["posted"]:
        console.print(
            f"[bold]Posted[/]  as comment {record['posted']['comment']}, {'public' if record['posted']['public'] else 'internal'}"
        )
    else:
        console.print(f"[bold]Posted[/]  no{': ' + delivery['state'] + ', ' + (delivery['reason'] or '') if delivery else ''}")


def print_connectors(found: Sequence[Installed]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("type", "from", "can"):
        table.add_column(column)
    for one in found:
        table.add_row(one.type, one.origin, ", ".join(one.capabilities))
    out().print(table)


def shorten(text: str, limit: int = EXCERPT) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
