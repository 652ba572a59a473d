"""The scheduled jobs over the API."""

from flask import Blueprint

from api.endpoint import endpoint
from api.paging import Page, Paging, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.jobs import queries, service
from experiments.jobs.schemas import JobOut, JobRunOut

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1")


@blueprint.get("/jobs")
@endpoint(Scope.READ)
def jobs(asked: Paging) -> Page[JobOut]:
    """Every job with its newest run."""
    with reading(runtime().engine) as session:
        return page_of(queries.jobs(session), asked, lambda item: item.name)


@blueprint.post("/jobs/<name>/run")
@endpoint(Scope.MANAGE)
def run(name: str) -> JobRunOut:
    """Run one job now; every job is safe to run again."""
    return JobRunOut(job=name, outcome=service.run(runtime(), service.job(name)))
