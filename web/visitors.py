"""One visitor: ids, attributes, arms, and what they did in readable words."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from experiments.accounts.schemas import Role
from experiments.assignment import queries
from experiments.database import reading, transaction
from experiments.design import listing
from experiments.erasure import queries as erasures
from experiments.erasure import service as erasure
from experiments.errors import NotFoundError
from experiments.events import queries as events
from experiments.instances import queries as instances
from web import access
from web.access import Page
from web.requests import runtime

blueprint = Blueprint("visitors", __name__, template_folder="templates")
NEWEST_SHOWN = 10


@blueprint.get("/visitors")
@access.needs(Role.VIEWER)
def index() -> Page:
    """The search; an id that is known leads to its visitor."""
    value = request.args.get("id", "").strip()
    if not value:
        with reading(runtime().engine) as session:
            newest = queries.newest(session, limit=NEWEST_SHOWN)
        return render_template("visitors/index.html", value="", missing=False, newest=newest)
    try:
        with reading(runtime().engine) as session:
            queries.visitor(session, value)
    except NotFoundError:
        return render_template("visitors/index.html", value=value, missing=True), 404
    return redirect(url_for("visitors.show", value=value))


@blueprint.get("/visitors/<path:value>")
@access.needs(Role.VIEWER)
def show(value: str) -> str:
    """Everything known of one visitor."""
    with reading(runtime().engine) as session:
        visitor = queries.visitor(session, value)
        assigned = [item.experiment_id for item in visitor.assignments]
        tests = listing.lines_of(session, assigned)
        arms = listing.arms_of(session, assigned)
        return render_template(
            "visitors/show.html",
            value=value,
            visitor=visitor,
            tests=tests,
            arms=arms,
            walks=instances.instances(session, value),
            events=events.visitor_events(session, value),
        )


@blueprint.get("/visitors/<path:value>/export")
@access.needs(Role.ADMIN)
def export(value: str) -> Page:
    """All that is stored of one visitor, as a file to hand to them."""
    with reading(runtime().engine) as session:
        found = erasures.known(session, value)
    response = Response(found.model_dump_json(indent=2), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename="visitor.json")
    return response


@blueprint.post("/visitors/<path:value>/erase")
@access.needs(Role.ADMIN)
def erase(value: str) -> Page:
    """Forget one visitor, when their id was typed once more."""
    if request.form.get("confirmation", "").strip() != value:
        flash("Nothing was erased: type the id as it stands in the heading.", "bad")
        return redirect(url_for("visitors.show", value=value))
    opened = runtime()
    with transaction(opened.engine) as session:
        erased = erasure.erase(session, value, actor=access.actor(), now=opened.clock.now())
    flash("The visitor is forgotten, with everything they did.", "good")
    if erased.awaiting_tidy:
        flash("Copies of their events leave the files of the analysis within hours.", "good")
    return redirect(url_for("visitors.index"))
