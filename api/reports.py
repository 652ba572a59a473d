"""The weekly reports as JSON."""

from flask import Blueprint

from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.reports import queries, service
from experiments.reports.schemas import ReportOut

blueprint = Blueprint("reports", __name__, url_prefix="/api/v1/reports")


@blueprint.get("")
@endpoint(Scope.READ)
def index(asked: Paging) -> Page[ReportOut]:
    """Every report, the newest week first."""
    with reading(runtime().engine) as session:
        return page_of(queries.reports(session), asked, lambda item: item.week)


@blueprint.get("/so-far")
@endpoint(Scope.READ)
def so_far() -> ReportOut:
    """What the report of the running week would say now; nothing is written."""
    opened = runtime()
    with reading(opened.engine) as session:
        return service.so_far(session, now=opened.clock.now())


@blueprint.get("/<week>")
@endpoint(Scope.READ)
def show(week: str) -> ReportOut:
    """The report of one ISO week."""
    with reading(runtime().engine) as session:
        return queries.report(session, week)
