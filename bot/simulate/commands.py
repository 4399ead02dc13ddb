"""What `draftdesk simulate`, `label` and `gaps` ask for, as plain functions over the opened parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

from sqlalchemy import Engine, select
from sqlmodel import Session

from bot.answer.triage import clean_subject
from bot.config import Config
from bot.deployment import Deployment
from bot.simulate.contradictions import against_agents, between_sources, sayings
from bot.simulate.gaps import UNANSWERED, Unanswered, find_gaps, unanswered
from bot.simulate.knowledge import current, reader
from bot.simulate.replay import Progress, Wish
from bot.simulate.report import Material, write_report
from bot.simulate.run import simulate
from bot.simulate.sample import digest
from bot.simulate.topics import Shown, show_bounds
from connectors.base import ConfigProblem
from storage import outbox, samples
from storage.database import reading
from storage.embedding import Embedder
from storage.samples import Verdict
from storage.tables import DraftRow, LabelRow, SampleRow, table

GAPS_SHOWN = 20  # in a report
drafts = table(DraftRow)


def run_simulation(
    deployment: Deployment,
    name: str,
    wish: Wish,
    folder: Path,
    *,
    newest: bool = True,
    told: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Replay, bounds, both report files; returns report.json. `newest`: see `simulate`. Raises ConfigProblem."""
    made = simulate(deployment, name, wish, newest=newest, told=told, progress=progress)
    bounds = show_bounds(deployment.config, deployment.engine, name, made.fingerprint, deployment.now(), counts=newest)
    with Session(reading(deployment.engine)) as session:
        labels = samples.labels(session, name)
    material = Material(deployment.engine, made, bounds, labels, deployment.now())
    gaps = find_gaps(list(unanswered(material.rows())), deployment.index.embedder, GAPS_SHOWN, reader(deployment.engine))
    try:
        return write_report(Material(deployment.engine, made, bounds, labels, deployment.now(), gaps), folder)
    except OSError as problem:
        raise ConfigProblem(f"{folder}: the report cannot be written ({problem.strerror}); give another --out, nothing is lost") from None


def record_label(config: Config, engine: Engine, of: str, verdict: Verdict, now: datetime) -> Shown | None:
    """Keep what somebody says of a sample or of a live draft, and find the bounds anew. Raises ConfigProblem when there is no such draft.

    Returns how its topic stands now, None where it has none.
    """
    row = _label_row(engine, of, verdict, now)
    with Session(engine) as session, session.begin():
        connector, topic, live = row.connector, row.topic, row.live
        samples.label(session, row)
    if live:
        return None
    return next((shown for shown in refresh_bounds(config, engine, connector, now) if shown.topic == topic), None)


def _label_row(engine: Engine, of: str, verdict: Verdict, now: datetime) -> LabelRow:
    with Session(reading(engine)) as session:
        sample, draft = samples.sample(session, of), outbox.draft(session, of)
        if sample is not None and sample.words:
            found = (sample.words, sample.connector, sample.ticket_id, sample.topic, False)
        elif draft is not None and draft.record.get("body_text"):
            words = digest(draft.connector, draft.ticket_id, draft.record["body_text"])
            found = (words, draft.connector, draft.ticket_id, draft.record["triage"]["topic"], True)
        else:
            raise ConfigProblem(f"there is no draft {of} to label; the report shows each sample's id, a note's foot that of a live draft")
    words, connector, ticket_id, topic, live = found
    return LabelRow(words=words, connector=connector, ticket_id=ticket_id, topic=topic, live=live, verdict=verdict, at=now)


def refresh_bounds(config: Config, engine: Engine, connector: str, now: datetime) -> Sequence[Shown]:
    """The bounds of the newest run, with the labels of now."""
    with Session(reading(engine)) as session:
        mark = samples.newest_run(session, connector)
    return show_bounds(config, engine, connector, mark, now) if mark else ()


def read_labels(path: Path) -> dict[str, Verdict]:
    """A labels.json that a report saved. Raises ConfigProblem naming what is wrong in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigProblem(f"{path}: cannot be read as JSON ({problem})") from None
    if not isinstance(content, Mapping):
        raise ConfigProblem(f'{path}: an object such as {{"SAMPLE": "right"}} is expected')
    wrong = [f"{sample}: {verdict}" for sample, verdict in content.items() if verdict not in get_args(Verdict)]
    if wrong:
        raise ConfigProblem(f"{path}: not right, wrong or unsure: {', '.join(wrong[:5])}")
    return cast("dict[str, Verdict]", dict(content))


def to_label(engine: Engine, connector: str) -> Iterator[SampleRow]:
    """Drafts of the newest run that nobody has labelled, in random order. Raises ConfigProblem when there was no run."""
    with Session(reading(engine)) as session:
        mark = samples.newest_run(session, connector)
        if mark is None:
            raise ConfigProblem(f"nothing was simulated yet: run draftdesk simulate {connector} first")
        waiting = list(samples.unlabelled(session, connector, mark))
    yield from waiting


def gaps_of(engine: Engine, embedder: Embedder, connectors: Sequence[str]) -> list[dict[str, Any]]:
    """From the newest run of each helpdesk, and from live tickets that were handed over for want of knowledge."""
    found: dict[tuple[str, str], Unanswered] = {}
    for connector in connectors:
        for one in _live(engine, connector):
            found[connector, one.ticket_id] = one
        with Session(reading(engine)) as session:
            mark = samples.newest_run(session, connector)
            done = samples.made(session, connector, mark) if mark else {}
            rows = samples.samples(session, connector, mark or "", [ticket for ticket, made in done.items() if made.decision == "handoff"])
            for one in unanswered(rows):
                found[connector, one.ticket_id] = one
    return find_gaps(list(found.values()), embedder, read=reader(engine))


def contradictions_of(engine: Engine, connectors: Sequence[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(documents against each other, documents against what agents answered in the newest runs)."""
    known = sayings(current(engine))
    return between_sources(known), against_agents(known, _answered(engine, connectors))


def _answered(engine: Engine, connectors: Sequence[str]) -> Iterator[SampleRow]:
    for connector in connectors:
        with Session(reading(engine)) as session:
            mark = samples.newest_run(session, connector)
            done = samples.made(session, connector, mark) if mark else {}
            read = [ticket for ticket, made in done.items() if made.decision != "unfit"]
            yield from samples.samples(session, connector, mark or "", read)


def _live(engine: Engine, connector: str) -> Iterator[Unanswered]:
    query = select(drafts.c.ticket_id, drafts.c.subject, drafts.c.reason, drafts.c.record)
    query = query.where(drafts.c.connector == connector, drafts.c.decision == "handoff").order_by(drafts.c.created_at)
    with reading(engine, in_parts=True).connect() as connection:
        for row in connection.execute(query.execution_options(yield_per=100)):
            if row.reason.partition(":")[0] in UNANSWERED:
                triage = row.record["triage"]
                yield Unanswered(
                    ticket_id=row.ticket_id,
                    subject=clean_subject(row.subject or ""),
                    question="\n".join(triage["questions"]),
                    answer="",
                    language=triage["language"],
                    hours=0.0,
                    replies=0,
                    nearest=_nearest(row.record),
                )


def _nearest(record: Mapping[str, Any]) -> dict[str, Any] | None:
    public = [passage for passage in record["passages"] if passage["audience"] == "public"]
    best = max(public, key=lambda passage: passage["cosine"], default=None)
    return {"document": best["document"], "title": best["title"], "cosine": best["cosine"]} if best else None
