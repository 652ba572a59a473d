"""The weekly reports: the archive, one report as a page, and two weeks side by side."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as Redirect

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.mailings.document import pdf
from experiments.mailings.service import letter_for
from experiments.reports import queries, service, sharing
from experiments.reports.letter import Letter, Section
from experiments.reports.sharing import NewShareOut, ShareIn
from experiments.reports.telling import tell
from experiments.shapes import parse
from web import access
from web.charts import Stop, path
from web.requests import runtime, text

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
        comparison = queries.since_last(session, report)
    letter = tell(report, comparison, final=False)
    return render_template(
        "reports/show.html", letter=letter, pictures=pictures(letter), final=False
    )


@blueprint.get("/reports/compare")
@access.needs(Role.VIEWER)
def compare() -> str:
    """Two reports beside each other."""
    with reading(runtime().engine) as session:
        known = [item.week for item in queries.reports(session)]
        newest = dict(zip(("later", "earlier"), known, strict=False))
        earlier, later = (
            request.args.get(side, newest.get(side, "")) for side in ("earlier", "later")
        )
        found = (
            queries.comparison(session, earlier, later) if {earlier, later} <= {*known} else None
        )
    return render_template(
        "reports/compare.html",
        comparison=found,
        weeks=[(week, week) for week in known],
        earlier=earlier,
        later=later,
    )


@blueprint.get("/reports/<week>")
@access.needs(Role.VIEWER)
def show(week: str) -> str:
    """The report of one ISO week, as it was written."""
    return _page(week)


@blueprint.get("/reports/<week>/document.pdf")
@access.needs(Role.VIEWER)
def document(week: str) -> Response:
    """The same as a PDF."""
    with reading(runtime().engine) as session:
        report = queries.report(session, week)
        letter = letter_for(session, report)
    return Response(pdf(letter, written_at=report.created_at), mimetype="application/pdf")


@blueprint.post("/reports/<week>/shares")
@access.needs(Role.EDITOR)
def share(week: str) -> str:
    """Make a link for people who do not sign in, and show it once."""
    now, actor = runtime().clock.now(), access.actor()
    asked = parse(ShareIn, {"days": text("days")})
    with transaction(runtime().engine) as session:
        made = sharing.share(session, week, asked, actor=actor, now=now)
    return _page(week, made)


@blueprint.post("/reports/<week>/shares/<int:number>/revoke")
@access.needs(Role.EDITOR)
def revoke_share(week: str, number: int) -> Redirect:
    """End a link."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        sharing.revoke(session, number, actor=actor, now=now)
    flash("The link no longer works.", "good")
    return redirect(url_for("reports.show", week=week))


def pictures(letter: Letter) -> dict[str, Markup]:
    """The funnels of a letter as pictures, by the key of their section."""
    return {item.key: path(_stops(item)) for item in letter.sections if item.steps}


def _page(week: str, made: NewShareOut | None = None) -> str:
    with reading(runtime().engine) as session:
        report = queries.report(session, week)
        comparison = queries.since_last(session, report)
        shares = sharing.shares(session, week)
    letter = tell(report, comparison)
    return render_template(
        "reports/show.html",
        letter=letter,
        pictures=pictures(letter),
        comparison=comparison,
        shares=shares,
        made=made,
        base_url=runtime().settings.base_url,
        final=True,
    )


def _stops(section: Section) -> tuple[Stop, ...]:
    return tuple(
        Stop(name=step.name, visitors=step.visitors) for step in section.steps if step.on_path
    )
