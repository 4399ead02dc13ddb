"""What the commands `simulate`, `label` and `gaps` show: tables on stdout, progress on stderr. Light to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.simulate.replay import Progress
    from bot.simulate.topics import Shown


def stand(topic: Shown) -> str:
    """How a topic's bound stands, in a line."""
    bound = topic.bound
    if bound is None:
        return f"{topic.topic}: no bound is asked for"
    if bound.threshold is not None:
        return f"{topic.topic}: holds from confidence {bound.threshold:.2f} on ({bound.labelled} labels)"
    so_far = f"{topic.topic}: {bound.labelled} labels, {bound.wrong} not right"
    return f"{so_far}; at least {bound.missing} more right ones are needed for {bound.max_wrong:.1%}"


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[Progress], None]]:
    """On a terminal; silence elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from bot.report import err

    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(name, total=None)

        def advance(progress: Progress) -> None:
            cost = f", {progress.usd:.2f} of about {progress.forecast:.2f} USD" if progress.usd and progress.forecast else ""
            bars.update(
                task, description=f"{name}: {progress.answered} tickets answered{cost}", total=progress.total, completed=progress.looked_at
            )

        yield advance


def print_summary(document: dict[str, Any], folder: Path) -> None:
    from rich.table import Table

    from bot.report import out

    console, table = out(), Table(box=None, pad_edge=False)
    for column in ("measure", "value", "95%", "n"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    for name, figure in document["measures"].items():
        if figure["value"] is not None:
            table.add_row(name, f"{figure['value']:.3f}", f"{figure['low']:.3f} – {figure['high']:.3f}", str(figure["n"]))
    console.print(table)
    for topic in document["topics"]:
        bound = topic["bound"]
        if bound["max_wrong"] is not None:
            state = f"holds from {bound['threshold']:.2f} on" if bound["holds"] else f"needs at least {bound['missing']} more right labels"
            console.print(f"{topic['name']}: max_wrong {bound['max_wrong']:g} {state} ({bound['labelled']} labels)")
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)


def print_comparison(compared: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from bot.report import out

    console, table = out(), Table(box=None, pad_edge=False)
    for column in ("topic", "measure", "before", "now"):
        table.add_column(column, justify="right" if column in ("before", "now") else "left")
    for topic, measures in {"all": compared["measures"], **compared["topics"]}.items():
        for measure, (before, now) in measures.items():
            if before != now:
                table.add_row(escape(topic), measure, *("–" if value is None else f"{value:.3f}" for value in (before, now)))
    console.print(table)
    for word in ("better", "worse"):
        moved = ", ".join(f"{topic} {measure}" for topic, measure in compared[word])
        console.print(f"Surely {word}: {escape(moved) or 'nothing'}")
    console.print(f"{len(compared['tickets'])} of {compared['in_both']} tickets are decided otherwise, or cite other documents.")


def print_gaps(found: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    from bot.report import out

    console = out()
    for gap in found:
        nearest = f"; nearest: {gap['nearest']['title']}" if gap["nearest"] else ""
        console.print(f"[bold]{escape(gap['topic'])}[/]  {gap['tickets']} tickets, {gap['replies']} replies{escape(nearest)}")
        for sentence in (gap["nearest"] or {}).get("lacks", ())[:2]:
            console.print(f"  it lacks: {escape(sentence)}", soft_wrap=True)
    if not found:
        console.print("No gaps: nothing was handed over for want of knowledge, or nothing was simulated yet (draftdesk simulate NAME).")


def print_contradictions(sources: list[dict[str, Any]], agents: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    from bot.report import out

    console = out()
    for clash in sources:
        one, other = clash["documents"]
        console.print(f"[red]{escape(one['title'])}[/] and [red]{escape(other['title'])}[/] contradict each other: {escape(clash['why'])}")
    for one in agents:
        word = "is out of date" if one["stale"] else "is contradicted by agents"
        console.print(f"[yellow]{escape(one['title'])}[/] {word}, in {one['tickets']} tickets: {escape(one['why'])}")
