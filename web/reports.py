"""The weekly reports: the archive, and one report as a page."""

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.reports import queries
from web import access
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
    return render_template("reports/show.html", report=report, body=report.body)
