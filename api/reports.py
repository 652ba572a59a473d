"""The weekly reports as JSON."""

from flask import Blueprint, Response

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.mailings import service as mailings
from experiments.mailings.document import pdf
from experiments.reports import queries, service, sharing
from experiments.reports.comparing import Comparison
from experiments.reports.schemas import ReportOut
from experiments.reports.sharing import NewShareOut, ShareIn, ShareOut

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


@blueprint.get("/<week>/document.pdf")
@endpoint(Scope.READ, media="application/pdf")
def document(week: str) -> Response:
    """The report of one ISO week as a PDF."""
    with reading(runtime().engine) as session:
        report = queries.report(session, week)
        letter = mailings.letter_for(session, report)
    return Response(pdf(letter, written_at=report.created_at), mimetype="application/pdf")


@blueprint.get("/<week>/since/<earlier>")
@endpoint(Scope.READ)
def since(week: str, earlier: str) -> Comparison:
    """How the report of a week differs from that of an earlier one."""
    with reading(runtime().engine) as session:
        return queries.comparison(session, earlier, week)


@blueprint.get("/<week>/shares")
@endpoint(Scope.MANAGE)
def shares(week: str, asked: Paging) -> Page[ShareOut]:
    """The links by which a report is read without signing in."""
    with reading(runtime().engine) as session:
        return page_of(sharing.shares(session, week), asked, lambda item: item.id)


@blueprint.post("/<week>/shares")
@endpoint(Scope.MANAGE, status=201, secret=True)
def share(week: str, data: ShareIn) -> NewShareOut:
    """Make a link; its secret part is in this answer only."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return sharing.share(session, week, data, actor=actor(), now=opened.clock.now())


@blueprint.delete("/shares/<int:number>")
@endpoint(Scope.MANAGE, status=204)
def revoke_share(number: int) -> None:
    """End a link."""
    opened = runtime()
    with transaction(opened.engine) as session:
        sharing.revoke(session, number, actor=actor(), now=opened.clock.now())
