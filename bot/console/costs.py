"""What the models cost: per day, per model, per topic, and how much of the cap is left."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import Response

from bot.console import charts
from bot.console.office import Office
from bot.console.pages import frame, render, usd
from bot.console.visit import Visitor
from bot.spending import midnight
from storage import expenses, reviews
from storage.database import reading
from storage.expenses import Expense
from storage.spending import spent_on

DAYS = 30
SERIES = 5  # models with a colour of their own
REST = "others"


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    now = office.now()
    since = midnight(now) - timedelta(days=DAYS - 1)
    with Database(reading(office.engine)) as s:
        spent = expenses.by_day(s, since)
        topics = reviews.costs_by_topic(s, since)
        today = spent_on(s, now)
    cap = office.config.budget.usd_per_day if office.config.budget else None
    models = _models(spent)
    dearest = max((usd for _, _, usd in models), default=0.0)
    return render(
        office,
        visitor,
        "costs.html",
        title="Costs",
        here="costs",
        days=DAYS,
        chart=charts.columns(_columns(spent, since.date(), [name for name, _, _ in models]), "USD per day and model", cap),
        begins=since,
        today=today,
        cap=cap,
        per_ticket=office.config.budget.usd_per_ticket if office.config.budget else None,
        left=charts.bar(today / cap, "hue3" if today >= cap else "hue0") if cap else None,
        total=sum(one.usd for one in spent),
        models=[(*one, charts.bar(one[2] / (dearest or 1.0), f"hue{at}")) for at, one in enumerate(models)],
        topics=[(one, charts.bar(one.usd / (topics[0].usd or 1.0))) for one in topics],
        **frame(request.cookies, request.query_params),
    )


def _models(spent: list[Expense]) -> list[tuple[str, int, float]]:
    """(model, calls, USD), dearest first; the cheapest are put together."""
    totals: dict[str, tuple[int, float]] = {}
    for one in spent:
        name = one.model or "not recorded"
        calls, paid = totals.get(name, (0, 0.0))
        totals[name] = (calls + one.calls, paid + one.usd)
    ordered = sorted(((name, *told) for name, told in totals.items()), key=lambda one: -one[2])
    rest = ordered[SERIES:]
    return ordered[:SERIES] + ([(REST, sum(one[1] for one in rest), sum(one[2] for one in rest))] if rest else [])


def _columns(spent: list[Expense], begins: date, models: list[str]) -> list[tuple[str, list[float]]]:
    """Every day there is, also those without a call."""
    found: dict[str, list[float]] = {}
    for number in range(DAYS):
        found[(begins + timedelta(days=number)).isoformat()] = [0.0] * len(models)
    for one in spent:
        name = one.model or "not recorded"
        if one.day in found and models:
            found[one.day][models.index(name) if name in models else len(models) - 1] += one.usd
    return [(f"{day}: {usd(sum(values))}", values) for day, values in found.items()]
