"""The weekly reports as JSON."""

from flask import Blueprint, Response

from api.access import needs
from api.requests import answer, page, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.reports import queries, service

blueprint = Blueprint("reports", __name__, url_prefix="/api/v1/reports")


@blueprint.get("")
@needs(Scope.READ)
def index() -> Response:
    """Every report, the newest week first."""
    with reading(runtime().engine) as session:
        return page(queries.reports(session))


@blueprint.get("/so-far")
@needs(Scope.READ)
def so_far() -> Response:
    """What the report of the running week would say now; nothing is written."""
    opened = runtime()
    with reading(opened.engine) as session:
        return answer(service.so_far(session, now=opened.clock.now()))


@blueprint.get("/<week>")
@needs(Scope.READ)
def show(week: str) -> Response:
    """The report of one ISO week."""
    with reading(runtime().engine) as session:
        return answer(queries.report(session, week))
