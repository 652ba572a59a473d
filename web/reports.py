"""The weekly reports: the archive, and one report as a page."""

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.reports import queries
from experiments.reports.funnel import SIDE_STAGES
from experiments.reports.schemas import JourneyFunnel
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


@blueprint.get("/reports/<week>")
@access.needs(Role.VIEWER)
def show(week: str) -> str:
    """The report of one ISO week, as it was written."""
    with reading(runtime().engine) as session:
        report = queries.report(session, week)
    pictures = {item.journey: path(_stops(item)) for item in report.body.funnels}
    return render_template("reports/show.html", report=report, body=report.body, pictures=pictures)


def _stops(funnel: JourneyFunnel) -> tuple[Stop, ...]:
    return tuple(
        Stop(name=stage.name, visitors=stage.visitors)
        for stage in funnel.stages
        if stage.kind not in SIDE_STAGES
    )
