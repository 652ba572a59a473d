"""The scheduled jobs: how they went, and running one by hand."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from experiments.accounts.schemas import Role
from experiments.database import reading
from experiments.jobs import queries, service
from web import access
from web.requests import runtime

blueprint = Blueprint("jobs", __name__, template_folder="templates")


@blueprint.get("/jobs")
@access.needs(Role.VIEWER)
def index() -> str:
    """Every job with its newest run."""
    with reading(runtime().engine) as session:
        jobs = queries.jobs(session)
        alive = queries.scheduler_is_alive(session, now=runtime().clock.now())
    return render_template("jobs/index.html", jobs=jobs, alive=alive)


@blueprint.post("/jobs/<name>/run")
@access.needs(Role.EDITOR)
def run(name: str) -> Response:
    """Run a job now; each is safe to run at any time."""
    outcome = service.run(runtime(), service.job(name))
    flash(f"{name}: {outcome}", "good")
    return redirect(url_for("jobs.index"))
