"""The experiments: the list, and the page of one."""

from flask import Blueprint, Response, render_template, request

from experiments.accounts.schemas import Role
from experiments.analysis import queries as analysis
from experiments.database import reading
from experiments.design import listing
from experiments.design.schemas import Status
from experiments.errors import NotFoundError
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import VersionOut
from experiments.reports.judgements import latest_sentences
from web import access, experiment_history
from web.access import Page
from web.experiment_page import Seen, plots_of, seen, tables_of
from web.plots import svg
from web.readings import lead, results
from web.requests import page_number, runtime
from web.tables import asked_format, download

blueprint = Blueprint("experiments", __name__, template_folder="templates")
LINES_SHOWN = 25
PLOT_SECONDS = 24 * 3600
ENDED = (
    Status.KEPT,
    Status.NEUTRAL,
    Status.SOONER,
    Status.INCONCLUSIVE,
    Status.ABORTED,
)
TABS = {
    "all": ("All", ()),
    "draft": ("Drafts", (Status.DRAFT, Status.SCHEDULED)),
    "open": ("Under way", (Status.RUNNING, Status.PAUSED, Status.MATURING)),
    "decided": ("Waiting for approval", (Status.DECIDED,)),
    "promoted": ("Promoted", (Status.PROMOTED,)),
    "ended": ("Ended", ENDED),
    "archived": ("Archived", (Status.ARCHIVED,)),
}
ORDERS = {
    "newest": "Newest first",
    "started": "Started last",
    "name": "Name",
    "owner": "Owner",
    "state": "State",
}
VIEWS = {
    "results": "Results",
    "time": "Over time",
    "groups": "By group",
    "health": "Health",
    "setup": "Why and plan",
    "log": "Log",
}
READINGS = {"both": "Both", "frequentist": "Frequentist", "bayesian": "Bayesian"}


@blueprint.get("/experiments")
@access.needs(Role.VIEWER)
def index() -> Page:
    """The list, by state and journey, searched and ordered; the address says how."""
    asked, page = _asked(), page_number()
    with reading(runtime().engine) as session:
        counts = listing.counts(session)
        found = listing.lines(
            session,
            statuses=TABS[asked["tab"]][1],
            text=asked["q"],
            journey=asked["journey"],
            order=listing.Order(asked["sort"]),
            offset=(page - 1) * LINES_SHOWN,
            limit=LINES_SHOWN + 1,
        )
        now, shown = runtime().clock.now(), found[:LINES_SHOWN]
        sentences = latest_sentences(session, as_of=now)
        trust = analysis.trusts(session, {line.id: line.status for line in shown}, at=now)
        readouts = analysis.newest_readouts(session, [line.id for line in shown])
        standards = {
            key: journeys.standard(session, key) for key in {line.journey for line in shown}
        }
        names = [item.key for item in journeys.journeys(session)]
    leads = {
        line.id: lead(line.plan, readouts[line.id], trust.get(line.id))
        for line in shown
        if line.id in readouts
    }
    stages = {line.id: _stage(standards[line.journey], line.touchpoint) for line in shown}
    table = experiment_history.lines(shown, stages, trust, leads, sentences)
    if asked_format():
        return download({table.key: table}, name="experiments")
    return render_template(
        "experiments/index.html",
        lines=shown,
        trust=trust,
        leads=leads,
        stages=stages,
        has_more=len(found) > LINES_SHOWN,
        tabs=[
            (key, label, sum(counts.get(state, 0) for state in states or counts))
            for key, (label, states) in TABS.items()
        ],
        asked=asked,
        given={field: value or None for field, value in asked.items()},
        orders=ORDERS,
        journeys=names,
        page=page,
        sentences=sentences,
    )


def _asked() -> dict[str, str]:
    """State, text, journey and order of the list; what is not known falls back to everything."""
    tab, sort = request.args.get("tab", "all"), request.args.get("sort", "newest")
    return {
        "tab": tab if tab in TABS else "all",
        "q": request.args.get("q", "").strip(),
        "journey": request.args.get("journey", ""),
        "sort": sort if sort in ORDERS else "newest",
    }


def _stage(standard: VersionOut | None, touchpoint: str) -> str:
    """The name of the stage that holds a touchpoint, empty when the standard has none."""
    stage = standard.graph.stage_of(touchpoint) if standard else None
    return stage.name if stage else ""


@blueprint.get("/experiments/<key>")
@access.needs(Role.VIEWER)
def show(key: str) -> Page:
    """One experiment, the verdict first; a view at a time, each with its tables as files."""
    view, reading_as = request.args.get("view", "results"), request.args.get("reading", "both")
    if view not in VIEWS or reading_as not in READINGS:
        raise NotFoundError("view of an experiment", view)
    page = seen(key, view)
    tables = tables_of(page, view)
    if asked_format():
        return download(tables, name=key)
    return render_template(
        "experiments/show.html",
        **{field: getattr(page, field) for field in Seen.__slots__},
        startable=page.startable,
        trust=page.trust,
        results=results(page.run) if page.run else None,
        view=view,
        views=VIEWS,
        reading_as=reading_as,
        readings=READINGS,
        tables=tables,
        plots=plots_of(page, view),
    )


@blueprint.get("/experiments/<key>/plots/<view>/<name>.<any(light,dark):theme>.svg")
@access.needs(Role.VIEWER)
def plot(key: str, view: str, name: str, theme: str) -> Page:
    """One plot of a view; a browser may keep it when its address carries the look."""
    found = plots_of(seen(key, view), view).get(name)
    if found is None:
        raise NotFoundError("plot", name)
    answer = Response(svg(found, theme), mimetype="image/svg+xml")
    if request.args.get("look"):
        answer.headers["Cache-Control"] = f"private, max-age={PLOT_SECONDS}"
    return answer
