"""The scheduled jobs over the API."""

from flask import Blueprint, Response

from api.access import needs
from api.requests import answer, page, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.jobs import queries, service

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1")


@blueprint.get("/jobs")
@needs(Scope.READ)
def jobs() -> Response:
    """Every job with its newest run."""
    with reading(runtime().engine) as session:
        return page(queries.jobs(session))


@blueprint.post("/jobs/<name>/run")
@needs(Scope.MANAGE)
def run(name: str) -> Response:
    """Run one job now; every job is safe to run again."""
    return answer({"job": name, "outcome": service.run(runtime(), service.job(name))})
