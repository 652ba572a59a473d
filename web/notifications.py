"""What people must be told: the list, and noting that it was read."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading, transaction
from experiments.design import queries as designs
from experiments.notifications import queries, service
from web import access
from web.requests import runtime

blueprint = Blueprint("notifications", __name__, template_folder="templates")
LINES_SHOWN = 50


@blueprint.get("/notifications")
@access.needs(Role.VIEWER)
def index() -> str:
    """The newest first, read ones too."""
    given = request.args.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() else None
    with reading(runtime().engine) as session:
        found = queries.notifications(session, before=before, limit=LINES_SHOWN + 1)
        names = designs.names(session, {item.subject_key for item in found})
    return render_template(
        "notifications/index.html",
        notifications=found[:LINES_SHOWN],
        names=names,
        older=found[LINES_SHOWN - 1].id if len(found) > LINES_SHOWN else None,
    )


@blueprint.post("/notifications/<int:number>/read")
@access.needs(Role.EDITOR)
def read(number: int) -> Response:
    """Note that somebody has read it."""
    now, actor = runtime().clock.now(), access.actor()
    with transaction(runtime().engine) as session:
        service.mark_read(session, number, actor=actor, now=now)
    back = "home.page" if request.form.get("back") == "home" else "notifications.index"
    return redirect(url_for(back))
