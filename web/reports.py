"""The weekly reports: the archive, and one report as a page."""

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.reports import queries, service
from experiments.reports.funnel import SIDE_STAGES
from experiments.reports.schemas import JourneyFunnel, ReportOut
from web import access
from web.charts import Stop, path
from web.requests import runtime

blueprint = Blueprint("reports", __name__, template_folder="templates")


@blueprint.get("/reports")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every report, the newest week first."""
    with reading(runtime().engine) as session:
        return render_template("reports/index.html", reports=queries.reports(session))


@blueprint.get("/reports/so-far")
@access.needs(Role.VIEWER)
def so_far() -> str:
    """What the report of the running week would say now."""
    opened = runtime()
    with reading(opened.engine) as session:
        report = service.so_far(session, now=opened.clock.now())
    return _page(report, final=False)


@blueprint.get("/reports/<week>")
@access.needs(Role.VIEWER)
def show(week: str) -> str:
    """The report of one ISO week, as it was written."""
    with reading(runtime().engine) as session:
        report = queries.report(session, week)
    return _page(report, final=True)


def _page(report: ReportOut, *, final: bool) -> str:
    pictures = {item.journey: path(_stops(item)) for item in report.body.funnels}
    return render_template(
        "reports/show.html", report=report, body=report.body, pictures=pictures, final=final
    )


def _stops(funnel: JourneyFunnel) -> tuple[Stop, ...]:
    return tuple(
        Stop(name=stage.name, visitors=stage.visitors)
        for stage in funnel.stages
        if stage.kind not in SIDE_STAGES
    )
