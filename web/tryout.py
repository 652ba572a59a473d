"""The demonstration at one click: made in the background, looked at, left, removed."""

from flask import Blueprint, flash, make_response, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.errors import ConflictError
from experiments.events import queries as events
from experiments.journeys import queries as journeys
from experiments.simulation import tryout
from experiments.simulation.tryout import Phase
from web import access
from web.looking import VISITING
from web.requests import own_runtime

blueprint = Blueprint("tryout", __name__, template_folder="templates")
LOOK_AGAIN_SECONDS = "2"


@blueprint.get("/start/demo")
@access.needs(Role.VIEWER)
def page() -> Response:
    """How far it has come; read again by the browser until it is there."""
    opened = own_runtime()
    state = tryout.state(opened.settings, now=opened.clock.now())
    body = render_template("start/demo.html", state=state, is_offered=is_offered())
    response = make_response(body)
    if state.phase is Phase.LOADING:
        response.headers["Refresh"] = LOOK_AGAIN_SECONDS
    return response


@blueprint.post("/start/demo")
@access.needs(Role.ADMIN)
def load() -> Response:
    """Begin to make it; refused as soon as there is anything real."""
    if not is_offered():
        message = "There are real data here, and the demonstration is for empty installations."
        raise ConflictError(message)
    tryout.load(own_runtime().settings)
    return redirect(url_for("tryout.page"))


@blueprint.post("/start/demo/visit")
@access.needs(Role.VIEWER)
def visit() -> Response:
    """See the demonstration on every page until it is left."""
    session[VISITING] = True
    return redirect(url_for("home.page"))


@blueprint.post("/start/demo/leave")
@access.needs(Role.VIEWER)
def leave() -> Response:
    """Go back to what is real."""
    session.pop(VISITING, None)
    return redirect(url_for("start.page"))


@blueprint.post("/start/demo/remove")
@access.needs(Role.ADMIN)
def remove() -> Response:
    """Remove it with everything that was tried in it."""
    opened = own_runtime()
    tryout.remove(opened.settings, now=opened.clock.now())
    session.pop(VISITING, None)
    flash("The demonstration is removed. Nothing of yours was ever in it.", "good")
    return redirect(url_for("start.page"))


def is_offered() -> bool:
    """Whether nothing real is here yet."""
    with reading(own_runtime().engine) as storage:
        return not journeys.journeys(storage) and not events.recent(storage, limit=1)
