"""Whether the platform itself can be trusted, over the API."""

from flask import Blueprint

from api.endpoint import endpoint
from api.requests import runtime
from experiments.aa.queries import aa
from experiments.aa.schemas import AaOut
from experiments.accounts.schemas import Scope
from experiments.database import reading

blueprint = Blueprint("trust", __name__, url_prefix="/api/v1/trust")


@blueprint.get("/aa")
@endpoint(Scope.READ)
def own_aa() -> AaOut:
    """The own A/A: how often the gate would have promoted what differs in nothing."""
    opened = runtime()
    with reading(opened.engine) as session:
        return aa(session, now=opened.clock.now())
