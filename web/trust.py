"""Whether figures can be trusted: the light of every test under way, and the own A/A."""

from datetime import timedelta

from flask import Blueprint, render_template

from experiments.aa.queries import aa
from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.design import queries as designs
from experiments.journeys import queries as journeys
from experiments.reports.trust import lights
from web import access
from web.requests import runtime

blueprint = Blueprint("trust", __name__, template_folder="templates")
RECENT = timedelta(days=7)


@blueprint.get("/trust")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every light, and how often the gate would have promoted nothing."""
    now = runtime().clock.now()
    with reading(runtime().engine) as session:
        found = lights(session, since=now - RECENT, until=now)
        return render_template(
            "trust/index.html",
            aa=aa(session, now=now),
            lights=found,
            names=designs.names(session, found),
            journeys=journeys.names(session),
            now=now,
        )
