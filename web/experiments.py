"""The experiments: the list, and the page of one."""

from flask import Blueprint, Response, render_template, request

from experiments.accounts.schemas import Role
from experiments.errors import NotFoundError
from web import access, experiment_history
from web.access import Page
from web.experiment_list import HEALTH, ORDERS, Listed, listed
from web.experiment_page import Seen, plots_of, seen, tables_of
from web.plots import svg
from web.readings import lead, results
from web.tables import asked_format, download

blueprint = Blueprint("experiments", __name__, template_folder="templates")
PLOT_SECONDS = 24 * 3600
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
    found = listed()
    leads = {
        line.id: lead(line.plan, found.readouts[line.id], found.trust.get(line.id))
        for line in found.lines
        if line.id in found.readouts
    }
    table = experiment_history.lines(found.lines, found.stages, found.trust, leads, found.sentences)
    if asked_format():
        return download({table.key: table}, name="experiments")
    return render_template(
        "experiments/index.html",
        **{field: getattr(found, field) for field in Listed.__slots__},
        leads=leads,
        given={field: value or None for field, value in found.asked.items()},
        orders=ORDERS,
        health=HEALTH,
    )


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
        called=page.called,
        metrics=page.metrics,
        trust=page.trust,
        results=results(page.run) if page.run else None,
        view=view,
        views=VIEWS,
        reading_as=reading_as,
        readings=READINGS,
        tables=tables,
        plots=plots_of(page, view),
    )


@blueprint.get(
    "/experiments/<key>/plots/<view>/<name>.<any(wide,narrow):width>.<any(light,dark):theme>.svg"
)
@access.needs(Role.VIEWER)
def plot(key: str, view: str, name: str, width: str, theme: str) -> Page:
    """One plot of a view; a browser may keep it when its address carries the look."""
    found = plots_of(seen(key, view), view).get(name)
    if found is None:
        raise NotFoundError("plot", name)
    answer = Response(svg(found, theme, is_narrow=width == "narrow"), mimetype="image/svg+xml")
    if request.args.get("look"):
        answer.headers["Cache-Control"] = f"private, max-age={PLOT_SECONDS}"
    return answer
