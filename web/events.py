"""Events: what arrived lately, and what was refused with the reason."""

from flask import Blueprint, render_template

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.events import queries
from web import access
from web.requests import runtime

blueprint = Blueprint("events", __name__, template_folder="templates")


@blueprint.get("/events")
@access.needs(Role.VIEWER)
def index() -> str:
    """The newest events and the newest refusals."""
    with reading(runtime().engine) as session:
        recent = queries.recent(session)
        rejected = queries.rejected(session)
    return render_template("events/index.html", recent=recent, rejected=rejected)
