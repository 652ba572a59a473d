"""The weekly reports: the archive, one report as a page, and two weeks side by side."""

from flask import Blueprint, render_template
from markupsafe import Markup

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.reports import queries, service
from experiments.reports.comparing import Comparison
from experiments.reports.letter import Letter, Section
from experiments.reports.schemas import ReportOut
from experiments.reports.telling import tell
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
        return _page(report, queries.since_last(session, report), final=False)


@blueprint.get("/reports/<week>")
@access.needs(Role.VIEWER)
def show(week: str) -> str:
    """The report of one ISO week, as it was written."""
    with reading(runtime().engine) as session:
        report = queries.report(session, week)
        return _page(report, queries.since_last(session, report), final=True)


def pictures(letter: Letter) -> dict[str, Markup]:
    """The funnels of a letter as pictures, by the key of their section."""
    return {item.key: path(_stops(item)) for item in letter.sections if item.steps}


def _page(report: ReportOut, comparison: Comparison | None, *, final: bool) -> str:
    letter = tell(report, comparison, final=final)
    return render_template(
        "reports/show.html", letter=letter, pictures=pictures(letter), report=report, final=final
    )


def _stops(section: Section) -> tuple[Stop, ...]:
    return tuple(
        Stop(name=step.name, visitors=step.visitors) for step in section.steps if step.on_path
    )
