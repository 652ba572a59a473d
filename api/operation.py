"""Whether this process lives, and whether it is ready to serve."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

import migrations
from api import meter
from api.requests import answer, runtime
from experiments.clock import SystemClock
from experiments.database import reading
from experiments.errors import UnavailableError
from experiments.jobs.queries import scheduler_is_alive

blueprint = Blueprint("operation", __name__)
READY = 200
NOT_READY = 503


@blueprint.get("/healthz")
def health() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus: requests and their times by the route's template."""
    return Response(meter.exposition(), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/readyz")
def ready() -> Response:
    """Database, layout, scheduler and what waits to be recorded; 503 when requests would fail.

    A missing scheduler does not make a web process unready: it can still answer.
    """
    opened = runtime()
    spooled = "none wait" if opened.spool.is_empty() else "wait in a file for the database"
    try:
        with reading(opened.engine) as session:
            current = migrations.is_current(session)
            scheduled = current and scheduler_is_alive(session, now=SystemClock().now())
    except UnavailableError:
        return answer({"database": "away", "exposures": spooled}, NOT_READY)
    words: dict[str, object] = {
        "database": "ok",
        "migrations": "current" if current else "pending; run `desireline migrate`",
        "exposures": spooled,
        "scheduler": "ok" if scheduled else "no heartbeat; start scheduler.py",
    }
    return answer(words, READY if current else NOT_READY)
