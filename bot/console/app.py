"""The console as one application: every page for those who are signed in, every deed for those who may."""

from __future__ import annotations

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.console import activity, costs, decisions, inbox, knowledge, sign_in, simulation, static, ticket, voice
from bot.console.headers import with_headers
from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.roles import Right
from bot.console.visit import Deed, Page, deed, page
from connectors.base import ConfigProblem, Transient

log = structlog.get_logger()

PAGES: tuple[tuple[str, Page, Right], ...] = (
    ("/", inbox.show, Right.READ),
    ("/find", inbox.find, Right.READ),
    ("/drafts/{draft}", ticket.show, Right.READ),
    ("/drafts/{draft}/conversation", ticket.converse, Right.READ),
    ("/knowledge", knowledge.show, Right.READ),
    ("/simulation", simulation.show, Right.READ),
    ("/simulation/{connector}/label", simulation.ask, Right.ANSWER),
    ("/voice", voice.show, Right.READ),
    ("/costs", costs.show, Right.READ),
    ("/activity", activity.show, Right.RUN),
)
DEEDS: tuple[tuple[str, Deed, Right], ...] = (
    ("/drafts/{draft}/approve", decisions.approve, Right.ANSWER),
    ("/drafts/{draft}/reject", decisions.reject, Right.ANSWER),
    ("/drafts/{draft}/reopen", decisions.reopen, Right.ANSWER),
    ("/drafts/{draft}/label", decisions.label, Right.ANSWER),
    ("/simulation/{connector}/label/{sample}", simulation.label, Right.ANSWER),
    ("/knowledge/study", knowledge.study, Right.ANSWER),
    ("/knowledge/sync/{connector}", knowledge.sync, Right.RUN),
    ("/theme", sign_in.choose_theme, Right.READ),
    ("/sign-out", sign_in.leave, Right.READ),
)


def create_console(office: Office) -> ASGIApp:
    """Mounted at the root of the service, behind the webhooks, health and metrics."""
    routes = [
        Route("/static/{name}", static.serve),
        Route("/sign-in", sign_in.show(office)),
        Route("/sign-in", sign_in.take(office), methods=["POST"]),
        *(Route(path, page(office, make, right)) for path, make, right in PAGES),
        *(Route(path, deed(office, carry_out, right), methods=["POST"]) for path, carry_out, right in DEEDS),
    ]

    async def explain(request: Request, problem: Exception) -> Response:
        return await run_in_threadpool(_explain, office, request, problem)

    app = Starlette(routes=routes, exception_handlers={404: explain, 405: explain, ConfigProblem: explain, Transient: explain})
    return with_headers(app, secure=office.door.secure)


def _explain(office: Office, request: Request, problem: Exception) -> Response:
    """What is not there, or does not work just now; the reason itself is for the log, it may name hosts and files."""
    missing = isinstance(problem, HTTPException)
    if not missing:
        log.error("page not shown", path=request.url.path, reason=str(problem))
    status, title = (404, "Not found") if missing else (503, "Not now")
    says = "There is no such page." if missing else "The database cannot be read just now; the log says why."
    return render(office, None, "refused.html", status=status, title=title, says=says, **frame(request.cookies, {}))
