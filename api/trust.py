"""Whether figures and the platform itself can be trusted, over the API."""

from datetime import timedelta

from flask import Blueprint

from api.endpoint import endpoint
from api.paging import Page
from api.requests import runtime
from experiments.aa.queries import aa
from experiments.aa.schemas import AaOut
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.reports.schemas import ExperimentTrust
from experiments.reports.trust import lights

blueprint = Blueprint("trust", __name__, url_prefix="/api/v1/trust")
RECENT = timedelta(days=7)


@blueprint.get("/lights")
@endpoint(Scope.READ)
def all_lights() -> Page[ExperimentTrust]:
    """The trust light of every test under way or looked at this week, with its reasons."""
    opened = runtime()
    now = opened.clock.now()
    with reading(opened.engine) as session:
        found = lights(session, since=now - RECENT, until=now)
    data = [ExperimentTrust(experiment=key, trust=trust) for key, trust in found.items()]
    return Page(data=data, next_cursor=None)


@blueprint.get("/aa")
@endpoint(Scope.READ)
def own_aa() -> AaOut:
    """The own A/A: how often the gate would have promoted what differs in nothing."""
    opened = runtime()
    with reading(opened.engine) as session:
        return aa(session, now=opened.clock.now())
